"""What the engine owes its callers, with a real vLLM."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from isocost.engines import load_engine
from isocost.engines.base import Generation, Request
from isocost.lab import weights
from isocost.records import SamplingParams
from tests.vllm.conftest import OPTIONS

if TYPE_CHECKING:
    from isocost.engines.vllm.engine import VllmEngine

SHELLS = "Q: Nora has 14 shells and finds 3 more. How many shells does she have?\nA:\n"
CUPS = "Q: Emil buys 3 cups for 4 dollars each. How many dollars are that?\nA:\n"
PARAMS = SamplingParams(temperature=0.8, max_tokens=24)
GREEDY = SamplingParams(temperature=0, max_tokens=12)


def request(prompt: str, count: int = 1, *, problem: str = "p", first: int = 0) -> Request:
    return Request(problem_id=problem, prompt=prompt, first_index=first, count=count)


BATCH = [request(CUPS, 3, problem="p2", first=1), request(SHELLS, 2, problem="p1")]


def texts(answers: list[list[Generation]]) -> list[list[str]]:
    return [[generation.text for generation in generations] for generations in answers]


def test_answers_every_request_in_order(engine: VllmEngine) -> None:
    answers = engine.generate(BATCH, PARAMS, seed=3)
    assert [len(generations) for generations in answers] == [3, 2]
    assert [g.sharing for g in answers[0]] == [3, 3, 3]
    tokenizer = engine._load_tokenizer()
    for asked, generations in zip(BATCH, answers, strict=True):
        for generation in generations:
            assert generation.finish_reason in ("stop", "length")
            assert 0 < generation.num_generated_tokens <= PARAMS.max_tokens
            assert generation.num_prompt_tokens == len(tokenizer(asked.prompt)["input_ids"])


def test_same_batch_params_and_seed_give_the_same_generations(engine: VllmEngine) -> None:
    first = engine.generate(BATCH, PARAMS, seed=3)
    assert engine.generate(BATCH, PARAMS, seed=3) == first
    assert texts(engine.generate(BATCH, PARAMS, seed=4)) != texts(first)


def test_a_draw_is_seeded_by_what_it_is_not_by_its_company(engine: VllmEngine) -> None:
    (whole,) = engine.generate([request(SHELLS, 6)], PARAMS, seed=1)
    (part,) = engine.generate([request(SHELLS, 2, first=3)], PARAMS, seed=1)
    assert [(g.text, g.seed) for g in part] == [(g.text, g.seed) for g in whole[3:5]]
    assert len({g.seed for g in whole}) == 6


def test_draws_of_a_problem_and_of_problems_with_one_prompt_differ(engine: VllmEngine) -> None:
    answers = engine.generate([request(SHELLS, 12, problem=p) for p in ("a", "b")], SamplingParams(temperature=1, max_tokens=32), seed=0)
    first, second = texts(answers)
    assert len(set(first)) > 6
    assert first != second


def test_batches_hold_every_draw_once_in_any_order_of_the_requests(engine: VllmEngine) -> None:
    batches = engine.batches(BATCH)
    assert engine.batches(BATCH[::-1]) == batches
    draws = Counter((r.problem_id, i) for batch in batches for r in batch for i in range(r.first_index, r.first_index + r.count))
    assert draws == Counter({("p1", 0): 1, ("p1", 1): 1, ("p2", 1): 1, ("p2", 2): 1, ("p2", 3): 1})


def test_nothing_asked_nothing_done(engine: VllmEngine) -> None:
    assert engine.batches([]) == []
    assert engine.generate([], PARAMS, seed=0) == []


def test_greedy_equals_transformers(engine: VllmEngine) -> None:
    theirs = load_engine("transformers", {"model": str(weights("weak")), "dtype": "float32", "device": "cpu"}, base=Path())
    asked = [request(SHELLS), request(CUPS), request(SHELLS + "14+3=17\n#### 17\n\n" + CUPS)]
    for (our,), (their,) in zip(engine.generate(asked, GREEDY, 0), theirs.generate(asked, GREEDY, 0), strict=True):
        assert our.text == their.text
        assert (our.finish_reason, our.num_prompt_tokens) == (their.finish_reason, their.num_prompt_tokens)
        assert our.num_generated_tokens == their.num_generated_tokens
    assert theirs.identity == engine.identity
    assert theirs.size() == engine.size()


def test_the_end_token_is_paid_and_not_shown(engine: VllmEngine) -> None:
    worked = CUPS + "9+2=11\n#### 11\n\n" + SHELLS  # one that the model ends soon
    ((ended,),) = engine.generate([request(worked)], SamplingParams(temperature=0, max_tokens=200), 0)
    assert ended.finish_reason == "stop"
    assert "<|" not in ended.text
    assert ended.num_generated_tokens == len(engine._load_tokenizer()(ended.text)["input_ids"]) + 1


@pytest.mark.parametrize("max_tokens", [1, 5])
def test_max_tokens(engine: VllmEngine, max_tokens: int) -> None:
    (generations,) = engine.generate([request(SHELLS, 3)], SamplingParams(temperature=1, max_tokens=max_tokens), 0)
    for generation in generations:
        assert generation.num_generated_tokens == max_tokens or generation.finish_reason == "stop"
        assert generation.num_generated_tokens <= max_tokens


def test_stop_strings_are_cut_and_their_tokens_paid(engine: VllmEngine) -> None:
    ((free,),) = engine.generate([request(SHELLS)], GREEDY, 0)
    stop = free.text[3:6]
    ((stopped,),) = engine.generate([request(SHELLS)], SamplingParams(temperature=0, max_tokens=12, stop=("not there", stop)), 0)
    assert stopped.finish_reason == "stop"
    assert stopped.text == free.text[: free.text.index(stop)]
    assert stopped.num_generated_tokens > len(engine._load_tokenizer()(stopped.text)["input_ids"]) - 1
    assert stopped.num_generated_tokens <= free.num_generated_tokens


def test_top_k_and_top_p_cut_off(engine: VllmEngine) -> None:
    ((greedy,),) = engine.generate([request(SHELLS)], GREEDY, 0)
    for params in (SamplingParams(temperature=2, top_k=1, max_tokens=12), SamplingParams(temperature=2, top_p=1e-6, max_tokens=12)):
        (generations,) = engine.generate([request(SHELLS, 3)], params, 0)
        assert {g.text for g in generations} == {greedy.text}


def test_context_limits_tokens_and_refuses_prompts(engine: VllmEngine) -> None:
    asked = [request("7" * length, 2, problem=str(length)) for length in (2000, 1024, 1020, 3, 0)]
    tokenizer = engine._load_tokenizer()
    assert len(tokenizer("7" * 1020)["input_ids"]) == 1020
    over, full, nearly, short, empty = engine.generate(asked, SamplingParams(temperature=1, max_tokens=12), 0)
    for generations, length in ((over, 2000), (full, 1024), (empty, 0)):
        assert [(g.text, g.num_prompt_tokens, g.num_generated_tokens, g.finish_reason) for g in generations] == [
            ("", length, 0, "error")
        ] * 2
    assert all(0 < g.num_generated_tokens <= 4 for g in nearly)
    assert all(0 < g.num_generated_tokens <= 12 for g in short)


def test_a_batch_of_prompts_that_do_not_fit_is_answered(engine: VllmEngine) -> None:
    ((generation,),) = engine.generate([request("7" * 2000)], PARAMS, 0)
    assert generation.finish_reason == "error"


def test_the_prompt_is_read_once_and_the_cache_tells_no_tales(engine: VllmEngine) -> None:
    long = SHELLS * 8
    ((first, *others),) = engine.generate([request(long, 4)], PARAMS, 0)
    assert first.num_cached_tokens == 0
    assert all(128 <= g.num_cached_tokens < g.num_prompt_tokens for g in others)
    ((again, *_),) = engine.generate([request(long, 4)], PARAMS, 0)
    assert again.num_cached_tokens == 0  # whatever was asked before


def test_two_batches_at_once_bring_what_they_bring_alone(engine: VllmEngine) -> None:
    batches = [[request(prompt, 20, problem=f"{p}")] for p, prompt in enumerate([SHELLS, CUPS, SHELLS * 3, CUPS * 2])]
    alone = [texts(engine.generate(batch, PARAMS, seed=9)) for batch in batches]
    with ThreadPoolExecutor(engine.concurrency) as threads:
        together = [texts(answers) for answers in threads.map(lambda batch: engine.generate(batch, PARAMS, seed=9), batches)]
    assert together == alone


def test_answers_again_after_close(engine: VllmEngine) -> None:
    before = engine.generate(BATCH, PARAMS, seed=3)
    engine.close()
    engine.close()
    assert engine.generate(BATCH, PARAMS, seed=3) == before


def test_chat_is_put_into_the_models_format(installed: None, engine: VllmEngine, talker: Path) -> None:
    engine.close()
    chatting = load_engine("vllm", OPTIONS | {"model": str(talker)}, base=Path())
    asked = Request(problem_id="p", prompt="Add 1 and 2.", first_index=0, count=2, chat=True, system="You add.")
    text = "<|pad|>system: You add.\nuser: Add 1 and 2.\nA:\n"
    assert chatting.render(asked) == text
    plain = request(text.removeprefix("<|pad|>"), 2)
    try:
        chat, same = chatting.generate([asked, plain], GREEDY, 0)
    finally:
        chatting.close()
    assert [g.num_prompt_tokens for g in chat] == [g.num_prompt_tokens for g in same]  # one start token, not two
    assert [g.text for g in chat] == [g.text for g in same]


def test_a_text_is_the_same_where_a_special_token_may_stay_and_does_not_occur(installed: None, engine: VllmEngine) -> None:
    before = engine.generate(BATCH, PARAMS, seed=3)
    engine.close()
    keeping = load_engine("vllm", OPTIONS | {"special_tokens": ["<|pad|>"]}, base=Path())
    try:
        assert keeping.generate(BATCH, PARAMS, seed=3) == before
    finally:
        keeping.close()
