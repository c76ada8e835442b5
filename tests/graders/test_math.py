import json
import threading
import time
from pathlib import Path

import pytest

from isocost.graders.base import AnswerGrader
from isocost.graders.math import MathGrader
from isocost.graders.number import NumberGrader
from isocost.records import Outcome, Verdict

CASES = Path(__file__).resolve().parents[2] / ".." / "shared" / "data" / "grader_cases.jsonl"
GRADER = MathGrader()
TOWER = "\\log" * 9 + " 3"  # sympy works on it for minutes


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
        ("x=1, y=2", "y = 2, x = 1"),
        ("x=1, y=2", "(1, 2)"),
        ("x_1=3, x_2=5", "x=5 or x=3"),
        ("y = 2x+1", "y - 2x = 1"),
        ("x = \\frac{y}{2}", "y = 2x"),
        ("x = 3", "3 = x"),
        ("f(2) = 5", "5"),
        ("\\angle A = 60^\\circ", "60"),
        ("x > 2 \\text{ and } x < 3", "(2, 3)"),
        ("\\{x \\mid x \\le 1 \\text{ or } x \\ge 2\\}", "(-\\infty,1]\\cup[2,\\infty)"),
        ("1 \\le |z| \\le \\frac32", "z \\in [-\\frac32, -1] \\cup [1, \\frac32]"),
        ("\\text{no solution}", "\\varnothing"),
        ("\\mathbb{R}", "\\text{all real numbers}"),
        ("1.5 million", "1{,}500{,}000"),
        ("\\$1.5 \\text{ million}", "1500000"),
        ("1.5 hours", "1 hour 30 minutes"),
        ("\\$0.50", "50 cents"),
        ("5 km/h", "5 kph"),
        ("90^\\circ", "\\frac{\\pi}{2}"),
        ("\\frac12", "\\sin 30^\\circ"),
        ("\\frac13", "0.\\overline{3}"),
        ("\\frac16", "0.1666..."),
        ("-50", "\\text{-50}"),
        ("e^2", "\\mathrm{e}^2"),
        ("42", "\\text{Answer: }42"),
        ("5", "\\textcolor{red}{5}"),
        ("10^5", "10\N{SUPERSCRIPT FIVE}"),
        ("2:3", "4:6"),
        ("20:34", "8:34 \\text{ P.M.}"),
        ("A", "(A) 12"),
        ("12", "(A) 12"),
        ("twenty-one", "21"),
        ("\\begin{pmatrix}1 \\\\ 2\\end{pmatrix}", "(1, 2)"),
        ("\\sum_{k=1}^{10} k", "55"),
        ("\\binom{5}{2}", "10"),
        ("-2", "\\sqrt[3]{-8}"),
        ("ab", "ba"),
        ("(1,3)", "x>1, x<3"),
        ("(30,60)", "(30^\\circ, 60^\\circ)"),
        ("(1,3)", "\\{x : x>1, x<3\\}"),
        ("6", "6 because 2+4=6"),
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
        ("x=1, y=2", "x=2, y=1"),
        ("x=1, y=2", "2, 1"),
        ("x = 1", "y = 1"),
        ("f(x) = x", "g(x) = x"),
        ("a_n = 2n-1", "a_{n+1} = 2n-1"),
        ("x - y = 0", "y - x = 1"),
        ("2x + 4y - 3 = 0", "2x + 4y + 3 = 0"),
        ("a + b = 5", "a - b = 5"),
        ("1.5 million", "1.5 billion"),
        ("3 dozen", "3"),
        ("x<2 \\text{ or } x>3", "x<2 \\text{ and } x>3"),
        ("(0,1)", "\\{0,1\\}"),
        ("0.25", "0.25\\%"),
        ("50\\%", "50 \\text{ cm}"),
        ("\\$5", "5 \\text{ cents}"),
        ("\\frac{\\pi}{2}", "\\frac{\\pi}{2}^\\circ"),
        ("f(x)", "f'(x)"),
        ("\\angle ABC", "\\angle ACB"),
        ("f^{-1}(x)", "\\frac{1}{f(x)}"),
        ("\\{n : n \\text{ odd}\\}", "\\{n : n \\text{ even}\\}"),
        ("2023 is prime", "2023 is not prime"),
        ("23", "2 3"),
        ("1,5", "1.5"),
        ("\\frac13", "0.3334"),
        ("1/0", "2/0"),
        ("9^{9^{9^9}}", "42"),
        ("AB \\parallel CD", "AB \\perp CD"),
        ("5", "5 squared"),
        ("5", "5 tenths"),
        ("5 \\text{ boys}", "5 \\text{ girls}"),
        ("5 watts", "5 volts"),
        ("20\\% increase", "20\\% decrease"),
        ("5s", "5"),
        ("x=3m", "3"),
        ("2", "2 for all x except 3 where it is 7"),
        ("x^2 \\text{ for all } x>0", "x^2 \\text{ for all } x<0"),
        ("1,2,3", "1,2,3,..."),
        ("x>1, x<3", "x>1 \\text{ or } x<3"),
        ("ab", "Ab"),
        ("x>5", "y>5"),
        ("x \\in [1,2]", "y \\in [1,2]"),
        ("f(b+c)", "fb+fc"),
        ("\\phi(10)", "10\\phi"),
        ("\\frac{1}{23}", "\\frac123"),
        ("5", "x^2=5"),
        ("720", "3!!"),
        ("a:b=3:4", "b:a=3:4"),
        ("\\frac{38}{15}", "2.5(3)"),
        ("s", "answers"),
    ],
)
def test_different(reference: str, answer: str) -> None:
    assert boxed(reference, answer).outcome is Outcome.INCORRECT


