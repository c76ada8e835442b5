"""A study as a run would hand it to the report: three students, five cells, prices and FLOPs known."""

from __future__ import annotations

from dataclasses import replace

from isocost.records import (
    BillLine,
    Cell,
    CellPlan,
    CellResult,
    Comparison,
    Cost,
    Estimate,
    Evaluation,
    ModelCard,
    Results,
    Setup,
)

N = 400
TERA = 1e12
REFUSED = "reference answer not accepted by the grader"


def estimate(value: float | None, half: float = 0.04, n: int = N, n_ungraded: int = 0) -> Estimate:
    if value is None:
        return Estimate(value=None, low=None, high=None, n=n, n_ungraded=n_ungraded)
    return Estimate(value=value, low=max(value - half, 0.0), high=min(value + half, 1.0), n=n, n_ungraded=n_ungraded)


def cell(arm: str, budget: str | None, means: dict[str, float], covered: float | None, tera: float, stray: float = 1.0) -> CellResult:
    samples = round(sum(means.values()) * N)
    return CellResult(
        plan=CellPlan(
            cell=Cell(arm=arm, budget=budget),
            models=tuple(means),
            unit="flops" if budget else None,
            amount=tera * TERA * N if budget else None,
            basis="planned",
            samples_per_problem=means,
            cost=Cost(flops=tera * TERA * N * 0.998, usd=tera * 0.02),
        ),
        cost=Cost(flops=tera * TERA * N * stray, usd=tera * 0.02 * stray, seconds=samples * 0.11),
        n_samples=samples,
        n_tokens=samples * 151,
        measures={
            "covered": estimate(covered),
            "kept_per_problem": Estimate(value=samples / N * 0.31, low=samples / N * 0.28, high=samples / N * 0.34, n=N),
            "pass@1": estimate(0.34, 0.03, n_ungraded=3),
            "fpr": estimate(0.17 if "weak" in arm else 0.11, 0.05, n=180) if budget else estimate(None, n=0),
            **({f"coverage@{k}": estimate(0.3 + 0.1 * k, 0.03) for k in (1, 3)} if len(means) == 1 else {}),
        },
        funnel=(
            ("drawn", samples),
            ("answer found", samples - 60),
            ("correct", samples // 3),
            ("distinct", samples // 4),
        ),
        n_kept=samples // 4,
    )


def comparison(
    student: str, setup: Setup, low: float, high: float, left: str = "weak@low", right: str = "strong@low", split: str = "test"
) -> Comparison:
    difference = Estimate(value=(low + high) / 2, low=low, high=high, n=500)
    return Comparison(
        student=student, split=split, metric="pass@1", left="weak@low", right=right, difference=difference, detectable=0.029, setup=setup
    )


def evaluations() -> tuple[Evaluation, ...]:
    setups: dict[str, tuple[Setup, Setup]] = {
        "student": ("distillation", "distillation"),
        "weak": ("self-improvement", "distillation"),
        "strong": ("weak-to-strong improvement", "self-improvement"),
    }
    found = []
    for base, (student, (on_weak, on_strong)) in enumerate(setups.items()):
        start = 0.18 + 0.12 * base
        for split, shift in (("test", 0.0), ("transfer", -0.05)):
            for prompt, gain in (("plain", 0.0), ("gsm8k-8shot", 0.04)):
                found.append(_evaluation(student, None, prompt, split, start + shift + gain, None))
            found.append(_evaluation(student, "weak@low", "plain", split, start + shift + 0.11, on_weak))
            found.append(_evaluation(student, "strong@low", "plain", split, start + shift + 0.08, on_strong))
        found.append(replace(_evaluation(student, "weak@low", "plain", "test", start + 0.16, on_weak), metric="maj@4"))
        found.append(replace(_evaluation(student, "strong@low", "plain", "test", start + 0.13, on_strong), metric="maj@4"))
    return tuple(found)


def _evaluation(student: str, name: str | None, prompt: str, split: str, value: float, setup: Setup | None) -> Evaluation:
    return Evaluation(
        student=student, cell=name, prompt=prompt, split=split, metric="pass@1", estimate=estimate(value, 0.035, 500), setup=setup
    )


def bill() -> tuple[BillLine, ...]:
    lines = []
    for model, size in (("weak", 1.0), ("strong", 3.0), ("far", 0.2)):
        for what, many in (("kept", 600), ("rejected", 1400), ("failed", 12), ("lost", 2)):
            cost = Cost(flops=many * size * 0.9 * TERA, usd=many * size * 0.00002, seconds=many * 0.11)
            lines.append(BillLine(account="data", model=model, what=what, count=many, tokens=many * 151, cost=cost))
    for student in ("student", "weak", "strong"):
        cost = Cost(flops=4e14, usd=0.0, seconds=312.0)
        lines.append(BillLine(account="training", model=student, what="steps", count=1200, tokens=2_400_000, cost=cost))
        lines.append(
            BillLine(account="evaluation", model=student, what="answers", count=4000, tokens=600_000, cost=replace(cost, seconds=40.0))
        )
    return tuple(lines)


def models() -> tuple[ModelCard, ...]:
    sizes = {"weak": 3_200_000, "strong": 9_600_000, "far": 640_000, "student": 1_900_000}
    return tuple(
        ModelCard(
            name=name,
            engine="transformers",
            source=f"lab/{name}",
            parameters=size,
            parameters_are="total, embeddings tied",
            flops_per_token=2.0 * size,
            usd_per_million={"input": 0.05, "output": size / 1e7},
        )
        for name, size in sizes.items()
    )


def results() -> Results:
    """The whole study, weak better for one student, undecided for two."""
    return Results(
        study="lab-small",
        models=models(),
        n_problems=N,
        excluded=(
            ("train-0017", "reference answer not accepted by the grader"),
            ("train-0212", "reference answer not accepted by the grader"),
        ),
        cells=(
            cell("weak", "low", {"weak": 3.0}, 0.62, 2.6, stray=1.09),
            cell("strong", "low", {"strong": 1.0}, 0.51, 2.6),
            cell("both", "low", {"weak": 1.9, "strong": 0.36}, 0.66, 2.6, stray=0.99),
            cell("far", "wide", {"far": 12.0}, 0.43, 2.1),
            cell("far-strong", "wide", {"strong": 0.8}, 0.46, 2.1),
            cell("equal", None, {"weak": 1.0}, 0.41, 0.87),
        ),
        pools={
            model: {
                **{f"coverage@{k}": estimate(1 - (1 - rate) ** k, 0.035) for k in (1, 3, 10)},
                **{f"diversity@{k}": Estimate(value=rate * k * 0.8, low=rate * k * 0.75, high=rate * k * 0.85, n=N) for k in (1, 3, 10)},
                "coverage@30": estimate(None) if model == "strong" else estimate(1 - (1 - rate) ** 30 * 1.2, 0.01),
                "diversity@30": estimate(None) if model == "strong" else Estimate(value=rate * 15, low=rate * 14, high=rate * 16, n=N),
            }
            for model, rate in (("weak", 0.24), ("strong", 0.46), ("far", 0.06))
        },
        evaluations=evaluations(),
        comparisons=(
            comparison("student", "distillation", 0.011, 0.053),
            comparison("weak", "self-improvement", -0.012, 0.020),
            comparison("strong", "weak-to-strong improvement", -0.021, 0.009),
            comparison("student", "distillation", -0.01, 0.03, split="transfer"),
            comparison("student", "distillation", 0.07, 0.15, right="both@low"),
            replace(comparison("student", "distillation", 0.09, 0.13), right=None),
        ),
        bill=bill(),
        seconds={"sample": 1312.4, "grade": 41.0, "finetune": 3822.0, "evaluate": 611.0, "report": 0.4},
        environment={"isocost": "0.1.0", "python": "3.11.2", "torch": "2.13.0", "cpu": "2 cores", "commit": "0123abc"},
    )
