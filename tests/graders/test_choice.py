import json
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isocost.graders.choice import ChoiceGrader
from isocost.graders.extract import LONGEST
from isocost.records import Outcome
from tests.matrices import first_fast

CASES = Path(__file__).resolve().parents[2] / ".." / "shared" / "data" / "grader_cases.jsonl"
GRADER = ChoiceGrader()
ANIMALS = json.dumps({"answer": "B", "choices": ["cat", "dog", "C major", "1,000"]})


@pytest.mark.parametrize(
    ("generation", "letter"),
    [
        ("The answer is (B).", "B"),
        ("Answer: B", "B"),
        ("**Answer:** B", "B"),
        ("The correct option is C", "C"),
        ("**B**", "B"),
        ("(B)", "B"),
        ("B", "B"),
        ("b", "B"),
        ("B.", "B"),
        ("I considered everything.\n\nB", "B"),
        ("A dog is an animal, so the answer is B.", "B"),
        ("The correct answer is B because A is wrong.", "B"),
        ("The answer is not A but B.", "B"),
        ("It can't be A. It must be C.", "C"),
        ("Die Antwort ist B, nicht A.", "B"),
        ("Die richtige Antwort lautet: C", "C"),
        ("La bonne réponse est la B.", "B"),
        ("La respuesta correcta es la opción D.", "D"),
        ("Respuesta: B", "B"),
        ("答案是B", "B"),
        ("答案：Ｂ", "B"),
        ("正确答案是（B）。", "B"),
        ("因此，选C。", "C"),
        ("所以答案选D，因为A不对。", "D"),
        ("答えはBです。", "B"),
        ("正解は（C）です", "C"),
        ("答えはAではない。答えはBです。", "B"),
        ("정답은 B입니다.", "B"),
        ("الإجابة هي B", "B"),
        ("الإجابة الصحيحة هي (C).", "C"),
        ("The answer is either A or B. I'd go with B.", "B"),
        ("A is correct.", "A"),
        ("Option B is the correct answer.", "B"),
        ("Option A is wrong. Option B is wrong. Option C fits.", "C"),
        ("B is incorrect. A is incorrect. (C) is correct", "C"),
        ("The answer is A. Wait, the answer is B.", "B"),
        ("<think>The answer is A</think>B", "B"),
        ("\\boxed{B}", "B"),
        ("\\boxed{\\text{(C)}}", "C"),
        ("\\boxed{\\textbf{(B)}\\ 42}", "B"),
        ("Thus $\\boxed{\\textbf{B}}$. A is wrong.", "B"),
        ("#### D", "D"),
        ("<answer>C</answer>", "C"),
        ('{"answer": "B"}', "B"),
        ("The answer is $\\text{B}$", "B"),
        ("Answer: [[C]]", "C"),
        ("## Answer\nC", "C"),
        ("Answer:\n\n(C) 42", "C"),
        ("B. Paris is the capital\n\nExplanation: A is wrong.", "B"),
        ("A) wrong.\nB) right.\nThe answer is B", "B"),
        ("If the answer is A, then 2 = 3. So it is B.", "B"),
        ("I don't think the answer is A. So B", "B"),
        ("The wrong answer is A. The right answer is B.", "B"),
        ("The answer is B, C and D are wrong.", "B"),
        ("The answer is B, A is wrong.", "B"),
        ("The answer is B rather than A.", "B"),
        ("Is the answer A? No. The answer is C.", "C"),
        ("My final choice is D", "D"),
        ("I would choose option B.", "B"),
        ("Je choisis la réponse C.", "C"),
        ("So, the best choice is: **B. dog**", "B"),
        ("C'est la B.", "B"),
        ("donc c'est B", "B"),
        ("Option (C)", "C"),
        ("the answer is clear: B", "B"),
        ("The answer is Paris, i.e. choice (C).", "C"),
        ("The answer is E.", "E"),
        ("The answer is I think B.", "B"),
        ("(b)", "B"),
        ("答案是B，不是A", "B"),
        ("B。不是 A", "B"),
        ("選択肢Bが正しい", "B"),
        ("B가 정답입니다", "B"),
        ("Bが正解です", "B"),
        ("정답은 A가 아니라 B입니다", "B"),
        ("The answer to the question is: option B", "B"),
        ("Antwort: b)", "B"),
        ("réponse est C non A", "C"),
        ("Answer: A. The second sentence is...", "A"),
        ("Ответ: B", "B"),
        ("A", "A"),
        ("I", "I"),
        ("(I)", "I"),
        ("The answer should be A since cats meow", "A"),
        ("The answer is A, as cats meow", "A"),
        ("So the answer must be (A) cat.", "A"),
        ("The correct answer is option A: cat", "A"),
        ("The final answer is: B) dog", "B"),
        ("So the answer is B!", "B"),
        ("Answer - C", "C"),
        ("Ⓑ", "B"),
        ("Answer: 【B】", "B"),
        ("La risposta corretta è la C.", "C"),
        ("A resposta correta é a letra D.", "D"),
        ("Het antwoord is B.", "B"),
        ("Die Antwort ist nicht A, sondern B.", "B"),
        ("La réponse n'est pas A mais B.", "B"),
        ("La respuesta no es A sino B", "B"),
        ("The answer is A.\n\nA person might think B.", "A"),
        ("Between A and B, I would pick B.", "B"),
        (
            "Each option:\nA) Paris - this is correct.\nB) Lyon - no.\n\nTherefore, the correct answer is A) Paris.",
            "A",
        ),
        ("The capital of France is Paris. So the answer is (A) Paris.", "A"),
        ("Step 1: ... Option A says X, which is false. Option D says Y, which is true.\n\n### Final Answer\n**D**", "D"),
        ("**Final Answer:** (D) Y", "D"),
        ("The best answer is A.", "A"),
        ("Final answer: $\\boxed{\\text{A}}$", "A"),
        ("Based on the above, I am confident that option C is correct, not D.", "C"),
        ("The answer: C. Because D is wrong, A is wrong.", "C"),
        ("La réponse correcte est l'option B car A est fausse.", "B"),
        ("Die korrekte Option ist D) Hund.", "D"),
        ("综上所述，正确答案为 C。", "C"),
        ("故选：B", "B"),
        ("故选B。", "B"),
        ("本题选D", "D"),
        ("答案应该是（A）", "A"),
        ("したがって、正解はDです。", "D"),
        ("よって答えは B", "B"),
        ("answer is a", "A"),
        ("My answer is (a).", "A"),
        ("Thus C.", "C"),
        ("Hence, (C).", "C"),
        ("The answer is therefore D", "D"),
        ("Answer is D", "D"),
        ("ANSWER: D", "D"),
        ("answer=D", "D"),
        ("The answer is **(D)** because of it", "D"),
        ("The answer is _B_", "B"),
        ("The answer is `B`", "B"),
        ("\\textbf{Answer: C}", "C"),
        ("The answer is\n\nC", "C"),
        ("The answer is not B; it is C.", "C"),
        ("The correct answer isn't A, it's B", "B"),
        ("La respuesta correcta es A) gato", "A"),
        ("Not B. The answer: C", "C"),
        ("B is the right answer, although A is tempting.", "B"),
    ],
)
def test_the_letter_that_is_taken(generation: str, letter: str) -> None:
    assert GRADER.grade(letter, generation).reason == "equal"
    assert GRADER.grade("J", generation).predicted_answer == letter


