import random
import re
import time

import pytest

from isocost.graders.extract import LONGEST, extract_answer, last_number, tails
from isocost.graders.numerals import NUMBER
from isocost.graders.phrases import ASCII_WORDS, MOST_PHRASES, ODD_CASES, OTHER_WORDS, PHRASE, last_phrases


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
        ("2*3=<<2*3=6>>6 <1:think>the answer is 1 or \\boxed{2}</1:think>The answer is 3.", "3"),
        ("\\boxed 12", "12"),
        ("#### 5\n####  \n", "5"),
        ("a #### 1 #### 2\n", "1 #### 2"),
        ("##### 5", "# 5"),
        ("#### 4\n<answer>5</answer>", "5"),
        ("#### 6\n<answer></answer>", "6"),
        ("\\boxed{1} #### 2", "2"),
        ("\\boxed{\\boxed{3} \\{} and \\boxed{4}", "\\boxed{3} \\{, 4"),
        # A last box that is empty or cut off decides: there is no answer.
        ("\\boxed{\\boxed{3} \\{} and \\boxed{4", ""),
        ("The answer is 3. \\boxed{\\text{ }}", ""),
        ("\\boxed{12", ""),
        ("\\fbox{8}", "8"),
    ],
)
def test_marked_answers(text: str, answer: str) -> None:
    found = extract_answer(text)
    assert found is not None
    assert found.text == answer


@pytest.mark.parametrize("text", ["", "It is 12.", "####", "The answer is"])
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
    start = time.thread_time()
    text = piece * (2 * LONGEST // len(piece))
    extract_answer(text)
    last_number(text)
    assert time.thread_time() - start < 3.0


def made(pieces: list[str], seed: int) -> list[str]:
    drawn = random.Random(seed)
    return ["".join(drawn.choices(pieces, k=drawn.randrange(200))) for _ in range(500)]


def test_phrases_are_found_piece_by_piece_as_in_the_whole() -> None:
    pieces = [
        "answer",
        "The ANSWER is ",
        "result = ",
        "réponse: ",
        "anſwer is ",
        "ОТВЕТ: ",
        "答案是",
        "answer to the result is ",
        ". ",
        "\n",
        "so it goes ",
    ]
    for text in made(pieces, seed=0):
        whole = [match.span() for match in PHRASE.finditer(text)]
        assert [match.span() for match in last_phrases(text)] == whole[: -MOST_PHRASES - 1 : -1], text


def test_letters_that_lower_does_not_fold_are_known() -> None:
    every = "".join(chr(code) for code in range(0x110000) if not 0xD800 <= code < 0xE000)
    letters = set("".join(ASCII_WORDS + OTHER_WORDS))
    odd = {found for letter in letters for found in re.findall(f"(?i){letter}", every) if found.lower() != letter}
    assert odd <= set(ODD_CASES)
    assert {letter for letter in every if len(letter.lower()) > 1} <= set(ODD_CASES)


def test_the_last_number_is_found_from_the_end_as_in_the_whole() -> None:
    pieces = [
        "1",
        "2",
        "12,345",
        "1e",
        " 5",
        "e 5",
        "/ 3",
        ".",
        "-",
        " - ",
        "$",
        "m2",
        "{",
        "}",
        " of them ",
        "we ",
        "is ",
        "\n",
        "\\text{ a b",
    ]
    for text in made(pieces, seed=1):
        found = NUMBER.findall(text)
        assert last_number(text) == (found[-1] if found else None), text
        assert list(tails(text))[-1] == text
