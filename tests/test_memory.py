import ctypes

import psutil
import pytest

from isocost.memory import release_freed


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "malloc_trim"), reason="other C libraries return freed memory by themselves, or never")
def test_freed_memory_below_a_block_in_use_is_returned() -> None:
    # 64 kB: small enough for the heap, where glibc returns by itself only what is above every block in use.
    blocks = [ctypes.create_string_buffer(b"x" * 64_000) for _ in range(2000)]
    in_use = blocks[::100]
    del blocks
    before = psutil.Process().memory_info().rss
    release_freed()
    assert before - psutil.Process().memory_info().rss > 60_000_000
    assert len(in_use) == 20
