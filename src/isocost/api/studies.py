"""Studies in Python: from a file, from a dict, or from keywords."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from isocost import config
from isocost.api.answers import Answer
from isocost.api.arguments import python_words
from isocost.api.progress import listener
from isocost.api.runs import Run
from isocost.errors import InputError, StudyError
from isocost.records import CellPlan
from isocost.yamlfile import dump_yaml, read_yaml


class Study:
    """A study that has been checked: every key is known, and every name in it exists.

    Args:
        source: A study file, or its content as a dict; None if keywords give it.
        keys: The study's sections as keywords: name, problems, models, arms, ...; they go before those of `source`.

    Relative paths of a file are resolved against its folder, those of a dict against the working directory.

    Raises:
        StudyError: the study has mistakes: one line for each.
    """

    def __init__(self, source: str | Path | Mapping[str, Any] | None = None, **keys: Any) -> None:
        if isinstance(source, str | Path):
            self._path: Path | None = Path(source) if not keys else None
            self._base = Path(source).resolve().parent
            raw = read_yaml(Path(source), str(source), "study file").data
            if not isinstance(raw, dict):
                raise StudyError([f"{source}: a study file is a mapping with keys such as name, problems, models, arms"])
        else:
            self._path, self._base = None, Path.cwd()
            if not isinstance(source, Mapping | None):
                raise InputError(f"a study is a file, a dict or keywords, not {type(source).__name__}")
            raw = {} if source is None else _plain(source)
        self._raw: dict[str, Any] = {**raw, **_plain(keys)}
        self._checked = self._check()

    def _check(self) -> config.Study:
        from isocost.preparing.parts import known_parts
        from isocost.studyfile import check_study, load_study

        if self._path is not None:
            return load_study(self._path, (), known_parts())
        return check_study(dict(self._raw), known_parts())

    @property
    def name(self) -> str:
        """Return the study's name."""
        return self._checked.name

    def to_dict(self) -> dict[str, Any]:
        """Return the study as its file has it, defaults left out."""
        return _plain(self._raw)

    def write(self, path: str | Path) -> Path:
        """Write the study as a study file, with absolute paths, and return its path.

        Raises:
            StorageError: it cannot be written.
        """
        from isocost.running.folders import resolved
        from isocost.store.files import atomic_write, storage_errors

        path = Path(path)
        with storage_errors(path):
            path.parent.mkdir(parents=True, exist_ok=True)
        with atomic_write(path) as temporary:
            temporary.write_text(resolved(self._checked, self._base), encoding="utf-8")
        return path

    @contextmanager
    def _beside(self, directory: Path) -> Iterator[Path]:
        """Yield the study's file; one that is written for a run which did not begin is removed, so that the name stays free."""
        if self._path is not None:
            yield self._path
            return
        path, is_new = self._write_beside(directory)
        try:
            yield path
        except BaseException as error:
            if isinstance(error, StudyError):
                # The caller never wrote that file: its lines say nothing.
                error.drop_places(path)
            if is_new and not (directory / "study.yaml").exists():
                path.unlink(missing_ok=True)
            raise

    def _write_beside(self, directory: Path) -> tuple[Path, bool]:
        """Write the study beside its run directory, as `DIR.yaml`; return its path, and True if there was no such file.

        Raises:
            InputError: another file has that name, or the run directory has none.
            StorageError: it cannot be written.
        """
        from isocost.running.folders import resolved

        directory = directory.absolute()
        if not directory.name:
            raise InputError(f"{directory}: is no name for a run directory", advice="give a folder below it: out=...")
        path = directory.with_name(f"{directory.name}.yaml")
        is_new = not path.exists()
        # Only a copy of a study of this run is written over: any other file is somebody's own.
        if not is_new and not (directory / "study.yaml").exists() and path.read_bytes() != resolved(self._checked, self._base).encode():
            raise InputError(f"{path}: exists, and the study would be written there", advice="give another run directory: out=...")
        return self.write(path), is_new

    def plan(self, *, pilot: str | Path | None = None, out: str | Path | None = None) -> Answer[list[CellPlan]]:
        """Return what each budget buys from each model, before a token is spent, with a forecast if a pilot has run."""
        import tempfile

        from isocost.api.functions import plan

        if self._path is not None:
            return plan(self._path, pilot=pilot, out=out)
        with tempfile.TemporaryDirectory() as folder:
            return plan(self.write(Path(folder) / "study.yaml"), pilot=pilot, out=out)

    def run(
        self,
        out: str | Path | None = None,
        *,
        settings: Sequence[str] = (),
        until: str = "report",
        progress: bool = True,
    ) -> Run:
        """Run the study, or resume it, and return its run.

        Args:
            out: The run directory; default `runs/NAME`. A study that is no file is written beside it as `DIR.yaml`.
            settings: `key.key=value` settings that override the study.
            until: The last stage: pilot, sample, grade, audit, measure, curate, finetune, evaluate or report.
            progress: Whether to show progress on standard error, or below the cell of a notebook.

        Raises:
            InputError: the study cannot be used; nothing was spent.
            RunError: the run failed; bought samples are kept, and the same call resumes the run.
        """
        from isocost.running.runs import run

        directory = Path(out) if out is not None else Path("runs") / self.name
        with python_words(), self._beside(directory) as path, listener(wanted=progress) as listening:
            run(path, directory, settings=settings, until=until, listener=listening)
        return Run(directory)

    def __repr__(self) -> str:
        arms = ", ".join(self._checked.arms)
        return f"Study({self.name!r}: {arms})"


def _plain(value: Mapping[str, Any]) -> dict[str, Any]:
    """Return a copy of plain data: a change of the caller's dict changes no study."""
    import yaml

    return dict(yaml.safe_load(dump_yaml(_texts(value))) or {})


def _texts(value: Any) -> Any:
    """Return the value with paths as text and mappings as dicts, as a study file has them."""
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, Mapping):
        return {key: _texts(each) for key, each in value.items()}
    return [_texts(each) for each in value] if isinstance(value, list | tuple) else value
