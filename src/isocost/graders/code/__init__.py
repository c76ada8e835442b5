"""Programs, judged by running them with their tests, as of MBPP and HumanEval.

A reference is the tests, Python source that raises where a program is wrong, or a JSON object
    {"test": source, "prompt": source, "entry_point": name, "solution": source}
of which only `test` is required. With an `entry_point`, `check(entry_point)` is called after the tests, as HumanEval does. With a
`prompt`, a program that defines the entry point runs after the part of the prompt before it; any other text continues the prompt.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import lru_cache

from isocost.graders.base import AnswerGrader, correct, incorrect, no_answer, ungraded
from isocost.graders.code.programs import find_program
from isocost.graders.code.references import can_grade, effective, probes
from isocost.graders.code.sandbox.bubblewrap import Sandbox, SandboxError, check_sandbox
from isocost.records import Verdict

LONGEST_KEPT = 10_000  # characters of a program that are kept in a verdict
LONGEST_READ = 50_000  # characters of tests whose source is read in the driver: under a second of processor time
LEAST_MEMORY = 64  # MB, twice what the interpreter itself needs
MOST_REMEMBERED = 1024  # tests whose checks are kept
MOST_PROBES = 3  # programs that check tests which were never seen before
# The strings at which HumanEval ends a completion that runs on past its function (Chen et al. 2021, section 2.2).
STOPS = ("\nclass", "\ndef", "\n#", "\nif", "\nprint")
_NO_MODULE = "failed: ModuleNotFoundError"
_NO_PYTHON = "syntax"
_FUTURE = re.compile(r"^from[ \t]+__future__[ \t]+import[ \t]+(?:\([^()]*\)|[^\n;(]*)", re.MULTILINE)


class CodeGrader(AnswerGrader):
    """Grades a program by its tests: it is correct if they end without an exception, within the limits, in a sandbox without network.

    The tests run in a process of their own, with their own builtins and modules. docs/grading.md lists what passes between the two.

    A program that exceeds its time or memory is incorrect, as in HumanEval. Programs have the standard library of the Python that isocost
    runs on, no installed packages, no input and no arguments; their output is dropped. `predicted_answer` is the program's text, so
    that equal programs form a vote; of a longer one the first 10,000 characters.

    Args:
        memory_mb: Address space of a program in MB, at least 64; the interpreter takes 30.

    Raises:
        InputError: bubblewrap is not installed, or this machine does not permit its system calls.
        ValueError: memory_mb is under 64.
    """

    name = "code"
    version = "9"

    def __init__(self, *, memory_mb: int = 1024) -> None:
        if isinstance(memory_mb, bool) or not isinstance(memory_mb, int) or memory_mb < LEAST_MEMORY:
            raise ValueError(f"memory_mb must be a whole number of at least {LEAST_MEMORY}, not {memory_mb!r}")
        # Here, not at the first program: a study must fail before it buys samples that it cannot grade.
        check_sandbox()
        self.time_limit = 3.0  # seconds by the clock, HumanEval's
        self._sandbox = Sandbox(memory=memory_mb << 20)
        self._compiles = lru_cache(maxsize=MOST_REMEMBERED)(self._compile)
        self._begins = lru_cache(maxsize=MOST_REMEMBERED)(self._compile_prompt)
        self._can_fail = lru_cache(maxsize=MOST_REMEMBERED)(self._probe)
        self._lacks_module = lru_cache(maxsize=MOST_REMEMBERED)(self._run_alone)

    def extract(self, generation: str) -> str | None:
        """Return the program in a solution; None where it has none."""
        return find_program(generation)

    def settle(self, reference: str, answer: str | None) -> Verdict | None:
        """Return the verdict if the program need not run; else None.

        Reasons: `no_answer`, `bad_reference` (no tests, or their source shows that they cannot grade).
        """
        task = _read(reference)
        if task is None or (len(task.tests) <= LONGEST_READ and not can_grade(task.tests)):
            return ungraded("bad_reference")
        return no_answer("no_answer") if answer is None else None

    def compare(self, reference: str, answer: str) -> Verdict:
        """Run the program with its tests.

        Reasons: `passed`; of an incorrect one those of `Sandbox.run`; `bad_reference` (its tests are not Python, pass every
        program, or import a module that the sandbox lacks; no Python begins as its prompt does), `sandbox: ...`.
        """
        task, kept = _read(reference), answer[:LONGEST_KEPT]
        if task is None or not can_grade(task.tests):  # of longer tests `settle` has not asked
            return ungraded("bad_reference", kept)
        try:
            reason = self._run(task, task.whole(answer), task.tests)
            if reason == "passed":
                return correct(kept, reason) if self._can_fail(task) else ungraded("bad_reference", kept)
            # Checked only after a failure: tests that pass are Python, and import what there is.
            if not self._compiles(task.tests) or (reason == _NO_MODULE and self._lacks_module(task)):
                return ungraded("bad_reference", kept)
            if task.prompt and reason == _NO_PYTHON and not self._begins(task.prompt):
                return ungraded("bad_reference", kept)
            return incorrect(kept, reason)
        except SandboxError as error:
            return ungraded(f"sandbox: {str(error)[:200]}", kept)

    @property
    def overtime(self) -> float:
        """Seconds beyond the time limit in which the sandbox itself reports a failure."""
        # Once for the program, and for tests never seen before once for each probe.
        return (1 + MOST_PROBES) * self._sandbox.longest(self.time_limit) - self.time_limit

    def gold(self, reference: str) -> str | None:
        """Return the reference's own solution in a fenced block; None where it has none."""
        task = _read(reference)
        return None if task is None or not task.solution.strip() else f"```python\n{task.solution}\n```"

    def _compile(self, tests: str) -> bool:
        """Return True if the tests are Python. They are compiled in the sandbox, under its limits, because compiling may exhaust memory."""
        program = f"compile({tests!r}, 'tests', 'exec', dont_inherit=True)"
        reason = self._sandbox.run(program, "", seconds=self.time_limit)
        return not reason.startswith(("failed", "memory"))  # a timeout proves nothing about the tests

    def _compile_prompt(self, prompt: str) -> bool:
        """Return True if some Python source begins with the prompt. Like tests, it is compiled in the sandbox."""
        lines = prompt[: prompt.rfind("\n") + 1]  # a program may go on in the last line
        program = (
            "import codeop\n"
            "flags = codeop.PyCF_ALLOW_INCOMPLETE_INPUT | codeop.PyCF_DONT_IMPLY_DEDENT\n"
            "try:\n"
            f"    compile({lines!r}, 'prompt', 'exec', flags, dont_inherit=True)\n"
            "except SyntaxError as error:\n"
            "    if 'incomplete input' not in str(error):\n"
            "        raise\n"
        )
        return not self._sandbox.run(program, "", seconds=self.time_limit).startswith("failed")

    def _probe(self, task: _Task) -> bool:
        """Return True if the tests fail a program that does nothing of use. Otherwise they pass every program."""
        tests = effective(task.tests)
        return any(self._run(task, program, tests) != "passed" for program in probes(task.tests))

    def _run_alone(self, task: _Task) -> bool:
        """Return True if the tests import a module that is not in the sandbox, whatever the program is."""
        return self._run(task, "", task.tests) == _NO_MODULE

    def _run(self, task: _Task, program: str, tests: str) -> str:
        return self._sandbox.run(program, tests, seconds=self.time_limit, **task.context)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Task:
    test: str
    prompt: str = ""
    entry_point: str = ""
    solution: str = ""

    @property
    def tests(self) -> str:
        return f"{self.test}\ncheck({self.entry_point})\n" if self.entry_point else self.test

    @property
    def context(self) -> dict[str, str]:
        """The parts of the reference that say which names the tests expect from a program."""
        parts = {"prompt": self.prompt, "entry_point": self.entry_point, "solution": self.solution}
        return {name: text for name, text in parts.items() if text}

    def whole(self, answer: str) -> str:
        """Return the source to run. For a completion: the prompt and the completion, cut where HumanEval would cut it."""
        if not self.prompt:
            return answer
        name = re.escape(self.entry_point)
        if self.entry_point and not answer[:1].isspace() and re.search(rf"^(?:(?:async )?def|class) +{name}\b|^{name} *=", answer, re.M):
            before = re.search(rf"^(?:async )?def +{name}\b", self.prompt, re.M)
            futures = _FUTURE.findall(answer)  # Python requires them before any other statement
            return "\n".join((*futures, self.prompt[: before.start() if before else None], _FUTURE.sub("pass", answer)))
        end = min((at for at in map(answer.find, STOPS) if at >= 0), default=None)
        return f"{self.prompt}{answer[:end]}\n"


@lru_cache(maxsize=1024)
def _read(reference: str) -> _Task | None:
    """Return the parts of a reference; None where it is not one."""
    reference = reference.removeprefix("\ufeff")  # of a file that was read with its mark
    if not reference.lstrip().startswith("{"):
        return _Task(test=reference) if reference.strip() else None
    try:
        found = json.loads(reference)
    except (ValueError, RecursionError):
        return None
    fields = {name: found.get(name) or "" for name in ("test", "prompt", "entry_point", "solution")}
    if not all(isinstance(value, str) for value in fields.values()) or not fields["test"].strip():
        return None
    if fields["entry_point"] and not fields["entry_point"].isidentifier():
        return None
    return _Task(**fields)
