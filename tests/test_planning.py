import datetime as dt
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isocost.config import Costs, Study
from isocost.costs.draws import cost_of
from isocost.costs.expected import DrawCost, draw_costs
from isocost.engines.base import ModelSize
from isocost.errors import BudgetError, StudyError
from isocost.planning import amount_of, cells, in_unit, model_card, plan_cell, terms_of, to_json
from isocost.policies.base import Terms
from isocost.policies.uniform import build
from isocost.records import Allocation, CellPlan, Cost, ModelCard, Unit
from isocost.running import plan_study, runs
from isocost.summaries.plans import first_prompts, to_markdown
from tests.builders import MAX_TOKENS, InlineExecutor, nested, raw_study, study, write_study

IDS = tuple(f"p{i}" for i in range(7))
LONGEST_PROMPT = 100
PRICE = {"input": 2.0, "output": 8.0}


@pytest.fixture(autouse=True)
def in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs, "LocalExecutor", InlineExecutor)


def cards(made: Study) -> dict[str, ModelCard]:
    return {name: model_card(name, made, None) for name in made.models}


def costs(made: Study, piloted: Mapping[str, tuple[float, float]] | None = None) -> dict[str, DrawCost]:
    return draw_costs(made, cards(made), piloted or {}, dict.fromkeys(made.models, LONGEST_PROMPT))


def with_models(**facts: Mapping[str, object]) -> Study:
    """The study with more said of its models, and nothing said that is None."""
    raw = raw_study()
    for name, more in facts.items():
        raw["models"][name] = {key: value for key, value in {**raw["models"][name], **more}.items() if value is not None}
    return study(**raw)


def plans(made: Study) -> dict[str, CellPlan]:
    known = costs(made)
    terms = {cell: terms_of(cell, made, IDS, known, {}) for cell in cells(made)}
    return {cell.name: plan_cell(cell, each, known, build(each)) for cell, each in terms.items()}


def test_what_the_study_says_of_a_model_wins_over_what_the_engine_reads() -> None:
    size = ModelSize(parameters=5, description="total, embeddings tied")
    made = with_models(strong={"params": None})
    weak, strong, unread = model_card("weak", made, size), model_card("strong", made, size), model_card("strong", made, None)
    assert (weak.parameters, weak.parameters_are, weak.flops_per_token) == (1000, "given in the study file", 2000)
    assert (strong.parameters, strong.parameters_are, strong.flops_per_token) == (5, "total, embeddings tied", 10)
    assert (unread.parameters, unread.parameters_are, unread.flops_per_token) == (None, "not known", None)


def test_a_draw_costs_2p_flops_a_token_and_its_whole_prompt() -> None:
    card = model_card("weak", with_models(weak={"price": PRICE}), None)
    cost = cost_of(card, prompt_tokens=30, generated_tokens=10)
    assert cost == Cost(flops=20_000, usd=(2 * 30 + 8 * 10) / 1e6)


@pytest.mark.parametrize(
    ("made", "piloted", "tokens", "source"),
    [
        (study(), {}, MAX_TOKENS, "equal, at max_tokens"),
        (with_models(weak={"tokens_per_sample": 20}, strong={"tokens_per_sample": 30}), {}, 20, "declared"),
        (with_models(weak={"tokens_per_sample": 20}, strong={"tokens_per_sample": 30}), {"weak": (9, 40)}, 20, "declared"),
        (study(), {"weak": (9, 40), "strong": (9, 50)}, 40, "piloted"),
    ],
)
def test_how_long_a_draw_is_expected_to_be(made: Study, piloted: dict[str, tuple[float, float]], tokens: float, source: str) -> None:
    weak = costs(made, piloted)["weak"]
    assert (weak.tokens, weak.tokens_are) == (tokens, source)
    assert weak.expected.flops == 2000 * tokens
    assert weak.worst.flops == 2000 * MAX_TOKENS


def test_lengths_declared_for_some_models_only_are_refused() -> None:
    with pytest.raises(BudgetError, match=r"^models\.strong\.tokens_per_sample is missing: other models declare theirs\n"):
        costs(with_models(weak={"tokens_per_sample": 20}))


def test_a_pilot_makes_up_for_lengths_that_are_not_declared() -> None:
    found = costs(with_models(weak={"tokens_per_sample": 20}), {"strong": (9, 33)})
    assert (found["weak"].tokens_are, found["strong"].tokens_are) == ("declared", "piloted")


