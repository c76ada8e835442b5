"""What is asked, and what is made of good replies. How an endpoint fails: test_failures.py."""

from __future__ import annotations

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from isocost.engines import load_engine
from isocost.engines.base import Generation, Request
from isocost.errors import EngineError, ModelError, StudyError, TryAgainError
from isocost.records import SamplingParams
from tests.engines.openai.conftest import Asks
from tests.engines.openai.replies import any_answer
from tests.engines.openai.server import Server

PARAMS = SamplingParams(temperature=0.5, top_p=0.9, max_tokens=64)
PLAIN = Request(problem_id="p1", prompt="Q: how many?\nA:", first_index=0, count=1)
CHAT = replace(PLAIN, chat=True, system="Be brief.")


def test_plain_text_goes_to_completions_with_its_own_seed(asks: Asks) -> None:
    with Server() as server:
        [[generation]] = asks(server).generate([PLAIN], PARAMS, seed=7)
    [asked] = server.asked
    seed = asked.body["seed"]
    assert asked.path == "/v1/completions"
    assert asked.body == {"model": "tiny", "prompt": PLAIN.prompt, "temperature": 0.5, "top_p": 0.9, "max_tokens": 64, "seed": seed}
    text = any_answer(PLAIN.prompt, seed, 0)
    assert generation == Generation(
        text=text,
        num_prompt_tokens=4,
        num_generated_tokens=len(text.split()),
        finish_reason="stop",
        num_cached_tokens=0,
        sharing=1,
        seed=seed,
        answered_by="tiny",
    )


def test_a_conversation_goes_to_chat_and_is_rendered_as_it_is_sent(asks: Asks) -> None:
    with Server() as server:
        engine = asks(server)
        engine.generate([CHAT], PARAMS, seed=7)
    [asked] = server.asked
    assert asked.path == "/v1/chat/completions"
    assert asked.body["messages"] == [{"role": "system", "content": "Be brief."}, {"role": "user", "content": PLAIN.prompt}]
    assert engine.render(CHAT) == f"system: Be brief.\nuser: {PLAIN.prompt}" == asked.prompt
    assert engine.render(PLAIN) == PLAIN.prompt


def test_api_chat_sends_plain_text_as_the_users_message_and_api_completions_takes_no_conversation(asks: Asks) -> None:
    with Server() as server:
        engine = asks(server, api="chat")
        engine.generate([PLAIN], PARAMS, seed=0)
        assert server.asked[0].body["messages"] == [{"role": "user", "content": PLAIN.prompt}]
        assert engine.render(PLAIN) == f"user: {PLAIN.prompt}"
        with pytest.raises(ModelError, match="api: completions"):
            asks(server, api="completions").generate([CHAT], PARAMS, seed=0)
    assert len(server.asked) == 1


def test_options_that_change_what_is_sent(asks: Asks) -> None:
    params = replace(PARAMS, top_k=20, stop=("\n\n", "Q:"))
    options = {"max_tokens_field": "max_completion_tokens", "seeds": False, "extra_body": {"min_p": 0.1}}
    with Server() as server:
        [[generation]] = asks(server, **options).generate([PLAIN], params, seed=0)
    body = server.asked[0].body
    assert generation.seed is None
    assert not {"seed", "max_tokens"} & body.keys()
    assert (body["max_completion_tokens"], body["top_k"], body["stop"], body["min_p"]) == (64, 20, ["\n\n", "Q:"], 0.1)


def test_seeds_are_31_bits_and_differ_by_problem_index_and_batch_seed(asks: Asks) -> None:
    with Server() as server:
        engine = asks(server)
        others = [replace(PLAIN, problem_id="p2"), replace(PLAIN, first_index=1)]
        generated = [engine.generate([r], PARAMS, seed=s)[0][0] for r, s in [(PLAIN, 1), *((r, 1) for r in others), (PLAIN, 2), (PLAIN, 1)]]
    seeds = [g.seed for g in generated if g.seed is not None]
    assert all(0 <= seed < 2**31 for seed in seeds)
    assert len(set(seeds)) == 4
    assert generated[0] == generated[4]
    assert len({g.text for g in generated}) == 4


