"""What the audits of a run say, as the object that `isocost audit --json` prints and as Markdown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from isocost import auditing
from isocost.errors import RunDirectoryError
from isocost.metrics.agreement import Agreement
from isocost.paths import shell_word
from isocost.records import Estimate, Unit
from isocost.reporting import numbers
from isocost.results.audits import FOLDER, Audits
from isocost.store import RunDirectory
from isocost.summaries import unjudged

FILE = "rates.json"


def write(audits: Audits, directory: RunDirectory) -> None:
    """Write `audits/rates.json`."""
    directory.write_json(to_json(audits), FOLDER, FILE)


def read(path: Path) -> Any:
    """What `audits/rates.json` of a run directory holds.

    Raises:
        RunDirectoryError: it has none.
    """
    found = RunDirectory(path).read_json(FOLDER, FILE, remedy=f"make it again: isocost audit {shell_word(path)}")
    if found is None:
        raise RunDirectoryError(f"{path}: nothing is audited\n  audit it: isocost audit {shell_word(path)}")
    return found


def to_json(audits: Audits) -> dict[str, Any]:
    """Estimates are objects of their fields: value, low, high, n (checked) and n_ungraded (not checked).

    "models" {MODEL: {"solved", "chosen", "rates": {"steps" | "judge" | "people" | "combined": ESTIMATE}, "best", "predictor",
    "error_ratio", "cost_per_correct": {UNIT: ESTIMATE}, "cost_per_truly_correct": {UNIT: ESTIMATE}}}; "agreement" of people with {"steps" |
    "judge": {"raw": ESTIMATE, "kappa": ESTIMATE}}; "labels" {"labelled", "disagreed", "unsure", "not_chosen": labels of what is not chosen
    any more, "passed_over": unlabelled before the last labelled one}; "differences" [{"models", "difference": ESTIMATE}]; "labels_needed"
    [{"models", "guesses", "labels" of each or null, "with_judge" or null, "in_order" and "with_judge_in_order": about how many that is in
    the order of the page, over all models, null where fewer are chosen, "apart"}]; "judge", which and how it was asked, or null;
    "not_judged" {MODEL: {"no_verdict", "judge_failed"}}, empty without a judge; "without_verdict", beginning and end of one reply without a
    verdict, or null.
    """
    chosen = {each.chosen.sample_id for each in audits.found}
    return {
        "models": {each.model: _model(each, audits.costs[each.model]) for each in audits.rates},
        "agreement": {way: {"raw": asdict(a.raw), "kappa": asdict(a.kappa)} for way, a in auditing.agreements(audits.found).items()},
        "labels": {
            "labelled": len(chosen & audits.labels.sound.keys()),
            "disagreed": len(chosen & audits.labels.disagreed),
            "unsure": len(chosen & audits.labels.unsure),
            "not_chosen": len(audits.labels.sound.keys() - chosen),
            "passed_over": _passed_over(audits.found),
        },
        "differences": [asdict(each) for each in auditing.differences(audits.rates)],
        "labels_needed": [asdict(each) for each in auditing.needed(audits.rates)],
        "judge": audits.judge or None,
        "not_judged": unjudged.not_judged([each.model for each in audits.rates], audits.found, audits.judged),
        "without_verdict": unjudged.example(audits.judged),
    }


def _passed_over(found: Sequence[auditing.Found]) -> int:
    """Solutions without a label that come before the last one with a label."""
    seen = {each.chosen.place: each.people is not None or each.undecided for each in found}
    last = max((place for place, labelled in seen.items() if labelled), default=-1)
    return sum(not labelled for place, labelled in seen.items() if place < last)


def _model(each: auditing.ModelRates, costs: Mapping[Unit, tuple[Estimate, Estimate]]) -> dict[str, Any]:
    return {
        "solved": each.solved,
        "chosen": each.chosen,
        "rates": {way: asdict(rate) for way, rate in each.rates.items()},
        "best": each.best,
        "predictor": each.predictor,
        "error_ratio": each.error_ratio,
        "cost_per_correct": {unit: asdict(correct) for unit, (correct, _) in costs.items()},
        "cost_per_truly_correct": {unit: asdict(truly) for unit, (_, truly) in costs.items()},
    }


def to_markdown(found: Mapping[str, Any], path: Path) -> str:
    """The tables and what to do next.

    Args:
        found: As `to_json` gives it.
        path: The run directory.
    """
    if not found["models"]:
        return "No solution is answer-correct: there is nothing to audit."
    blocks = [
        _rates(found),
        _differences(found["differences"], found["models"]),
        [_chosen(found)],
        unjudged.said(found, path),
        _costs(found["models"]),
        _agreement(found),
        [f"- {_said(pair, found['models'])}" for pair in found["labels_needed"]],
        [_next(path)],
    ]
    return "\n\n".join("\n".join(block) for block in blocks if block)


def _rates(found: Mapping[str, Any]) -> list[str]:
    lines = ["| model | judged by | false positives [95% interval] | n | not checked |", "| --- | --- | ---: | ---: | ---: |"]
    for model, own in found["models"].items():
        for way, fields in own["rates"].items():
            rate = Estimate(**fields)
            by = f"{way} (people and {own['predictor']})" if way == "combined" else way
            lines.append(f"| {model} | {by} | {numbers.percent(rate)} | {rate.n:,} | {rate.n_ungraded:,} |")
    return [*lines, "", _to_believe(found["models"])]


def _to_believe(models: Mapping[str, Any]) -> str:
    """Which of the rates, if any: a judge that nobody has checked may be far off, in either direction."""
    alone = [model for model, own in models.items() if own["best"] != "combined"]
    labelled = [model for model in models if model not in alone]
    parts = []
    if labelled:
        of_which = f" Of {_listed(labelled)}, this" if alone else "This"
        parts.append(f"{of_which.strip()} is the one to believe: combined, in which labels take out what steps or judge get wrong.")
    if alone:
        which = f"Of {_listed(alone)} people have labelled none: each" if labelled else "Each"
        parts.append(
            f"{which} rate is what steps or judge say, which may be far off; until people label some, none is to be believed alone."
        )
    return " ".join(parts)


def _listed(names: Sequence[str]) -> str:
    return " and ".join(filter(None, [", ".join(names[:-1]), *names[-1:]]))


def _differences(pairs: Sequence[Mapping[str, Any]], models: Mapping[str, Any]) -> list[str]:
    rows = [
        f"| {' − '.join(pair['models'])} | {numbers.points(each)} | {_verdict(each)}{_by(pair['models'], models)} |"
        for pair in pairs
        if (each := Estimate(**pair["difference"])).value is not None
    ]
    return ["| difference | points [95% interval] | |", "| --- | ---: | --- |", *rows] if rows else []


def _verdict(difference: Estimate) -> str:
    apart = difference.low is not None and difference.high is not None and (difference.low > 0 or difference.high < 0)
    return "told apart" if apart else "not told apart"


def _by(pair: Sequence[str], models: Mapping[str, Any]) -> str:
    """By whom, where nobody has checked them."""
    who = dict.fromkeys(models[model]["best"] for model in pair if models[model]["best"] != "combined")
    return f" by {' and '.join(who)}" if who else ""


def _chosen(found: Mapping[str, Any]) -> str:
    """How many were chosen of how many, by whom they were judged and how many are labelled."""
    each = ", ".join(f"{own['chosen']:,} of the {own['solved']:,} that {model} solved" for model, own in found["models"].items())
    judge = f" The judge is {found['judge']}." if found["judge"] else ""
    return f"Chosen, one solution a problem: {each}.{judge} {said_of_labels(found['labels'])}"


def said_of_labels(labels: Mapping[str, int]) -> str:
    """One sentence on the labels of people."""
    besides = [f"{labels[key]:,} {key.replace('_', ' ')}" for key in ("disagreed", "unsure") if labels[key]]
    lost = f" {labels['not_chosen']:,} more are of solutions that are not chosen any more." if labels["not_chosen"] else ""
    if not labels["labelled"] and not besides:
        return f"Nobody has labelled any.{lost}"
    more = f" ({' and '.join(besides)} besides)" if besides else ""
    over = labels["passed_over"]
    owed = f" {over:,} before the last of them have none: label these too, or the labels are no random subset." if over else ""
    return f"People have labelled {labels['labelled']:,}{more}.{owed}{lost}"


def _costs(models: Mapping[str, Any]) -> list[str]:
    rows = [
        f"| {model} | {cost(unit, Estimate(**own['cost_per_correct'][unit]))} | {cost(unit, Estimate(**truly))} |"
        for model, own in models.items()
        for unit, truly in own["cost_per_truly_correct"].items()
    ]
    return ["| model | a correct solution costs | a truly correct one |", "| --- | ---: | ---: |", *rows] if rows else []


def cost(unit: Unit, estimate: Estimate) -> str:
    """`$0.0042 [0.0038, 0.0047]`; an end that is not known is said."""
    scale = numbers.flops_scale([estimate.value, estimate.low])
    text = scale.text if unit == "flops" else numbers.usd
    before, after = ("", f" {scale.unit}") if unit == "flops" else ("$", "")
    if estimate.value is None:
        return "not known" if estimate.low is None else f"at least {before}{text(estimate.low)}{after}"
    return f"{before}{numbers.open_interval(estimate, text)}{after}"


def _agreement(found: Mapping[str, Any]) -> list[str]:
    rows = [f"| {way} | {' | '.join(said_of_agreement(_agreed(own)))} |" for way, own in found["agreement"].items()]
    return ["| people with | say the same | Cohen's kappa | n |", "| --- | ---: | ---: | ---: |", *rows] if rows else []


def _agreed(fields: Mapping[str, Any]) -> Agreement:
    return Agreement(raw=Estimate(**fields["raw"]), kappa=Estimate(**fields["kappa"]))


def said_of_agreement(found: Agreement) -> tuple[str, str, str]:
    """Raw agreement, kappa and n."""
    kappa = "not defined" if found.kappa.value is None else numbers.mean(found.kappa)
    return numbers.percent(found.raw), kappa, numbers.count(found.raw.n)


def _said(pair: Mapping[str, Any], models: Mapping[str, Any]) -> str:
    (left, right), (a, b) = pair["models"], (f"{100 * guess:.1f}%" for guess in pair["guesses"])
    apart = "no difference" if pair["apart"] is None else f"a difference of {100 * pair['apart']:.1f} points or more"
    all_of_them = f"labels of all that was chosen would show {apart}"
    if pair["labels"] is None:
        return f"{left} ({a}) and {right} ({b}) seem alike: {all_of_them}."
    labelled = models[left]["predictor"] and models[right]["predictor"]
    ever = f"beside a judge that is right {100 * auditing.SUPPOSED:.0f}% of the time"
    helped = f"if {models[left]['predictor']} helps as much as so far" if labelled else ever
    fewer = "" if pair["with_judge"] is None else f"; {helped}, {_each(pair['with_judge'], pair['with_judge_in_order'])}"
    many = _each(pair["labels"], pair["in_order"], " labels")
    return f"To tell {left} ({a}) from {right} ({b}), if they are so: {many}{fewer}; {all_of_them}."


def _each(labels: int, in_order: int | None, unit: str = "") -> str:
    """`27 labels of each, about 90 in the order of the page`."""
    far = "more than were chosen" if in_order is None else f"about {in_order:,} in the order of the page"
    return f"{labels:,}{unit} of each, {far}"


def _next(path: Path) -> str:
    return f"label them: isocost view {shell_word(path)}"


def summary(audits: Audits) -> dict[str, str]:
    """What stands in the report's appendix: who audited, and how far they agree with people."""
    found = to_json(audits)
    by = ["steps", *([f"judge {audits.judge}"] if audits.judge else [])]
    lines = {"reasoning audited by": f"{'; '.join(by)}. {said_of_labels(found['labels'])}"}
    return lines | {f"people and {way} agree": _agreeing(each) for way, each in auditing.agreements(audits.found).items()}


def _agreeing(found: Agreement) -> str:
    raw, kappa, n = said_of_agreement(found)
    return f"on {raw} of {n}, kappa {kappa}"
