"""Format the audits of a run as Markdown and as the object that `isocost audit --json` prints."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from isocost import amounts, auditing
from isocost.errors import RunDirectoryError
from isocost.metrics.agreement import Agreement
from isocost.paths import shell_word
from isocost.records import Estimate, Unit
from isocost.reporting import numbers
from isocost.results.audits import FOLDER, Audits
from isocost.store import RunDirectory

_BEGINNING, _END = 100, 60  # characters of a reply that are shown
FILE = "rates.json"


def write(audits: Audits, directory: RunDirectory) -> None:
    """Write `audits/rates.json`."""
    directory.write_json(to_json(audits), FOLDER, FILE)


def read(path: Path) -> Any:
    """Return the content of `audits/rates.json` of a run directory.

    Raises:
        RunDirectoryError: the file does not exist.
    """
    found = RunDirectory(path).read_json(FOLDER, FILE, remedy=f"make it again: isocost audit {shell_word(path)}")
    if found is None:
        raise RunDirectoryError(f"{path}: nothing is audited\n  audit it: isocost audit {shell_word(path)}")
    return found


def to_json(audits: Audits) -> dict[str, Any]:
    """Return the audits as a JSON object.

    An ESTIMATE is an object with its fields: value, low, high, n (checked) and n_ungraded (not checked). The keys are:

    - "models": {MODEL: {"solved", "chosen", "rates": {"steps" | "judge" | "people" | "combined": ESTIMATE}, "best", "predictor",
      "error_ratio", "cost_per_correct": {UNIT: ESTIMATE}, "cost_per_truly_correct": {UNIT: ESTIMATE}}}. "best" names the rate that is
      used. "combined" and "predictor" need enough labels of the model (`auditing.model_rates`).
    - "agreement": of people with each other rater, {"steps" | "judge": {"raw": ESTIMATE, "kappa": ESTIMATE}}.
    - "labels": {"labelled", "disagreed", "unsure", "not_chosen", "passed_over"}. "not_chosen" counts labels of solutions that are no longer
      chosen, "passed_over" solutions without a label before the last labelled one.
    - "differences": [{"models", "difference": ESTIMATE}]; "difference" is null where the two "best" rates are of different methods.
    - "labels_needed": [{"models", "guesses", "labels", "with_judge", "in_order", "with_judge_in_order", "apart"}]. "labels" and
      "with_judge" are labels per model, or null. The two "in_order" are about how many labels that is in the order of the page, over all
      models; null where fewer are chosen.
    - "judge": the model and the example of its prompt, or null.
    - "not_judged": {MODEL: {"no_verdict", "judge_failed"}}, empty without a judge.
    - "without_verdict": beginning and end of one reply without a verdict, or null.
    """
    chosen = {each.chosen.sample_id for each in audits.found}
    return {
        "models": {each.model: _model_json(each, audits.costs[each.model]) for each in audits.rates},
        "agreement": {way: {"raw": asdict(a.raw), "kappa": asdict(a.kappa)} for way, a in auditing.agreements(audits.found).items()},
        "labels": {
            # Labels of solutions from an earlier choice are counted apart: those are not in the random sample.
            "labelled": len(chosen & audits.labels.sound.keys()),
            "disagreed": len(chosen & audits.labels.disagreed),
            "unsure": len(chosen & audits.labels.unsure),
            "not_chosen": len(audits.labels.sound.keys() - chosen),
            "passed_over": _count_passed_over(audits.found),
        },
        "differences": [asdict(each) for each in auditing.differences(audits.rates)],
        "labels_needed": [asdict(each) for each in auditing.needed(audits.rates)],
        "judge": audits.judge or None,
        "not_judged": count_unjudged([each.model for each in audits.rates], audits.found, audits.judged),
        "without_verdict": example_unjudged(audits.judged),
    }


def _count_passed_over(found: Sequence[auditing.Found]) -> int:
    """Count the solutions without a label that come before the last one with a label."""
    seen = {each.chosen.place: each.people is not None or each.undecided for each in found}
    last = max((place for place, labelled in seen.items() if labelled), default=-1)
    return sum(not labelled for place, labelled in seen.items() if place < last)


def _model_json(each: auditing.ModelRates, costs: Mapping[Unit, tuple[Estimate, Estimate]]) -> dict[str, Any]:
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
    """Return the tables and the next step as Markdown.

    Args:
        found: As `to_json` returns it.
        path: The run directory.
    """
    if not found["models"]:
        return "No solution is answer-correct: there is nothing to audit."
    blocks = [
        _rate_table(found),
        _difference_table(found["differences"], found["models"]),
        [_counts_line(found)],
        _format_unjudged(found, path),
        _cost_table(found["models"]),
        _agreement_table(found),
        [f"- {_format_labels_needed(pair, found['models'])}" for pair in found["labels_needed"]],
        next_steps(found, path),
    ]
    return "\n\n".join("\n".join(block) for block in blocks if block)


def next_steps(found: Mapping[str, Any], path: Path) -> list[str]:
    """Return the commands that follow: labelling while a chosen solution lacks a label, and the report once there are labels."""
    labels = found["labels"]
    labelled, undecided = labels["labelled"], labels["unsure"] + labels["disagreed"]
    chosen = sum(own["chosen"] for own in found["models"].values())
    label = [f"label {'more' if labelled else 'them'}: isocost view {shell_word(path)}"] if labelled + undecided < chosen else []
    return [*label, *([f"put the labels into the report: isocost report {shell_word(path)}"] if labelled else [])]


def _rate_table(found: Mapping[str, Any]) -> list[str]:
    lines = ["| model | judged by | false positives [95% interval] | n | not checked |", "| --- | --- | ---: | ---: | ---: |"]
    for model, own in found["models"].items():
        for way, fields in own["rates"].items():
            rate = Estimate(**fields)
            lines.append(f"| {model} | {_method(way, own)} | {numbers.percent(rate)} | {rate.n:,} | {rate.n_ungraded:,} |")
    return [*lines, "", _format_reliability(found["models"])]


def _method(way: str, own: Mapping[str, Any]) -> str:
    """Name the method of a rate in its row."""
    if way == "people" and own["best"] != "combined":
        return "people (too few labels to use)"
    return f"{way} (people and {own['predictor']})" if way == "combined" else way


def _format_reliability(models: Mapping[str, Any]) -> str:
    """Name the rates that are used, how they err, and how many labels would correct them."""
    by = {way: [model for model, own in models.items() if own["best"] == way] for way in ("combined", "judge", "steps")}
    parts = []
    if by["combined"]:
        parts.append(f"Use the combined rate of {amounts.listed(by['combined'])}: labels correct what the other audit gets wrong.")
    if by["judge"]:
        parts.append(f"Of {amounts.listed(by['judge'])} the judge's rate is used. It may be far too low or too high.")
    if by["steps"]:
        parts.append(
            f"Of {amounts.listed(by['steps'])} the rate by steps is used. It counts false equations alone, so it is a lower bound."
        )
    owed = [_format_owed(model, models[model]) for model in (*by["judge"], *by["steps"])]
    return " ".join([*parts, *([f"To correct this, label solutions: {', '.join(owed)}."] if owed else [])])


def _format_owed(model: str, own: Mapping[str, Any]) -> str:
    """Format the labels of a model that a combined rate needs, such as `28 more of weak (2 so far)`."""
    so_far = own["rates"]["people"]["n"] if "people" in own["rates"] else 0
    needed = min(auditing.FEWEST_LABELS, own["chosen"])
    return f"{needed - so_far:,} more of {model} ({so_far:,} so far)" if so_far else f"{needed:,} of {model}"


def _difference_table(pairs: Sequence[Mapping[str, Any]], models: Mapping[str, Any]) -> list[str]:
    rows = [f"| {' − '.join(pair['models'])} | {_format_difference(pair, models)} |" for pair in pairs]
    return ["| difference | points [95% interval] | |", "| --- | ---: | --- |", *rows] if rows else []


def _format_difference(pair: Mapping[str, Any], models: Mapping[str, Any]) -> str:
    if pair["difference"] is None:
        return f"not compared | {_format_mismatch(pair['models'], models)}"
    found, method = Estimate(**pair["difference"]), models[pair["models"][0]]["best"]
    return f"{numbers.points(found)} | {_format_significance(found)}{'' if method == 'combined' else f' by {method}'}"


def _format_mismatch(pair: Sequence[str], models: Mapping[str, Any]) -> str:
    """Say why the rates of two models are of different methods."""
    unlabelled = [model for model in pair if models[model]["best"] != "combined"]
    if len(unlabelled) == 1:
        return f"{unlabelled[0]} has {'too few' if 'people' in models[unlabelled[0]]['rates'] else 'no'} labels"
    return " and ".join(f"{model} is judged by {models[model]['best']}" for model in pair)


def _format_significance(difference: Estimate) -> str:
    if difference.low is None or difference.high is None:
        return "not told apart"
    excludes_zero = difference.low > 0 or difference.high < 0
    return "told apart" if excludes_zero else "not told apart"


def _counts_line(found: Mapping[str, Any]) -> str:
    """Return a sentence with the counts of chosen, solved and labelled solutions, and the judge."""
    each = ", ".join(f"{own['chosen']:,} of the {own['solved']:,} that {model} solved" for model, own in found["models"].items())
    judge = f" The judge is {found['judge']}." if found["judge"] else ""
    return f"Chosen, one solution per problem: {each}.{judge} {format_labels(found['labels'])}"


def format_labels(labels: Mapping[str, int]) -> str:
    """Return the counts of people's labels as text.

    Args:
        labels: "labels" of `to_json`.
    """
    others = [f"{words} {labels[key]:,} more" for key, words in (("disagreed", "disagree on"), ("unsure", "are unsure of")) if labels[key]]
    lost = f" Labels of solutions that are no longer chosen: {labels['not_chosen']:,}." if labels["not_chosen"] else ""
    if not labels["labelled"] and not others:
        return f"No solution is labelled.{lost}"
    more = f" They {' and '.join(others)}." if others else ""
    over = labels["passed_over"]
    owed = f" Solutions without a label before the last labelled one: {over:,}. Label these too, or the labels are no random subset."
    return f"People have labelled {labels['labelled']:,}.{more}{owed if over else ''}{lost}"


def _cost_table(models: Mapping[str, Any]) -> list[str]:
    rows = [
        f"| {model} | {cost(unit, Estimate(**own['cost_per_correct'][unit]))} | {cost(unit, Estimate(**truly))}{_bound_only(own, truly)} |"
        for model, own in models.items()
        for unit, truly in own["cost_per_truly_correct"].items()
    ]
    return ["| model | a correct solution costs | a truly correct one |", "| --- | ---: | ---: |", *rows] if rows else []


def _bound_only(own: Mapping[str, Any], truly: Mapping[str, Any]) -> str:
    """Say what the cost is of if its rate is a lower bound."""
    return " (one without a false equation)" if own["best"] == "steps" and truly["value"] is not None else ""


def cost(unit: Unit, estimate: Estimate) -> str:
    """Format a cost with its interval, such as `$0.0042 [0.0038, 0.0047]`.

    An unknown end is marked as unknown; with only a lower bound known, the text is `at least ...`.
    """
    # One scale for value and interval: a reader must not compare GFLOPs with TFLOPs.
    scale = amounts.flops_scale([estimate.value, estimate.low])
    text = scale.text if unit == "flops" else amounts.usd
    before, after = ("", f" {scale.unit}") if unit == "flops" else ("$", "")
    if estimate.value is None:
        return "not known" if estimate.low is None else f"at least {before}{text(estimate.low)}{after}"
    return f"{before}{numbers.open_interval(estimate, text)}{after}"


def _agreement_table(found: Mapping[str, Any]) -> list[str]:
    rows = [f"| {way} | {' | '.join(format_agreement(_agreement_of(own)))} |" for way, own in found["agreement"].items()]
    return ["| auditor | agreement with people | Cohen's kappa | n |", "| --- | ---: | ---: | ---: |", *rows] if rows else []


def _agreement_of(fields: Mapping[str, Any]) -> Agreement:
    return Agreement(raw=Estimate(**fields["raw"]), kappa=Estimate(**fields["kappa"]))


def format_agreement(found: Agreement) -> tuple[str, str, str]:
    """Format raw agreement, Cohen's kappa and n; kappa is undefined where chance alone gives full agreement."""
    kappa = "not defined" if found.kappa.value is None else numbers.mean(found.kappa)
    return numbers.percent(found.raw), kappa, numbers.count(found.raw.n)


