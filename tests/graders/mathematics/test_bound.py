import pytest

from tests.graders.mathematics.boxed import is_correct


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("\\frac\\pi2+k\\pi, k\\in\\mathbb Z", "\\frac\\pi2+n\\pi, n\\in\\mathbb Z"),
        ("\\{x:x>2\\}", "\\{y:y>2\\}"),
        ("\\{2n:n\\in\\mathbb Z\\}", "\\{2k:k\\in\\mathbb Z\\}"),
        ("\\{x\\mid x>2\\}", "\\{t\\mid t>2\\}"),
        ("\\{x:x>2\\}", "(2,\\infty)"),
        ("x=\\frac\\pi4+k\\pi, k\\in\\mathbb{Z}", "x=\\frac\\pi4+n\\pi, n\\in\\mathbb{Z}"),
        ("2k\\pi \\text{ where } k \\text{ is an integer}", "2n\\pi, n\\in\\mathbb Z"),
        ("\\{n^2 : n\\in\\mathbb{N}\\}", "\\{k^2\\mid k\\in\\mathbb N\\}"),
        ("\\sum_{k=1}^{5} k", "\\sum_{j=1}^5 j"),
        ("\\{x \\in \\mathbb{R} : x>2\\}", "\\{y\\in\\mathbb R: y > 2\\}"),
        ("\\pi n, n\\in\\mathbb Z", "k\\pi, k\\in\\mathbb Z"),
        ("\\{2n:n\\in\\mathbb Z\\}", "\\{2n\\mid n\\in\\mathbb{Z}\\}"),
        ("\\{x:|x|<1\\}", "\\{y:|y|<1\\}"),
        ("\\pi k", "n\\pi, n\\in\\mathbb{Z}"),
    ],
)
def test_bound_letters_may_be_renamed(one: str, other: str) -> None:
    assert is_correct(one, other)
    assert is_correct(other, one)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("\\frac\\pi2+k\\pi, k\\in\\mathbb Z", "\\frac\\pi2+2n\\pi, n\\in\\mathbb Z"),
        ("\\{x:x>2\\}", "\\{y:y<2\\}"),
        ("\\{2n:n\\in\\mathbb Z\\}", "\\{3k:k\\in\\mathbb Z\\}"),
        ("k\\pi, k\\in\\mathbb Z", "n, n\\in\\mathbb{Z}"),
        ("k x, k\\in\\mathbb Z", "x, x\\in\\mathbb Z"),
        ("\\{x:x>a\\}", "\\{a:a>x\\}"),
        ("k", "n"),
        ("k\\pi", "n\\pi"),
        ("\\{2n:n\\in\\mathbb Z\\}", "\\{2k:k\\in\\mathbb N\\}"),
        ("\\{2n:n\\in\\mathbb Z\\}", "\\{2n+1:n\\in\\mathbb Z\\}"),
        ("ak, k\\in\\mathbb Z", "bn, n\\in\\mathbb Z"),
        ("x>2", "y>2"),
    ],
)
def test_free_letters_and_other_sets_are_different(one: str, other: str) -> None:
    assert not is_correct(one, other)
    assert not is_correct(other, one)