@pytest.mark.parametrize(
    "generation",
    [
        "A dog is an animal.",
        "I think so.",
        "I do not know",
        "The answer is a dog.",
        "The answer is not A.",
        "A) cat: wrong\nB) dog: right\nC) cow: wrong",
        "(A) cat (B) dog (C) cow",
        "vitamin C is good",
        "Therefore B is 5 and C is 7.",
        "**A) cat**: no. **B) dog**: yes",
        "C'est un chien.",
        "The answer is B-cell",
        "It's not A or B.",
        "Neither A nor B.",
        "we get B = 5, so A = 3",
        "The answer isn't B.",
        "The answer is definitely not B.",
        "The answer could be A or B",
        "Among the options, only B satisfies it.",
        "It's a B.",
        "Answer:\nA cat",
        "The answer is: none of the above",
    ],
)
def test_no_letter_is_taken(generation: str) -> None:
    verdict = GRADER.grade("A", generation)
    assert (verdict.outcome, verdict.predicted_answer, verdict.reason) == (Outcome.NO_ANSWER, None, "no_choice")


@pytest.mark.parametrize(
    ("generation", "letters"),
    [
        ("The answer is A and C.", "A, C"),
        ("The answers are A, B, and D.", "A, B, D"),
        ("The answer is A or B.", "A or B"),
        ("Answer: ABD", "A, B, D"),
        ("答案：AC", "A, C"),
        ("Answer: B/C", "B or C"),
        ("The answer is both A and D.", "A, D"),
        ("A and B are both correct.", "A, B"),
        ("Both A and C are correct.", "A, C"),
        ("答案是 A 或 B", "A or B"),
    ],
)
def test_several_letters_never_equal_one(generation: str, letters: str) -> None:
    verdict = GRADER.grade(letters[0], generation)
    assert (verdict.outcome, verdict.predicted_answer, verdict.reason) == (Outcome.INCORRECT, letters, "several")


