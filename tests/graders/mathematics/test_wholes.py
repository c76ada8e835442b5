import pytest

from isocost.graders.math import MathGrader
from isocost.graders.mathematics import symbolic
from isocost.records import Outcome
from tests.graders.mathematics.boxed import is_correct


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("\\lceil\\frac{n}{2}\\rceil", "\\lfloor\\frac{n+1}{2}\\rfloor"),
        ("\\lceil\\frac{n}{3}\\rceil", "\\lfloor\\frac{n+2}{3}\\rfloor"),
        ("\\lceil x\\rceil", "-\\lfloor -x\\rfloor"),
        ("\\lfloor x+1\\rfloor", "\\lfloor x\\rfloor+1"),
        ("\\lfloor n/2\\rfloor", "\\frac{n-(n\\bmod 2)}{2}"),
        ("n-\\lfloor\\frac n2\\rfloor", "\\lceil\\frac n2\\rceil"),
        ("\\frac{n!}{(n-2)!}", "n(n-1)"),
        ("\\binom{n}{2}", "\\frac{n(n-1)}{2}"),
        ("\\frac{2n+1-(-1)^n}{4}", "\\lfloor\\frac{n+1}{2}\\rfloor"),
        ("(-1)^{n}", "(-1)^{n+2}"),
        ("\\cos(n\\pi)", "(-1)^n"),
        ("(-1)^{2n}", "1"),
        ("\\left\\lfloor\\frac{n^2}{4}\\right\\rfloor", "\\left\\lfloor\\frac n2\\right\\rfloor\\left\\lceil\\frac n2\\right\\rceil"),
        ("\\lfloor\\frac{k}{2}\\rfloor+\\lceil\\frac{k}{2}\\rceil", "k"),
        ("(n+1)!", "(n+1)\\cdot n!"),
        ("\\binom{n}{k}", "\\frac{n!}{k!(n-k)!}"),
        ("\\binom{2n}{n}", "\\frac{(2n)!}{(n!)^2}"),
    ],
)
def test_floors_ceilings_and_factorials_are_compared_at_whole_numbers(one: str, other: str) -> None:
    assert is_correct(one, other)
    assert is_correct(other, one)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("\\lceil\\frac n2\\rceil", "\\lfloor\\frac n2\\rfloor+1"),
        ("\\lceil x\\rceil", "\\lfloor x\\rfloor+1"),
        ("\\lceil n/3\\rceil", "\\lfloor n/3\\rfloor+1"),
        ("\\lfloor x/2\\rfloor", "\\lfloor (x+1)/2\\rfloor"),
        ("\\lceil x\\rceil", "\\lfloor x+1\\rfloor"),
        ("\\lfloor x\\rfloor", "x"),
        ("\\lceil\\frac{x}{2}\\rceil", "\\lfloor\\frac{x+1}{2}\\rfloor"),
        ("\\lfloor \\sqrt n\\rfloor", "\\lceil\\sqrt n\\rceil-1"),
        ("(-1)^n", "1"),
        ("(-1)^n", "(-1)^{n+1}"),
        ("\\lceil\\frac{n}{2}\\rceil", "\\lfloor\\frac{n}{2}\\rfloor"),
        ("\\lceil\\frac{n}{2}\\rceil", "\\frac{n+1}{2}"),
        ("\\lceil\\frac{n}{2}\\rceil", "\\frac{n}{2}"),
        ("\\lfloor\\frac{n+1}{2}\\rfloor", "\\lfloor\\frac{n+2}{2}\\rfloor"),
        ("\\lfloor\\frac{n}{4}\\rfloor", "\\lfloor\\frac{n+1}{4}\\rfloor"),
        ("\\lfloor\\frac{n}{10}\\rfloor", "\\lfloor\\frac{n+1}{10}\\rfloor"),
        ("\\lfloor x \\rfloor + \\lfloor y \\rfloor", "\\lfloor x+y \\rfloor"),
        ("n!", "(n+1)!"),
        ("\\lfloor n\\rfloor", "n-1"),
        ("\\lfloor \\log_2 n\\rfloor", "\\lceil\\log_2 n\\rceil-1"),
    ],
)
def test_floors_and_ceilings_that_differ_at_a_whole_number_are_different(one: str, other: str) -> None:
    assert not is_correct(one, other)
    assert not is_correct(other, one)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("\\sum_{k=1}^n k", "\\frac{n(n+1)}{2}"),
        ("\\sum_{k=0}^n 2^k", "2^{n+1}-1"),
        ("\\sum_{i=1}^{n} i^2", "\\frac{n(n+1)(2n+1)}{6}"),
        ("\\sum_{k=1}^{n} k^3", "\\left(\\frac{n(n+1)}{2}\\right)^2"),
        ("\\prod_{k=1}^n k", "n!"),
        ("\\sum_{k=0}^{n}\\binom{n}{k}", "2^n"),
        ("\\sum_{k=1}^{10} k", "55"),
        ("\\sum_{k=1}^{n}\\frac{1}{k(k+1)}", "\\frac{n}{n+1}"),
        ("\\sum_{k=1}^n k", "\\sum_{j=1}^{n} j"),
        ("\\sum_{k=0}^{n-1} 2^k", "2^n-1"),
        ("\\sum_{k=1}^{n}(2k-1)", "n^2"),
        ("\\sum_{k=0}^{n} x^k", "\\frac{x^{n+1}-1}{x-1}"),
        ("1+\\sum_{k=1}^{n} k", "\\frac{n^2+n+2}{2}"),
        ("\\sum_{k=1}^{\\infty}\\frac{1}{2^k}", "1"),
        ("\\sum_{n=1}^{\\infty}\\frac{1}{n^2}", "\\frac{\\pi^2}{6}"),
        ("\\prod_{k=1}^{n}\\frac{k+1}{k}", "n+1"),
        ("\\sum_{k=1}^{m} k", "\\frac{m(m+1)}2"),
    ],
)
def test_sums_and_products_are_compared_with_their_closed_forms(one: str, other: str) -> None:
    assert is_correct(one, other)
    assert is_correct(other, one)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("\\sum_{k=1}^n k", "\\frac{n(n-1)}{2}"),
        ("\\sum_{k=0}^n 2^k", "2^{n}-1"),
        ("\\sum_{k=1}^n k", "\\sum_{k=0}^{n-1} k"),
        ("\\sum_{k=1}^n k^2", "\\frac{n(n+1)}{2}"),
        ("\\sum_{k=1}^n k", "\\frac{m(m+1)}{2}"),
        ("\\prod_{k=1}^n k", "(n+1)!"),
        ("\\sum_{k=1}^n k", "5"),
        ("\\sum_{k=1}^n k", "n"),
        ("\\sum_{k=1}^{n}\\frac1k", "\\ln n"),
        ("\\sum_{k=1}^{10} k", "54"),
    ],
)
def test_sums_and_products_with_other_values_are_different(one: str, other: str) -> None:
    assert not is_correct(one, other)
    assert not is_correct(other, one)


