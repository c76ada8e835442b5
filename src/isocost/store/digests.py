"""Digests of the sealed parts of a run, and of finished files that others read, in its `digests.jsonl`.

A part has a mark in its footer that says that its digest was stored before it. So a digest that is missing was removed; parts of versions
that stored none have no mark, and are read without. The digest of a finished file is stored after it; a file without one is taken as it is.
"""

from __future__ import annotations

import contextlib
import hashlib
import threading
from collections.abc import Callable, Mapping
from fnmatch import fnmatchcase
from pathlib import Path

from isocost.errors import StorageError
from isocost.paths import parquet_metadata, shell_word
from isocost.store.fields import TEXT, Kind
from isocost.store.files import digest_of_file
from isocost.store.logs import Log

DIGESTS = "digests.jsonl"
ANY = "any"  # in the place of a digest: the user takes the part as it is
ALL = "*"  # in the place of a part: all parts without a line of their own
MARK = {"isocost.digest": DIGESTS}
_ACCEPTED = f'{{"part": "{ALL}", "sha256": "{ANY}"}}'
_REMEDY = f"restore the file from a copy; to take the parts as they are, leave this line alone in it: {{{_ACCEPTED}}}"
_FOLDERS = ("pools", "verdicts", "judge", "evaluations")
# Finished files that are exported or shown to people; each may be replaced by that of another run, which looks the same.
_FINISHED = (
    "measures.json",
    "results.json",
    "plan.json",
    "manifest.json",
    "pilot.parquet",
    "problems/*.parquet",
    "audits/*",
    "trainsets/*",
)
_one = threading.Lock()  # evaluations are sealed by several threads


class Digests:
    """The digests of the sealed parts of a run.

    Args:
        root: The run directory.
        guard: Called before each write. It stops the write by raising.
    """

    def __init__(self, root: Path, guard: Callable[[], None] = lambda: None) -> None:
        self._root = root
        self.log = Log(root / DIGESTS, Kind(remedy=_REMEDY, fields={"part": TEXT, "sha256": TEXT}), guard=guard, root=root)

    @property
    def root(self) -> Path:
        """The run directory."""
        return self._root

    def add(self, path: Path, packed: bytes) -> None:
        """Append the digest of a part."""
        with _one:
            self.log.append({"part": self._name(path), "sha256": hashlib.sha256(packed).hexdigest()})

    def note(self, path: Path) -> None:
        """Append the digest of a finished file, if it is one of those that have one and the last one is another."""
        name = self._name(path)
        if not any(fnmatchcase(name, pattern) for pattern in _FINISHED):
            return
        digest = digest_of_file(path)
        with _one:
            if {entry["part"]: entry["sha256"] for entry in self.log.entries()}.get(name) != digest:
                self.log.append({"part": name, "sha256": digest})

    def flaw_of(self, *names: str) -> str:
        """Return why a finished file is not the one that the run wrote; "" where nothing is known that speaks against it.

        Raises:
            OSError: The file cannot be read.
        """
        path = self._root.joinpath(*names)
        digest = {str(entry.get("part")): entry.get("sha256") for entry in self.log.peek()}.get(self._name(path), ANY)
        if digest == ANY or not path.exists() or digest == digest_of_file(path):
            return ""
        return f"{self._name(path)} was changed after the run had written it"

    def of(self, folder: Path) -> dict[Path, str]:
        """Return the digests of the parts in a folder."""
        begins = f"{self._name(folder)}/"
        with _one:
            entries = [entry for entry in self.log.entries() if entry["part"].startswith(begins)]
        return {self._root / entry["part"]: entry["sha256"] for entry in entries}

    def refuse_without(self, path: Path) -> None:
        """Refuse a part without a digest if it was sealed with one, unless the user takes all parts as they are.

        Raises:
            StorageError: its digest was removed.
        """
        with _one:
            known = {entry["part"]: entry["sha256"] for entry in self.log.entries()}
        if ALL not in known and _is_marked(path) and digest_of_file(path) not in known.values():  # a copy is named by what it doubles
            n = len(self.lacking())
            raise StorageError(
                f"{self.log.path}: lacks the digests of {'1 part' if n == 1 else f'{n:,} parts'}, such as {self._name(path)}\n"
                f"  restore it from a copy; to take the parts as they are: echo '{_ACCEPTED}' >> {shell_word(self.log.path)}"
            )

    def lacking(self) -> list[Path]:
        """Return the parts that were sealed with a digest and have none. The log is read without cutting anything off."""
        named = {str(entry.get("part")) for entry in self.log.peek()}
        parts = [] if ALL in named else [path for each in _FOLDERS for path in (self._root / each).glob("*/*.parts/*.parquet")]
        return sorted(path for path in parts if self._name(path) not in named and _is_marked(path))

    def warning(self) -> str:
        """Return the warning of a reader that opens no part; "" where no digest is missing."""
        if not (lacking := self.lacking()):
            return ""
        parts = "1 part" if len(lacking) == 1 else f"{len(lacking):,} parts"
        return f"{self.log.path} lacks the digests of {parts}, so that changes by hand cannot be noticed: restore it from a copy."

    def _name(self, path: Path) -> str:
        return path.relative_to(self._root).as_posix()


def _is_marked(path: Path) -> bool:
    metadata: Mapping[str, str] = {}
    with contextlib.suppress(OSError, ValueError):  # a part that cannot be read is named by its reader
        metadata = parquet_metadata(path)
    return all(metadata.get(key) == value for key, value in MARK.items())
