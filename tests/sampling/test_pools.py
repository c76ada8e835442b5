"""Pools: stored draws, missing batches and resumption, after changes of the study and kills."""

import shutil
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isocost.engines.base import Request
from isocost.records import Outcome, Verdict
from isocost.sampling.pools import Pool
from isocost.sampling.verdicts import FAILED
from isocost.store import BatchLog
from tests.sampling.pooling import buy_all, keys, order, pool_in, problems, stored, wanted, work

RIGHT = Verdict(outcome=Outcome.CORRECT, predicted_answer="1", reason="equal")
PQRS = wanted(p=2, q=2, r=2, s=2)


def ordered(folder: Path) -> Pool:
    pool = pool_in(folder, problems(*"pqrs"))
    order(pool, ("p", 0, 2), ("q", 0, 2), ("r", 0, 2), ("s", 0, 2))
    return pool


def requests(pool: Pool, asked: dict[tuple[str, str], int]) -> list[list[tuple[str, int, int]]]:
    return [[(r.problem_id, r.first_index, r.count) for r in batch.requests] for batch in pool.missing(asked)]


def bought(pool: Pool) -> dict[tuple[str, str], int]:
    return wanted(**{problem: count for problem in "pqrs" if (count := pool.bought(problem))})


def test_what_is_ordered_is_missing_until_it_is_taken(tmp_path: Path) -> None:
    pool = ordered(tmp_path)
    assert requests(pool, PQRS) == [[("p", 0, 2), ("q", 0, 2)], [("r", 0, 2), ("s", 0, 2)]]
    assert bought(pool) == PQRS
    first = next(pool.missing(PQRS))
    cost, draws = pool.add_answers(first, work(pool, first))
    assert (cost.request, cost.count, cost.tokens, cost.cost.flops) == (first.key, 4, 20, 40.0)
    assert [key for key, _ in draws] == [("p", 0), ("p", 1), ("q", 0), ("q", 1)]
    assert requests(pool, PQRS) == [[("r", 0, 2), ("s", 0, 2)]]
    assert pool.is_short(PQRS)
    buy_all(pool, PQRS)
    assert not pool.is_short(PQRS)


def test_a_later_start_owes_the_same_batches_under_the_same_keys_and_seeds(tmp_path: Path) -> None:
    before = [(b.key, b.seed, b.requests) for b in ordered(tmp_path).missing(PQRS)]
    assert [(b.key, b.seed, b.requests) for b in pool_in(tmp_path, problems(*"pqrs")).missing(PQRS)] == before
    assert len({seed for _, seed, _ in before}) == 2


def test_what_comes_back_short_is_owed_under_another_key(tmp_path: Path) -> None:
    pool = ordered(tmp_path)
    first = next(pool.missing(PQRS))
    pool.add_answers(first, work(pool, first, counts=(1, 2)))
    assert requests(pool, PQRS)[0] == [("p", 1, 1)]
    assert next(pool.missing(PQRS)).key != first.key
    assert keys(pool_in(tmp_path, problems(*"pqrs"))) == {("p", 0), ("q", 0), ("q", 1)}
    buy_all(pool, PQRS)
    assert keys(pool_in(tmp_path, problems(*"pqrs"))) == keys(pool) == {(p, i) for p in "pqrs" for i in range(2)}


def test_what_brought_nothing_is_bought_again_and_read_back(tmp_path: Path) -> None:
    pool = ordered(tmp_path)
    first = next(pool.missing(PQRS))
    cost, draws = pool.add_answers(first, work(pool, first, counts=(0, 0)))
    assert (cost.count, cost.cost.flops, draws) == (0, 0.0, [])
    assert next(pool.missing(PQRS)).key == first.key
    buy_all(pool, PQRS)
    assert keys(pool_in(tmp_path, problems(*"pqrs"))) == keys(pool)


def test_draws_that_were_given_up_are_stored_as_failed(tmp_path: Path) -> None:
    pool = ordered(tmp_path)
    first = next(pool.missing(PQRS))
    cost, draws = pool.give_up(first, "it is busy")
    assert (cost.count, cost.cost.flops, dict(cost.facts)) == (4, 0.0, {"account": "data", "model": "weak"})
    assert {draw.finish_reason for _, draw in draws} == {"error"}
    assert requests(pool, PQRS) == [[("r", 0, 2), ("s", 0, 2)]]
    again = pool_in(tmp_path, problems(*"pqrs"))
    assert requests(again, PQRS) == [[("r", 0, 2), ("s", 0, 2)]]
    ((_, solutions),) = again.ungraded()
    again.judged([("x", solutions, [RIGHT] * 4)])
    assert all(draw.verdict == FAILED for _, draw in again.draws())


