"""What every engine owes its callers, whatever runs behind it. vLLM's, which has an environment of its own, is held to it in tests/vllm."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import get_args

import polars as pl
import pytest

from isocost.engines import load_engine
from isocost.engines.base import Engine, Request
from isocost.records import FinishReason, SamplingParams
from tests.engines.openai.server import Server

PARAMS = SamplingParams(max_tokens=8)
REQUESTS = [
    Request(problem_id=p, prompt=f"Q: {p}?\nA:\n", first_index=i, count=n) for p, i, n in [("p2", 1, 3), ("p1", 0, 2), ("p3", 0, 9)]
]
COUNTS = [3, 2, 9]
MOST_AT_ONCE = 5000  # more generations of one problem than any engine answers in one batch


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """An engine, and how to open the same one again."""

    engine: Engine
    again: Callable[[], Engine]


def _transformers(folder: Path, checkpoint: Path, server: Server) -> dict[str, object]:
    return {"model": str(checkpoint), "device": "cpu", "batch_size": 4}


def _replay(folder: Path, checkpoint: Path, server: Server) -> dict[str, object]:
    return {"table": _table(folder).name, "model": "gemma"}


def _openai(folder: Path, checkpoint: Path, server: Server) -> dict[str, object]:
    return {"model": "tiny", "base_url": server.url, "n": 4}


# The options that open each engine, made in a folder of its own. A new engine is one more entry.
CASES: dict[str, Callable[[Path, Path, Server], dict[str, object]]] = {"transformers": _transformers, "replay": _replay, "openai": _openai}


@pytest.fixture(params=CASES)
def case(request: pytest.FixtureRequest, checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Case]:
    """Each engine, and a server for those that need one."""
    monkeypatch.setenv("OPENAI_API_KEY", "k")
    with Server() as server:
        options = CASES[request.param](tmp_path, checkpoint, server)
        engines: list[Engine] = []

        def again() -> Engine:
            engines.append(load_engine(request.param, options, base=tmp_path))
            return engines[-1]

        yield Case(engine=again(), again=again)
        for engine in engines:
            engine.close()


def _table(folder: Path) -> Path:
    rows = [
        {
            "problem_id": f"p{problem}",
            "model": "gemma",
            "sample_index": index,
            "generation": f"p{problem} solution {index}",
            "num_prompt_tokens": 11,
            "num_generated_tokens": 1 + index % 8,
            "finish_reason": "length" if index % 8 == 7 else "stop",
        }
        for problem in (1, 2, 3)
        for index in range(12)
    ]
    pl.DataFrame(rows).write_parquet(folder / "samples.parquet")
    return folder / "samples.parquet"


def draws(requests: Sequence[Request]) -> Counter[tuple[str, int]]:
    return Counter((r.problem_id, index) for r in requests for index in range(r.first_index, r.first_index + r.count))


def test_says_who_runs_the_model_and_how_many_batches_it_takes(case: Case) -> None:
    engine = case.engine
    assert engine.identity
    assert isinstance(engine.remote, bool)
    assert isinstance(engine.shares_prompts, bool)
    assert engine.concurrency >= 1
    size = engine.size()
    assert size is None or (size.parameters > 0 and size.description)
    assert (engine.identity, engine.size()) == ((other := case.again()).identity, other.size())


def test_answers_every_request_in_order(case: Case) -> None:
    answers = case.engine.generate(REQUESTS, PARAMS, seed=3)
    assert [len(generations) for generations in answers] == COUNTS
    for generation in (g for generations in answers for g in generations):
        assert generation.finish_reason in get_args(FinishReason)
        assert 0 < generation.num_generated_tokens <= PARAMS.max_tokens
        assert generation.num_prompt_tokens > 0
        assert 0 <= generation.num_cached_tokens <= generation.num_prompt_tokens


def test_what_is_cut_off_says_so(case: Case) -> None:
    reasons = {g.finish_reason for generations in case.engine.generate(REQUESTS, PARAMS, seed=3) for g in generations}
    assert reasons <= {"stop", "length"}
    for generation in (g for generations in case.engine.generate(REQUESTS, PARAMS, seed=3) for g in generations):
        assert generation.finish_reason != "length" or generation.num_generated_tokens == PARAMS.max_tokens


def test_shares_a_prompt_among_the_solutions_of_a_request_and_no_more(case: Case) -> None:
    for batch in case.engine.batches(REQUESTS):
        for request, generations in zip(batch, case.engine.generate(batch, PARAMS, seed=3), strict=True):
            sharing = {generation.sharing for generation in generations}
            assert sharing == ({request.count} if case.engine.shares_prompts else {1})


def test_the_same_batch_params_and_seed_give_the_same_generations(case: Case) -> None:
    if case.engine.remote:
        pytest.skip("an endpoint promises no draws")
    first = case.engine.generate(REQUESTS, PARAMS, seed=3)
    assert case.engine.generate(REQUESTS, PARAMS, seed=3) == first
    assert case.again().generate(REQUESTS, PARAMS, seed=3) == first


def test_batches_hold_every_draw_once_and_split_requests_go_on_counting(case: Case) -> None:
    asked = [*REQUESTS[:2], replace(REQUESTS[2], count=MOST_AT_ONCE)]
    parts = [part for batch in case.engine.batches(asked) for part in batch]
    assert draws(parts) == draws(asked)
    assert set(draws(parts).values()) == {1}
    assert all(part.count > 0 for part in parts)
    whole = {request.problem_id: request for request in asked}
    assert all(replace(part, first_index=0, count=1) == replace(whole[part.problem_id], first_index=0, count=1) for part in parts)
    assert sum(part.problem_id == "p3" for part in parts) > 1, "a batch is committed whole, so it must not grow with what is asked"


def test_batches_are_a_pure_function_of_what_is_asked(case: Case) -> None:
    batches = case.engine.batches(REQUESTS)
    assert case.engine.batches(REQUESTS[::-1]) == batches
    case.engine.generate(batches[0], PARAMS, seed=0)
    assert case.engine.batches(REQUESTS) == batches
    assert case.again().batches(REQUESTS) == batches


def test_asks_in_a_chat_what_is_a_chat(case: Case) -> None:
    asked = [replace(REQUESTS[0], chat=True, system=system) for system in (None, "Be brief.")]
    assert {part.chat for batch in case.engine.batches(asked) for part in batch} == {True}
    assert {part.system for batch in case.engine.batches(asked) for part in batch} == {None, "Be brief."}


def test_render_is_pure_and_holds_the_prompt(case: Case) -> None:
    text = case.engine.render(REQUESTS[0])
    assert REQUESTS[0].prompt in text
    assert case.engine.render(replace(REQUESTS[0], problem_id="other", first_index=7, count=1)) == text
    assert case.engine.render(REQUESTS[1]) != text


def test_nothing_asked_nothing_done(case: Case) -> None:
    assert case.engine.batches([]) == []
    assert case.engine.generate([], PARAMS, seed=0) == []


def test_answers_again_after_close(case: Case) -> None:
    before = case.engine.generate(REQUESTS, PARAMS, seed=3)
    case.engine.close()
    case.engine.close()
    after = case.engine.generate(REQUESTS, PARAMS, seed=3)
    assert [len(generations) for generations in after] == COUNTS
    assert case.engine.remote or after == before
