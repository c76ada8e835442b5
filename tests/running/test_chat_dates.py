"""A run over midnight whose model's chat template asks for today's date."""

from __future__ import annotations

import datetime as dt
import json
import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from isocost import finetuning
from isocost.engines.checkpoints import engine
from isocost.finetuning import rows
from isocost.running import folders, run, runs
from isocost.store import RunDirectory
from tests.builders import InlineExecutor, write_study
from tests.running.test_trained_runs import student, write  # noqa: F401  # a fixture

DAY = dt.date(2026, 12, 1)
NEXT = dt.date(2026, 12, 2)


def set_clock(monkeypatch: pytest.MonkeyPatch, day: dt.date) -> None:
    class Date(dt.date):
        @classmethod
        def today(cls) -> Any:
            return day

    class Moment(dt.datetime):
        @classmethod
        def now(cls, tz: Any = None) -> Any:
            return dt.datetime.combine(day, dt.time(12))

    monkeypatch.setattr(folders, "dt", SimpleNamespace(date=Date))
    monkeypatch.setattr("transformers.utils.chat_template_utils.datetime", Moment)


def add_date(student: Path) -> None:  # noqa: F811
    path = student / "chat_template.jinja"
    path.write_text("Today Date: {{ strftime_now('%d %b %Y') }}\n" + path.read_text())


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The chats that a run renders, to ask and to train."""
    texts: list[str] = []
    render = engine.render_chat

    def note(*given: Any, **options: Any) -> str:
        texts.append(render(*given, **options))
        return texts[-1]

    for module in (engine, rows):
        monkeypatch.setattr(module, "render_chat", note)
    monkeypatch.setattr(runs, "LocalExecutor", InlineExecutor)
    return texts


def test_a_run_that_goes_on_after_midnight_asks_and_trains_with_the_date_of_its_first_start(
    tmp_path: Path,
    student: Path,  # noqa: F811
    asked: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pytest.importorskip("trl")
    add_date(student)
    study = write(tmp_path, arms=["weak"])
    own = ["arms.own={models: [student], samples_per_problem: 2}"]

    def start(until: str = "report") -> None:
        run(study, tmp_path / "run", settings=own, until=until)

    set_clock(monkeypatch, DAY)
    with monkeypatch.context() as patch:
        patch.setattr(finetuning, "_try_rates", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            start()
    assert json.loads((tmp_path / "run" / "manifest.json").read_text())["chat_date"] == DAY.isoformat()
    before = len(asked)
    set_clock(monkeypatch, NEXT)
    start()
    assert 0 < before < len(asked)
    assert {text.partition("\n")[0] for text in asked} == {"Today Date: 01 Dec 2026"}


def test_a_run_without_a_date_takes_that_of_its_last_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    set_clock(monkeypatch, NEXT)
    monkeypatch.setattr(runs, "LocalExecutor", InlineExecutor)
    out = run(write_study(tmp_path, n_problems=2), tmp_path / "run", until="sample").directory
    manifest = json.loads((out / "manifest.json").read_text())
    for written in ({**manifest, "chat_date": "2026-11-30"}, {k: v for k, v in manifest.items() if k != "chat_date"}, {"chat_date": 1}):
        (out / "manifest.json").write_text(json.dumps(written))
        then = dt.datetime(2026, 11, 30, 12).timestamp()
        os.utime(out / "manifest.json", (then, then))
        assert folders.chat_date_of(RunDirectory(out)) == dt.date(2026, 11, 30)


def test_a_later_round_has_the_date_of_the_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    set_clock(monkeypatch, NEXT)
    later = tmp_path / "rounds" / "2"
    later.mkdir(parents=True)
    assert folders.chat_date_of(RunDirectory(later)) == NEXT
    (tmp_path / "manifest.json").write_text('{"chat_date": "2026-12-01"}')
    (later / "round.json").write_text('{"round": 2}')
    assert folders.chat_date_of(RunDirectory(later)) == DAY
