from collections.abc import Iterator
from itertools import count as numbers

from isocost.records import Problem


def load(*, count: int) -> list[Problem]:
    return [Problem(id=f"own-{i}", question="?", answer=str(i)) for i in range(count)]


def repeating() -> list[Problem]:
    return [Problem(id=f"same-{i % 2}", question="?", answer=str(i)) for i in range(4)]


def endless() -> Iterator[Problem]:
    return (Problem(id=str(i), question="?", answer="1") for i in numbers())


def nothing() -> None:
    pass


def rows() -> list[dict[str, str]]:
    return [{"id": "a", "question": "?", "answer": "1"}]


def untexted() -> list[Problem]:
    return [Problem(id="a", question="?", answer=1)]  # type: ignore[arg-type]