def test_a_recursion_too_deep_for_python_is_no_wrong_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    def same(gold: str, answer: str) -> bool:
        if gold == answer:
            return True
        raise RecursionError

    monkeypatch.setattr(symbolic, "same", same)
    verdict = MathGrader().grade("\\sin x", "\\boxed{\\cos y}")
    assert (verdict.outcome, verdict.reason) == (Outcome.UNGRADED, "error: RecursionError")


@pytest.mark.parametrize(
    ("reference", "answer"),
    [
        ("\\lfloor n/5\\rfloor+\\lfloor n/25\\rfloor+\\lfloor n/125\\rfloor", "\\lfloor n/5\\rfloor+\\lfloor n/25\\rfloor"),
        ("n \\bmod 1000", "n"),
        ("n \\bmod 256", "n \\bmod 255"),
        ("\\lfloor n/1000\\rfloor", "0"),
        ("\\lceil n/365\\rceil", "1"),
        ("\\lfloor n/10^{12}\\rfloor", "0"),
        ("\\lfloor 0.001n\\rfloor", "0"),
        ("\\lfloor n^2/1000\\rfloor", "\\lfloor n^2/1001\\rfloor"),
        ("\\lfloor\\sqrt n/20\\rfloor", "0"),
        ("\\lfloor\\lfloor n/120\\rfloor/130\\rfloor", "0"),
        ("\\lfloor m/300\\rfloor\\lfloor n/200\\rfloor", "0"),
        ("\\binom{n}{200}", "\\binom{n}{201}"),
        ("(-1)^{\\lfloor n/200\\rfloor}", "1"),
        ("2^n \\bmod 1000", "2^n \\bmod 999"),
        ("\\min(n,100)", "n"),
        ("|x-1000|", "1000-x"),
        ("\\sum_{k=1}^{n}\\binom{k}{15}", "0"),
        ("\\sum_{k=1}^n\\lfloor k/20\\rfloor", "0"),
        ("\\sum_{k=1}^n\\lfloor k/3000\\rfloor", "0"),
        ("\\binom{n}{13}+\\sum_{k=1}^n k", "\\frac{n(n+1)}{2}"),
    ],
)
def test_what_begins_at_a_large_number_is_not_overlooked(reference: str, answer: str) -> None:
    assert not is_correct(reference, answer)
    assert not is_correct(answer, reference)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("\\sum_{k=1}^n 1000k", "500n(n+1)"),
        ("\\sum_{k=1}^n\\binom{k}{15}", "\\binom{n+1}{16}"),
        ("\\lfloor n/1000\\rfloor", "\\frac{n-(n\\bmod 1000)}{1000}"),
        ("\\lfloor n/1000\\rfloor", "\\lceil (n-999)/1000\\rceil"),
        ("\\sum_{k=1}^n\\lfloor k/3000\\rfloor", "\\sum_{j=1}^n\\left\\lfloor\\frac{j}{3000}\\right\\rfloor"),
        ("n!+10^{12}", "10^{12}+n(n-1)!"),
        ("\\binom{n}{200}", "\\frac{n!}{200!(n-200)!}"),
        ("\\min(n,100)", "\\frac{n+100-|n-100|}{2}"),
    ],
)
def test_large_numbers_in_steps_may_be_written_in_any_way(one: str, other: str) -> None:
    assert is_correct(one, other)
    assert is_correct(other, one)
