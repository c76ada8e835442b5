"""Hold a model in a scratch folder until it is finished: under its own name there is a complete model or none."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from isocost.store.files import sync_folder


@contextmanager
def scratch_beside(out: Path) -> Iterator[Path]:
    """Yield an empty folder `.NAME.part` beside `out`, on the same file system, and delete it afterwards."""
    scratch = out.with_name(f".{out.name}.part")
    if scratch.is_symlink():
        scratch.unlink()  # nothing is written through it
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir(parents=True)
    try:
        yield scratch
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def publish(folder: Path, out: Path) -> None:
    """Rename a finished folder to `out`, after all its files are on the disk."""
    for path in (path for path in folder.rglob("*") if path.is_file()):
        with path.open("rb") as file:
            os.fsync(file.fileno())
    for inner in (folder, *(path for path in folder.rglob("*") if path.is_dir())):
        sync_folder(inner)
    folder.rename(out)
    sync_folder(out.parent)
