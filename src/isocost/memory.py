"""Return freed memory to the system."""

from __future__ import annotations

import ctypes


def release_freed() -> None:
    """Return memory that was freed and that the allocators of C and pyarrow still hold; polars returns its own within a second.

    Both keep it for later use. Without this, each stage of a large run would add its own peak to what the earlier stages have left.
    """
    import pyarrow as pa  # not every command that imports this needs pyarrow

    pa.default_memory_pool().release_unused()
    # glibc only: other C libraries have no such function.
    if trim := getattr(ctypes.CDLL(None), "malloc_trim", None):
        trim(0)
