"""New and repeated solutions, while they are bought and on resume."""

import sys
from array import array
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isocost.executors.jobs import StoredDraw
from isocost.metrics.diversity import Level
from isocost.planning import cells
from isocost.records import FinishReason, Outcome, Verdict
from isocost.sampling.solutions import Novelty, Solutions, rounds_log
from isocost.store import RunDirectory
from tests import builders
from tests.sampling.pooling import buy_all, order, pool_in, problems, wanted

RIGHT = Verdict(outcome=Outcome.CORRECT, predicted_answer="1", reason="equal")
WRONG = Verdict(outcome=Outcome.INCORRECT, predicted_answer="2", reason="different")


class Uncopied(array):  # type: ignore[type-arg]
    """Digests that are read one by one."""

    def __getitem__(self, index: int) -> int:  # type: ignore[override]
        assert isinstance(index, int)
        return super().__getitem__(index)


class Holder:
    """A pool as `Novelty` sees it."""

    def __init__(self, distinct: Level | None, *texts: str, reason: FinishReason = "stop") -> None:
        self.solutions = Solutions(distinct)
        for index, text in enumerate(texts):
            self.add(index, text, reason=reason)

    def add(self, index: int, text: str, verdict: Verdict = RIGHT, reason: FinishReason = "stop") -> None:
        self.solutions.add(("p", index), StoredDraw(f"{id(self)}/{index}", text, 1, 1, reason, None, None), verdict)


@pytest.mark.parametrize(
    ("distinct", "new"), [("string", [1, 1, 0, 1]), ("normalised", [1, 0, 0, 1]), ("equations", [1, 0, 0, 0]), (None, [1, 1, 1, 1])]
)
def test_new_is_what_a_training_set_keeps_once(distinct: Level | None, new: list[int]) -> None:
    pool = Holder(distinct, "so 1 + 1 = 2", "so  1 + 1 = 2", "so 1 + 1 = 2", "thus 1 + 1 = 2")
    novelty = Novelty({"weak": pool})
    assert [novelty.is_new("weak", "p", index) for index in range(4)] == new


def test_solutions_of_another_model_repeat_too_but_only_those_that_the_cell_has_drawn() -> None:
    weak, strong = Holder("string", "a", "b"), Holder("string", "b", "c")
    novelty = Novelty({"weak": weak, "strong": strong})
    assert novelty.is_new("strong", "p", 0)  # weak's "b" is in its pool, and not yet in the cell
    assert novelty.is_new("weak", "p", 0)
    assert not novelty.is_new("weak", "p", 1)
    assert Novelty({"weak": weak}).is_new("weak", "p", 1)


@pytest.mark.parametrize("distinct", ["string", None])
def test_the_work_is_linear_in_the_draws_of_a_problem(distinct: Level | None, monkeypatch: pytest.MonkeyPatch) -> None:
    pool, reads = Holder(distinct, *(f"way {index // 2}" for index in range(2000))), 0
    get = Solutions.get

    def counted(self: Solutions, problem_id: str, index: int) -> int:
        nonlocal reads
        reads += 1
        return get(self, problem_id, index)

    monkeypatch.setattr(Solutions, "get", counted)
    monkeypatch.setattr(pool.solutions, "_digests", {"p": Uncopied("Q", pool.solutions._digests["p"])})
    novelty = Novelty({"weak": pool})
    assert sum(novelty.is_new("weak", "p", index) for index in range(2000)) == (1000 if distinct else 2000)
    assert reads <= 4000


@given(
    st.lists(st.tuples(st.sampled_from(["weak", "strong"]), st.sampled_from("abc"), st.sampled_from([RIGHT, WRONG])), max_size=30),
)
def test_new_draws_are_those_that_no_earlier_draw_of_the_cell_equals(drawn: list[tuple[str, str, Verdict]]) -> None:
    pools = {name: Holder("string") for name in ("weak", "strong")}
    indices: list[int] = []
    for name, text, verdict in drawn:
        indices.append(sum(other == name for other, _, _ in drawn[: len(indices)]))
        pools[name].add(indices[-1], text, verdict)
    novelty, texts = Novelty(pools), set[str]()
    for (name, text, verdict), index in zip(drawn, indices, strict=True):
        if verdict is RIGHT:
            assert novelty.is_new(name, "p", index) == (text not in texts)
            texts.add(text)


def test_what_is_wrong_or_cut_off_is_in_no_training_set() -> None:
    pool = Holder("string", "a", reason="length")
    pool.add(2, "b", verdict=WRONG)
    pool.add(4, "half \ud83d")
    novelty = Novelty({"weak": pool})
    assert [novelty.is_new("weak", "p", index) for index in (0, 1, 2, 3, 4, 5)] == [False, False, False, False, True, False]


def test_a_resumed_pool_has_the_same_digests(tmp_path: Path) -> None:
    asked = problems("p", "q")
    pool = pool_in(tmp_path, asked, load=False)
    pool.solutions = Solutions("string")
    pool.load(())
    order(pool, ("p", 0, 3), ("q", 0, 2))
    buy_all(pool, wanted(p=3, q=2))
    for batch, draws in list(pool.ungraded()):
        pool.judged([(batch, draws, [WRONG if key == ("p", 1) else RIGHT for key, _ in draws])])
    later = pool_in(tmp_path, asked, load=False)
    later.solutions = Solutions("string")
    later.load(())
    keys = [("p", 0), ("p", 1), ("p", 2), ("q", 0), ("q", 1)]
    found = [later.solutions.get(*key) for key in keys]
    assert found == [pool.solutions.get(*key) for key in keys]
    assert [digest != 0 for digest in found] == [True, False, True, True, True]


def test_a_digest_takes_eight_bytes() -> None:
    few, many = (Solutions("string") for _ in range(2))
    for solutions, count in ((few, 1), (many, 1001)):
        for index in range(count):
            solutions.add(("p", index), StoredDraw("", f"way {index}", 1, 1, "stop", None, None), RIGHT)
    sizes = [sys.getsizeof(solutions._digests["p"]) for solutions in (few, many)]
    assert (sizes[1] - sizes[0]) / 1000 < 8 * 1.2  # arrays grow by an eighth ahead


def test_policies_compare_solutions_with_the_reasoning_that_is_trained_on() -> None:
    for form, new in ((None, [True, False, False]), ("<think>{reasoning}</think>", [True, True, False])):
        pool = Holder("string")
        pool.solutions = Solutions("string", form)
        for index, thought in enumerate(("one", "two", "one")):
            pool.solutions.add(("p", index), StoredDraw("", "4", 1, 1, "stop", None, None, reasoning=thought), RIGHT)
        novelty = Novelty({"weak": pool})
        assert [novelty.is_new("weak", "p", index) for index in range(3)] == new


def test_a_run_that_has_begun_compares_solutions_as_it_began(tmp_path: Path) -> None:
    form = "<think>{reasoning}</think>"
    arm = {"models": ["weak"], "policy": "adaptive", "objective": {"kept_per_problem": 4}}
    study = builders.study(arms={"a": arm}, curate={"reasoning": form})
    (cell,) = cells(study)
    assert Solutions.of(study, RunDirectory(tmp_path / "new")).reasoning == form
    for name, facts, reasoning in (("old", {}, None), ("begun", {"reasoning": form}, form)):
        directory = RunDirectory(tmp_path / name)
        rounds_log(directory, cell).append({"round": 0, "terms": "", "grader": "", **facts, "allocations": []})
        assert Solutions.of(study, directory).reasoning == reasoning