def test_input_tokens_with_a_price_need_the_length_of_the_prompt() -> None:
    with pytest.raises(BudgetError, match=r"^models\.weak\.prompt_tokens is missing: its input tokens have a price\n"):
        costs(with_models(weak={"price": PRICE}))
    declared = costs(with_models(weak={"price": PRICE, "prompt_tokens": 50}))
    assert declared["weak"].expected.usd == pytest.approx((2 * 50 + 8 * MAX_TOKENS) / 1e6)
    assert declared["weak"].worst.usd == pytest.approx((2 * LONGEST_PROMPT + 8 * MAX_TOKENS) / 1e6)


@pytest.mark.parametrize(("unit", "key"), [("flops", "models.strong.params"), ("usd", "models.strong.price")])
def test_an_unknown_cost_is_an_error_that_names_the_key(unit: str, key: str) -> None:
    made = with_models(strong={"params": None}, weak={"price": {"output": 1}})
    made = made.model_copy(update={"budgets": study(budgets={"b": {"unit": unit, "amount": 1e9}}).budgets})
    with pytest.raises(BudgetError, match=f"the cost of model strong in {unit} is not known\n  give {key}"):
        plans(made)


def test_a_draw_that_costs_nothing_cannot_be_held_to_a_budget() -> None:
    free = {"price": {"input": 0, "output": 0}}
    made = with_models(weak=free, strong={"price": {"output": 1}})
    made = made.model_copy(update={"budgets": study(budgets={"b": {"unit": "usd", "amount": 1}}).budgets})
    with pytest.raises(BudgetError, match="a draw of model weak costs nothing in usd"):
        plans(made)


def test_a_budget_that_pays_for_no_draw_is_refused() -> None:
    made = study(budgets={"b": {"unit": "flops", "amount": 100_000}})
    with pytest.raises(BudgetError, match=r"^a budget of 100.0 KFLOPs does not pay for .* of model weak at 128.0 KFLOPs"):
        plans(made)


def test_the_amount_of_a_matched_budget() -> None:
    made = study()
    assert amount_of(made.budgets["low"], 7, costs(made)) == 7 * 2 * 6000 * MAX_TOKENS


def test_a_number_matched_arm_stands_once() -> None:
    budgets = {name: {"unit": "flops", "amount": 1e9} for name in ("low", "high")}
    assert [cell.name for cell in cells(study(budgets=budgets))] == ["weak@low", "weak@high", "strong@low", "strong@high", "equal@number"]


@given(st.integers(1, 400), st.integers(1, 400), st.integers(1, 12))
def test_the_plan_is_what_the_policy_proposes(weak: int, strong: int, samples: int) -> None:
    made = with_models(weak={"params": weak}, strong={"params": strong})
    match = {"model": "strong", "samples_per_problem": samples}
    made = made.model_copy(update={"budgets": study(budgets={"b": {"unit": "flops", "match": match}}).budgets})
    known = costs(made)
    for cell in cells(made):
        terms = terms_of(cell, made, IDS, known, {})
        if terms.amount is not None and terms.amount < terms.expected[terms.models[0]]:
            continue
        plan = plan_cell(cell, terms, known, build(terms))
        proposed = sum(a.count for a in build(terms).propose())
        (each,) = plan.samples_per_problem.values()
        assert each * len(IDS) == pytest.approx(proposed)
        assert plan.cost.flops == pytest.approx(proposed * (known[plan.models[0]].expected.flops or 0))


@pytest.mark.parametrize(
    "proposed", [("p0", 1), Allocation(problem_id="zzz", model="weak", first_index=0, count=1)], ids=["a tuple", "an unknown problem"]
)
def test_what_a_policy_of_the_user_s_must_not_propose(proposed: Allocation) -> None:
    made = study()
    cell, terms = next((cell, terms) for cell in cells(made) if (terms := terms_of(cell, made, IDS, costs(made), {})).models == ("weak",))
    policy = build(terms)
    policy.propose = lambda: [proposed]  # type: ignore[method-assign]
    with pytest.raises(StudyError, match=r"arms\.weak\.policy: proposes .*, which is no Allocation of a problem and a model of its Terms"):
        plan_cell(cell, terms, costs(made), policy)


