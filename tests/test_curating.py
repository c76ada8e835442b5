from __future__ import annotations

import random
from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isocost.curating import Curated, card, curate, to_rows
from isocost.errors import InputError
from isocost.metrics.diversity import distinct_key
from isocost.records import Cell, Cost, FinishReason, Outcome, Sample, SamplingParams, Verdict


def sample(index: int, text: str = "", *, problem: str = "p", model: str = "weak", finish: FinishReason = "stop") -> Sample:
    return Sample(
        id=f"{model}/{problem}/{index}",
        problem_id=problem,
        model=model,
        pool=model,
        sample_index=index,
        generation=text or f"solution {index}",
        num_prompt_tokens=9,
        num_generated_tokens=3,
        finish_reason=finish,
        cost=Cost(flops=1.0),
        seed=0,
    )


def verdict(outcome: Outcome = Outcome.CORRECT) -> Verdict:
    return Verdict(outcome=outcome, predicted_answer="1", reason="test")


def run(samples: list[Sample], verdicts: dict[str, Verdict] | None = None, **settings: Any) -> Curated:
    choices: dict[str, Any] = {"distinct": "string", "per_problem": None, "seed": 0, "key": distinct_key, **settings}
    return curate(samples, {s.id: verdict() for s in samples} if verdicts is None else verdicts, **choices)


def test_every_draw_counts_for_the_first_reason_that_applies() -> None:
    samples = [
        sample(0, "same"),
        sample(1, "same"),
        sample(2),
        sample(3, finish="length"),
        sample(4, finish="length"),
        sample(5),
        sample(6),
        sample(7),
        sample(8, finish="error"),
        sample(9),
    ]
    outcomes = {2: Outcome.INCORRECT, 4: Outcome.NO_ANSWER, 5: Outcome.UNGRADED}
    verdicts = {s.id: verdict(outcomes.get(s.sample_index, Outcome.CORRECT)) for s in samples if s.sample_index != 6}
    curated = run(samples, verdicts, per_problem=2)
    assert curated.funnel == (
        ("drawn", 10),
        ("error", 1),
        ("ungraded", 2),
        ("no_answer", 1),
        ("incorrect", 1),
        ("cut_off", 1),
        ("duplicate", 1),
        ("over_cap", 1),
        ("kept", 2),
    )


drawn = st.lists(
    st.tuples(
        st.sampled_from("ab"),
        st.sampled_from(["weak", "strong"]),
        st.sampled_from(["1 + 1 = 2", "1 + 1  = 2", "so 1 + 1 = 2", "2"]),
        st.sampled_from(["stop", "length", "error"]),
        st.sampled_from([*Outcome, None]),
    ),
    max_size=25,
)


@given(drawn, st.sampled_from(["string", "normalised", "equations", None]), st.sampled_from([None, 1, 2]), st.integers(0, 3))
def test_the_funnel_adds_up_and_the_order_of_draws_does_not_matter(draws: list[Any], distinct: Any, cap: int | None, seed: int) -> None:
    samples = [sample(i, text, problem=p, model=m, finish=f) for i, (p, m, text, f, _) in enumerate(draws)]
    verdicts = {s.id: verdict(draw[-1]) for s, draw in zip(samples, draws, strict=True) if draw[-1] is not None}
    curated = run(samples, verdicts, distinct=distinct, per_problem=cap, seed=seed)
    counts = dict(curated.funnel)
    assert counts["drawn"] == len(samples) == sum(counts.values()) - counts["drawn"]
    assert counts["kept"] == len(curated.samples)
    mixed = random.Random(seed).sample(samples, len(samples))
    assert run([*mixed, *samples], verdicts, distinct=distinct, per_problem=cap, seed=seed) == curated
    if cap is not None:
        assert max(Counter(s.problem_id for s in curated.samples).values(), default=0) <= cap
    if distinct is not None:
        keys = [(s.problem_id, distinct_key(s.generation, distinct)) for s in curated.samples]
        assert len(keys) == len(set(keys))


@pytest.mark.parametrize(("distinct", "kept"), [(None, 5), ("string", 4), ("normalised", 3), ("equations", 2)])
def test_levels_of_distinctness(distinct: Any, kept: int) -> None:
    texts = ["1 + 1 = 2", "1 + 1 = 2", "1 + 1  = 2", "so 1 + 1 = 2", "2 * 1 = 2"]
    assert len(run([sample(i, text) for i, text in enumerate(texts)], distinct=distinct).samples) == kept


def test_the_same_text_of_two_problems_is_no_duplicate() -> None:
    assert len(run([sample(0, "2", problem="a"), sample(0, "2", problem="b")]).samples) == 2


def test_a_smaller_share_is_part_of_a_larger_one_and_follows_the_seed() -> None:
    samples = [sample(i) for i in range(20)]
    small, large = (set(run(samples, per_problem=cap).samples) for cap in (3, 8))
    assert small < large
    assert small != set(run(samples, per_problem=3, seed=1).samples)


def test_duplicates_are_credited_to_models_by_how_often_they_wrote_them() -> None:
    samples = [sample(i, "2", problem=str(p), model=m) for p in range(400) for m, n in (("a", 1), ("b", 3)) for i in range(n)]
    by_model = Counter(s.model for s in run(samples).samples)
    assert 0.18 < by_model["a"] / 400 < 0.32


def test_rows_are_what_trl_reads_in_canonical_order() -> None:
    curated = run([sample(1, problem="b"), sample(0, problem="b"), sample(0, problem="a", model="strong")])
    rows = to_rows(curated, {"a": "One?", "b": "Two?"}, lambda question: f"Q: {question}\nA:\n")
    assert [(r["problem_id"], r["sample_id"]) for r in rows] == [("a", "strong/a/0"), ("b", "weak/b/0"), ("b", "weak/b/1")]
    expected = {"problem_id": "a", "prompt": "Q: One?\nA:\n", "completion": "solution 0", "model": "strong", "sample_id": "strong/a/0"}
    assert rows[0] == expected
    with pytest.raises(InputError, match=r"1 problems .* 'b'"):
        to_rows(curated, {"a": "One?"}, str)


def test_the_card_says_what_the_set_is() -> None:
    curated = run([sample(0), sample(1), sample(2, "solution 1"), sample(0, model="strong")])
    text = card(
        curated,
        Cell(arm="both", budget="low"),
        study="gsm8k-qwen",
        problems="gsm8k, train",
        sampling={"weak": SamplingParams(stop=("\n\n",)), "strong": SamplingParams(temperature=1.0)},
        distinct="string",
        per_problem=None,
        seed=7,
    )
    assert text.startswith("# gsm8k-qwen: both@low\n\n2 sampled solutions of 1 problems (gsm8k, train)")
    assert "| model | solutions | temperature | top p | top k | max tokens | stop |" in text
    assert "| strong | " in text
    assert "| 512 | `'\\n\\n'` |" in text
    assert "| duplicate | 2 | the same solution of the same problem is already in |" in text
    assert "seed 7: duplicates by `string` removed, no limit a problem" in text