@pytest.mark.parametrize(
    ("generation", "letter"),
    [
        ("the answer is dog", "B"),
        ("The answer is a dog.", "B"),
        ("The answer is A dog.", "B"),
        ("Answer: A cat", "A"),
        ("\\boxed{dog}", "B"),
        ("\\boxed{\\text{Dog}}", "B"),
        ("dog", "B"),
        ("Dog.", "B"),
        ("The answer is C major", "C"),
        ("The answer is C", "C"),
        ("The answer is B dog", "B"),
        ("The answer is dog because it barks", "B"),
        ("The answer is dog, which barks", "B"),
        ("\\boxed{1000}", "D"),
        ("The answer is $1000$.", "D"),
        ("The answer is not dog.", None),
        ("The answer is dog or cat.", None),
        ("The answer is cow", None),
        ("The answer is not clear. Therefore, it's B", "B"),
        ("The answer is (B) dog", "B"),
        ("The answer is dog (B)", "B"),
        ("The answer is obvious.\n\n**B**", "B"),
        ("\\boxed{42}", None),
        ("\\boxed{42}\nThe answer is (C)", "C"),
        ("(A) cat is wrong because it meows. The answer is dog.", "B"),
        ("The answer is **dog**.", "B"),
        ("I think the animal is a dog", None),
        ("The dog", "B"),
        ("Answer:\ndog", "B"),
    ],
)
def test_the_text_of_an_option(generation: str, letter: str | None) -> None:
    assert GRADER.grade(ANIMALS, generation).predicted_answer == letter


def test_a_reference_with_its_text_knows_that_text() -> None:
    assert GRADER.grade("(D) Alina", "The answer is Alina.").predicted_answer == "D"
    assert GRADER.grade("(D) Alina", "The answer is Cecile.").reason == "no_choice"
    assert GRADER.grade("C Cecile", "Answer: Cecile").correct


def test_options_that_say_the_same_name_nobody() -> None:
    same = json.dumps({"answer": "A", "choices": ["a cat", "the cat"]})
    assert GRADER.grade(same, "The answer is cat").reason == "no_choice"
    signs = json.dumps({"answer": "A", "choices": ["-5", "5", "0.5", "1/2", "12"]})
    found = [GRADER.grade(signs, f"The answer is ${answer}$.").predicted_answer for answer in ("-5", "5", "0.5", "1/2", "12")]
    assert found == ["A", "B", "C", "D", "E"]


def test_several_right_letters_are_a_set() -> None:
    for generation in ("\\boxed{C, A}", "The answers are (A) and (C).", "答案：AC", "C and A"):
        assert GRADER.grade("A, C", generation).correct
    assert GRADER.grade("A, C", "The answer is C").reason == "different"
    assert GRADER.grade("A, C", "A, B and C").reason == "different"


