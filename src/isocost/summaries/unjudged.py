"""What a judge left unjudged, and why: replies without a verdict, and calls that failed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from isocost import auditing
from isocost.paths import shell_word

_BEGINNING, _END = 100, 60  # characters of a reply that are shown


def not_judged(models: Sequence[str], found: Sequence[auditing.Found], judged: Mapping[str, auditing.Judged]) -> dict[str, dict[str, int]]:
    """By model: how many replies have no verdict, and how many calls failed; nothing without a judge."""
    if not judged:
        return {}
    counts = Counter((each.chosen.model, judged[each.chosen.sample_id].reason) for each in found)
    return {model: {reason: counts[model, reason] for reason in ("no_verdict", "judge_failed")} for model in models}


def example(judged: Mapping[str, auditing.Judged]) -> str | None:
    """Beginning and end of one reply without a verdict, as a terminal may show it; None where all have one."""
    reply = next((each.reply for each in judged.values() if each.reason == "no_verdict"), None)
    return None if reply is None else _shown(reply)


def _shown(reply: str) -> str:
    """In one line, without what a terminal would obey."""
    words = " ".join(reply[: 20 * _BEGINNING].split()), " ".join(reply[-20 * _END :].split())
    beginning, end = ("".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text) for text in words)
    if len(reply) <= 20 * _END and len(beginning) <= _BEGINNING + _END:
        return beginning
    return f"{beginning[:_BEGINNING]} … {end[-_END:]}"


def said(found: Mapping[str, Any], path: Path) -> list[str]:
    """What the judge left out, by model and reason, why as far as it can be seen, and what to do.

    Args:
        found: As `isocost audit --json` prints it.
        path: The run directory.
    """
    lines = []
    if silent := _listed(found, "no_verdict"):
        lines += [f"Replies without a verdict: {silent}. One reads: {found['without_verdict'] or '(nothing)'}"]
    if failed := _listed(found, "judge_failed"):
        lines += [f"Calls of the judge that failed: {failed}. Ask again: isocost audit {shell_word(path)} --force"]
    return lines


def _listed(found: Mapping[str, Any], reason: str) -> str:
    """`70 of tiny, 3 of weak`."""
    counts = {model: own[reason] for model, own in found.get("not_judged", {}).items()}
    return ", ".join(f"{many:,} of {model}" for model, many in counts.items() if many)
