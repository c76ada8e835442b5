"""Pushing to a local fake of the hub: one commit, private, and nothing left behind after an error."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from isocost.errors import InputError, MissingExtraError, RunError
from isocost.exporting.hub import Hub, kind_of
from tests.exporting.fake_hub import FakeHub, served

pytest.importorskip("huggingface_hub")


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeHub]:
    with served() as found:
        monkeypatch.setenv("HF_ENDPOINT", found.address)
        monkeypatch.setenv("HF_TOKEN", found.token)
        yield found


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "made" / "data").mkdir(parents=True)
    (tmp_path / "made" / "README.md").write_text("---\ntags: [x]\n---\n# card\n", encoding="utf-8")
    (tmp_path / "made" / "data" / "train.parquet").write_bytes(b"PAR1")
    return tmp_path / "made"


def test_a_folder_becomes_a_private_data_set(hub: FakeHub, folder: Path) -> None:
    address = Hub("me/data").push(folder)
    assert address.endswith("/datasets/me/data")
    assert {path: content for path, content in hub.repos["me/data"].items() if not path.startswith(".")} == {
        "README.md": (folder / "README.md").read_bytes(),
        "data/train.parquet": b"PAR1",
    }
    assert hub.private == {"me/data": True}
    assert len([each for each in hub.requests if "/commit/" in each]) == 1


def test_a_folder_with_a_configuration_becomes_a_private_model_in_one_commit(hub: FakeHub, folder: Path) -> None:
    assert kind_of(folder) == "dataset"
    (folder / "config.json").write_text("{}", encoding="utf-8")
    address = Hub("me/student", kind_of(folder)).push(folder)
    assert address == f"{hub.address}/me/student"
    assert (hub.kinds, hub.private) == ({"me/student": "model"}, {"me/student": True})
    assert set(hub.repos["me/student"]) >= {"README.md", "config.json", "data/train.parquet"}
    assert len([each for each in hub.requests if "/commit/" in each]) == 1


def test_a_model_is_refused_where_a_model_of_its_name_exists_and_removed_where_its_commit_fails(hub: FakeHub, folder: Path) -> None:
    hub.refuses_commits = True
    with pytest.raises(InputError, match="the token may not write there"):
        Hub("me/student", "model").push(folder)
    assert hub.repos == {}
    hub.repos["me/student"], hub.kinds["me/student"] = {}, "model"
    with pytest.raises(InputError, match="me/student: exists already\n  choose another name; nothing was pushed"):
        Hub("me/student", "model")


def test_a_name_that_exists_is_refused_before_anything_is_sent(hub: FakeHub) -> None:
    hub.repos["me/data"] = {}
    with pytest.raises(InputError, match="me/data: exists already\n  choose another name; nothing was pushed"):
        Hub("me/data")
    assert not [each for each in hub.requests if each.startswith("POST")]


def test_a_name_that_was_taken_meanwhile_is_left_alone(hub: FakeHub, folder: Path) -> None:
    pushing = Hub("me/data")
    hub.repos["me/data"] = {"theirs": b"1"}
    with pytest.raises(InputError, match="exists already"):
        pushing.push(folder)
    assert hub.repos == {"me/data": {"theirs": b"1"}}


def test_a_refused_commit_leaves_no_data_set(hub: FakeHub, folder: Path) -> None:
    hub.refuses_commits = True
    with pytest.raises(InputError, match="the token may not write there"):
        Hub("me/data").push(folder)
    assert hub.repos == {}


def test_a_refused_and_a_missing_token_are_said(hub: FakeHub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_bad")
    with pytest.raises(InputError, match="the hub refuses the token\n  log in with a token that may write"):
        Hub("me/data")
    monkeypatch.setattr("huggingface_hub.get_token", lambda: None)
    with pytest.raises(InputError, match="there is no token of the Hugging Face hub\n  log in: hf auth login"):
        Hub("me/data")
    assert hub.repos == {}


def test_an_invalid_name_is_refused(hub: FakeHub) -> None:
    with pytest.raises(InputError, match="a name is owner/name; nothing was pushed"):
        Hub("me/da ta/x")


def test_a_hub_that_cannot_be_reached_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setenv("HF_TOKEN", "hf_good")
    with pytest.raises(RunError, match=r"the hub fails: .*\n  try again later; nothing was pushed"):
        Hub("me/data")


def test_without_the_library_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    with pytest.raises(MissingExtraError, match=r"isocost\[hub\]"):
        Hub("me/data")