def test_the_json_object_has_the_keys_of_the_contract(tmp_path: Path) -> None:
    _, _, found = plan_study(write_study(tmp_path))
    assert json.loads(json.dumps(to_json(found))) == {
        "budgets": {
            "low": {
                "unit": "flops",
                "amount": 30 * 2 * 6000 * MAX_TOKENS,
                "choices": [
                    {
                        "name": arm,
                        "samples_per_problem": {arm: count},
                        "cost": {"flops": 30 * 2 * 6000 * MAX_TOKENS, "usd": None, "seconds": None},
                        "coverage": None,
                    }
                    for arm, count in (("weak", 6), ("strong", 2))
                ],
            }
        }
    }


def test_the_plan_for_people(tmp_path: Path) -> None:
    prepared, each, found = plan_study(write_study(tmp_path))
    lines = to_markdown(prepared, each, found).splitlines()
    assert [line.split(" | ")[0].removeprefix("| ") for line in lines if "@" in line] == ["weak@low", "strong@low", "equal@number"]
    assert "number-matched" in next(line for line in lines if "equal@number" in line)
    assert "| weak | 1,000 (given in the study file) |" in lines[2]
    assert first_prompts(prepared).count("Question: What is 0 + 7?\nAnswer:\n<end of prompt>") == 1  # one text for both models
    assert first_prompts(prepared).endswith('reference answer of p00, as the grader number gets it: "7"')


def of_weak(made: Study, unit: Unit, shares: Mapping[str, int | None] | None = None) -> tuple[DrawCost, Terms]:
    """What a draw of the weak model costs, and the terms of its arm under a budget of that unit that matches two strong draws a problem."""
    match = {"model": "strong", "samples_per_problem": 2}
    made = made.model_copy(update={"budgets": study(budgets={"b": {"unit": unit, "match": match}}).budgets})
    known = draw_costs(made, cards(made), {}, dict.fromkeys(made.models, LONGEST_PROMPT), shares)
    return known["weak"], terms_of(cells(made)[0], made, IDS, known, {})


def counting(prompt_tokens: str, *, attention: bool = False) -> Study:
    """The study with prompts of 30 tokens and draws of 20, of known attention, and this said of costs."""
    facts = {"tokens_per_sample": 20, "prompt_tokens": 30, "attention": 48, "price": PRICE}
    made = with_models(weak=facts, strong=facts)
    return made.model_copy(update={"costs": Costs.model_validate({"prompt_tokens": prompt_tokens, "attention": attention})})


def test_flops_of_prompts_that_are_shared() -> None:
    each, terms = of_weak(counting("shared"), "flops")
    assert (each.prompt.flops, each.draw.flops, each.expected.flops) == (60_000, 40_000, 100_000)
    assert (terms.expected["weak"], terms.prompt["weak"]) == (100_000, 60_000)
    assert terms.worst["weak"] == 2000 * (LONGEST_PROMPT + MAX_TOKENS)
    assert terms.amount == 7 * (6000 * 30 + 2 * 6000 * 20)
    assert each.of(draws=9, readings=4).flops == 4 * 60_000 + 9 * 40_000


def test_flops_of_prompts_that_every_draw_reads() -> None:
    each, terms = of_weak(counting("each"), "flops", {"weak": None, "strong": None})
    assert (terms.expected["weak"], terms.prompt["weak"]) == (100_000, 0)
    assert terms.amount == 7 * 2 * 6000 * 50
    assert each.of(draws=9, readings=4).flops == 9 * 100_000


def test_an_engine_that_reads_every_prompt_again_is_planned_so() -> None:
    _, terms = of_weak(counting("shared"), "flops", {"weak": 1, "strong": None})
    assert terms.prompt["weak"] == 0
    assert terms.amount == 7 * (6000 * 30 + 2 * 6000 * 20)


def test_dollars_of_prompts_that_an_engine_shares() -> None:
    alone, shared = (of_weak(counting("none"), "usd", shares) for shares in ({}, {"weak": None, "strong": None}))
    assert alone[1].prompt["weak"] == 0
    assert alone[1].amount == pytest.approx(7 * 2 * (2 * 30 + 8 * 20) / 1e6)
    assert shared[1].prompt["weak"] == pytest.approx(2 * 30 / 1e6)
    assert shared[1].amount == pytest.approx(7 * (2 * 30 + 2 * 8 * 20) / 1e6)
    assert shared[0].expected == alone[0].expected


