import json
from pathlib import Path

import pytest

from isocost.errors import ProblemsError
from isocost.problems import load_problems

DATA = Path(__file__).resolve().parents[2] / ".." / "shared" / "data"


def write(folder: Path, *rows: dict[str, object]) -> dict[str, object]:
    (folder / "mbpp.jsonl").write_text("\n".join(json.dumps(row) for row in rows), encoding="utf-8")
    return {"path": "mbpp.jsonl"}


def row(number: object, **fields: object) -> dict[str, object]:
    return {
        "task_id": number,
        "text": "Square it. ",
        "code": "def f(x): return x * x",
        "test_list": ["assert f(2) == 4", "assert f(1)"],
        **fields,
    }


def test_a_row_becomes_a_problem_that_shows_its_tests(tmp_path: Path) -> None:
    (problem,) = load_problems("mbpp", write(tmp_path, row(11, test_setup_code="import math")), base=tmp_path)
    assert problem.id == "mbpp-00011"
    assert problem.question == "Square it.\n\nYour code should pass these tests:\n\nassert f(2) == 4\nassert f(1)"
    assert json.loads(problem.answer) == {"test": "import math\nassert f(2) == 4\nassert f(1)", "solution": "def f(x): return x * x"}


def test_splits_are_those_of_the_paper(tmp_path: Path) -> None:
    options = write(tmp_path, *(row(number) for number in (1, 10, 11, 510, 511, 600, 601, 974)))
    found = {
        split: [int(problem.id[-5:]) for problem in load_problems("mbpp", {**options, "split": split}, base=tmp_path)]
        for split in ("prompt", "test", "validation", "train", "all")
    }
    assert found == {
        "prompt": [1, 10],
        "test": [11, 510],
        "validation": [511, 600],
        "train": [601, 974],
        "all": [1, 10, 11, 510, 511, 600, 601, 974],
    }
    with pytest.raises(ProblemsError, match="mbpp has the splits prompt, test, validation, train and all"):
        load_problems("mbpp", {**options, "split": "dev"}, base=tmp_path)


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (row("11"), r'mbpp\.jsonl:1: an MBPP row needs "task_id"'),
        (row(True), r'mbpp\.jsonl:1: an MBPP row needs "task_id"'),
        (row(11, text=" "), r'mbpp\.jsonl:1: an MBPP row needs "text" and "code"'),
        (row(11, code=None), r'mbpp\.jsonl:1: an MBPP row needs "text" and "code"'),
        (row(11, test_list=[]), r'mbpp\.jsonl:1: an MBPP row needs "test_list"'),
        (row(11, test_list=[1]), r'mbpp\.jsonl:1: an MBPP row needs "test_list"'),
    ],
)
def test_bad_rows_are_refused(tmp_path: Path, bad: dict[str, object], message: str) -> None:
    with pytest.raises(ProblemsError, match=message):
        load_problems("mbpp", write(tmp_path, bad), base=tmp_path)


@pytest.mark.skipif(not DATA.exists(), reason="shared/data is not there")
@pytest.mark.parametrize(("split", "count"), [("prompt", 10), ("test", 500), ("validation", 90), ("train", 374), ("all", 974)])
def test_the_real_file(split: str, count: int) -> None:
    assert len(load_problems("mbpp", {"path": "mbpp.jsonl", "split": split}, base=DATA)) == count
