import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from isocost.engines.replay import texts
from isocost.engines.replay.texts import Texts


@given(st.lists(st.lists(st.text() | st.none(), max_size=4), max_size=4), st.integers(0, 9), st.integers(1, 12))
def test_texts_come_back_in_any_order(parts: list[list[str | None]], seed: int, chunk: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(texts, "_CHUNK", chunk)
        stored = Texts.stored(pl.Series(part, dtype=pl.String) for part in parts)
        known = [text or "" for part in parts for text in part]
        order = np.random.default_rng(seed).permutation(len(known))
        assert stored.read(np.arange(len(known))) == known
        assert stored.read(order) == [known[i] for i in order]
        assert stored.in_order(order).read(np.arange(len(known))) == [known[i] for i in order]
        assert b"".join(stored.in_order(order).pieces()) == "".join(known[i] for i in order).encode()
