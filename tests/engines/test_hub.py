"""Models named on the hub: pinned to one commit, and no waiting where there is no network."""

import json
import shutil
import threading
from collections.abc import Iterator
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import huggingface_hub
import pytest

from isocost.engines import checkpoints, load_engine
from isocost.engines.base import Request
from isocost.errors import ModelError
from isocost.records import SamplingParams

COMMIT = "0123456789abcdef0123456789abcdef01234567"
ASKED = [Request(problem_id="p", prompt="A", first_index=0, count=2)]
PARAMS = SamplingParams(max_tokens=3)


class Hub:
    """A hub on this machine that gives the same reply to everything, and remembers what it was asked."""

    def __init__(self) -> None:
        self.status, self.body, self.headers = 200, json.dumps({"id": "someone/tiny", "sha": COMMIT}), {}
        self.asked: list[str] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer.asked.append(self.path)
                self.send_response(outer.status)
                for name, value in outer.headers.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(outer.body.encode())

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01})
        self.thread.start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


@pytest.fixture
def a_hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    served = Hub()
    monkeypatch.setattr(checkpoints, "HfApi", partial(huggingface_hub.HfApi, endpoint=served.url))
    yield served
    served.close()


@pytest.fixture
def no_network(a_hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody answers where the hub should be."""
    a_hub.close()
    monkeypatch.setattr(a_hub, "close", lambda: None)


@pytest.fixture
def cache(checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The hub's folder on this machine, with one model in it; its snapshot's folder."""
    model = tmp_path / "cache" / "models--someone--tiny"
    shutil.copytree(checkpoint, model / "snapshots" / COMMIT)
    (model / "refs").mkdir()
    (model / "refs" / "main").write_text(COMMIT)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    return model / "snapshots" / COMMIT


def test_all_is_read_at_the_commit_that_the_identity_names(
    a_hub: Hub, checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[tuple[str, str]] = []

    def recorder(kind: str) -> Any:
        real = getattr(checkpoints, kind)

        class Recorded:
            @staticmethod
            def from_pretrained(pretrained_model_name_or_path: str, *, revision: str, **rest: Any) -> Any:
                read.append((pretrained_model_name_or_path, revision))
                return real.from_pretrained(checkpoint, **rest)

        return Recorded

    for kind in ("AutoConfig", "AutoTokenizer", "AutoModelForCausalLM"):
        monkeypatch.setattr(checkpoints, kind, recorder(kind))
    engine = load_engine("transformers", {"model": "someone/tiny", "revision": "v2", "device": "cpu"}, base=tmp_path)
    a_hub.body = json.dumps({"id": "someone/tiny", "sha": "f" * 40})  # a commit made meanwhile
    engine.generate(ASKED, PARAMS, 0)
    engine.close()
    engine.generate(ASKED, PARAMS, 0)
    assert engine.identity == f"someone/tiny@{COMMIT}"
    assert set(read) == {("someone/tiny", COMMIT)}
    assert len(read) == 5
    assert a_hub.asked == ["/api/models/someone/tiny/revision/v2"]


@pytest.mark.usefixtures("no_network")
def test_without_a_network_what_is_on_this_machine_is_used(cache: Path, checkpoint: Path, tmp_path: Path) -> None:
    engine = load_engine("transformers", {"model": "someone/tiny", "device": "cpu"}, base=tmp_path)
    local = load_engine("transformers", {"model": str(checkpoint), "device": "cpu"}, base=tmp_path)
    assert engine.identity == f"someone/tiny@{COMMIT}"
    assert engine.generate(ASKED, PARAMS, 0) == local.generate(ASKED, PARAMS, 0)
    (cache / "model.safetensors").unlink()
    with pytest.raises(ModelError, match="no weights in this folder"):
        load_engine("transformers", {"model": "someone/tiny"}, base=tmp_path)


@pytest.mark.usefixtures("no_network", "cache")
def test_without_a_network_other_models_are_refused_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkpoints, "AutoConfig", None)  # it would try for half a minute
    for options in ({"model": "someone/other"}, {"model": "someone/tiny", "revision": "v2"}):
        with pytest.raises(ModelError, match="not on this machine, and the hub cannot be reached\n  download it"):
            load_engine("transformers", options, base=tmp_path)


def test_the_hub_may_be_ruled_out(a_hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(checkpoints, "snapshot", lambda *_: None)
    with pytest.raises(ModelError, match="the hub cannot be reached"):
        load_engine("transformers", {"model": "someone/tiny"}, base=tmp_path)
    assert a_hub.asked == []


@pytest.mark.parametrize(
    ("code", "message"),
    [("RepoNotFound", "not on the hub, or not public; check the name, or log in"), ("RevisionNotFound", "no revision 'v9' on the hub")],
)
def test_what_is_not_on_the_hub_is_told_at_once(a_hub: Hub, tmp_path: Path, code: str, message: str) -> None:
    a_hub.status, a_hub.headers = 404, {"X-Error-Code": code}
    with pytest.raises(ModelError, match=f"someone/tiny: {message}"):
        load_engine("transformers", {"model": "someone/tiny", "revision": "v9"}, base=tmp_path)
    assert len(a_hub.asked) == 1


def test_a_hub_that_does_not_say_leaves_it_to_the_download(a_hub: Hub) -> None:
    a_hub.status = 500
    assert checkpoints.commit_of("someone/tiny", None) is None
    assert len(a_hub.asked) == 1


@pytest.mark.parametrize("kept", [True, False])
@pytest.mark.usefixtures("cache")
def test_a_hub_that_does_not_say_is_read_at_the_commit_of_the_download(
    a_hub: Hub, checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kept: bool
) -> None:
    a_hub.status = 500
    real, asked = checkpoints.AutoConfig, list[str | None]()

    class Downloaded:
        @staticmethod
        def from_pretrained(revision: str | None = None, **_: Any) -> Any:
            asked.append(revision)
            return real.from_pretrained(checkpoint)

    monkeypatch.setattr(checkpoints, "AutoConfig", Downloaded)
    if kept:
        assert load_engine("transformers", {"model": "someone/tiny"}, base=tmp_path).identity == f"someone/tiny@{COMMIT}"
        assert asked == [None, COMMIT]
    else:
        monkeypatch.setattr(checkpoints, "snapshot", lambda *_: None)
        with pytest.raises(
            ModelError, match="the hub does not tell the commit of main\n  run the same command again later, or set revision"
        ):
            load_engine("transformers", {"model": "someone/tiny"}, base=tmp_path)
    commit = "f" * 40
    assert load_engine("transformers", {"model": "someone/tiny", "revision": commit}, base=tmp_path).identity == f"someone/tiny@{commit}"
