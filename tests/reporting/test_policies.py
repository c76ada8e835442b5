"""The section on policies that observe outcomes."""

from dataclasses import replace

import pytest

from isocost.records import Cost, Estimate, ModelSpending, Results, RoundSpending, Spending, UniformMatch
from isocost.reporting import report
from isocost.reporting.policies import policies
from tests.reporting.builder import results

NOTHING = Estimate(value=None, low=None, high=None, n=400)


def match(model: str = "weak", **changes: object) -> UniformMatch:
    made = UniformMatch(
        model=model,
        estimator="first draws",
        reached=0.7,
        unit="flops",
        draws=4.25,
        cost=Estimate(value=3.1e12, low=2.5e12, high=None, n=400),
        times=Estimate(value=1.24, low=1.0, high=None, n=400),
        reach=10,
        at_reach=0.8,
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def rounds(count: int) -> tuple[RoundSpending, ...]:
    each = Cost(flops=1e12, usd=None, seconds=1.0)
    own = [RoundSpending(number=0, model="strong", draws=5, problems=5, cost=each)]
    own += [RoundSpending(number=i, model="weak", draws=10 + i % 2, problems=5 + i % 3, cost=each) for i in range(1, count + 1)]
    return tuple(own)


def spending(**changes: object) -> Spending:
    weak = ModelSpending(model="weak", draws=300, problems=390, mean=0.75, median=0.0, most=12, cost=Cost(flops=3e12))
    made = Spending(
        cell="both@low",
        policy="adaptive",
        unit="flops",
        objective="coverage",
        size=None,
        models=(weak, replace(weak, model="strong", draws=5, cost=Cost(flops=1e12))),
        rounds=rounds(100),
        matches=(match(), match("strong", draws=None, cost=NOTHING, times=NOTHING, reach=2, at_reach=0.6)),
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def with_policy(**changes: object) -> Results:
    return replace(results(), spendings=(spending(**changes),))


def said(study: Results) -> str:
    section = policies(study)
    assert section is not None
    return section.paragraphs[0]


def test_a_study_whose_policies_observe_nothing_has_no_section() -> None:
    assert policies(results()) is None
    assert "What the policies did" not in report(results()).markdown


def test_money_draws_and_uniform_for_the_same_are_a_sentence_each() -> None:
    assert said(with_policy()) == (
        "both@low (adaptive) drew per problem: weak 0.75 (median 0, most 12), strong 0.75 (median 0, most 12); "
        "of the money, 75% to weak, 25% to strong."
    )
    section = policies(with_policy())
    assert section is not None
    assert section.finding.endswith(
        "Uniform from weak would have cost 1.24 [1.00, beyond reach] times as much for the same. "
        "Uniform from strong does not reach this within 2 draws per problem."
    )


def test_a_model_for_which_no_estimator_holds_is_named() -> None:
    assert said(with_policy(matches=(), unmatched=("weak", "strong"))).endswith(
        "What uniform from weak and strong would have cost is not known: no estimator holds for its draws here."
    )


def test_a_cost_that_is_not_known_gives_no_share() -> None:
    weak, strong = spending().models
    blind = with_policy(models=(weak, replace(strong, cost=Cost())))
    assert "of the money" not in said(blind)
    assert "of the money" not in said(with_policy(unit=None))


def test_rounds_share_rows_that_add_up_to_all_draws() -> None:
    section = policies(with_policy())
    assert section is not None
    table = next(table for table in section.tables if table.key == "policies_by_round")
    assert table.rows[0].entries[0].text == "pilot"
    assert len(table.rows) == 11
    assert sum(int(row.entries[2].value) for row in table.rows) == sum(each.draws for each in rounds(100))  # type: ignore[arg-type]
    assert table.rows[-1].entries[0].text.endswith("to 100")
    assert table.rows[1].entries[3].text == "5 to 7"


def test_the_estimator_and_the_end_of_what_it_has_are_in_the_table() -> None:
    section = policies(with_policy(matches=(match(estimator="posterior"), match("strong", draws=None, cost=NOTHING, times=NOTHING))))
    assert section is not None
    table = next(table for table in section.tables if table.key == "policies_uniform")
    texts = [[entry.text for entry in row.entries] for row in table.rows]
    assert texts[0] == [
        "weak", "posterior of pass rates", "4.25", "3.1 [2.5, beyond reach]", "1.24 [1.00, beyond reach]", "400",
        "10 draws: 80.0%",
    ]  # fmt: skip
    assert texts[1][2:5] == ["–", "not reached", "not reached"]
    assert table.rows[0].group == "both@low: 70.0% problems covered"


@pytest.mark.parametrize(
    ("objective", "size", "words"),
    [("kept", 4, "0.70 solutions kept, at most 4 per problem"), ("mixed", 8, "70.0% problems with a mixed group of 8")],
)
def test_what_was_reached_is_named_by_the_objective(objective: str, size: int, words: str) -> None:
    section = policies(with_policy(objective=objective, size=size))
    assert section is not None
    table = next(table for table in section.tables if table.key == "policies_uniform")
    assert table.rows[0].group == f"both@low: {words}"


def test_every_table_is_a_csv_with_open_ends_empty() -> None:
    tables = report(with_policy()).tables
    header, first, *_ = tables["policies_uniform"].splitlines()
    assert header.split(",")[4:8] == ["cost_flops", "cost_flops_low", "cost_flops_high", "cost_flops_n"]
    assert ",3100000000000.0,2500000000000.0,,400," in first
