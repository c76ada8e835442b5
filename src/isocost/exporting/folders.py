"""Write a folder that appears only once it is complete."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from isocost.errors import InputError, StorageError
from isocost.tables.source import first_line

T = TypeVar("T")


def check_new(folder: Path) -> None:
    """Check that a folder can be made.

    Raises:
        InputError: It exists, or its parent folder does not.
    """
    if folder.exists():
        raise InputError(f"{folder}: exists already", advice="name another folder, or remove it")
    if not folder.absolute().parent.is_dir():
        raise InputError(f"{folder}: its parent folder does not exist")


def write_folder(folder: Path, fill: Callable[[Path], T]) -> T:
    """Make a folder beside its place, fill it, and move it there.

    Args:
        folder: The folder to make.
        fill: Called with the empty folder; its value is returned.

    Raises:
        StorageError: The folder cannot be written.
    """
    try:
        with tempfile.TemporaryDirectory(prefix=".export-", dir=folder.absolute().parent) as temporary:
            made = Path(temporary) / "made"
            made.mkdir()
            value = fill(made)
            shutil.move(made, folder)
    except OSError as error:
        raise StorageError(f"{folder}: cannot be written: {first_line(error)}") from error
    return value
