"""The client of a batch API: each call is sent once, and what fails says whether it may have been carried out."""

from __future__ import annotations

import json
import ssl
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import httpx2
import pytest

from isocost.engines.base import Request
from isocost.engines.openai.batchclient import KEY, BatchClient
from isocost.engines.openai.client import SpreadTransport
from isocost.engines.openai.engine import OpenAIEngine
from isocost.errors import EngineError, TryAgainError
from isocost.records import SamplingParams
from tests.engines.openai.batchserver import BatchServer
from tests.engines.openai.conftest import Asks

PARAMS = SamplingParams(max_tokens=20)
URL = "/v1/completions"


def request(index: int) -> Request:
    return Request(problem_id=f"p{index}", prompt="Q: how many?\nA:", first_index=0, count=1)


def uploaded(engine: OpenAIEngine, folder: Path, name: str = "isocost-s1.jsonl", number: int = 3) -> str:
    path = folder / "requests.jsonl"
    path.write_bytes(b"".join(engine.write_line(f"id-{n}", request(n), PARAMS, 7) for n in range(number)))
    return engine.batch_api().upload(path, name)


def until_final(client: BatchClient, batch: str) -> str:
    while True:
        state = client.look(batch)
        assert state is not None
        if state.is_final:
            return state.status
        time.sleep(0.01)


def test_a_batch_goes_from_its_file_to_its_replies(asks: Asks, tmp_path: Path) -> None:
    with BatchServer() as server:
        engine = asks(server.url)
        client = engine.batch_api()
        file = uploaded(engine, tmp_path)
        assert (server.books.files[file].name, server.books.files[file].purpose) == ("isocost-s1.jsonl", "batch")
        state = client.create(file, URL, "s1")
        assert server.books.batches[state.id].metadata == {KEY: "s1"}
        assert until_final(client, state.id) == "completed"
        done = client.look(state.id)
        assert done is not None
        assert (done.total, done.completed, done.error_file) == (3, 3, None)
        assert done.output_file is not None
        path = tmp_path / "replies.jsonl"
        assert client.download(done.output_file, path)
        assert {json.loads(line)["custom_id"] for line in path.read_text().splitlines()} == {"id-0", "id-1", "id-2"}
        client.delete(file)
        client.delete(file)  # a file that is gone is no error
        assert file not in server.books.files


def test_what_the_endpoint_does_not_know_is_none_and_nothing_is_left_of_a_download(asks: Asks, tmp_path: Path) -> None:
    with BatchServer() as server:
        client = asks(server.url).batch_api()
        assert client.look("batch-9") is None
        assert client.cancel("batch-9") is None
        assert not client.download("file-9", tmp_path / "replies.jsonl")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "fault", ["408", "409", "425", "429", "500", "503", "cut", "409 done", "429 done", "500 done", "cut done", "as batch-000001"]
)
def test_a_creation_that_fails_is_sent_once_and_may_have_worked(asks: Asks, tmp_path: Path, fault: str) -> None:
    with BatchServer() as server:
        engine = asks(server.url)
        if fault.startswith("as "):
            engine.batch_api().create(uploaded(engine, tmp_path, "isocost-s0.jsonl"), URL, "s0")
        server.calls.clear()
        server.faults["create"] = [fault]
        file = uploaded(engine, tmp_path)
        with pytest.raises(TryAgainError) as raised:
            engine.batch_api().create(file, URL, "s1")
        assert raised.value.charged
        assert server.calls["create"] == 1
        assert (engine.batch_api().find("s1", file).batch is not None) == fault.endswith(("done", "1"))


@pytest.mark.parametrize(
    ("status", "charged"),
    [
        ("400", False),
        ("401", False),
        ("413", False),
        ("422", False),
        ("402", True),
        ("409", True),
        ("410", True),
        ("451", True),
        ("307", True),
    ],
)
def test_a_refusal_in_plain_words_alone_denies_that_a_batch_was_created(asks: Asks, tmp_path: Path, status: str, charged: bool) -> None:
    with BatchServer(faults={"create": [status]}) as server:
        engine = asks(server.url)
        with pytest.raises(EngineError) as raised:
            engine.batch_api().create(uploaded(engine, tmp_path), URL, "s1")
        assert raised.value.charged is charged


@pytest.mark.parametrize("shows", [["metadata"], ["file"], ["metadata", "file"]])
def test_a_new_batch_is_known_by_what_its_reply_shows(
    asks: Asks, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, shows: list[str]
) -> None:
    with BatchServer() as server:
        monkeypatch.setattr(BatchServer, "shows_all", tuple(shows))
        engine = asks(server.url)
        client = engine.batch_api()
        first = client.create(uploaded(engine, tmp_path, "isocost-s1.jsonl"), URL, "s1")
        server.faults["create"] = [f"as {first.id}"]
        with pytest.raises(TryAgainError, match=f"it is of another batch, {first.id}") as raised:
            client.create(uploaded(engine, tmp_path, "isocost-s2.jsonl"), URL, "s2")
        assert raised.value.charged


