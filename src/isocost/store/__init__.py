"""The run directory, the only package that opens its files.

Two kinds of file: logs, to which whole entries are appended as JSON lines and flushed to the disk, and finished files, which are written
beside their place and renamed into it. A line that was torn by a kill is dropped when its log is opened.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from isocost.store.directory import SAMPLES_DIGEST, RunDirectory
from isocost.store.files import digest_of_file, disk_full, replacing, write_parquet
from isocost.store.logs import Log, Row

if TYPE_CHECKING:
    from isocost.store.batches import BatchLog

__all__ = ["SAMPLES_DIGEST", "BatchLog", "Log", "Row", "RunDirectory", "digest_of_file", "disk_full", "replacing", "write_parquet"]


def __getattr__(name: str) -> object:
    # Batches need polars, a quarter of a second to import; logs do not.
    if name == "BatchLog":
        return import_module("isocost.store.batches").BatchLog
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
