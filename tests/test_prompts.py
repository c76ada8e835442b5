import pytest

from isocost.equations import audit_steps
from isocost.errors import StudyError
from isocost.graders import load_grader
from isocost.prompts import TEMPLATES, load_template
from isocost.prompts.base import Template

# The answers to the worked examples, worked out again by hand.
ANSWERS = {
    "gsm8k-8shot": ["144", "25", "8", "44", "75", "40", "16", "72"],
    "lab-2shot": ["18", "24"],
    "math-4shot": [r"[3,7) \cup (7,\infty)", "75", "8", "2"],
}
EXAMPLES = [(name, question, solution) for name in ANSWERS for question, solution in load_template(name).examples]
ARITHMETIC = [(question, solution) for name, question, solution in EXAMPLES if not name.startswith("math")]


@pytest.mark.parametrize("name", TEMPLATES)
def test_every_template_ends_with_the_question(name: str) -> None:
    template = load_template(name)
    prompt = template.render("How {many} {question} {0} {{x}} $\\frac{1}{2}$?")
    assert prompt.count("How {many} {question} {0} {{x}} $\\frac{1}{2}$?") == 1
    assert prompt.endswith(template.plain("How {many} {question} {0} {{x}} $\\frac{1}{2}$?"))


@pytest.mark.parametrize("name", TEMPLATES)
def test_a_stop_string_ends_the_reply_before_the_next_question(name: str) -> None:
    template = load_template(name)
    assert template.stop
    after = template.separator + template.plain("Next?")
    assert any(stop in after for stop in template.stop)
    assert not any(stop in solution for _, solution in template.examples for stop in template.stop)


@pytest.mark.parametrize(("shots", "plain"), [("gsm8k-8shot", "gsm8k"), ("lab-2shot", "lab"), ("math-4shot", "math")])
def test_worked_examples_have_the_plain_form(shots: str, plain: str) -> None:
    few, none = load_template(shots), load_template(plain)
    assert none.examples == ()
    assert none.render("Why?") == few.plain("Why?") == none.plain("Why?")
    for question, solution in few.examples:
        assert none.plain(question) + solution in few.render("Why?")
    assert len(few.examples) == int(shots[-5])


@pytest.mark.parametrize(("question", "solution"), ARITHMETIC)
def test_every_equation_of_a_worked_example_holds(question: str, solution: str) -> None:
    assert audit_steps(solution) == (True, None)


@pytest.mark.parametrize(("name", "grader"), [("gsm8k-8shot", "number"), ("lab-2shot", "number"), ("math-4shot", "exact")])
def test_worked_examples_end_in_the_right_answer(name: str, grader: str) -> None:
    solutions = [solution for _, solution in load_template(name).examples]
    for solution, answer in zip(solutions, ANSWERS[name], strict=True):
        assert load_grader(grader).grade(answer, solution).correct, solution


def test_no_worked_example_stands_twice() -> None:
    questions = [question for _, question, _ in EXAMPLES]
    assert len(set(questions)) == len(questions)


OWN = Template(form="{question}", stop=("\n",))


def test_a_template_of_ones_own() -> None:
    assert load_template("tests.test_prompts:OWN").render("Why?") == "Why?"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("gsm9k", "unknown template 'gsm9k'; known: gsm8k-8shot"),
        ("no.such.module:X", "cannot be imported: ModuleNotFoundError"),
        ("tests.broken_part:X", "cannot be imported: SystemExit: 3"),
        ("tests.test_prompts:NOTHING", "cannot be imported"),
        ("tests.test_prompts:ANSWERS", "is not an isocost.prompts.base.Template"),
    ],
)
def test_what_is_no_template_is_refused_in_one_line(name: str, message: str) -> None:
    with pytest.raises(StudyError, match=message) as caught:
        load_template(name)
    assert "\n" not in str(caught.value)