def test_a_reply_on_another_batch_or_file_cannot_be_read(asks: Asks, tmp_path: Path) -> None:
    with BatchServer() as server:
        engine = asks(server.url)
        client = engine.batch_api()
        files = [uploaded(engine, tmp_path, f"isocost-{submission}.jsonl") for submission in ("s1", "s2")]
        one, other = (client.create(file, URL, submission).id for file, submission in zip(files, ("s1", "s2"), strict=True))
        server.faults = {name: [f"as {other}"] for name in ("poll", "cancel")} | {"look": [f"as {files[1]}"]}
        for ask in (client.look, client.cancel):
            with pytest.raises(TryAgainError, match=f"a reply to batch {one} that cannot be read: it is of {other}"):
                ask(one)
            shown = ask(one)
            assert shown is not None
            assert shown.id == one
        with pytest.raises(TryAgainError, match=f"it is of {files[1]}"):
            client.has_file(files[0])
        assert client.has_file(files[0])


def test_a_reply_on_another_upload_gives_no_file(asks: Asks, tmp_path: Path) -> None:
    with BatchServer() as server:
        engine = asks(server.url)
        first = uploaded(engine, tmp_path, "isocost-s1.jsonl")
        server.faults["upload"] = [f"as {first}"]
        with pytest.raises(TryAgainError, match=r"it is of another file, isocost-s1\.jsonl"):
            uploaded(engine, tmp_path, "isocost-s2.jsonl")
        server.books.files[first].name = "mine.jsonl"
        server.faults["upload"] = [f"as {first}"]
        with pytest.raises(TryAgainError, match=r"it is of another file, mine\.jsonl"):
            uploaded(engine, tmp_path, "isocost-s2.jsonl", number=2)
        server.faults["upload"] = [f"as {first}"]
        assert uploaded(engine, tmp_path, "isocost-s2.jsonl") == first  # an endpoint may give files names of its own


class Broken(httpx2.AsyncByteStream):
    """The body of a reply, in the middle of which a record of TLS is damaged."""

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield b'{"id":'
        raise ssl.SSLError(1, "[SSL: DECRYPTION_FAILED_OR_BAD_RECORD_MAC] decryption failed or bad record mac")


@pytest.fixture
def damaged(monkeypatch: pytest.MonkeyPatch) -> None:
    async def reply(self: object, request: httpx2.Request) -> httpx2.Response:
        return httpx2.Response(200, stream=Broken(), request=request)

    monkeypatch.setattr(SpreadTransport, "handle_async_request", reply)


@pytest.mark.usefixtures("damaged")
def test_a_tls_failure_in_a_reply_does_not_deny_that_a_batch_was_created(asks: Asks) -> None:
    with pytest.raises(TryAgainError, match=r"the connection broke: .SSL: DECRYPTION_FAILED") as raised:
        asks("https://127.0.0.1:1/v1").batch_api().create("file-1", URL, "s1")
    assert raised.value.charged


@pytest.mark.usefixtures("damaged")
def test_a_download_that_tls_breaks_is_tried_again(asks: Asks, tmp_path: Path) -> None:
    with pytest.raises(TryAgainError, match=r"the connection broke: .SSL: DECRYPTION_FAILED"):
        asks("https://127.0.0.1:1/v1").batch_api().download("file-1", tmp_path / "replies.jsonl")
    assert list(tmp_path.iterdir()) == []


