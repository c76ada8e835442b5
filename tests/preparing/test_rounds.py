"""The studies of the rounds of an iterated study."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pytest

from isocost.config import Price, Study
from isocost.costs.pricefile import PriceList
from isocost.preparing.parts import known_parts
from isocost.preparing.rounds import first_round, later_round
from isocost.prompts import make_template
from isocost.running.folders import resolved
from isocost.studyfile import check_study
from isocost.yamlfile import parse_yaml
from tests.iterated import TINY, raw

FOLDER = Path("/runs/models/base-self@all-0-abc")
TRAINED = {("self", "base"): FOLDER}


def checked(**changes: Any) -> Study:
    return check_study(raw(**changes), known_parts())


def test_a_study_of_one_round_is_not_touched() -> None:
    study = checked(rounds=1)
    assert first_round(study) is study


def test_each_round_gets_an_equal_part_of_the_budget() -> None:
    by_match, by_amount = checked(), checked(budgets={"all": {"unit": "flops", "amount": 30.0}})
    for part in (first_round(by_match), later_round(by_match, 2, TRAINED), later_round(by_match, 3, TRAINED)):
        assert part.budgets["all"].match is not None
        assert part.budgets["all"].match.samples_per_problem == 2
    for part in (first_round(by_amount), later_round(by_amount, 3, TRAINED)):
        assert part.budgets["all"].amount == 10.0
    counted = checked(arms={"self": {"models": ["base"], "samples_per_problem": 9}})
    assert first_round(counted).arms["self"].samples_per_problem == 3
    assert later_round(counted, 2, TRAINED).arms["self"].samples_per_problem == 3


def test_a_limit_is_not_split() -> None:
    study = checked(limit={"unit": "flops", "amount": 5.0})
    assert later_round(study, 2, TRAINED).limit == first_round(study).limit == study.limit


def test_a_later_round_samples_the_trained_model_and_trains_the_untrained_one() -> None:
    later = later_round(checked(), 2, TRAINED)
    assert later.arms["self"].models == ("base-self-r1",)
    trained = later.models["base-self-r1"]
    assert trained.options == {"model": str(FOLDER), "device": "cpu"}
    assert (trained.engine, trained.trained_from, trained.tokens_per_sample) == ("transformers", "base", 8)
    assert later.models["base"] == checked().models["base"]
    assert later.finetune is not None
    assert (later.finetune.students, later.finetune.rounds, later.name) == (("base",), 1, "iterated-round-2")
    assert first_round(later) is later


def test_the_trained_model_is_asked_in_the_form_in_which_it_was_trained() -> None:
    later = later_round(checked(), 2, TRAINED)
    untrained, trained = (make_template(later.prompt_of(name)) for name in ("base", "base-self-r1"))
    assert untrained.examples
    assert trained.render("What?") == untrained.plain("What?")
    assert trained.reply_stop == untrained.stop
    # A chat student is trained in its chat, system message included.
    chat = {"chat": True, "system": "Be brief."}
    later = later_round(checked(prompt={"template": "lab-2shot", **chat}), 2, TRAINED)
    trained = make_template(later.prompt_of("base-self-r1"))
    assert (trained.chat, trained.system, trained.examples) == (True, "Be brief.", ())
    later = later_round(checked(prompt={"template": "lab", **chat}, base={**TINY, "prompt": {"chat": False}}), 2, TRAINED)
    assert later.models["base-self-r1"].prompt == later.models["base"].prompt


def test_only_students_of_an_arm_are_replaced_and_every_arm_has_its_own() -> None:
    arms = {
        "self": {"models": ["base"]},
        "both": {
            "policy": "mixed",
            "models": ["base", "strong"],
            "shares": {"base": 1, "strong": 3},
        },
    }
    study = checked(arms=arms, trained=["self", "both"])
    later = later_round(study, 3, {**TRAINED, ("both", "base"): Path("/runs/models/other")})
    assert later.arms["both"].models == ("base-both-r2", "strong")
    assert later.arms["both"].shares == {"base-both-r2": 1, "strong": 3}
    assert later.models["base-both-r2"].options["model"] == "/runs/models/other"
    assert later.arms["self"].models == ("base-self-r2",)


def test_each_round_has_a_seed_of_its_own() -> None:
    study = checked()
    seeds = [study.seed, *(later_round(study, number, TRAINED).seed for number in (2, 3))]
    assert len(set(seeds)) == 3
    assert seeds[1:] == [later_round(study, number, TRAINED).seed for number in (2, 3)]


@pytest.mark.parametrize("listed", ["lab:tiny", "base"])
def test_the_trained_model_keeps_the_price_of_its_student(listed: str) -> None:
    price = Price(input=0.1, output=0.4, dated=dt.date(2026, 1, 2))
    later = later_round(checked(), 2, TRAINED, PriceList(shown="prices.yaml", models={listed: price}))
    assert later.models["base-self-r1"].price == price
    assert later_round(checked(), 2, TRAINED).models["base-self-r1"].price is None


def test_a_later_round_is_a_study_file_that_can_be_read_again(tmp_path: Path) -> None:
    later = later_round(checked(), 2, TRAINED)
    read = check_study(parse_yaml(resolved(later, tmp_path), text_keys=True).data, known_parts())
    assert read == later


def test_a_long_name_is_cut_for_the_rounds() -> None:
    name = later_round(checked(name="n" * 60), 2, TRAINED).name
    assert len(name) == 60
    assert name.endswith("n-round-2")
