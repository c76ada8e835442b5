from isocost.records import Problem


def load(*, count: int) -> list[Problem]:
    return [Problem(id=f"own-{i}", question="?", answer=str(i)) for i in range(count)]


def repeating() -> list[Problem]:
    return [Problem(id=f"same-{i % 2}", question="?", answer=str(i)) for i in range(4)]