def _format_labels_needed(pair: Mapping[str, Any], models: Mapping[str, Any]) -> str:
    (left, right), (a, b) = pair["models"], (f"{100 * guess:.1f}%" for guess in pair["guesses"])
    apart = "no difference" if pair["apart"] is None else f"a difference of {100 * pair['apart']:.1f} points or more"
    all_of_them = f"Labels of all chosen solutions would show {apart}."
    # No number of labels separates rates that are guessed to be equal.
    if pair["labels"] is None:
        return f"{left} and {right}: {a} and {b} are too close for labels to tell them apart. {all_of_them}"
    needed = f"{pair['labels']:,} labels per model tell them apart ({_format_in_order(pair['in_order'])})."
    return f"{left} and {right}: if the true rates are {a} and {b}, {needed}{_format_with_judge(pair, models)} {all_of_them}"


def _format_with_judge(pair: Mapping[str, Any], models: Mapping[str, Any]) -> str:
    """Format the labels needed beside a judge or steps; "" where neither helps."""
    if pair["with_judge"] is None:
        return ""
    predictors = [models[model]["predictor"] for model in pair["models"]]
    # Without labels the judge's accuracy is unknown, so the text names the supposed one.
    helped = (
        f"{predictors[0]} as accurate as so far" if all(predictors) else f"a judge that is right {100 * auditing.SUPPOSED:.0f}% of the time"
    )
    return f" With {helped}: {pair['with_judge']:,} ({_format_in_order(pair['with_judge_in_order'])})."


