"""Find training problems that nearly repeat a problem of another set, by the word n-grams that both questions have."""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

# Scripts that put no space between words: Thai, Lao, Myanmar, Khmer, kana, Han. Each of their characters counts as a word.
_UNSPACED = (
    "\u0e00-\u0eff\u1000-\u109f\ua9e0-\ua9ff\uaa60-\uaa7f\u1780-\u17ff\u19e0-\u19ff"
    "\u3005-\u3007\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uff66-\uff9f\U00020000-\U000323af"
)
_WORD = re.compile(rf"[{_UNSPACED}]|[^\W{_UNSPACED}]+")
_FEWEST = 5  # words of a short question that is looked for inside longer ones: fewer, such as "What is 3 + 4", are in many by chance
Gram = tuple[str, ...]
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
    This is the criterion of Tulu 3 (arXiv 2411.15124: 8-grams, half of the words). A question of fewer than `n` words is one run, found
    in the training question as a whole; one of fewer than 5 words must be all of it.

    Each character of a script without spaces between words is a word.

    Args:
        questions: The training questions, by problem id.
        named: The questions of the other sets, by set and problem id.
        n: Words of an n-gram.
        threshold: Share of the words of the other question, above 0 and at most 1.
    """
    others = [(name, other_id, _words(text)) for name, own in named.items() for other_id, text in own.items()]
    index: dict[Gram, list[Place]] = defaultdict(list)
    for number, (_, _, words) in enumerate(others):
        for position, gram in _grams(words, n):
            index[gram].append((number, position))
    found, lengths = [], {len(gram) for gram in index}
    for problem_id, text in questions.items():
        words = _words(text)
        wanted = [length for length in lengths if length in {n, len(words)} or length >= _FEWEST]
        number, share = _most_covered({gram for length in wanted for _, gram in _runs(words, length)}, others, index)
        if share >= threshold:
            name, other_id, _ = others[number]
            found.append(NearDuplicate(problem_id=problem_id, named=name, other_id=other_id, share=share))
    return tuple(found)


def _most_covered(
    grams: Collection[Gram], others: Sequence[tuple[str, str, list[str]]], index: Mapping[Gram, Sequence[Place]]
) -> tuple[int, float]:
    """Return the other question of which most is covered (the first of equals), and the share of its words; (-1, 0.0) if none is."""
    covered: dict[int, set[int]] = defaultdict(set)
    for gram in grams:
        for number, position in index.get(gram, ()):
            covered[number].update(range(position, position + len(gram)))
    # Sorted, so that the first of equals does not depend on the order of a set.
    shares = {number: len(covered[number]) / len(others[number][2]) for number in sorted(covered)}
    best = max(shares, key=lambda number: shares[number], default=-1)
    return best, shares.get(best, 0.0)


def _words(text: str) -> list[str]:
    found = _WORD.findall(text.lower())
    # The ranges of scripts without spaces have punctuation too.
    return [word for word in found if word.isascii() or unicodedata.category(word[0])[0] in "LMN"]


def _grams(words: list[str], n: int) -> Iterator[tuple[int, Gram]]:
    """Yield each run of `n` words with its position; a shorter text is one run."""
    return _runs(words, min(n, len(words)))


def _runs(words: list[str], length: int) -> Iterator[tuple[int, Gram]]:
    """Yield each run of `length` words with its position; of no words, nothing."""
    for position in range(len(words) - length + 1 if length else 0):
        yield position, tuple(words[position : position + length])
