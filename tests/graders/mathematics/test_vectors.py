r"""Products of vectors and matrices keep their order."""

import pytest

from tests.graders.mathematics.boxed import is_correct


@pytest.mark.parametrize(
    ("reference", "answer"),
    [
        ("\\mathbf{A}\\mathbf{B}", "AB"),
        ("\\bm{A}\\bm{B}", "\\mathbf{A}\\mathbf{B}"),
        ("\\mathbf{A}^{-1}\\mathbf{B}", "A^{-1}B"),
        ("2\\mathbf{A}\\mathbf{B}+\\mathbf{C}", "\\mathbf{C}+2\\mathbf{A}\\mathbf{B}"),
        ("(\\mathbf{A}+\\mathbf{B})\\mathbf{C}", "\\mathbf{A}\\mathbf{C}+\\mathbf{B}\\mathbf{C}"),
        ("\\mathbf{a}\\cdot\\mathbf{b}", "\\mathbf{b}\\cdot\\mathbf{a}"),
        ("2\\mathbf{a}+3\\mathbf{b}", "3\\mathbf{b}+2\\mathbf{a}"),
        ("3\\vec{a}-\\vec{b}", "-\\vec b+3\\vec a"),
        ("\\mathbf{x}=5", "5"),
        ("\\mathbf{C}", "C"),
    ],
)
def test_equal(reference: str, answer: str) -> None:
    assert is_correct(reference, answer)


@pytest.mark.parametrize(
    ("reference", "answer"),
    [
        ("\\mathbf{A}\\mathbf{B}", "BA"),
        ("\\mathbf{A}^{-1}\\mathbf{B}", "\\mathbf{B}\\mathbf{A}^{-1}"),
        ("\\mathbf{P}^{-1}\\mathbf{D}\\mathbf{P}", "\\mathbf{P}\\mathbf{D}\\mathbf{P}^{-1}"),
        ("\\boldsymbol{P}\\boldsymbol{Q}+1", "1+\\boldsymbol{Q}\\boldsymbol{P}"),
        ("\\mathbf{a}\\times\\mathbf{b}", "\\mathbf{b}\\times\\mathbf{a}"),
        ("\\mathbf{a}\\times\\mathbf{b}", "\\mathbf{a}\\cdot\\mathbf{b}"),
        ("\\vec a\\times\\vec b", "\\vec b\\times\\vec a"),
    ],
)
def test_different(reference: str, answer: str) -> None:
    assert not is_correct(reference, answer)