@pytest.mark.parametrize(("draws", "readings"), [(1, 1), (3, 1), (4, 2), (9, 3), (0.5, 0.5), (3.5, 1.5), (4.5, 2)])
def test_a_prompt_is_read_once_a_request_of_at_most_three_draws(draws: float, readings: float) -> None:
    each, terms = of_weak(counting("none"), "usd", {"weak": 3, "strong": 3})
    assert each.readings(draws) == readings
    assert terms.per_request == {"weak": 3}
    assert of_weak(counting("none"), "flops", {"weak": 3, "strong": 3})[1].per_request == {}, "FLOPs that leave prompts out"


def test_attention_counts_the_context_and_needs_it() -> None:
    each, _ = of_weak(counting("none", attention=True), "flops")
    assert each.expected.flops == 2000 * 20 + 4 * 48 * (20 * 30 + 20 * 21 / 2)
    assert each.prompt.flops == 0
    made = with_models(weak={"attention": 48}, strong={"attention": 48})
    with pytest.raises(BudgetError, match=r"^models\.weak\.prompt_tokens is missing: costs\.attention counts the context\n"):
        costs(made.model_copy(update={"costs": Costs(attention=True)}))
    with pytest.raises(BudgetError, match=r"^models\.weak\.prompt_tokens is missing: costs\.prompt_tokens: each counts them\n"):
        costs(made.model_copy(update={"costs": Costs(prompt_tokens="each")}))


def test_an_attention_that_is_not_known_names_the_key() -> None:
    made = with_models(weak={"prompt_tokens": 30}, strong={"prompt_tokens": 30}).model_copy(update={"costs": Costs(attention=True)})
    with pytest.raises(BudgetError, match=r"in flops is not known\n  give models\.strong\.attention \(layers \* heads"):
        plans(made)


def test_a_price_that_is_not_in_the_file_is_missed_only_where_it_is_needed(tmp_path: Path) -> None:
    (tmp_path / "prices.yaml").write_text("dated: 2026-01-01\nmodels:\n  weak: {input: 0, output: 1}\n", encoding="utf-8")
    in_flops = write_study(tmp_path, costs={"prices": "prices.yaml"})
    prepared, each, found = plan_study(in_flops)
    assert {name: cost.expected.usd for name, cost in each.items()} == {"weak": MAX_TOKENS / 1e6, "strong": None}
    text = to_markdown(prepared, each, found, dt.date(2026, 6, 1))
    assert "input $0.00, output $1.00 (prices.yaml, 2026-01-01)" in text
    assert "The price of weak was read 151 days ago, on 2026-01-01" in text
    assert "days ago" not in to_markdown(prepared, each, found, dt.date(2026, 2, 1))
    in_usd = write_study(tmp_path, costs={"prices": "prices.yaml"}, budgets={"b": {"unit": "usd", "amount": 1}})
    with pytest.raises(BudgetError, match=r'strong in usd is not known\n  add "strong" to prices\.yaml, with its input and output$'):
        plan_study(in_usd)


def test_what_is_wrong_with_prices_is_told_with_all_else(tmp_path: Path) -> None:
    (tmp_path / "prices.yaml").write_text("models:\n  weak: {inptu: 0, output: 1}\n", encoding="utf-8")
    raw = nested(raw_study(costs={"prices": "prices.yaml"}), "models", "weak", "batch_api", value=True)
    raw = nested(raw, "models", "weak", "price", value={"output": 1})
    with pytest.raises(StudyError) as caught:
        plan_study(write_study(tmp_path, **raw))
    assert [mistake.partition("\n")[0] for mistake in caught.value.mistakes] == [
        'prices.yaml: "dated" is missing',
        'prices.yaml:2: unknown key "inptu" for model "weak"',
        f"{tmp_path / 'study.yaml'}:7: models.weak: price.batch_discount is missing, and batch_api is true",
    ]