def test_wanted_shrinks_and_grows(tmp_path: Path) -> None:
    pool = ordered(tmp_path)
    less = wanted(p=1, r=2)
    assert requests(pool, less) == [[("p", 0, 1)], [("r", 0, 2)]]
    buy_all(pool, less)
    again = pool_in(tmp_path, problems(*"pqrs"))
    assert requests(again, PQRS) == [[("p", 1, 1), ("q", 0, 2)], [("s", 0, 2)]]
    buy_all(again, PQRS)
    assert keys(pool_in(tmp_path, problems(*"pqrs"))) == {(p, i) for p in "pqrs" for i in range(2)}


def test_a_question_that_changed_is_another_one_and_comes_back(tmp_path: Path) -> None:
    pool = ordered(tmp_path)
    buy_all(pool, PQRS)
    changed = problems(*"pqrs", p="How much is p?")
    other = pool_in(tmp_path, changed)
    assert ("p", 0) not in keys(other)
    assert bought(other) == wanted(q=2, r=2, s=2)
    order(other, ("p", 0, 2))
    buy_all(other, PQRS)
    other.seal()
    texts = {row["generation"] for frame in other.frames() for row in frame.iter_rows(named=True) if row["problem_id"] == "p"}
    assert texts == {f"Q: How much is p?\nA: {i} #### 1" for i in range(2)}
    back = pool_in(tmp_path, problems(*"pqrs"))
    assert not back.is_short(PQRS)
    texts = {row["generation"] for frame in back.frames() for row in frame.iter_rows(named=True) if row["problem_id"] == "p"}
    assert texts == {f"Q: What is p?\nA: {i} #### 1" for i in range(2)}


def test_a_reference_that_changed_is_judged_again_and_nothing_is_bought(tmp_path: Path) -> None:
    pool = ordered(tmp_path)
    buy_all(pool, PQRS)
    for batch, solutions in list(pool.ungraded()):
        pool.judged([(batch, solutions, [RIGHT] * len(solutions))])
    assert list(pool_in(tmp_path, problems(*"pqrs")).ungraded()) == []
    other = pool_in(tmp_path, problems(*"pqrs") | problems("p", answer="2"))
    assert [[key for key, _ in found] for _, found in other.ungraded()] == [[("p", 0), ("p", 1)]]
    assert [p.reference for p in other.pairs([u for _, found in other.ungraded() for u in found])] == ["2", "2"]
    assert not other.is_short(PQRS)


def test_another_grader_judges_everything_again(tmp_path: Path) -> None:
    pool = ordered(tmp_path)
    buy_all(pool, PQRS)
    for batch, solutions in list(pool.ungraded()):
        pool.judged([(batch, solutions, [RIGHT] * len(solutions))])
    other = pool_in(tmp_path, problems(*"pqrs"), grader="exact-1")
    assert sum(len(found) for _, found in other.ungraded()) == 8


def test_the_worst_case_bounds_what_is_taken(tmp_path: Path) -> None:
    pool = ordered(tmp_path)
    for call, batch in list(pool.calls(PQRS)):
        cost, _ = pool.add_answers(batch, work(pool, batch))
        assert call.worst.flops == 4 * 2 * 16
        assert cost.cost.flops <= call.worst.flops
        assert cost.cost.usd <= call.worst.usd  # type: ignore[operator]
        assert call.facts["count"] == 4
        assert call.key == call.job.key == batch.key


def test_sealed_draws_stand_in_the_order_of_their_orders_whoever_was_first(tmp_path: Path) -> None:
    tables = []
    for name, turned in (("one", False), ("two", True)):
        pool = ordered(tmp_path / name)
        order(pool, ("p", 2, 1), ("q", 2, 1))
        asked = wanted(p=3, q=3, r=2, s=2)
        batches = list(pool.missing(asked))
        for number, batch in enumerate(reversed(batches) if turned else batches):
            pool.add_answers(batch, work(pool, batch, writer=f"w{number % 2}"))
        pool.seal()
        tables.append(pl.concat(pool.frames()))
    assert tables[0].equals(tables[1])
    assert tables[0]["problem_id"].to_list() == list("ppqqrrsspq")


