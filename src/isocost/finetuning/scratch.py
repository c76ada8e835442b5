"""Where a model lies until it is finished: under its name there is a complete one or none."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from isocost.store.files import sync_folder


@contextmanager
def scratch_beside(out: Path) -> Iterator[Path]:
    """An empty folder `.NAME.part` beside `out`, on the same file system, that is gone afterwards."""
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
    """Give a finished folder of files its name once they are on the disk."""
    for path in (path for path in folder.rglob("*") if path.is_file()):
        with path.open("rb") as file:
            os.fsync(file.fileno())
    for inner in (folder, *(path for path in folder.rglob("*") if path.is_dir())):
        sync_folder(inner)
    folder.rename(out)
    sync_folder(out.parent)
