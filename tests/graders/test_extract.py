import time

import pytest

from isocost.graders.extract import LONGEST, extract_answer, last_number


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("3 + 4 = 7\n#### 7", "7"),
        ("#### 7\nWait, no.\n#### 8", "8"),
        ("so \\boxed{\\frac{1}{2}}.", "\\frac{1}{2}"),
        ("\\boxed{\\{1, 2\\}}", "\\{1, 2\\}"),
        ("\\boxed{1} and then, later, \\boxed{2}", "2"),
        ("\\boxed{(98, 2)} \\quad \\text{and} \\quad \\boxed{(99, 3)}", "(98, 2), (99, 3)"),
        ("\\boxed{7}. To check: yes, \\boxed{7}", "7"),
        ("The answer is \\boxed{5}, as the answer is clear: yes", "5"),
        ("So the answer is 12.", "12"),
        ("The answer is 3.5. I hope it is correct.", "3.5"),
        ("Answer: 12", "12"),
        ("**Answer:** 73", "73"),
        ("**Final Answer**: The final answer is $x = 3$.", "$x = 3$"),
        ("The answer to the second question is 9", "9"),
        ("<think>the answer is 1 or \\boxed{2}</think>The answer is 3.", "3"),
        ("\\boxed 12", "12"),
    ],
)
def test_marked_answers(text: str, answer: str) -> None:
    found = extract_answer(text)
    assert found is not None
    assert found.text == answer


@pytest.mark.parametrize("text", ["", "It is 12.", "\\boxed{12", "####", "\\boxed{}", "The answer is"])
def test_nothing_marked(text: str) -> None:
    assert extract_answer(text) is None


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("from 10-12", "12"),
        ("it is -3", "-3"),
        ("2/3.", "2/3"),
        ("1,234.5 kg", "1,234.5"),
        ("in 3 rooms of m2", "3"),
        ("none", None),
        ("x=.5", ".5"),
    ],
)
def test_last_number(text: str, number: str | None) -> None:
    assert last_number(text) == number


@pytest.mark.parametrize(
    "piece", ["\\boxed{", "{", "1,000,", "answer: ", "1", "1 ", "#### ", "$", "\\text{", "1/", "\\boxed{1} and ", "\\(", "answer is "]
)
def test_hostile_text_takes_linear_time(piece: str) -> None:
    start = time.monotonic()
    text = piece * (2 * LONGEST // len(piece))
    extract_answer(text)
    last_number(text)
    assert time.monotonic() - start < 3.0