@pytest.mark.parametrize(
    "generation",
    [
        "The answer is definitely not 5, sorry to say.",
        "The answer is certainly less than 5",
        "The answer is one of the numbers 4 or 5.",
        "The answer is the square root of 5.",
        "The answer is negative 5 as we have seen.",
        "The answer is (1, 5) as shown above by me.",
        "The answer is x^2 + 5 as we have shown above",
    ],
)
@pytest.mark.parametrize("grader", [GRADER, NumberGrader()])
def test_a_number_in_a_sentence_is_not_always_its_answer(grader: AnswerGrader, generation: str) -> None:
    assert grader.grade("5", generation).correct is False


@pytest.mark.parametrize(
    "generation", ["It is 5", "x is 5", "so 5", "It's 5.", "Hence, 5", "I think 5", "<think>6</think> so 5", "We get $5$."]
)
@pytest.mark.parametrize("grader", [GRADER, NumberGrader()])
def test_short_answers(grader: AnswerGrader, generation: str) -> None:
    assert grader.grade("5", generation).correct is True


@pytest.mark.parametrize(
    ("reference", "generation", "outcome", "reason"),
    [
        ("5", "", Outcome.NO_ANSWER, "no_answer"),
        ("5", "5, or \\boxed{5", Outcome.NO_ANSWER, "no_answer"),
        ("", "5", Outcome.UNGRADED, "bad_reference"),
        ("\\frac{", "\\boxed{5}", Outcome.UNGRADED, "bad_reference"),
        ("5x", "\\boxed{\\frac{}}", Outcome.INCORRECT, "unreadable"),
        ("5", "We see that $x + 2$ is $5$ here", Outcome.CORRECT, "identical"),
    ],
)
def test_what_cannot_be_compared(reference: str, generation: str, outcome: Outcome, reason: str) -> None:
    verdict = GRADER.grade(reference, generation)
    assert (verdict.outcome, verdict.reason) == (outcome, reason)


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ("\\max(i,y)", "failed: ValueError"),
        ("\\min(1/0,y)", "failed: ValueError"),
        ("\\lfloor\\begin{pmatrix}3&4\\end{pmatrix}\\rfloor", "failed: "),
        ("\\sqrt[z]{\\begin{pmatrix}3&y\\end{pmatrix}}", "failed: "),
        ("\\lim_{y\\to 1/0}1/0", ""),
        ("3^{3^{3^{3^{3^{3^{3}}}}}}", ""),
        ("\\cos(3^{3^{3^{3^{3^{3^{3}}}}}})", "unreadable"),
    ],
)
def test_an_answer_that_cannot_be_computed_is_wrong_where_the_reference_can(answer: str, reason: str) -> None:
    for reference in ("\\sqrt{7}", "y^2+\\sin y"):
        verdict = boxed(reference, answer)
        assert verdict.outcome == Outcome.INCORRECT
        assert reason in verdict.reason


def test_an_answer_that_takes_too_much_processor_time_is_wrong_where_the_reference_does_not() -> None:
    grader = MathGrader()
    grader.time_limit = 1.0
    assert grader.grade("y^2+\\sin y", f"\\boxed{{{TOWER}}}") == Verdict(
        outcome=Outcome.INCORRECT, predicted_answer=TOWER, reason="too_long"
    )
    ungraded = Verdict(outcome=Outcome.UNGRADED, predicted_answer="\\sin y", reason="timeout")
    assert grader.grade(TOWER, "\\boxed{\\sin y}") == ungraded
    assert grader.grade(TOWER, f"\\boxed{{{TOWER}}}").outcome == Outcome.CORRECT


def test_a_reference_that_cannot_be_computed_leaves_an_answer_ungraded() -> None:
    verdict = boxed("\\max(i,y)", "\\sin y")
    assert verdict == Verdict(outcome=Outcome.UNGRADED, predicted_answer="\\sin y", reason="error: ValueError")
    assert boxed("\\max(i,y)", "\\max(i, y)").outcome == Outcome.CORRECT


def test_other_threads_get_the_same_verdict() -> None:
    found: list[Verdict] = []
    thread = threading.Thread(target=lambda: found.append(boxed("\\frac{\\sqrt{3}}{3}", "1/\\sqrt{3}")))
    thread.start()
    thread.join()
    assert found[0].reason == "equal"


@pytest.mark.slow
@pytest.mark.skipif(not CASES.exists(), reason="shared/data/grader_cases.jsonl is not there")
def test_agreement_with_the_cases_of_other_projects() -> None:
    agreed: dict[str, list[bool]] = {}
    for case in map(json.loads, CASES.read_text(encoding="utf-8").splitlines()):
        is_correct = GRADER.grade(case["gold"], case["prediction"]).correct is True
        agreed.setdefault(case["kind"], []).append(is_correct is case["expected"])
        assert not (case["kind"] == "issue" and is_correct and not case["expected"]), case
    asked = agreed["text"] + agreed["answer"] + agreed["issue"]
    assert sum(asked) / len(asked) >= 0.98
    assert sum(agreed["latex_expr"]) / len(agreed["latex_expr"]) >= 0.98


@pytest.mark.parametrize("piece", ["\\text{a} ", "\N{DEGREE SIGN}", "ab ", "1 hour ", "x<", "\\text{a}/ ", "\\text{a}^2 "])
@pytest.mark.parametrize("end", ["#", " 5", ""])
def test_what_is_settled_in_the_driver_takes_no_time(piece: str, end: str) -> None:
    start = time.thread_time()
    text = f"5 {piece * (1990 // len(piece))}{end}"
    answer = GRADER.extract(f"\\boxed{{{text}}}")
    GRADER.settle("5", answer)
    GRADER.settle(text, "5")
    assert time.thread_time() - start < 2.0
