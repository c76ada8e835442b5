"""The run directory, the only package that opens its files.

Two kinds of file: logs, to which whole entries are appended as JSON lines and flushed to the disk, and finished files, which are written
beside their place and renamed into it. A line that was torn by a kill is dropped when its log is opened.
"""

from isocost.store.batches import BatchLog
from isocost.store.directory import RunDirectory
from isocost.store.files import disk_full, replacing, write_parquet
from isocost.store.logs import Log, Row

__all__ = ["BatchLog", "Log", "Row", "RunDirectory", "disk_full", "replacing", "write_parquet"]
