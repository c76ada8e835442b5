from __future__ import annotations

import polars as pl
import pytest

from isocost.curating import to_rows
from isocost.errors import InputError
from tests.curating.test_choosing import draw, kept


def test_rows_are_what_trl_reads_in_canonical_order() -> None:
    stays = kept([draw(1, problem="b"), draw(0, problem="b"), draw(0, problem="a", model="strong")])
    frame = pl.DataFrame({name: [each[name] for each in stays] for name in ("problem_id", "model", "sample_id")})
    texts = pl.Series([each["text"] for each in stays])
    rows = to_rows(frame, texts, {"a": "One?", "b": "Two?"}, lambda question: f"Q: {question}\nA:\n").to_dicts()
    assert [(r["problem_id"], r["sample_id"]) for r in rows] == [("a", "strong/a/0"), ("b", "weak/b/0"), ("b", "weak/b/1")]
    expected = {"problem_id": "a", "prompt": "Q: One?\nA:\n", "completion": "solution 0", "model": "strong", "sample_id": "strong/a/0"}
    assert rows[0] == expected
    assert list(rows[0]) == list(expected)
    with pytest.raises(InputError, match=r"1 problems .* 'b'"):
        to_rows(frame, texts, {"a": "One?"}, str)


@pytest.mark.parametrize(
    ("form", "completions"),
    [(None, ["4", "5"]), ("<think>{reasoning}</think>", ["<think>two and {two}</think>4", "5"])],
)
def test_reasoning_stands_beside_a_solution_and_in_the_study_s_form_before_it(form: str | None, completions: list[str]) -> None:
    frame = pl.DataFrame({"problem_id": ["a", "b"], "model": ["weak", "weak"], "sample_id": ["1", "2"]})
    reasoning = pl.Series(["two and {two}", None], dtype=pl.String)
    rows = to_rows(frame, pl.Series(["4", "5"]), {"a": "?", "b": "?"}, str, reasoning=reasoning, form=form)
    assert rows["completion"].to_list() == completions
    assert rows["reasoning"].to_list() == ["two and {two}", None]