@pytest.mark.parametrize(
    ("reference", "letters"),
    [
        ("B", "B"),
        ("(B)", "B"),
        ("B.", "B"),
        ("b", "B"),
        ("(D) Alina", "D"),
        ("D. Alina", "D"),
        ("C Cecile", "C"),
        ("\\text{(C)}", "C"),
        ("\\boxed{C}", "C"),
        ("$B$", "B"),
        ("", None),
        ("dog", None),
        ("A or B", None),
        ("A, C", "A, C"),
        ("A and C", "A, C"),
        ("ACD", "A, C, D"),
        ("{}", None),
        ("{", None),
        ('{"answer":"K"}', None),
        ('{"answer": 2, "choices":["a","b","c"]}', "C"),
        ('{"answer": 3, "choices":["a","b","c"]}', None),
        ('{"answer": true, "choices":["a","b"]}', None),
        ('{"answer": "dog", "choices":["cat","dog"]}', "B"),
        ('{"answer": ["A", 1], "choices":["cat","dog"]}', "A, B"),
        ('{"answer":"B"}', "B"),
        ('{"answer":"D","choices":["cat"]}', None),
        ("**B**", "B"),
        ("Ｂ", "B"),
        ("A dog", "A"),
        ("42", None),
        ("I", "I"),
        ('{"answer":"B","choices":{"a":1}}', None),
        ("A: cat", "A"),
        ("[1]", None),
        ('{"answer": 1e400, "choices":["a"]}', None),
        ("(D) Alina, who won", "D"),
    ],
)
def test_references(reference: str, letters: str | None) -> None:
    gold = GRADER.gold(reference)
    verdict = GRADER.grade(reference, gold or "")
    assert (verdict.predicted_answer if verdict.correct else None) == letters
    if letters is None:
        assert (verdict.outcome, verdict.reason) == (Outcome.UNGRADED, "bad_reference")


@pytest.mark.parametrize(
    "piece",
    first_fast(
        [
            "A",
            "A ",
            "(A) ",
            "answer ",
            "answer is ",
            "answer is A or ",
            "A, ",
            "A and ",
            "the answer is not ",
            "**A**",
            "**",
            "\\text{",
            "{",
            "<",
            "\n",
            "A\n",
            "A) x\n",
            "answer is the ",
            "the ",
            "so ",
            "so it's ",
            "is ",
            "option ",
            "option A ",
            "option A. ",
            "不是",
            "答案",
            "答案是",
            "答",
            "((((",
            "B is correct ",
            "answer to ",
            "(",
            "[",
            "'",
            "</think>",
            "\\boxed{A} and ",
            "\\boxed{",
            "A or ",
            "A/",
            "1,000",
            "  ",
            "*A",
            "。",
            "I think ",
            "x - ",
            "answer of ",
            "not A but ",
            "because ",
        ],
        10,
    ),
)
def test_hostile_text_takes_linear_time(piece: str) -> None:
    start = time.thread_time()
    GRADER.grade(ANIMALS, piece * (2 * LONGEST // len(piece)))
    assert time.thread_time() - start < 5.0


@given(
    st.lists(
        st.sampled_from(
            ["A", "b", "I", "(", "B) ", "answer ", "is ", "or ", ", ", "not ", "\n", "\\boxed{", "}", "so ", "选", "**", "\ud800", "."]
        )
    )
)
def test_any_text_gets_a_verdict_and_any_readable_reference_accepts_its_own(pieces: list[str]) -> None:
    text = "".join(pieces)
    GRADER.grade("B", text)
    own = GRADER.grade(text, GRADER.gold(text) or "")
    assert own.correct or own.reason == "bad_reference"


@pytest.mark.skipif(not CASES.exists(), reason="shared/data/grader_cases.jsonl is not there")
def test_agreement_with_the_cases_of_other_projects() -> None:
    cases = [case for case in map(json.loads, CASES.read_text(encoding="utf-8").splitlines()) if case["kind"] == "mcq_text"]
    assert len(cases) == 6
    assert all(GRADER.grade(case["gold"], case["prediction"]).correct == case["expected"] for case in cases)
