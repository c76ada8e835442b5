import pytest

from tests.graders.mathematics.boxed import is_correct


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("a\\ge b", "b\\le a"),
        ("x>y", "y<x"),
        ("a<b<c", "c>b>a"),
        ("x>2y", "y<x/2"),
        ("x>2y", "2y<x"),
        ("m>n", "n<m"),
        ("x<5", "5>x"),
        ("n\\ge k+1", "k+1\\le n"),
        ("x\\ge y", "x-y\\ge 0"),
        ("x>y", "x-y>0"),
        ("0<a\\le b", "b\\ge a>0"),
        ("a<b<c", "-c<-b<-a"),
        ("a<b", "b-a>0"),
        ("A\\le B", "B\\ge A"),
        ("x\\ne y", "y\\ne x"),
        ("a\\le b\\le c\\le d", "d\\ge c\\ge b\\ge a"),
        ("x>y^2", "y^2<x"),
        ("k<2m", "m>\\frac k2"),
        ("-x>y", "x<-y"),
        ("x_1<x_2", "x_2>x_1"),
        ("x<y, y<z", "y>x, z>y"),
    ],
)
def test_an_inequality_between_letters_may_be_turned_round(one: str, other: str) -> None:
    assert is_correct(one, other)
    assert is_correct(other, one)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("x>y", "y>x"),
        ("a\\ge b", "b<a"),
        ("a\\ge b", "a\\le b"),
        ("a<b<c", "c<b<a"),
        ("a<b<c", "c>b\\ge a"),
        ("x>2y", "y>x/2"),
        ("a<b<c", "a<c<b"),
        ("x>y", "x>z"),
        ("x>y", "x\\ge y"),
        ("x>2y", "y<2x"),
        ("a<b<c", "b>a>c"),
        ("x>y", "x<z"),
        ("x>2y", "y<x"),
        ("x>y", "(y,x)"),
        ("a<b<c", "a<b"),
    ],
)
def test_other_inequalities_are_different(one: str, other: str) -> None:
    assert not is_correct(one, other)
    assert not is_correct(other, one)