def test_with_n_a_call_asks_for_several_solutions_that_share_prompt_and_seed(asks: Asks) -> None:
    with Server() as server:
        engine = asks(server, n=3)
        assert engine.shares_prompts
        batches = engine.batches([replace(PLAIN, first_index=2, count=7)])
        answers = [engine.generate(batch, PARAMS, seed=0)[0] for batch in batches]
    assert [(r.first_index, r.count) for [r] in batches] == [(2, 3), (5, 3), (8, 1)]
    assert [asked.body.get("n", 1) for asked in server.asked] == [3, 3, 1]
    for asked, generations in zip(server.asked, answers, strict=True):
        n = asked.body.get("n", 1)
        assert [g.text for g in generations] == [any_answer(PLAIN.prompt, asked.body["seed"], i) for i in range(n)]
        assert {(g.sharing, g.seed, g.num_prompt_tokens) for g in generations} == {(n, asked.body["seed"], 4)}
        assert sum(g.num_generated_tokens for g in generations) == sum(len(g.text.split()) for g in generations)


def test_one_call_a_batch_whatever_the_order_of_the_requests(asks: Asks) -> None:
    engine = asks("http://127.0.0.1:9/v1")
    requests = [replace(PLAIN, problem_id=p, first_index=i, count=n) for p, i, n in [("p2", 1, 3), ("p1", 0, 2), ("p3", 0, 0)]]
    batches = engine.batches(requests)
    assert [(r.problem_id, r.first_index, r.count) for [r] in batches] == [
        ("p1", 0, 1),
        ("p1", 1, 1),
        ("p2", 1, 1),
        ("p2", 2, 1),
        ("p2", 3, 1),
    ]
    assert engine.batches(requests[::-1]) == batches
    assert not engine.shares_prompts


def test_a_batch_of_several_calls_is_answered_in_order(asks: Asks) -> None:
    requests = [replace(PLAIN, problem_id="p2", count=3), replace(PLAIN, count=0), replace(PLAIN, problem_id="p1", count=2)]
    with Server() as server:
        engine = asks(server)
        together = engine.generate(requests, PARAMS, seed=4)
        alone = [[engine.generate(batch, PARAMS, seed=4)[0][0] for batch in engine.batches([r])] for r in requests]
    assert [len(generations) for generations in together] == [3, 0, 2]
    assert together == alone


def test_a_reply_cut_off_at_the_limit_has_finish_reason_length(asks: Asks) -> None:
    with Server() as server:
        [[generation]] = asks(server).generate([CHAT], replace(PARAMS, max_tokens=3), seed=0)
    assert (generation.finish_reason, generation.num_generated_tokens) == ("length", 3)
    assert len(generation.text.split()) == 3


def test_sixty_four_threads_are_all_under_way_at_once(asks: Asks) -> None:
    with Server(hold=64) as server:
        engine = asks(server)
        assert engine.concurrency == 64
        batches = engine.batches([replace(PLAIN, count=128)])
        with ThreadPoolExecutor(engine.concurrency) as threads:
            answers = list(threads.map(lambda batch: engine.generate(batch, PARAMS, 0), batches))
    assert server.peak == 64
    assert Counter(server.requests) == {"completions": 128}
    assert len({generation.text for [[generation]] in answers}) == 128


