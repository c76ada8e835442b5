"""Turn the solutions of a training set into rows that TRL reads."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import polars as pl

from isocost.errors import InputError


def completion(text: str, reasoning: str | None, form: str | None) -> str:
    """Return the text that a student is trained on: a solution, after its reasoning in the form that is given.

    Args:
        text: The solution.
        reasoning: Reasoning beside it; None or "" without any.
        form: Text with `{reasoning}` in it; None leaves reasoning out.
    """
    # Not `is None`: an empty text is no reasoning either, and gets no empty form.
    if form is None or not reasoning:
        return text
    before, _, after = form.partition("{reasoning}")
    return f"{before}{reasoning}{after}{text}"


def to_rows(
    kept: pl.DataFrame,
    texts: pl.Series,
    questions: Mapping[str, str],
    prompt: Callable[[str], str],
    *,
    reasoning: pl.Series | None = None,
    form: str | None = None,
) -> pl.DataFrame:
    """Return a part of a training set as TRL's prompt-completion rows: problem_id, prompt, completion, model, sample_id.

    If the draws have reasoning beside their texts, the rows have it too, as `reasoning`.

    Args:
        kept: Columns `problem_id`, `model` and `sample_id` of the draws.
        texts: The texts of these draws.
        questions: Questions by problem id.
        prompt: Puts a question the way the student will be asked; a line break at its end keeps prompt and completion apart as tokens.
        reasoning: Reasoning beside the texts, null where there is none; None where no draw of the run has any.
        form: As in `completion`.

    Raises:
        InputError: `questions` lacks the problem of a kept solution.
    """
    problems = kept["problem_id"].cast(pl.String)
    unknown = sorted(set(problems.unique()) - questions.keys())
    if unknown:
        raise InputError(f"{len(unknown)} problems of the training set have no question, the first is {unknown[0]!r}")
    prompts = {problem: prompt(questions[problem]) for problem in problems.unique()}
    if reasoning is not None and form is not None:
        texts = pl.Series([completion(text, own, form) for text, own in zip(texts, reasoning, strict=True)], dtype=pl.String)
    return pl.DataFrame(
        {
            "problem_id": problems,
            "prompt": pl.Series([prompts[problem] for problem in problems], dtype=pl.String),
            "completion": texts,
            "model": kept["model"].cast(pl.String),
            "sample_id": kept["sample_id"],
            **({} if reasoning is None else {"reasoning": reasoning}),
        }
    )
