"""Facts of a run directory that measuring its samples needs. They are read without the lock."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl
import yaml
from polars.exceptions import PolarsError

from isocost.errors import Option, RunDirectoryError, TableError
from isocost.measuring.independent import FirstDraws, first_draws
from isocost.paths import read_bytes, read_parquet, scan_parquet, shell_word
from isocost.policies import FIXED
from isocost.store import PILOT, SAMPLES_DIGEST, RunDirectory, digest_of_file
from isocost.store.unstudied import holds_run, no_study
from isocost.tables.inputs import holds_samples
from isocost.yamlfile import parse_yaml

SAMPLES = "samples.parquet"
PAID = "paid_until_limit"  # key of the digest of a table that holds what a run had bought when its limit stopped it


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFacts:
    """The facts of a run that affect how its samples are measured.

    Attributes:
        path: The run directory.
        order: Its training problems, in the study's order, in which the report resamples.
        is_fixed: By model, True if the number of its draws is independent of their outcomes, by the policies of its arms.
        first: Of other models, the first draws that are.
    """

    path: Path
    order: tuple[str, ...] = ()
    is_fixed: Mapping[str, bool] = field(default_factory=dict)
    first: FirstDraws = field(default_factory=dict)

    def doubt(self) -> str:
        """Return why the samples may not be what the run bought and graded; "" where nothing is known that speaks against it."""
        return " ".join(filter(None, (self._doubt_of_table(), RunDirectory(self.path).missing_digests())))

    def _doubt_of_table(self) -> str:
        noted = RunDirectory(self.path).read_derived(SAMPLES_DIGEST)
        samples = self.path / SAMPLES
        if noted is None or not samples.is_file():
            return ""
        again, paid, written = f"isocost sample {shell_word(self.path)}", noted.get(PAID), noted.get("sha256")
        if paid and paid == digest_of_file(samples):
            return f"{SAMPLES} holds what was paid before the run stopped, by its limit or after its pilot; {again} resumes it."
        if written is None:
            return f"{SAMPLES} is of an earlier start: the last one has not finished sampling and grading; {again} resumes it."
        return f"{flaw}; {self.report_again} writes it again." if (flaw := self.flaw_of_table()) else ""

    def flaw_of_table(self) -> str:
        """Return why samples.parquet is not what this run wrote; "" where nothing is known that speaks against it."""
        noted = RunDirectory(self.path).read_derived(SAMPLES_DIGEST) or {}
        samples, written = self.path / SAMPLES, [noted[key] for key in ("sha256", PAID) if noted.get(key)]
        if not samples.is_file() or not written:
            return ""
        if digest_of_file(samples) not in written:  # it takes seconds for a large table
            return f"{SAMPLES} was changed after the run had written it"
        return self._foreign()

    def _foreign(self) -> str:
        """Return whose draws the table has, if not this run's. A table and its digest may be those of another run."""
        own = {file.name.partition(".")[0] for file in (self.path / "pools").glob("*/*")}
        try:
            found = scan_parquet(self.path / SAMPLES).select(pl.col("pool").unique()).collect()["pool"].to_list()
        except (OSError, PolarsError):  # told when it is measured; a run of an early version has no such column
            return ""
        if own and (others := sorted(set(map(str, found)) - own)):
            return f"{SAMPLES} has draws of the pool {others[0]}, which this run does not have"
        return ""

    @property
    def report_again(self) -> str:
        """The command that writes the samples again."""
        return f"isocost report {shell_word(self.path)}"


def facts_of(path: Path) -> RunFacts | None:
    """Return the facts of a run directory, or of the one that holds this samples.parquet; None for any other file or folder.

    Raises:
        RunDirectoryError: Its file of problems cannot be read.
    """
    run = path if path.is_dir() else path.parent
    # Another table in a run directory is not the run's own: its models need not follow the study's policies.
    if (path != run and path.name != SAMPLES) or not (run / "study.yaml").exists():
        return None
    order = tuple(problem for (problem,) in _problems(run, "id"))
    # Without a readable study the draws themselves are tested, as for any other table.
    try:
        study = parse_yaml(read_bytes(run / "study.yaml").decode("utf-8", "surrogateescape"), text_keys=True).data
        is_fixed = _policies(study)
        first = first_draws(run, study, order, [model for model, fixed in is_fixed.items() if not fixed])
    except (OSError, yaml.YAMLError, KeyError, TypeError, ValueError, AttributeError):
        return RunFacts(path=run, order=order)
    return RunFacts(path=run, order=order, is_fixed=is_fixed, first=first)


def _problems(run: Path, *columns: str) -> list[tuple[str, ...]]:
    file = run / "problems" / "train.parquet"
    try:
        return read_parquet(file, columns).rows() if file.exists() else []
    except (OSError, PolarsError) as error:
        raise unreadable(file, error) from error


def _policies(study: Mapping[str, Any]) -> dict[str, bool]:
    """Return, by model of a resolved study, whether its arms draw a fixed number."""
    each = [(str(model), arm.get("policy", "uniform") in FIXED) for arm in study["arms"].values() for model in arm["models"]]
    # One arm with an adaptive policy is enough to bias a model's pool.
    return {name: all(fixed for model, fixed in each if model == name) for name, _ in each}


def samples_of(path: Path) -> Path:
    """Return the table of a run directory's samples; a folder of files of samples itself.

    Raises:
        RunDirectoryError: There is none.
    """
    samples = path / SAMPLES
    if samples.exists():
        return samples
    if (path / "study.yaml").exists():
        raise RunDirectoryError(f"{path}: sampling is not finished\n  finish it: isocost sample {shell_word(path)}")
    if holds_samples(path):
        return path
    if holds_run(path):
        raise no_study(path)
    raise RunDirectoryError(f"{path}: no samples.parquet and no study.yaml; is it a run directory?\n  name one, or a table of samples")


def unreadable(file: Path, error: Exception) -> RunDirectoryError:
    """Return the error for a file of a run that cannot be read, and that the report writes again."""
    run = next((each for each in file.parents if (each / "study.yaml").exists()), None)
    if run is None:
        return RunDirectoryError(f"{file}: cannot be read: the run directory is gone", advice="put it back where it was")
    why = "is a folder, not a file" if file.is_dir() else f"cannot be read: {str(error).partition(chr(10))[0][:200]}"
    # A run replaces damaged files, and pipes too, but no folder: what is in it may be somebody's.
    return RunDirectoryError(
        f"{file}: {why}", advice=f"{'move it away, and ' if file.is_dir() else ''}write it again: isocost report {shell_word(run)}"
    )


def pilot_of(path: Path) -> Path | None:
    """Return the table of a run's pilot if the run has not finished sampling since; None if it has, or there is no pilot."""
    noted = RunDirectory(path).read_derived(SAMPLES_DIGEST)
    finished = (path / SAMPLES).exists() and (noted is None or noted.get("sha256") is not None)
    return None if finished or not (path / PILOT).exists() else path / PILOT


def groups_of(path: Path, by: str) -> dict[str, str]:
    """Return the group of each training problem, by a key of its metadata such as `level`.

    Raises:
        TableError: No problem has it.
    """
    known = {problem: json.loads(metadata) for problem, metadata in _problems(path, "id", "metadata")}
    groups = {problem: str(metadata[by]) for problem, metadata in known.items() if metadata.get(by) is not None}
    if known and not groups:
        names = ", ".join(sorted({name for metadata in known.values() for name in metadata})) or "nothing else"
        raise TableError(f'the problems of {path} have no "{by[:80]}"', advice=f"they have: {names}", option=Option(name="by"))
    return groups
