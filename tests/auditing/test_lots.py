from hypothesis import given
from hypothesis import strategies as st

from isocost.auditing.lots import lot, ranks


@given(st.lists(st.text(max_size=6), unique=True, max_size=20), st.integers())
def test_ranks_are_the_order_of_the_lots(names: list[str], seed: int) -> None:
    found = ranks(seed, names)
    assert sorted(found.tolist()) == list(range(len(names)))
    assert [name for _, name in sorted(zip(found, names, strict=True))] == sorted(names, key=lambda name: lot(seed, name))