def test_a_pool_that_was_loaded_seals_in_the_same_order(tmp_path: Path) -> None:
    for name in ("whole", "resumed"):
        pool = ordered(tmp_path / name)
        order(pool, ("p", 2, 2), ("q", 2, 2))
        asked = wanted(p=4, q=4, r=2, s=2)
        batches = list(pool.missing(asked))
        for batch in (batches[2], batches[0]):
            pool.add_answers(batch, work(pool, batch))
        if name == "resumed":
            pool = pool_in(tmp_path / name, problems(*"pqrs"))
        buy_all(pool, asked)
        pool.seal()
    whole, resumed = (pl.concat(pool_in(tmp_path / name, problems(*"pqrs")).frames()) for name in ("whole", "resumed"))
    assert whole.equals(resumed)


def test_after_a_kill_at_any_byte_it_owes_the_rest_and_ends_the_same(tmp_path: Path) -> None:
    """Every prefix of the worker's file and of the verdicts: whole batches count, half of one does not."""
    pool = ordered(tmp_path / "whole")
    buy_all(pool, PQRS)
    for batch, solutions in list(pool.ungraded()):
        pool.judged([(batch, solutions, [RIGHT] * len(solutions))])
    logs = [path for path in (tmp_path / "whole").rglob("*.jsonl") if path.name != "rounds.jsonl"]
    assert len(logs) == 2
    expected = set(stored(pool))
    for log in logs:
        data = log.read_bytes()
        lines = [i + 1 for i, byte in enumerate(data) if byte == ord("\n")]
        cuts = sorted(
            {0, 1, len(data) // 3, *lines, *(end - 1 for end in lines), *(end + 1 for end in lines[:-1]), *range(0, len(data), 97)}
        )
        for cut in cuts:
            folder = tmp_path / "cut"
            shutil.copytree(tmp_path / "whole", folder)
            folder.joinpath(log.relative_to(tmp_path / "whole")).write_bytes(data[:cut])
            again = pool_in(folder, problems(*"pqrs"))
            whole_batches = sum(end - 1 <= cut for end in lines)  # a line that lacks only its newline is whole
            owed = 2 - whole_batches if log.parent.parent.name == "pools" else 0
            assert buy_all(again, PQRS) == owed
            for batch, solutions in list(again.ungraded()):
                again.judged([(batch, solutions, [RIGHT] * len(solutions))])
            assert set(stored(again)) == expected
            shutil.rmtree(folder)


def test_sealed_draws_have_the_verdicts_and_references_of_today(tmp_path: Path) -> None:
    asked = problems("p", "q") | problems("r", "s", answer="")
    pool = pool_in(tmp_path, asked)
    order(pool, ("p", 0, 2), ("q", 0, 2), ("r", 0, 2), ("s", 0, 2))
    buy_all(pool, PQRS)
    of_problem = {
        "p": RIGHT,
        "q": Verdict(outcome=Outcome.INCORRECT, predicted_answer="2", reason="different"),
        "r": Verdict(outcome=Outcome.UNGRADED, predicted_answer=None, reason="timeout"),
    }
    for batch, solutions in list(pool.ungraded()):
        judged = [(key, draw) for key, draw in solutions if key[0] in of_problem]
        pool.judged([(batch, judged, [of_problem[problem] for (problem, _), _ in judged])])
    pool.seal()
    columns = ("problem_id", "sample_index", "outcome", "predicted_answer", "correct", "expected_answer", "cost_seconds")
    for each in (pool, pool_in(tmp_path, asked)):
        rows = pl.concat(each.frames()).select(columns).rows()
        assert [row[:2] for row in rows] == [(p, i) for p in "pqrs" for i in range(2)]
        assert {(row[0], *row[2:6]) for row in rows} == {
            ("p", "correct", "1", True, "1"),
            ("q", "incorrect", "2", False, "1"),
            ("r", "ungraded", None, None, None),
            ("s", "ungraded", None, None, None),
        }
        assert all(row[6] > 0 for row in rows)


def test_a_torn_order_is_ordered_again(tmp_path: Path) -> None:
    ordered(tmp_path)
    rounds = tmp_path / "pools" / "weak" / "rounds.jsonl"
    rounds.write_bytes(rounds.read_bytes()[:-5])
    assert bought(pool_in(tmp_path, problems(*"pqrs"))) == {}


def test_what_the_ledger_does_not_know_is_told_what_it_cost(tmp_path: Path) -> None:
    pool = ordered(tmp_path)
    first, second = pool.missing(PQRS)
    expected, _ = pool.add_answers(first, work(pool, first))
    found = pool_in(tmp_path, problems(*"pqrs"), load=False).load({first.key, second.key})
    assert found.keys() == {first.key}
    assert replace(found[first.key], cost=expected.cost) == expected
    assert found[first.key].cost.flops == expected.cost.flops
    assert found[first.key].cost.seconds == pytest.approx(1.0)
    # Also of problems that the study has no more: they were paid.
    assert pool_in(tmp_path, problems("s"), load=False).load({first.key})[first.key].count == 4


def test_a_batch_in_two_workers_files_is_read_once(tmp_path: Path) -> None:
    pool = ordered(tmp_path)
    first = next(pool.missing(PQRS))
    work(pool, first, writer="w0")
    pool.add_answers(first, work(pool, first, writer="w1"))
    assert len(stored(pool)) == 4
    buy_all(pool, PQRS)
    pool.seal()
    assert sum(frame.height for frame in pool.frames()) == 8
    assert not list((tmp_path / "pools" / "weak").glob("*.w*.jsonl"))


actions = st.lists(
    st.tuples(
        st.sampled_from(["order", "buy", "part", "none", "fail", "restart", "seal", "drop"]), st.sampled_from("pqrs"), st.integers(1, 3)
    ),
    max_size=14,
)


@given(actions)
@settings(max_examples=60)
def test_no_draw_is_bought_twice_and_none_is_left_out(tmp_path_factory: pytest.TempPathFactory, script: list[tuple[str, str, int]]) -> None:
    folder = tmp_path_factory.mktemp("pool")
    all_problems = problems(*"pqrs")
    pool = pool_in(folder, all_problems)
    asked: dict[tuple[str, str], int] = {}
    bought: list[tuple[str, int]] = []

    def take(batch: object, counts: tuple[int, ...] | None) -> None:
        _, draws = pool.add_answers(batch, work(pool, batch, counts=counts))  # type: ignore[arg-type]
        bought.extend(key for key, _ in draws)

    for what, problem, number in script:
        if what == "order":
            first = asked.get(("weak", problem), 0)
            order(pool, (problem, first, number))
            asked["weak", problem] = first + number
        elif what in ("restart", "drop"):
            dropped = {k: v for k, v in all_problems.items() if what == "restart" or k != problem}
            pool = pool_in(folder, dropped)
            if what == "drop":
                assert all(p != problem for p, _ in keys(pool))
                pool = pool_in(folder, all_problems)
        elif what == "seal":
            pool.seal()
        elif batch := next(pool.missing(asked), None):
            if what == "fail":
                bought.extend(key for key, _ in pool.give_up(batch, "it is busy")[1])
            else:
                keep = {"buy": 99, "part": 1, "none": 0}[what]
                take(batch, tuple(min(keep, r.count) for r in batch.requests))
    for batch in list(pool.missing(asked)):
        take(batch, None)
    expected = {(problem, i) for (_, problem), count in asked.items() for i in range(count)}
    assert len(bought) == len(set(bought))
    assert set(bought) == expected == keys(pool)
    again = pool_in(folder, all_problems)
    assert keys(again) == expected
    again.seal()
    rows = [(problem, index) for problem, index, *_ in stored(again)]
    assert sorted(rows) == sorted(expected)
    assert sum(frame.height for frame in again.frames()) == len(expected)


def test_a_request_is_the_prompt_of_its_problem(tmp_path: Path) -> None:
    pool = ordered(tmp_path)
    assert next(pool.missing(PQRS)).requests[0] == Request(problem_id="p", prompt="Q: What is p?\nA:", first_index=0, count=2)
    assert isinstance(pool._log, BatchLog)


def test_a_stored_order_is_not_looked_at_again(tmp_path: Path) -> None:
    """A policy may order thousands of small rounds, each of which asks for what is missing."""
    pool = pool_in(tmp_path, problems("p"))
    looked: list[int] = []
    for first in range(50):
        order(pool, ("p", first, 1))
        buy_all(pool, wanted(p=first + 1))
        looked.append(len(pool._orders.open(lambda line: False)))
    assert requests(pool, wanted(p=50)) == []
    assert max(looked) == 1
