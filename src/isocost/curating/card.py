"""Write the card of a training set: what it holds, where it comes from, what was left out, and the terms of use."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, replace

from isocost.amounts import duration, format_amount, quantity
from isocost.curating.choosing import Curated, Rules
from isocost.curating.contamination import NearDuplicate
from isocost.metrics.diversity import Level
from isocost.records import FUNNEL, Cell, CellResult, Estimate, SamplingParams

_PLAIN_ROWS = "`problem_id`, `prompt`, `completion`, `model`, `sample_id`: prompt-completion rows"
_CHAT_ROWS = "`problem_id`, `messages`, `model`, `sample_id`: conversations"
_MOST_LISTED = 200  # near-duplicates in a card; all of them are in trainsets/contaminated.json
_MEASURES = {"covered": "problems with a correct draw", "pass@1": "correct draws", "kept_per_problem": "solutions kept per problem"}
_RATES = ("covered", "pass@1")  # shown in percent
_FALSE = "fpr"  # the false positive rate of the cell's data, by their equations


def card(
    curated: Curated,
    cell: Cell,
    *,
    study: str,
    problems: str,
    sampling: Mapping[str, SamplingParams],
    distinct: Level | None,
    rules: Rules,
    seed: int,
    result: CellResult,
    chat: bool = False,
    judge: str | None = None,
    terms: Mapping[str, Sequence[str | None]] | None = None,
    near_duplicates: Sequence[NearDuplicate] = (),
) -> str:
    """Return a data card in Markdown: content and origin of the set, sampling settings, what was left out, budget, measures, terms of use.

    Args:
        curated: The training set.
        cell: The cell whose data it is.
        study: The study's name.
        problems: The source of the questions, in words.
        sampling: The sampling settings of the cell's models, by model.
        distinct: As given to `solutions`.
        rules: As given to `curate`.
        seed: As given to `seeded_ranks`.
        result: The cell's draws, cost and measures.
        chat: True if the rows are conversations.
        judge: The model that judged the solutions; None if their answers were compared with the reference answers.
        terms: Licence and terms of each of the cell's models, None where the study names none.
        near_duplicates: The problems that were left out because they nearly repeat those of other sets.
    """
    n_kept, n_problems = curated.kept.size, len(curated.by_problem)
    settings = [(model, f"{curated.by_model.get(model, 0):,}", *asdict(params).values()) for model, params in sampling.items()]
    parts = [
        f"# {study}: {cell.name}",
        f"{quantity(n_kept, 'sampled solution')} of {quantity(n_problems, 'problem')} ({problems}), the training set of the cell "
        f"`{cell.name}` of the study `{study}`, made with isocost. {_content(rules, judge)}",
        "## Rows",
        f"{_CHAT_ROWS if chat else _PLAIN_ROWS} as TRL reads them. Chosen with seed {seed}: {', '.join(_choices(distinct, rules))}.",
        "## Models",
        table(("model", "solutions", *(field.replace("_", " ") for field in SamplingParams.__dataclass_fields__)), settings),
        "## From drawn to kept",
        "A solution counts for the first line that applies.",
        table(("", "solutions", "meaning"), [(what.replace("_", " "), f"{count:,}", FUNNEL[what]) for what, count in curated.funnel]),
        *_near_duplicates(near_duplicates),
        "## Budget",
        "\n".join(_budget(result)),
        "## Measures",
        *measures_text(result.measures),
        "## Terms",
        "The questions are under the terms of their source. The solutions were written by the models above: the terms of those models "
        "decide what may be trained on them.",
        table(("model", "licence", "terms"), _terms(sampling, terms or {})),
    ]
    return "\n\n".join(parts) + "\n"


def _content(rules: Rules, judge: str | None) -> str:
    if not rules.correct_only:
        return "Answers were not compared with the reference answers: many are wrong."
    correct = "Each reaches the reference answer"
    if judge is not None:
        correct = f"Each was judged correct by the model `{judge}`, not compared with the reference answer"
    if rules.sound_only:
        people = ", and people labelled none of them unsound" if rules.labelled else ""
        return f"{correct}, and an audit found no fault in its reasoning where it could check it{people}."
    if rules.labelled:
        return f"{correct}; those that people labelled unsound were left out, and the reasoning of the others was not checked."
    return f"{correct}; its reasoning was not checked, so some of it may be wrong."


def _budget(result: CellResult) -> Iterator[str]:
    plan = result.plan
    if plan.unit is not None and plan.amount is not None:
        yield f"- budget: {format_amount(plan.unit, plan.amount)} over all problems"
    else:
        yield f"- no budget: {sum(plan.samples_per_problem.values()):g} draws per problem, whatever they cost"
    # Without seconds, which are measured: the same draws, bought again, have the same card.
    if planned := costs_text(asdict(replace(plan.cost, seconds=None))):
        yield f"- planned: {planned}"
    realised = costs_text(asdict(replace(result.cost, seconds=None))) or "cost not known"
    yield f"- realised: {quantity(result.n_samples, 'draw')}, {quantity(result.n_tokens, 'generated token')}, {realised}"


def costs_text(costs: Mapping[str, float | None]) -> str:
    """Format a cost in every unit that is known, such as `3.1 TFLOPs, $0.02, 0:01:10 of engine time`."""
    return ", ".join(cost_text(amount, unit) for unit, amount in costs.items() if amount is not None)


def cost_text(amount: float, unit: str) -> str:
    """Format a cost in any unit of a table."""
    match unit:
        case "flops" | "usd":
            return format_amount(unit, amount)
        case "seconds":
            return f"{duration(amount)} of engine time"
        case _:
            return f"{amount:,.6g} {unit}"


def measures_text(measures: Mapping[str, Estimate]) -> Iterator[str]:
    """Yield the table of a cell's measures, and a sentence on false equations if they were counted."""
    yield table(
        ("measure", "value", "problems"),
        [
            (f"{what} (`{name}`)", estimate_text(measures[name], percent=name in _RATES), f"{measures[name].n:,}")
            for name, what in _MEASURES.items()
            if name in measures
        ],
    )
    if _FALSE in measures:
        rate = measures[_FALSE]
        yield f"False equations are written out in {estimate_text(rate, percent=True)} of the solved problems of this data (n {rate.n:,})."