def _format_in_order(labels: int | None) -> str:
    """Format the labels over all models, in the order in which people label."""
    return "more than were chosen" if labels is None else f"about {labels:,} in page order"


def summary(audits: Audits) -> dict[str, str]:
    """Return the lines of the report's appendix: the auditors, and how far each agrees with people."""
    found = to_json(audits)
    people = ["people"] if found["labels"]["labelled"] else []
    by = ["steps", *([f"judge {audits.judge}"] if audits.judge else []), *people]
    lines = {"reasoning audited by": f"{'; '.join(by)}. {format_labels(found['labels'])}"}
    return lines | {f"people and {way} agree": _format_agreeing(each) for way, each in auditing.agreements(audits.found).items()}


def _format_agreeing(found: Agreement) -> str:
    raw, kappa, n = format_agreement(found)
    return f"on {raw} of {n}, kappa {kappa}"


def count_unjudged(
    models: Sequence[str], found: Sequence[auditing.Found], judged: Mapping[str, auditing.Judged]
) -> dict[str, dict[str, int]]:
    """Count the replies without a verdict ("no_verdict") and the failed calls ("judge_failed") by model; empty without a judge."""
    if not judged:
        return {}
    counts = Counter((each.chosen.model, judged[each.chosen.sample_id].reason) for each in found)
    return {model: {reason: counts[model, reason] for reason in ("no_verdict", "judge_failed")} for model in models}


