"""Samples of made-up models, for tests of audits."""

from isocost.records import Cost, Outcome, Sample, Verdict

RIGHT = Verdict(outcome=Outcome.CORRECT, predicted_answer="4", reason="equal")
WRONG = Verdict(outcome=Outcome.INCORRECT, predicted_answer="5", reason="different")
UNGRADED = Verdict(outcome=Outcome.UNGRADED, predicted_answer=None, reason="timeout")


def sample(model: str, problem: str, index: int, generation: str = "2 + 2 = 4", cost: Cost | None = None) -> Sample:
    return Sample(
        id=f"{model}/{problem}/{index}",
        problem_id=problem,
        model=model,
        pool=model,
        sample_index=index,
        generation=generation,
        num_prompt_tokens=1,
        num_generated_tokens=1,
        finish_reason="stop",
        cost=cost or Cost(),
        seed=0,
    )


def study(models: int = 2, problems: int = 20, draws: int = 5) -> list[Sample]:
    return [sample(f"m{m}", f"p{p}", i) for m in range(models) for p in range(problems) for i in range(draws)]


def all_right(samples: list[Sample]) -> dict[str, Verdict]:
    return {s.id: RIGHT for s in samples}
