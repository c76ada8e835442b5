"""What every engine owes its callers, whatever runs behind it."""

from collections import Counter
from pathlib import Path

import pytest

from isocost.engines import load_engine
from isocost.engines.base import Engine, Request
from isocost.records import SamplingParams

PARAMS = SamplingParams(max_tokens=8)
REQUESTS = [Request(problem_id=p, prompt=f"Q: {p}?\nA:\n", first_index=i, count=n) for p, i, n in [("p2", 1, 3), ("p1", 0, 2)]]


@pytest.fixture(params=["transformers", "replay"])
def any_engine(request: pytest.FixtureRequest, checkpoint: Path, table: Path) -> Engine:
    options = {"transformers": {"model": str(checkpoint), "device": "cpu"}, "replay": {"table": table.name, "model": "gemma"}}
    return load_engine(request.param, options[request.param], base=table.parent)


def test_answers_every_request_in_order(any_engine: Engine) -> None:
    answers = any_engine.generate(REQUESTS, PARAMS, seed=3)
    assert [len(generations) for generations in answers] == [3, 2]
    for generation in (g for generations in answers for g in generations):
        assert generation.finish_reason in ("stop", "length")
        assert 0 < generation.num_generated_tokens <= PARAMS.max_tokens
        assert generation.num_prompt_tokens > 0


def test_same_batch_params_and_seed_give_the_same_generations(any_engine: Engine) -> None:
    assert any_engine.generate(REQUESTS, PARAMS, seed=3) == any_engine.generate(REQUESTS, PARAMS, seed=3)


def test_batches_hold_every_draw_once_in_any_order_of_the_requests(any_engine: Engine) -> None:
    batches = any_engine.batches(REQUESTS)
    draws = Counter((r.problem_id, i) for batch in batches for r in batch for i in range(r.first_index, r.first_index + r.count))
    assert draws == Counter({("p1", 0): 1, ("p1", 1): 1, ("p2", 1): 1, ("p2", 2): 1, ("p2", 3): 1})
    assert any_engine.batches(REQUESTS[::-1]) == batches


def test_nothing_asked_nothing_done(any_engine: Engine) -> None:
    assert any_engine.batches([]) == []
    assert any_engine.generate([], PARAMS, seed=0) == []


def test_answers_again_after_close(any_engine: Engine) -> None:
    before = any_engine.generate(REQUESTS, PARAMS, seed=3)
    any_engine.close()
    assert any_engine.generate(REQUESTS, PARAMS, seed=3) == before


def test_identity_is_stable_and_size_is_none_or_positive(any_engine: Engine) -> None:
    assert any_engine.identity == any_engine.identity != ""
    size = any_engine.size()
    assert size is None or (size.parameters > 0 and size.description)
