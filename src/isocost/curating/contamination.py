"""Find training problems that nearly repeat a problem of another set, by the word n-grams that both questions have."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

_WORD = re.compile(r"\w+")
Place = tuple[int, int]  # a question of the other sets, and the position of an n-gram in it


@dataclass(frozen=True, slots=True, kw_only=True)
class NearDuplicate:
    """A training problem that nearly repeats a problem of another set.

    Attributes:
        problem_id: The training problem.
        named: The other set.
        other_id: The problem of that set whose words are covered most.
        share: Share of the other question's words that are in n-grams of both questions.
    """

    problem_id: str
    named: str
    other_id: str
    share: float


def near_duplicates(
    questions: Mapping[str, str], named: Mapping[str, Mapping[str, str]], *, n: int, threshold: float
) -> tuple[NearDuplicate, ...]:
    """Return the training problems whose question covers at least `threshold` of the words of a question of another set.

    A word of the other question is covered if it is in a run of `n` words that the training question has too, case and punctuation aside.
    This is the criterion of Tulu 3 (arXiv 2411.15124: 8-grams, half of the words). A question of fewer than `n` words is compared whole.

    Args:
        questions: The training questions, by problem id.
        named: The questions of the other sets, by set and problem id.
        n: Words of an n-gram.
        threshold: Share of the words of the other question, above 0 and at most 1.
    """
    others = [(name, other_id, _words(text)) for name, own in named.items() for other_id, text in own.items()]
    index: dict[tuple[str, ...], list[Place]] = defaultdict(list)
    for number, (_, _, words) in enumerate(others):
        for position, gram in _grams(words, n):
            index[gram].append((number, position))
    found = []
    for problem_id, text in questions.items():
        number, share = _most_covered(_words(text), others, index, n)
        if share >= threshold:
            name, other_id, _ = others[number]
            found.append(NearDuplicate(problem_id=problem_id, named=name, other_id=other_id, share=share))
    return tuple(found)


def _most_covered(
    words: list[str], others: Sequence[tuple[str, str, list[str]]], index: Mapping[tuple[str, ...], Sequence[Place]], n: int
) -> tuple[int, float]:
    """Return the other question of which most is covered (the first of equals), and the share of its words; (-1, 0.0) if none is."""
    covered: dict[int, set[int]] = defaultdict(set)
    # Sorted, so that the first of equals does not depend on the order of a set.
    for gram in {gram for _, gram in _grams(words, n)}:
        for number, position in index.get(gram, ()):
            covered[number].update(range(position, position + len(gram)))
    shares = {number: len(covered[number]) / len(others[number][2]) for number in sorted(covered)}
    best = max(shares, key=lambda number: shares[number], default=-1)
    return best, shares.get(best, 0.0)


def _words(text: str) -> list[str]:
    return _WORD.findall(text.lower())


def _grams(words: list[str], n: int) -> Iterator[tuple[int, tuple[str, ...]]]:
    """Yield each run of `n` words with its position; a shorter text is one run."""
    if 0 < len(words) < n:
        yield 0, tuple(words)
    for position in range(len(words) - n + 1):
        yield position, tuple(words[position : position + n])