def test_the_key_comes_from_the_variable_that_the_study_names_and_without_one_a_dummy_is_sent(
    asks: Asks, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MY_KEY", " sk-mine \n")
    with Server(key="sk-mine") as demanding, Server() as open_to_all:
        asks(demanding, api_key_env="MY_KEY").generate([PLAIN], PARAMS, 0)
        asks(open_to_all).generate([PLAIN], PARAMS, 0)
    assert open_to_all.asked[0].headers["authorization"] == "Bearer none"


def test_organisation_and_proxy_of_the_environment_stay_out_of_it_on_this_machine(asks: Asks, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    for name in ("OPENAI_ORG_ID", "OPENAI_PROJECT_ID"):
        monkeypatch.setenv(name, "secret")
    with Server() as server:
        asks(server).generate([PLAIN], PARAMS, 0)
    assert "secret" not in server.asked[0].headers.values()


def test_other_machines_are_asked_through_the_proxy_of_the_environment(asks: Asks, monkeypatch: pytest.MonkeyPatch) -> None:
    with Server() as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.url.removesuffix("/v1"))
        with pytest.raises(EngineError, match="404"):
            asks("http://models.invalid/api").generate([PLAIN], PARAMS, 0)
    assert proxy.requests["http://models.invalid/api/completions"] == 1


def threads_of_engines() -> set[threading.Thread]:
    """The threads of all engines that are open, those of other tests among them."""
    return {thread for thread in threading.enumerate() if thread.name == "isocost-openai"}


def test_opening_describing_and_cutting_ask_nothing_and_start_no_thread() -> None:
    before = threads_of_engines()
    with Server() as server:
        engine = load_engine("openai", {"model": "tiny", "base_url": server.url + "/"}, base=Path())
        assert engine.size() is None
        assert engine.remote
        assert engine.identity == f"openai:{server.url}/tiny"
        assert engine.batches([]) == []
        assert engine.generate([], PARAMS, 0) == []
        engine.close()
        assert threads_of_engines() == before
    assert not server.requests


def test_what_is_sent_along_is_part_of_the_identity(asks: Asks) -> None:
    plain, *others = (asks("http://127.0.0.1:9/v1", extra_body=body).identity for body in ({}, {"min_p": 0.1}, {"min_p": 0.2}))
    assert plain == "openai:http://127.0.0.1:9/v1/tiny"
    assert len({plain, *others}) == 3


def test_close_ends_the_thread_and_the_next_call_opens_again(asks: Asks) -> None:
    before = threads_of_engines()
    with Server() as server:
        engine = asks(server)
        first = engine.generate([PLAIN], PARAMS, 0)
        assert len(threads_of_engines() - before) == 1
        engine.close()
        assert not threads_of_engines() - before
        engine.close()
        assert engine.generate([PLAIN], PARAMS, 0) == first


def test_calls_under_way_when_the_engine_is_closed_may_have_been_charged(asks: Asks) -> None:
    with Server(hold=2) as server, ThreadPoolExecutor(2) as threads:
        engine = asks(server)
        came = threading.Event()
        server.on_request = lambda asked: came.set()
        call = threads.submit(engine.generate, [PLAIN], PARAMS, 0)
        assert came.wait(30)
        engine.close()
        with pytest.raises(TryAgainError, match="closed") as error:
            call.result()
    assert error.value.charged


@pytest.mark.parametrize(
    ("options", "mistake"),
    [
        ({}, "model: is missing"),
        ({"model": " "}, "model: no name of a model"),
        ({"model": "m", "base_url": "localhost:8000"}, "base_url: no address"),
        ({"model": "m", "base_url": "http://host:port/v1"}, "base_url: no address"),
        ({"model": "m", "base_url": "http://host/" + "v" * 70_000}, "base_url: no address of an endpoint: longer than 2,000 characters"),
        ({"model": "m", "base_url": f"http://{'a' * 64}.com/v1"}, "base_url: no address"),
        ({"model": "m", "base_url": "http://my host/v1"}, "base_url: no address"),
        ({"model": "m", "base_url": "http://me:secret@host/v1"}, "base_url: only scheme, host, port and path"),
        ({"model": "m", "base_url": "http://host/v1?key=secret"}, "base_url: only scheme, host, port and path"),
        ({"model": "m", "api_key": "sk"}, 'api_key: unknown key; did you mean "api_key_env"?'),
        ({"model": "m", "api_key_env": "sk-abc"}, "api_key_env: String should match"),
        ({"model": "m", "extra_body": {"stream": True}}, "extra_body: stream: not for extra_body"),
        ({"model": "m", "concurrency": 0}, "concurrency: Input should be greater than 0"),
        ({"model": "m", "n": 0}, "n: Input should be greater than 0"),
        ({"model": "m", "timeout": float("inf")}, "timeout: Input should be"),
    ],
)
def test_options_that_cannot_be_used(options: dict[str, object], mistake: str) -> None:
    with pytest.raises(StudyError) as error:
        load_engine("openai", options, base=Path())
    assert str(error.value).startswith(mistake)
    assert "secret" not in str(error.value) + str(error.value.__cause__)


def test_openai_itself_needs_a_key_and_takes_four_stop_strings(asks: Asks, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = asks("https://api.openai.com/v1")
    assert engine.identity == load_engine("openai", {"model": "tiny"}, base=Path()).identity
    with pytest.raises(ModelError, match=r"no key in \$OPENAI_API_KEY"):
        engine.generate([PLAIN], PARAMS, 0)
    monkeypatch.setenv("OPENAI_API_KEY", "sk-mine")
    with pytest.raises(ModelError, match="takes 4 stop strings, the study has 5"):
        engine.generate([PLAIN], replace(PARAMS, stop=tuple("abcde")), 0)


@pytest.mark.parametrize("key", ["two words", "line\nbreak", "schlüssel"])
def test_a_key_that_cannot_be_sent_is_said_without_showing_it(asks: Asks, monkeypatch: pytest.MonkeyPatch, key: str) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", key)
    with pytest.raises(ModelError, match=r"\$OPENAI_API_KEY: holds a space") as error:
        asks("http://127.0.0.1:9/v1").generate([PLAIN], PARAMS, 0)
    assert key not in str(error.value)


def test_half_characters_in_a_prompt_are_sent_as_question_marks(asks: Asks) -> None:
    with Server() as server:
        asks(server).generate([replace(PLAIN, prompt="half \ud83d, système", system=None)], PARAMS, 0)
    assert server.asked[0].prompt == "half ?, système"
