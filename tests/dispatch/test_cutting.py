"""Batches are cut without a worker where the rule is known, and are those that the engine would cut."""

from concurrent.futures import Future
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest

from isocost.dispatch.loop import cut_batches
from isocost.engines.base import Request
from isocost.engines.batching import Batched, Batching, rule_of
from isocost.executors.jobs import EngineFacts, EngineSpec
from isocost.preparing.facts import cache_facts
from isocost.store import RunDirectory

SPEC = EngineSpec(name="openai", options=(("model", "m"), ("n", 3)), base=Path())
REQUESTS = [
    Request(problem_id=p, prompt="Q" * n, first_index=f, count=c) for p, n, f, c in (("b", 1, 2, 7), ("a", 9, 0, 2), ("c", 4, 0, 0))
]


class Asked:
    """An executor that counts its calls."""

    def __init__(self) -> None:
        self.asked = 0

    def submit(self, function: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        self.asked += 1
        future: Future[Any] = Future()
        future.set_result([tuple(args[1])])
        return future


def facts(batching: Batching | None) -> EngineFacts:
    return EngineFacts(identity="m", size=None, batching=batching)


def test_one_request_a_batch_is_cut_at_the_size_and_ordered_by_problem() -> None:
    executor = Asked()
    batches = cut_batches(SPEC, facts(Batching(size=3, mixed=False)), REQUESTS, executor)  # type: ignore[arg-type]  # only `submit` is used
    assert [[(r.problem_id, r.first_index, r.count) for r in batch] for batch in batches] == [
        [("a", 0, 2)],
        [("b", 2, 3)],
        [("b", 5, 3)],
        [("b", 8, 1)],
    ]
    assert executor.asked == 0


def test_an_engine_without_a_rule_is_asked() -> None:
    executor = Asked()
    assert cut_batches(SPEC, facts(None), REQUESTS, executor) == [tuple(REQUESTS)]  # type: ignore[arg-type]
    assert executor.asked == 1


class Usual(Batched):
    batching = Batching(size=2)


class Own(Usual):
    def batches(self, requests: Any) -> list[tuple[Request, ...]]:
        return [tuple(requests)]


class Alone:
    batching = Batching(size=2)


def test_a_users_own_cutting_is_nobody_elses() -> None:
    assert rule_of(Usual()) == Batching(size=2)
    assert rule_of(Own()) is None
    assert rule_of(Alone()) is None


@pytest.mark.parametrize("batching", [None, Batching(size=3, mixed=False)])
def test_the_rule_is_remembered_with_the_facts(tmp_path: Path, batching: Batching | None) -> None:
    with RunDirectory(tmp_path / "out") as directory:
        told = cache_facts(directory, lambda spec: facts(batching))(SPEC)
        again = cache_facts(directory, lambda spec: pytest.fail("is asked again"))(SPEC)
    assert told == again == facts(batching)


@pytest.mark.parametrize("damage", [{"size": 0}, {"size": "3"}, {"mixed": 1}, {"more": True}])
def test_a_damaged_rule_is_asked_for_again(tmp_path: Path, damage: dict[str, Any]) -> None:
    entry = asdict(facts(Batching(size=3)))
    with RunDirectory(tmp_path / "out") as directory:
        cache_facts(directory, lambda spec: facts(Batching(size=3)))(SPEC)
        known = directory.read_derived("models.json") or {}
        directory.write_json({key: {**entry, "batching": {**entry["batching"], **damage}} for key in known}, "models.json")
        assert cache_facts(directory, lambda spec: replace(facts(None), identity="again"))(SPEC).identity == "again"


def test_facts_of_earlier_versions_have_no_rule(tmp_path: Path) -> None:
    with RunDirectory(tmp_path / "out") as directory:
        cache_facts(directory, lambda spec: facts(None))(SPEC)
        known = directory.read_derived("models.json") or {}
        for entry in known.values():
            del entry["batching"]
        directory.write_json(known, "models.json")
        assert cache_facts(directory, lambda spec: pytest.fail("is asked again"))(SPEC) == facts(None)
