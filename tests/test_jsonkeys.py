"""Keys that occur twice in one JSON object, found without a second parse of most texts."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isocost.jsonkeys import RepeatedKeyError, refuse_repeated_keys

# Small: mistakes of counting show in a few keys, and making large values takes most of the time of these tests.
TEXTS = st.text(max_size=6)
VALUES = st.recursive(
    st.none() | TEXTS | st.integers(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=6,
)
OBJECTS = st.dictionaries(TEXTS, VALUES, max_size=4)


@given(OBJECTS, st.booleans())
def test_a_text_without_repeated_keys_is_accepted(value: dict[str, object], ascii_only: bool) -> None:
    refuse_repeated_keys(json.dumps(value, ensure_ascii=ascii_only), value)


@given(OBJECTS, TEXTS, VALUES, VALUES)
def test_a_repeated_key_is_found_wherever_it_is(others: dict[str, object], key: str, first: object, second: object) -> None:
    pair = f"{json.dumps(key)}: {json.dumps(first)}, {json.dumps(key)}: {json.dumps(second)}"
    for text in (f"{{{pair}}}", f'{{"outer": [{json.dumps(others)}, {{{pair}}}]}}'):
        with pytest.raises(RepeatedKeyError):
            refuse_repeated_keys(text, json.loads(text))


def test_deep_texts_and_long_numbers_are_no_mistake() -> None:
    deep = json.loads("[" * 900 + "]" * 900)
    refuse_repeated_keys(json.dumps(deep), deep)
    text = '{"a": "\\":", "n": ' + "9" * 5000 + "}"
    refuse_repeated_keys(text, {"a": '":', "n": 0})