def test_seconds_are_planned_where_the_rate_is_known(tmp_path: Path) -> None:
    price = {"gpu_hour": 3.6, "tokens_per_second": 640}
    raw = raw_study()
    for name in raw["models"]:
        raw["models"][name]["price"] = price
    prepared, each, found = plan_study(write_study(tmp_path, **raw))
    weak = found[0].cost
    assert weak.seconds == pytest.approx(30 * 6 * MAX_TOKENS / 640)
    assert weak.usd == pytest.approx(30 * 6 * MAX_TOKENS / 640 * 3.6 / 3600)
    assert "made from a GPU at $3.6 an hour each and 640 tokens a second" in to_markdown(prepared, each, found)
    assert json.loads(json.dumps(to_json(found)))["budgets"]["low"]["choices"][0]["cost"]["seconds"] == weak.seconds


def test_the_plan_says_what_is_left_out_and_how_much(tmp_path: Path) -> None:
    raw = raw_study(arms={"weak": {"models": ["weak"]}, "equal": {"models": ["weak"], "samples_per_problem": 2}})
    raw["models"]["weak"] |= {"attention": 10, "prompt_tokens": 32, "tokens_per_sample": 64}
    raw["models"]["strong"] |= {"prompt_tokens": 32, "tokens_per_sample": 64}
    line = to_markdown(*plan_study(write_study(tmp_path, **raw))).splitlines()[-1]
    attention = 4 * 10 * (64 * 32 + 64 * 65 / 2) / (2000 * 64)
    assert line.startswith(f"FLOPs are 2P per generated token. Left out: attention would add {attention:.0%} for weak; reading prompts ")
    assert line.endswith("once per problem would add 8–25% for weak.")  # 32 tokens beside 64 a draw, 6 or 2 draws
    raw["costs"] = {"prompt_tokens": "shared", "attention": True}
    raw["models"]["strong"]["attention"] = 10
    whole = to_markdown(*plan_study(write_study(tmp_path, **raw))).splitlines()[-1]
    assert whole == "FLOPs are 2P per generated token, and 2P per prompt token once per request, with attention."


def test_lengths_of_prompts_that_nobody_measured_are_guessed_from_their_bytes(tmp_path: Path) -> None:
    line = to_markdown(*plan_study(write_study(tmp_path))).splitlines()[-1]
    assert "attention would add an unknown share for weak and strong (models.NAME.attention gives it); reading" in line
    assert line.endswith("(prompts taken at 4 bytes per token).")


def test_planning_writes_nothing(tmp_path: Path) -> None:
    path = write_study(tmp_path)
    before = sorted(tmp_path.iterdir())
    plan_study(path)
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.parametrize(("unit", "message"), [("flops", "models.weak.params"), ("usd", "models.weak.price")])
def test_a_recorded_model_of_unknown_cost(tmp_path: Path, unit: str, message: str) -> None:
    raw: dict[str, Any] = raw_study(budgets={"low": {"unit": unit, "amount": 1e9}})
    del raw["models"]["weak"]["params"]
    with pytest.raises(BudgetError, match=message):
        plan_study(write_study(tmp_path, **raw))


def test_a_size_that_only_the_engine_knows_is_asked_for_although_a_price_is_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    raw = nested(
        raw_study(), "models", "weak", value={"engine": "replay", "table": "table.parquet", "model": "weak", "price": {"output": 1}}
    )
    monkeypatch.setattr("isocost.engines.replay.engine.ReplayEngine.size", lambda self: ModelSize(parameters=500, description="read"))
    _, _, found = plan_study(write_study(tmp_path, **raw))
    assert found[0].samples_per_problem == {"weak": 12}


def test_all_that_is_wrong_with_models_and_problems_is_told_at_once(tmp_path: Path) -> None:
    raw = nested(raw_study(), "models", "weak", value={"engine": "replay", "table": "none.parquet", "model": "weak"})
    raw = nested(raw, "problems", "train", "path", value="none.jsonl")
    with pytest.raises(StudyError) as caught:
        plan_study(write_study(tmp_path, **raw))
    file = tmp_path / "study.yaml"
    assert [mistake.split(": ")[:2] for mistake in caught.value.mistakes] == [[f"{file}:3", "problems.train"], [f"{file}:7", "models.weak"]]


def test_in_unit_gives_what_is_known() -> None:
    assert in_unit(Cost(flops=3, usd=0.5), "flops", "m") == 3
    assert in_unit(Cost(flops=3, usd=0.5), "usd", "m") == 0.5
