import json
import threading
from pathlib import Path

import pytest

from isocost.graders.math import MathGrader
from isocost.records import Outcome, Verdict

CASES = Path(__file__).resolve().parents[2] / ".." / "shared" / "data" / "grader_cases.jsonl"
GRADER = MathGrader()


def boxed(reference: str, answer: str) -> Verdict:
    return GRADER.grade(reference, f"Therefore \\boxed{{{answer}}}.")


@pytest.mark.parametrize(
    ("reference", "answer"),
    [
        ("\\frac{1}{2}", "0.5"),
        ("\\frac{\\sqrt{3}}{3}", "1/\\sqrt{3}"),
        ("(x-2)(x+2)", "x^2-4"),
        ("\\tan^2(y)+1", "\\sec^2(y)"),
        ("2 2/3", "\\frac{8}{3}"),
        ("\\frac{8}{3}", "2.6667"),
        ("1 \\pm \\sqrt{19}", "1-\\sqrt{19}, 1+\\sqrt{19}"),
        ("-2,1", "1 \\text{ and } -2"),
        ("(3, \\frac{\\pi}{2})", "\\left(3, \\tfrac{\\pi}{2}\\right)"),
        ("[0,9)", "x \\in [0, 9)"),
        ("(-\\infty, 2) \\cup (3, \\infty)", "(-\\infty,2)\\cup(3,\\infty)"),
        ("0 < x < 12.5", "(0, 12.5)"),
        ("5x - 7y + 11z + 4 = 0", "10x - 14y + 22z = -8"),
        ("y = 2x + 3", "2x+3"),
        ("x=5", "5"),
        ("\\begin{pmatrix} -1/3 \\\\ 2/3 \\end{pmatrix}", "\\begin{pmatrix} -\\frac13 \\\\ \\frac23 \\end{pmatrix}"),
        ("\\text{Evelyn}", "evelyn"),
        ("\\text{(C)}", "C"),
        ("90^\\circ", "90"),
        ("10", "10\\text{ cm}"),
        ("\\$32,\\!348", "32348"),
        ("6 - 5i", "-5i+6"),
        ("e^{16} - 1", "-1 + exp(16)"),
        ("x < 1", "-x > -1"),
    ],
)
def test_equal(reference: str, answer: str) -> None:
    assert boxed(reference, answer).outcome is Outcome.CORRECT


@pytest.mark.parametrize(
    ("reference", "answer"),
    [
        ("\\frac{1}{2004!}", "\\frac{1}{2006!}"),
        ("\\frac{1}{2^{99}}", "\\frac{1}{2^{98}}"),
        ("\\frac{2^{2005}+1}{3 \\cdot 2^{2006}}", "\\frac{1}{3 \\cdot 2^{2006}}"),
        ("2^{1000}", "2^{1000}+1"),
        ("0.0000001", "0.0000002"),
        ("1, 2, 3", "1, 2"),
        ("1, 2", "1, 2, 3"),
        ("1, 1, 2", "1, 2, 2"),
        ("2", "2 2/3"),
        ("\\frac{8}{3}", "2"),
        ("\\frac{8}{3}", "2.67"),
        ("10", "4 10/3"),
        ("\\frac{5}{4}", "1.2499"),
        ("(4, 10)", "(10, 4)"),
        ("[0,9)", "[0,9]"),
        ("(0,9)", "[0,9)"),
        ("(1, 3, 2)", "[1, 2, 3]"),
        ("12:00", "1:00"),
        ("x > 5", "x < 5"),
        ("3x - y + 13 = 0", "3x + 4y + 14 = 0"),
        ("2x + z = 1", "1"),
        ("x^2", "x^3"),
        ("3xy", "3"),
        ("\\text{odd}", "even"),
        ("\\begin{pmatrix}1 & 2\\end{pmatrix}", "\\begin{pmatrix}1 & 3\\end{pmatrix}"),
        ("\\sqrt{x^2}", "x"),
        ("O(\\log \\log n)", "Theta(log log n)"),
    ],
)
def test_different(reference: str, answer: str) -> None:
    assert boxed(reference, answer).outcome is Outcome.INCORRECT


@pytest.mark.parametrize(
    ("reference", "generation", "outcome", "reason"),
    [
        ("5", "", Outcome.NO_ANSWER, "no_answer"),
        ("5", "\\boxed{5", Outcome.CORRECT, "identical"),
        ("", "5", Outcome.UNGRADED, "bad_reference"),
        ("\\frac{", "\\boxed{5}", Outcome.UNGRADED, "bad_reference"),
        ("5x", "\\boxed{\\frac{}}", Outcome.INCORRECT, "unreadable"),
        ("5", "We see that $x + 2$ is $5$ here", Outcome.CORRECT, "identical"),
    ],
)
def test_what_cannot_be_compared(reference: str, generation: str, outcome: Outcome, reason: str) -> None:
    verdict = GRADER.grade(reference, generation)
    assert (verdict.outcome, verdict.reason) == (outcome, reason)


def test_other_threads_get_the_same_verdict() -> None:
    found: list[Verdict] = []
    thread = threading.Thread(target=lambda: found.append(boxed("\\frac{\\sqrt{3}}{3}", "1/\\sqrt{3}")))
    thread.start()
    thread.join()
    assert found[0].reason == "equal"


@pytest.mark.slow
@pytest.mark.skipif(not CASES.exists(), reason="shared/data/grader_cases.jsonl is not there")
def test_agreement_with_the_cases_of_other_projects() -> None:
    cases = [
        case for case in map(json.loads, CASES.read_text(encoding="utf-8").splitlines()) if case["kind"] in ("text", "answer", "issue")
    ]
    agreed = sum((GRADER.grade(case["gold"], case["prediction"]).correct is True) == case["expected"] for case in cases)
    assert agreed / len(cases) >= 0.94