def estimate_text(estimate: Estimate, *, percent: bool) -> str:
    """Format an estimate with its interval, as `44.7% [42.1, 47.3]`."""
    if estimate.value is None or estimate.low is None or estimate.high is None:
        return "not known"
    scale, digits, sign = (100, 1, "%") if percent else (1, 2, "")
    value, low, high = (f"{scale * each:.{digits}f}" for each in (estimate.value, estimate.low, estimate.high))
    return f"{value}{sign} [{low}, {high}]"


def _choices(distinct: Level | None, rules: Rules) -> Iterator[str]:
    yield "duplicates stay in" if distinct is None else f"duplicates by `{distinct}` removed"
    cap = rules.per_problem
    yield "no limit per problem" if cap is None else f"at most {cap} per problem, different equations first"
    if rules.problems is not None:
        yield f"the first {quantity(len(rules.problems), 'problem')} only"


def _near_duplicates(found: Sequence[NearDuplicate]) -> Iterator[str]:
    if not found:
        return
    yield "## Near-duplicates"
    left = f", the first {_MOST_LISTED} of them here" if len(found) > _MOST_LISTED else ""
    yield f"Left out: {quantity(len(found), 'problem')} that nearly repeat one of another set{left}."
    rows = [(each.problem_id, each.named, each.other_id, f"{100 * each.share:.0f}%") for each in found[:_MOST_LISTED]]
    yield table(("problem", "set", "its problem", "words of it in common"), rows)


def _terms(models: Iterable[str], terms: Mapping[str, Sequence[str | None]]) -> Iterator[Sequence[object]]:
    for model in models:
        yield (model, *(each or "not named in the study" for each in terms.get(model, (None, None))))


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Format a table as Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(_cell(value) for value in line) + " |" for line in lines)


def _cell(value: object) -> str:
    if value is None:  # a sampling setting that was left to the endpoint
        return "not sent"
    if isinstance(value, tuple):
        return ", ".join(f"`{item!r}`" for item in value) or "none"
    # A bar would end the cell of the Markdown table.
    return str(value).replace("|", "\\|")
