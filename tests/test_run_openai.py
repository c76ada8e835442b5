from __future__ import annotations

from pathlib import Path

import pytest

from tests import openai_runs as runs
from tests.engines.openai.server import Server


@pytest.fixture
def shell(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> runs.Shell:
    monkeypatch.delenv(runs.VARIABLE, raising=False)
    return runs.Shell(monkeypatch, capsys)


def test_it_runs(tmp_path: Path, shell: runs.Shell) -> None:
    with Server() as server:
        left = shell("run", runs.write(tmp_path, runs.raw(server.url)), "-o", tmp_path / "out")
    print(left)
    assert left.code == 0
    assert len(runs.stored(tmp_path / "out")) == 24
