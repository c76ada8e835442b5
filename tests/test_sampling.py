from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isocost.policies.base import Observation
from isocost.records import Allocation, Cell, Outcome, Verdict
from isocost.sampling.rounds import missing_allocations, sample

A, B = Cell(arm="a", budget="low"), Cell(arm="b", budget="low")
RIGHT = Verdict(outcome=Outcome.CORRECT, predicted_answer="1", reason="equal")


def draws(problem: str, first: int = 0, count: int = 1, model: str = "m") -> Allocation:
    return Allocation(problem_id=problem, model=model, first_index=first, count=count)


class Script:
    """A policy that proposes given rounds and remembers what it saw."""

    def __init__(self, *rounds: list[Allocation]) -> None:
        self.rounds = list(rounds)
        self.seen: list[list[str]] = []

    def propose(self) -> list[Allocation]:
        return self.rounds.pop(0) if self.rounds else []

    def observe(self, observations: Sequence[Observation]) -> None:
        self.seen.append([f"{o.problem_id}{o.sample_index}" for o in observations])


class Shop:
    """Stands for the pools, the engine and the run directory."""

    def __init__(self, recorded: dict[tuple[Cell, int], list[Allocation]] | None = None) -> None:
        self.rounds = dict(recorded or {})
        self.journal: list[tuple[str, object]] = []

    def recorded(self, cell: Cell, number: int) -> list[Allocation] | None:
        return self.rounds.get((cell, number))

    def record(self, cell: Cell, number: int, allocations: list[Allocation]) -> None:
        self.journal.append(("record", (cell.arm, number)))
        self.rounds[cell, number] = allocations

    def buy(self, allocations: list[Allocation]) -> None:
        self.journal.append(("buy", [a.problem_id for a in allocations]))

    def observe(self, cell: Cell, allocations: list[Allocation]) -> list[Observation]:
        return [
            Observation(problem_id=a.problem_id, model=a.model, sample_index=a.first_index + i, verdict=RIGHT, cost=1.0)
            for a in allocations
            for i in range(a.count)
        ]

    def run(self, policies: dict[Cell, Script], pilot: dict[Cell, list[Allocation]] | None = None) -> dict[Cell, list[Allocation]]:
        return sample(policies, pilot or {}, recorded=self.recorded, record=self.record, buy=self.buy, observe=self.observe)


def test_cells_advance_together_until_nobody_proposes() -> None:
    shop = Shop()
    policies = {A: Script([draws("p")], [draws("q")]), B: Script([draws("p", count=2)])}
    drawn = shop.run(policies)
    assert drawn == {A: [draws("p"), draws("q")], B: [draws("p", count=2)]}
    assert policies[A].seen == [["p0"], ["q0"]]
    assert policies[B].seen == [["p0", "p1"]]
    assert [what for name, what in shop.journal if name == "buy"] == [["p", "p"], ["q"], []]


def test_a_round_is_written_down_before_it_is_bought() -> None:
    shop = Shop()
    shop.run({A: Script([draws("p")])})
    assert shop.journal[:2] == [("record", ("a", 0)), ("buy", ["p"])]


def test_recorded_rounds_win_and_are_not_recorded_again() -> None:
    shop = Shop({(A, 0): [draws("old")]})
    policy = Script([draws("new")], [draws("next")])
    assert shop.run({A: policy}) == {A: [draws("old"), draws("next")]}
    assert policy.seen[0] == ["old0"]
    assert [what for name, what in shop.journal if name == "record"] == [("a", 1)]


def test_a_recorded_round_is_taken_even_where_the_policy_would_stop() -> None:
    shop = Shop({(A, 0): [draws("old")]})
    assert shop.run({A: Script()}) == {A: [draws("old")]}


def test_the_pilot_is_observed_first_and_counts_among_the_draws() -> None:
    policy = Script([draws("p", first=2)])
    drawn = Shop().run({A: policy}, {A: [draws("p", count=2)]})
    assert policy.seen == [["p0", "p1"], ["p2"]]
    assert drawn[A] == [draws("p", count=2), draws("p", first=2)]


def test_a_cell_that_has_stopped_is_not_asked_again() -> None:
    stopped = Script([], [draws("p")])
    drawn = Shop().run({A: stopped, B: Script([draws("q")], [draws("r")])})
    assert drawn[A] == []
    assert stopped.seen == []


def test_missing_draws_are_shared_between_cells_and_only_the_remainder() -> None:
    wanted = [draws("p", count=3), draws("p", count=5), draws("q", count=2), draws("r", first=1, count=1, model="other")]
    assert missing_allocations(wanted, lambda model, problem: 2 if model == "m" and problem in "pq" else 0) == {
        "m": [draws("p", first=2, count=3)],
        "other": [draws("r", first=0, count=2, model="other")],
    }


@pytest.mark.parametrize("have", [0, 1, 4, 9])
def test_nothing_is_missing_for_nothing(have: int) -> None:
    assert missing_allocations([], lambda model, problem: have) == {}


spans = st.builds(draws, st.sampled_from("pqr"), st.integers(0, 4), st.integers(1, 4), st.sampled_from(["m", "n"]))
keys = st.tuples(st.sampled_from(["m", "n"]), st.sampled_from("pqr"))


@given(st.lists(spans), st.dictionaries(keys, st.integers(0, 6)))
def test_missing_draws_equal_a_set_difference(wanted: list[Allocation], bought: dict[tuple[str, str], int]) -> None:
    have = {(m, p, i) for (m, p), n in bought.items() for i in range(n)}
    need = {(a.model, a.problem_id, i) for a in wanted for i in range(a.first_index + a.count)}  # a pool has no holes
    ordered = [
        (m, a.problem_id, i)
        for m, found in missing_allocations(wanted, lambda *key: bought.get(key, 0)).items()
        for a in found
        for i in range(a.first_index, a.first_index + a.count)
    ]
    assert len(ordered) == len(set(ordered))
    assert set(ordered) == need - have
