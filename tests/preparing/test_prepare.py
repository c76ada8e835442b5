"""Models that a study draws from, and draws that two of them would share."""

from dataclasses import replace
from pathlib import Path

from isocost.config import ModelSpec
from isocost.engines.base import ModelSize
from isocost.executors.jobs import EngineFacts
from isocost.preparing.prepare import _engine_options, generators, pool_id, prepare
from isocost.prompts import make_template
from isocost.records import SamplingParams
from tests.builders import study, write_problems

PARAMS = SamplingParams(temperature=1.0, max_tokens=64)


def test_the_model_that_a_budget_is_matched_to_is_drawn_from_though_no_arm_names_it() -> None:
    assert generators(study(arms={"weak": {"models": ["weak"]}})) == ["weak", "strong"]


def test_a_model_that_neither_arm_nor_budget_names_is_not_drawn_from() -> None:
    assert generators(study(arms={"weak": {"models": ["weak"]}}, budgets={"low": {"unit": "flops", "amount": 1e12}})) == ["weak"]


def test_whatever_changes_a_draw_changes_the_pool() -> None:
    template = make_template(study().prompt_of("weak"))
    ids = {
        pool_id("weights", template, PARAMS, 0),
        pool_id("other weights", template, PARAMS, 0),
        pool_id("weights", replace(template, chat=True), PARAMS, 0),
        pool_id("weights", template, replace(PARAMS, temperature=0.5), 0),
        pool_id("weights", template, PARAMS, 1),
    }
    assert len(ids) == 5


def test_keys_of_chats_make_no_other_pool_of_a_model_without_a_chat() -> None:
    template = make_template(study().prompt_of("weak"))
    assert pool_id("weights", replace(template, system="Be brief."), PARAMS, 0) == pool_id("weights", template, PARAMS, 0)


def test_an_engine_that_drops_special_tokens_keeps_those_of_the_delimiters_of_reasoning() -> None:
    reasoning, marks = {"open": "[THINK]", "close": "[/THINK]"}, ("[THINK]", "[/THINK]")
    for engine, own, kept in (("transformers", reasoning, marks), ("transformers", None, None), ("openai", reasoning, None)):
        spec = ModelSpec.model_validate({"engine": engine, "model": "m", "reasoning": own})
        assert _engine_options(spec, Path()).get("special_tokens") == kept


def test_a_model_of_the_hub_goes_to_workers_with_the_commit_that_it_was_described_at(tmp_path: Path) -> None:
    write_problems(tmp_path, 4)
    models = {name: {"engine": "transformers", "model": f"org/{name}"} for name in ("weak", "strong")}
    prepared = prepare(
        study(models=models),
        tmp_path,
        lambda spec: EngineFacts(identity=f"{dict(spec.options)['model']}@{'a' * 40}", size=ModelSize(parameters=10, description="10")),
        to_spend=True,
    )
    assert [dict(spec.options)["revision"] for spec in prepared.specs.values()] == ["a" * 40] * 2
    assert prepared.identities == {name: f"org/{name}@{'a' * 40}" for name in models}
