"""Files of another run in a run directory: each is recognised by the run's id, and named."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests import openai_runs as runs
from tests.engines.openai.server import Server
from tests.openai_runs import Shell, shell

__all__ = ["shell"]

LIMIT = {"unit": "usd", "amount": 0.05}


@pytest.fixture
def server() -> Iterator[Server]:
    with Server(every={"500": 6}) as server:
        yield server


def study(folder: Path, server: Server, **changes: Any) -> Path:
    return runs.write(folder, runs.raw(server.url, limit=LIMIT, **changes))


@pytest.fixture
def out(tmp_path: Path, shell: Shell, server: Server) -> Path:
    """A finished run under a limit."""
    return finished(tmp_path, shell, server, "out")


def finished(tmp_path: Path, shell: Shell, server: Server, name: str, *settings: str) -> Path:
    words = [word for setting in settings for word in ("--set", setting)]
    left = shell("run", study(tmp_path, server), "-o", tmp_path / name, *words)
    assert left.code == 0, left
    return tmp_path / name


def test_the_files_of_a_run_have_one_random_id(tmp_path: Path, shell: Shell, server: Server, out: Path) -> None:
    def ids(run: Path) -> set[str]:
        first = (run / "ledger.jsonl").read_text().splitlines()[0]
        return {json.loads(text)["run"] for text in (first, (run / "manifest.json").read_text(), (run / "progress.json").read_text())}

    (own,) = ids(out)
    (other,) = ids(finished(tmp_path, shell, server, "other"))
    assert own != other
    assert finished(tmp_path, shell, server, "out", "arms.weak.samples_per_problem=4") == out
    assert ids(out) == {own}
    assert sum("run" in line for line in runs.ledger(out)) == 1


@pytest.mark.parametrize("setting", ["seed=7", "arms.weak.samples_per_problem=4"])
def test_progress_of_another_run_is_made_again(tmp_path: Path, shell: Shell, server: Server, out: Path, setting: str) -> None:
    other = finished(tmp_path, shell, server, "other", "arms.weak.samples_per_problem=6", setting)
    shutil.copy(other / "progress.json", out / "progress.json")
    assert "ledger.jsonl lacks" not in shell("status", out).out
    asked = runs.completions(server)
    left = shell("run", study(tmp_path, server), "-o", out)
    assert left.code == 0, left
    assert [note for note in left.notes if "progress.json: is another run's; it is made again" in note]
    assert runs.completions(server) == asked
    left = shell("run", study(tmp_path, server), "-o", out)
    assert "progress.json" not in left.err


def test_own_progress_reveals_a_cut_ledger_even_without_the_manifest(tmp_path: Path, shell: Shell, server: Server, out: Path) -> None:
    (out / "ledger.jsonl").write_bytes(b"")
    (out / "manifest.json").unlink()
    left = shell("run", study(tmp_path, server), "-o", out)
    assert left.code == 2, left
    assert "that progress.json counts" in left.errors[0]


def test_the_ledger_of_another_run_is_named_though_it_knows_what_is_stored(tmp_path: Path, shell: Shell, server: Server, out: Path) -> None:
    """Two runs of one study ask the same requests under the same keys."""
    other = finished(tmp_path, shell, server, "other")
    whole = (out / "ledger.jsonl").read_bytes()
    shutil.copy(other / "ledger.jsonl", out / "ledger.jsonl")
    asked = runs.completions(server)
    left = shell("run", study(tmp_path, server, arms={"weak": {"models": ["weak"], "samples_per_problem": 5}}), "-o", out)
    assert left.code == 2
    assert left.errors[0].startswith(f"error: {out / 'ledger.jsonl'}: is another run's")
    assert "need not be bought again" in left.errors[1]
    assert runs.completions(server) == asked

    (out / "ledger.jsonl").write_bytes(whole)
    shutil.copy(other / "manifest.json", out / "manifest.json")
    left = shell("run", study(tmp_path, server), "-o", out)
    assert left.errors[0].startswith(f"error: {out / 'manifest.json'}: is another run's")
    (out / "manifest.json").unlink()
    assert shell("run", study(tmp_path, server), "-o", out).code == 0
    assert runs.completions(server) == asked


def test_the_file_of_draws_that_are_gone_is_named(tmp_path: Path, shell: Shell, server: Server, out: Path) -> None:
    """A stem that no file has cannot be looked for."""
    (folder,) = (out / "pools" / "weak").glob("*.parts")
    rows = runs.stored(out)
    log = folder.with_name(f"{folder.stem}.w0.jsonl")
    log.write_text(json.dumps({"batch": rows[0].pop("batch"), "rows": rows[:1]}) + "\n")
    shutil.rmtree(folder)
    digests = (out / "digests.jsonl").read_text().splitlines(keepends=True)
    (out / "digests.jsonl").write_text("".join(line for line in digests if "pools/" not in line))
    left = shell("run", study(tmp_path, server), "-o", out)
    assert left.errors[0].startswith(f"error: {log}: 23 draws of 23 batches that were paid"), left
    log.unlink()
    left = shell("run", study(tmp_path, server), "-o", out)
    assert left.errors[0].startswith(f"error: {folder.parent} (files {folder.stem}.*): 24 draws of 24 batches that were paid"), left
