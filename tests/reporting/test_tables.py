import pytest

from isocost import amounts
from isocost.records import Cost, Estimate
from isocost.reporting import axes, numbers
from isocost.reporting.blocks import Table
from isocost.reporting.tables import Shown, costs, count, estimate, filled, problems, table, text
from tests.reporting.builder import estimate as share

FOUND = {"weak": share(0.4), "strong": share(None)}


def of_models(drawn: str | None = None, models: tuple[str, ...] = tuple(FOUND)) -> Table:
    shown: tuple[Shown[str], ...] = (
        text("Model", "model", str),
        estimate("Solved (%)", "solved", FOUND.get, numbers.percent, "nothing graded"),
        problems(FOUND.get),
        count("Letters", "letters", len),
    )
    return table(shown, models, key="k", title="t", caption="c", group=lambda model: model[0], drawn=drawn, axis=axes.shares)


def test_a_row_an_item_and_an_entry_a_column() -> None:
    made = of_models()
    assert [column.title for column in made.columns] == ["Model", "Solved (%) [95% interval]", "n problems", "Letters"]
    assert [[entry.text for entry in row.entries] for row in made.rows] == [
        ["weak", "40.0% [36.0, 44.0]", "400", "4"],
        ["strong", amounts.MISSING, "400", "6"],
    ]
    assert [row.group for row in made.rows] == ["w", "s"]
    assert made.rows[1].entries[1].remark == "nothing graded"
    assert made.drawn is None
    assert made.axis is None


def test_the_drawn_column_goes_by_its_key() -> None:
    made = of_models("solved")
    assert made.drawn == 1
    assert made.axis == axes.shares([FOUND["weak"]])
    with pytest.raises(ValueError, match="unsolved"):
        of_models("unsolved")


def test_tables_without_rows_are_left_out() -> None:
    full = of_models()
    assert filled([of_models(models=()), full]) == (full,)


def test_only_units_that_are_known_get_a_column() -> None:
    paid = [Cost(flops=2e12, usd=None), Cost(flops=None, seconds=61.0)]
    shown = costs("Spent", "spent", paid, lambda cost: cost)
    assert [each.column.key for each in shown] == ["spent_flops", "spent_seconds"]
    assert [[each.entry(cost).text for each in shown] for cost in paid] == [["2.0", amounts.MISSING], [amounts.MISSING, "0:01:01"]]
    assert costs("Spent", "spent", [], lambda cost: cost) == ()


@pytest.mark.parametrize(
    ("low", "high", "way"), [(0.01, 0.02, 1), (-0.02, -0.01, -1), (-0.01, 0.01, 0), (0.0004, 0.02, 0), (None, None, None)]
)
def test_a_difference_is_claimed_only_if_its_interval_as_printed_leaves_0_out(
    low: float | None, high: float | None, way: int | None
) -> None:
    found = Estimate(value=0.0, low=low, high=high, n=9)
    assert numbers.decided(found, factor=100, decimals=1) == way