def test_a_creation_with_too_long_a_reply_may_have_worked(asks: Asks, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with BatchServer() as server:
        file = uploaded(asks(server.url), tmp_path)
        monkeypatch.setattr("isocost.engines.openai.batchclient._MOST_DOWNLOADED", 10)
        with pytest.raises(TryAgainError, match="has more than 10 bytes") as raised:
            asks(server.url).batch_api().create(file, URL, "s1")
        assert raised.value.charged
        assert len(server.books.batches) == 1


@pytest.mark.parametrize(
    "ask",
    [
        lambda engine, folder: uploaded(engine, folder),
        lambda engine, folder: engine.batch_api().look("batch-1"),
        lambda engine, folder: engine.batch_api().find("s1", "file-1"),
        lambda engine, folder: engine.batch_api().download("file-1", folder / "x"),
        lambda engine, folder: engine.batch_api().delete("file-1"),
    ],
)
def test_other_calls_are_sent_once_too(asks: Asks, tmp_path: Path, ask: Callable[[OpenAIEngine, Path], object]) -> None:
    operations = ("upload", "poll", "list", "content", "delete")
    with BatchServer(faults={operation: ["500"] for operation in operations}) as server:
        with pytest.raises(TryAgainError):
            ask(asks(server.url), tmp_path)
        assert sum(server.calls.values()) == 1


def test_an_endpoint_without_the_api_is_told_with_what_to_do(asks: Asks, tmp_path: Path) -> None:
    with BatchServer(faults={"upload": ["404"], "create": ["404"]}) as server:
        engine = asks(server.url)
        with pytest.raises(EngineError, match="has no batch API") as raised:
            uploaded(engine, tmp_path)
        assert not isinstance(raised.value, TryAgainError)
        assert not raised.value.charged
        with pytest.raises(EngineError, match="leave batch out") as created:
            engine.batch_api().create("file-1", URL, "s1")
        assert not created.value.charged


@pytest.mark.parametrize("shows", [["metadata"], ["file"], ["file", "name"], ["metadata", "file", "name"]])
def test_a_batch_is_found_by_metadata_by_its_file_or_by_that_files_name(asks: Asks, tmp_path: Path, shows: list[str]) -> None:
    with BatchServer(shows=shows, page=2) as server:
        engine = asks(server.url)
        client, ids = engine.batch_api(), {}
        for submission in ("s1", "s2", "s3", "s4", "s5"):
            file = uploaded(engine, tmp_path, f"isocost-{submission}.jsonl")
            ids[submission] = client.create(file, URL, submission).id, file
        batch, file = ids["s2"]
        if shows == ["file", "name"]:
            file = "file-unknown"  # the reply of its upload did not come
        found = client.find("s2", file)
        assert found.batch is not None
        assert found.batch.id == batch
        assert server.calls["list"] == 2
        missing = client.find("s9", "file-9")
        assert (missing.batch, missing.doubtful) == (None, 0)


def test_batches_that_show_nothing_are_doubtful_unless_they_are_known_or_old(asks: Asks, tmp_path: Path) -> None:
    with BatchServer(shows=[]) as server:
        engine = asks(server.url)
        client = engine.batch_api()
        batches = [client.create(uploaded(engine, tmp_path), URL, submission).id for submission in ("s1", "s2")]
        assert client.find("s1", "file-000001").doubtful == 2
        assert client.find("s1", "file-000001", batches[:1]).doubtful == 1
        for batch in server.books.batches.values():
            batch.created -= 7200
        assert client.find("s1", "file-000001").doubtful == 0
        assert client.find("s1", "file-unknown").doubtful == 2


@pytest.mark.parametrize("status", ["404", "405"])
def test_an_endpoint_without_a_list_is_told_from_one_whose_list_is_empty(asks: Asks, status: str) -> None:
    with BatchServer(faults={"list": [status]}) as server:
        client = asks(server.url).batch_api()
        without, empty = client.find("s1", "file-1"), client.find("s1", "file-1")
    assert (without.listed, without.is_absent) == (False, False)
    assert (empty.listed, empty.is_absent) == (True, True)


@pytest.mark.parametrize(
    ("listing", "is_found", "is_whole"),
    [
        ({}, True, True),
        ({"last": None}, True, True),
        ({"knows_after": False}, False, False),
        ({"last": None, "knows_after": False}, False, False),
    ],
)
def test_a_listing_is_read_to_its_end_whatever_its_order(
    asks: Asks, tmp_path: Path, listing: dict[str, Any], is_found: bool, is_whole: bool
) -> None:
    with BatchServer(page=2, oldest_first=True, **{"knows_after": True, **listing}) as server:
        engine = asks(server.url)
        client = engine.batch_api()
        for submission in ("s1", "s2", "s3", "s4", "s5"):
            client.create(uploaded(engine, tmp_path, f"isocost-{submission}.jsonl"), URL, submission)
        for batch in list(server.books.batches.values())[:4]:
            batch.created -= 86400
        assert (client.find("s5", "file-000005").batch is not None) == is_found
        missing = client.find("s9", "file-000005")
        assert (missing.whole, missing.is_absent) == (is_whole, is_whole)


def test_files_of_a_submission_are_found_by_their_names(asks: Asks, tmp_path: Path) -> None:
    with BatchServer(page=2) as server:
        engine = asks(server.url)
        ids = [uploaded(engine, tmp_path, f"isocost-{name}.jsonl") for name in ("s1", "s2", "s1", "s3", "s4")]
        client = engine.batch_api()
        assert sorted(client.find_files("s1")) == [ids[0], ids[2]]
        assert server.calls["files"] == 3
        assert client.find_files("s9") == []


def test_a_download_that_is_cut_leaves_no_file(asks: Asks, tmp_path: Path) -> None:
    with BatchServer(faults={"content": ["cut"]}) as server:
        engine = asks(server.url)
        file = uploaded(engine, tmp_path)
        path = tmp_path / "replies.jsonl"
        with pytest.raises(TryAgainError):
            engine.batch_api().download(file, path)
        assert not path.exists()
        assert engine.batch_api().download(file, path)
        assert path.read_bytes() == (tmp_path / "requests.jsonl").read_bytes()