def example_unjudged(judged: Mapping[str, auditing.Judged]) -> str | None:
    """Return beginning and end of one reply without a verdict, safe to show on a terminal; None where all have a verdict."""
    reply = next((each.reply for each in judged.values() if each.reason == "no_verdict"), None)
    return None if reply is None else _shorten(reply)


def _shorten(reply: str) -> str:
    """Return the reply in one line, without control characters: a terminal would obey the escapes in it."""
    # Cut before splitting: a reply may be megabytes long, and 20 characters per shown one leave room for white space.
    beginning, end = _in_one_line(reply[: 20 * _BEGINNING]), _in_one_line(reply[-20 * _END :])
    if len(reply) <= 20 * _END and len(beginning) <= _BEGINNING + _END:
        return beginning
    return f"{beginning[:_BEGINNING]} … {end[-_END:]}"


def _in_one_line(text: str) -> str:
    words = " ".join(text.split())  # first, since line breaks are not printable
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in words)


def _format_unjudged(found: Mapping[str, Any], path: Path) -> list[str]:
    """Return lines on the unjudged solutions by model and reason, with an example and what to do.

    Args:
        found: As `summaries.audits.to_json` returns it.
        path: The run directory.
    """
    lines = []
    if silent := _format_counts(found, "no_verdict"):
        lines += [f"Replies without a verdict: {silent}. One reads: {found['without_verdict'] or '(nothing)'}"]
    if failed := _format_counts(found, "judge_failed"):
        lines += [f"Calls of the judge that failed: {failed}. Ask again: isocost audit {shell_word(path)} --force"]
    return lines


def _format_counts(found: Mapping[str, Any], reason: str) -> str:
    """Format the counts, such as `70 of tiny, 3 of weak`."""
    counts = {model: own[reason] for model, own in found.get("not_judged", {}).items()}
    return ", ".join(f"{many:,} of {model}" for model, many in counts.items() if many)
