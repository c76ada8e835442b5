"""Report the solutions that a judge left unjudged: replies without a verdict, and calls that failed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from isocost import auditing
from isocost.paths import shell_word

_BEGINNING, _END = 100, 60  # characters of a reply that are shown


def not_judged(models: Sequence[str], found: Sequence[auditing.Found], judged: Mapping[str, auditing.Judged]) -> dict[str, dict[str, int]]:
    """Count the replies without a verdict ("no_verdict") and the failed calls ("judge_failed") by model; empty without a judge."""
    if not judged:
        return {}
    counts = Counter((each.chosen.model, judged[each.chosen.sample_id].reason) for each in found)
    return {model: {reason: counts[model, reason] for reason in ("no_verdict", "judge_failed")} for model in models}


def example(judged: Mapping[str, auditing.Judged]) -> str | None:
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


def format_unjudged(found: Mapping[str, Any], path: Path) -> list[str]:
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
