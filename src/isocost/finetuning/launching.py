"""Train in the processes that `accelerate launch` starts, on one machine or several.

The driver writes a job file, starts accelerate on it and reads what the first process logs. By hand, on each node of a cluster:

    accelerate launch --config_file CONFIG -m isocost.finetuning.launching JOB

with the job file `rate-N/job.json` of the work folder, which has to be on a disk that all nodes share.
"""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from isocost.errors import MissingExtraError, RunError
from isocost.finetuning.records import Logged, TrainingSettings
from isocost.finetuning.rows import Encoded
from isocost.store.files import atomic_write

if TYPE_CHECKING:
    from isocost.finetuning.trainer import Course, Report

_JOB, _OUTCOME = "job.json", "outcome.json"
_TUPLES = ("learning_rates", "lora_targets")


def launch(course: Course, rate: float, folder: Path, report: Report) -> int | None:
    """Train as `trainer.run_here` does, in other processes.

    Raises:
        MissingExtraError: accelerate is not installed.
        RunError: a process failed; the message has its last words.
    """
    if importlib.util.find_spec("accelerate") is None:
        raise MissingExtraError("accelerate", "train")
    folder.mkdir(parents=True, exist_ok=True)
    write_job(course, rate, folder)
    command = [sys.executable, "-m", "accelerate.commands.launch", "--config_file", str(course.launch)]
    command += ["-m", __name__, str(folder / _JOB)]
    with (
        tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as errors,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True, errors="replace") as process,
    ):
        try:
            for logged in _logged(process.stdout or ()):
                report(logged)
        except BaseException:
            process.terminate()  # accelerate ends its processes
            raise
        status = process.wait()
        errors.seek(0)
        said = errors.read()
    if status != 0:
        raise RunError(f"accelerate launch failed with status {status}: {_reason(said)}\n  its configuration is {course.launch}")
    found: int | None = json.loads((folder / _OUTCOME).read_text(encoding="utf-8"))["diverged"]
    return found


def write_job(course: Course, rate: float, folder: Path) -> Path:
    """Write the job file of a training run, and return its path."""
    job = {
        "model": str(course.model_path.resolve()),
        "settings": asdict(course.settings),
        "rate": rate,
        "report_to": course.report_to,
        "tracked_in": None if course.tracked_in is None else str(course.tracked_in.resolve()),
        "data": [[row.input_ids, row.labels] for row in course.data],
    }
    with atomic_write(folder / _JOB) as temporary:
        temporary.write_text(json.dumps(job), encoding="utf-8")
    return folder / _JOB


def read_job(path: Path) -> tuple[Course, float]:
    """Return the inputs of a job file and the learning rate."""
    from isocost.finetuning.trainer import Course, load_tokenizer

    job: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    model = Path(job["model"])
    settings: dict[str, Any] = {key: tuple(value) if key in _TUPLES else value for key, value in job["settings"].items()}
    course = Course(
        model_path=model,
        tokenizer=load_tokenizer(model),
        data=[Encoded(input_ids=ids, labels=labels) for ids, labels in job["data"]],
        settings=TrainingSettings(**settings),
        report_to=tuple(job["report_to"]),
        tracked_in=None if job["tracked_in"] is None else Path(job["tracked_in"]),
    )
    return course, float(job["rate"])


def main(path: Path) -> None:
    """Train the job of a file in one of the processes that accelerate started; the first one prints what is logged."""
    from isocost.finetuning.trainer import run_here

    first = os.environ.get("RANK", "0") == "0"
    course, rate = read_job(path)

    def report(logged: Logged) -> None:
        if first:
            sys.stdout.write(json.dumps({"logged": logged}) + "\n")
            sys.stdout.flush()

    diverged = run_here(course, rate, path.parent, report)
    if first:
        with atomic_write(path.parent / _OUTCOME) as temporary:
            temporary.write_text(json.dumps({"diverged": diverged}), encoding="utf-8")


def _logged(lines: Iterator[str] | Any) -> Iterator[Logged]:
    for line in lines:
        try:
            yield Logged(*json.loads(line)["logged"])
        except (ValueError, TypeError, KeyError):  # libraries print too
            continue


def _reason(said: str) -> str:
    """Return the first line of an error output that names an exception, one of isocost before others: the launcher's come last."""
    lines = [line.strip() for line in said.splitlines() if "Error" in line and not line.lstrip().startswith("raise ")]
    own = [line for line in lines if "isocost.errors" in line or "OutOfMemory" in line]
    chosen = (own or lines or ["no message"])[0]
    return chosen.rpartition("]: ")[2].removeprefix("isocost.errors.")[:300]


if __name__ == "__main__":
    main(Path(sys.argv[1]))
