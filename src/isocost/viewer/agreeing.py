"""Agreement of labellers: a page, and a part of the closing line."""

from __future__ import annotations

from collections.abc import Sequence

from isocost.auditing.labels import Compared, compare_labellers, current_labels
from isocost.paths import shell_word
from isocost.records import Label, LabelVerdict
from isocost.reporting.numbers import percent
from isocost.viewer.queue import Differing, Queue, address
from isocost.viewer.rendering import Renderer
from isocost.viewer.rundata import RunData
from isocost.viewer.wording import kappa

_NAMED = 30  # most links per pair of labellers


def agreement_page(data: RunData, labels: Sequence[Label], labeller: str, render: Renderer) -> str:
    """Return the page on every two labellers: agreement and kappa with intervals, counts, and disagreements.

    Disagreements of `labeller` are links to their blind pages. Of other pairs only the number is shown: a person without a verdict on a
    solution must not learn that others disagree on it.
    """
    queue = Queue(data.audited().chosen)
    return render(
        "agreement.html.j2",
        directory=shell_word(data.path),
        labellers=sorted({labeller for labeller, _ in current_labels(labels)}),
        walk=Differing(labels, labeller, queue).numbers,
        pairs=[_pair(pair, labeller, queue) for pair in compare_labellers(labels)],
    )


def agreement_line(labels: Sequence[Label], labeller: str) -> str:
    """Format `agreement with ann 91.7% [79, 97], kappa 0.80 [0.58, 0.91], n 48` for each other labeller; empty without one."""
    pairs = [pair for pair in compare_labellers(labels) if labeller in (pair.left, pair.right) and pair.agreement.raw.n]
    return "; ".join(
        f"agreement with {pair.right if pair.left == labeller else pair.left} {percent(pair.agreement.raw)}, "
        f"kappa {kappa(pair.agreement.kappa)}, n {pair.agreement.raw.n}"
        for pair in pairs
    )


def _pair(pair: Compared, labeller: str, queue: Queue) -> dict[str, object]:
    sure: tuple[LabelVerdict, ...] = ("sound", "unsound")
    numbers = sorted(n for n in map(queue.number, pair.differing) if n)
    own = labeller in (pair.left, pair.right)
    return {
        "left": pair.left,
        "right": pair.right,
        "n": pair.agreement.raw.n,
        "raw": percent(pair.agreement.raw),
        "kappa": kappa(pair.agreement.kappa),
        "unsure": pair.unsure,
        "counts": {(a, b): pair.counts.get((a, b), 0) for a in sure for b in sure},
        "differing": len(numbers),
        "links": [{"name": f"solution {n}", "url": address(n, differing=True)} for n in numbers[:_NAMED]] if own else [],
        "unnamed": max(0, len(numbers) - _NAMED),
    }
