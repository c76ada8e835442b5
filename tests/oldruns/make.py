"""Make the old runs that the tests open: small runs as the isocost that is installed leaves them.

Run it once for a version, from the root of the checkout, and never again for that version: `python -m tests.oldruns.make VERSION`. What it
writes to `tests/oldruns/VERSION/` is evidence: later versions must open it as it is. Each folder holds a study's files and its run
directory; paths below the folder are written as @ROOT@.
"""

from __future__ import annotations

import itertools
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import yaml

from tests.builders import raw_study, recorded, write_problems, write_table
from tests.engines.openai.server import Server

PORT = 18497  # part of what names an endpoint's draws, so it must be the same whenever these are made
ROOT = "@ROOT@"
N_PROBLEMS, N_SAMPLES = 12, 30
LOW = {"unit": "flops", "match": {"model": "strong", "samples_per_problem": 2}}
HIGH = {"unit": "flops", "match": {"model": "strong", "samples_per_problem": 3}, "basis": "realised"}


def replay() -> dict[str, Any]:
    """Recorded models: a pilot, both bases, an audit by steps, a limit."""
    return raw_study(
        budgets={"low": LOW, "high": HIGH},
        pilot={"problems": 4, "samples_per_problem": 2},
        audit={"by": "steps", "per_model": 10},
        limit={"unit": "flops", "amount": 1e9},
    )


def endpoint() -> dict[str, Any]:
    """Models behind an endpoint, a limit in dollars, and a model that judges reasoning."""
    model = {"engine": "openai", "model": "tiny", "base_url": f"http://127.0.0.1:{PORT}/v1", "concurrency": 4, "prompt_tokens": 6}
    return raw_study(
        name="asked",
        models={
            "weak": {**model, "price": {"input": 1.0, "output": 10.0}, "n": 2},
            "strong": {**model, "price": {"input": 3.0, "output": 40.0}, "extra_body": {"reasoning_effort": "low"}},
        },
        budgets={"low": {"unit": "usd", "match": {"model": "strong", "samples_per_problem": 2}}},
        audit={"by": "judge", "model": "strong", "per_model": 4},
        limit={"unit": "usd", "amount": 1.0},
    )


def trained() -> dict[str, Any]:
    """A student that is trained and evaluated."""
    study = raw_study(
        name="trained",
        finetune={"students": ["student"], "arms": ["weak"], "steps": 2, "batch_size": 2, "learning_rates": [1e-3], "checkpoints": 1},
        evaluate={"maj_at": [1, 2]},
    )
    study["problems"]["test"] = {"source": "jsonl", "path": "test.jsonl"}
    study["models"]["student"] = {"engine": "transformers", "model": "student", "device": "cpu"}
    return study


def killed() -> dict[str, Any]:
    """Recorded models, slowly, so that a kill meets the run in the middle."""
    study = raw_study(name="killed", budgets={"low": HIGH})
    for model in study["models"].values():
        model |= {"engine": "tests.acceptance.slow_replay:open_engine", "batch": 4, "seconds": 0.05}
    return study


STUDIES = {"replay": replay, "endpoint": endpoint, "trained": trained, "killed": killed}


def write(folder: Path, study: dict[str, Any]) -> None:
    """Write a study's file, problems, table and student."""
    folder.mkdir()
    write_problems(folder, N_PROBLEMS)
    if "endpoint" not in folder.name:
        write_table(folder, recorded(N_PROBLEMS, N_SAMPLES))
    if "student" in study["models"]:
        _write_student(folder / "student")
        (folder / "test.jsonl").write_text('{"id": "t0", "question": "What is 50 + 7?", "answer": "57"}\n', encoding="utf-8")
    (folder / "study.yaml").write_text(yaml.safe_dump(study, sort_keys=False), encoding="utf-8")


def _write_student(folder: Path) -> None:
    import torch

    from isocost.lab.corpus import documents
    from isocost.lab.recipe import Recipe, build
    from isocost.lab.tokenizer import train_tokenizer

    torch.manual_seed(0)
    tokenizer = train_tokenizer(itertools.islice(documents(0), 100))
    build(Recipe(hidden=64, layers=1, feed_forward=64, steps=0), tokenizer).to(torch.bfloat16).save_pretrained(folder)
    tokenizer.save_pretrained(folder)


def command(folder: Path) -> list[str]:
    return [sys.executable, "-m", "isocost", "run", str(folder / "study.yaml"), "-o", str(folder / "run")]


def kill_in_the_middle(folder: Path) -> None:
    """Kill a run with -9 once some of its draws are stored."""
    process = subprocess.Popen(command(folder), stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL, start_new_session=True)
    while sum(len(path.read_text().splitlines()) for path in folder.glob("run/pools/*/*.jsonl")) < 6:
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def make(folder: Path) -> None:
    """Run the study of a folder."""
    if folder.name == "killed":
        kill_in_the_middle(folder)
    elif folder.name == "endpoint":
        with Server(port=PORT):
            subprocess.run(command(folder), check=True)
    else:
        subprocess.run(command(folder), check=True)


def keep(folder: Path, place: Path) -> None:
    """Copy a folder, without the report's figures and tables, which are made from the rest, and with its own path taken out."""
    shutil.copytree(folder, place, ignore=shutil.ignore_patterns("figures", "tables", "report.html", "report.md"))
    for path in place.rglob("*"):
        if path.suffix in {".json", ".yaml", ".jsonl"}:
            path.write_text(path.read_text(encoding="utf-8").replace(str(folder), ROOT), encoding="utf-8")


def main() -> None:
    place = Path(__file__).parent / sys.argv[1]
    place.mkdir()  # what a version left is never made again
    with tempfile.TemporaryDirectory() as temporary:
        for name, study in STUDIES.items():
            folder = Path(temporary).resolve() / name
            write(folder, study())
            make(folder)
            keep(folder, place / name)


if __name__ == "__main__":
    main()
