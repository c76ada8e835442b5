"""When the workers of a run end."""

from pathlib import Path
from typing import Any

import pytest

from isocost.results.drawtable import DrawTable
from isocost.running import run, runs
from tests.builders import InlineExecutor, write_study


@pytest.mark.parametrize(("settings", "ends_early"), [([], True), (["audit.by=judge", "audit.model=strong"], False)])
def test_workers_end_after_sampling_unless_a_model_is_called_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: list[str], ends_early: bool
) -> None:
    happened: list[str] = []

    class Recorder(InlineExecutor):
        def close(self, *, wait: bool = True) -> None:
            happened.append("workers ended")
            super().close(wait=wait)

    def write(*parts: Any, **options: Any) -> DrawTable:
        happened.append("table of samples")
        return written(*parts, **options)

    written = DrawTable.write
    monkeypatch.setattr(runs, "LocalExecutor", Recorder)
    monkeypatch.setattr(DrawTable, "write", write)
    study = write_study(tmp_path, n_problems=4)
    run(study, tmp_path / "out", until="sample", settings=settings)
    assert happened.pop(0) == "workers ended"  # those that described the models
    assert (happened.index("workers ended") < happened.index("table of samples")) is ends_early
