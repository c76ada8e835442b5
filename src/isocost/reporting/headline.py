"""The answer in two sentences, derived from the numbers, and the sentences that support it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from isocost.amounts import fixed, format_amount, listed, readable, settling
from isocost.metrics.settling import problems_to_settle
from isocost.records import ALL_STUDENTS, CellResult, Estimate, Failed, Results
from isocost.reporting.audits import labels_finding
from isocost.reporting.buying import buy, left_unspent, open_choice, paired_coverage, paired_kept, policy_findings, turned, unsettled
from isocost.reporting.numbers import count, decided, detects, percent
from isocost.reporting.rounds import rounds_finding

_MOST_STUDENTS = 4  # whose own differences are in the sentence; the table has all


@dataclass(frozen=True, slots=True, kw_only=True)
class _Effect:
    """The gain of one student, or of all on average, from the left data over the right."""

    student: str
    difference: Estimate
    detectable: float
    seeds: int | None = None

    @property
    def direction(self) -> int:
        """Return 1 if left is better, -1 if right is, 0 if the interval as printed (tenths of a point) contains 0."""
        return decided(self.difference, factor=100, decimals=1) or 0

    def gain(self) -> str:
        """Format the difference of a decided effect, with its sign flipped if needed to make it a gain."""
        return f"{self.student} {_points(self.difference if self.direction > 0 else turned(self.difference))}"

    def signed(self, way: int) -> str:
        """Format the difference as a gain of the left data (1) or of the right (-1), whether it is decided or not."""
        return f"{self.student} {_points(self.difference if way > 0 else turned(self.difference), unit='')}"

    def doubt(self) -> str:
        """Format the interval of an undecided effect."""
        low, high = self.difference.low, self.difference.high
        if low is None or high is None:
            return f"{self.student} (no interval)"
        return f"{self.student} ({fixed(low * 100, sign=True)} to {fixed(high * 100, sign=True)} points)"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Effects:
    """The gains of students from the left data over the right.

    Attributes:
        each: One per student.
        mean: The mean over all students; None for one student, or if a training failed.
    """

    each: tuple[_Effect, ...] = ()
    mean: _Effect | None = None

    @property
    def decider(self) -> _Effect | None:
        """The mean, if it decides; None if students do, each for itself: where there is no mean, or it hides that they disagree.

        Of several students one would differ by chance more often than the level of an interval says; their mean is one test.
        """
        disagree = {1, -1} <= {effect.direction for effect in self.each}
        return None if self.mean is not None and disagree and not self.mean.direction else self.mean

    @property
    def deciding(self) -> tuple[_Effect, ...]:
        """The effects that decide."""
        return self.each if self.decider is None else (self.decider,)


def headline(results: Results) -> str:
    """Return the verdict as one text."""
    return " ".join(verdict(results))


def verdict(results: Results) -> tuple[str, ...]:
    """Return what to buy and by how much, or what would settle it; then what it cost; then a warning per model that was cut off.

    The model to buy from is the one whose data trained the better students on average, or else covered more. The answer of an iterated
    study is what its rounds brought.
    """
    doubt = [f"{results.doubt[:1].upper()}{results.doubt[1:]}."] if results.doubt else []
    if results.rounds:
        return (*doubt, rounds_finding(results), *_cut_off(results))
    pair = main_pair(results)
    effects = _effects(results, pair)
    refused = _refused(results, pair)
    if refused and pair is not None:
        sentence = f"{refused}, so the comparison is not made (problems covered: {', '.join(map(_coverage, pair))})"
    elif pair is not None:
        sentence = _verdict(results, pair, effects) + left_unspent(results, pair)
    elif results.cells:
        sentence = f"one data set and nothing to compare it with, problems covered: {_coverage(results.cells[0])}"
    else:
        sentence = "no data was bought, so there is nothing to compare"
    setting, realised = _setting(results, pair)
    answer = f"{setting}{sentence if setting else sentence[:1].upper() + sentence[1:]}."
    failed = [] if refused else _failed(results, pair)
    rests = "" if refused else _one_seed(effects)
    observed = [] if refused else policy_findings(results, pair)
    return (*doubt, answer, *filter(None, [rests, *observed, labels_finding(results), realised]), *failed, *_cut_off(results))


def _one_seed(effects: _Effects) -> str:
    """Return what differences of students rest on if each was trained with one seed; else ""."""
    if not effects.each or any(effect.seeds != 1 for effect in effects.each):
        return ""
    n = count(effects.deciding[0].difference.n)
    return f"This rests on {n} test problems and one training seed: variance between seeds is not in the interval."


def _refused(results: Results, pair: tuple[CellResult, CellResult] | None) -> str:
    """Return the reason why two cells cannot be compared: a model that refused most problems; "" without one."""
    return " and ".join(each.warning(model) for model, each in _compared_failures(results, pair) if each.prevents)


def _failed(results: Results, pair: tuple[CellResult, CellResult] | None) -> list[str]:
    """Return a warning for each compared model that looks worse than it is because it refused problems."""
    return [f"{each.warning(model)}: they count as not covered." for model, each in _compared_failures(results, pair) if each.matters]


def _compared_failures(results: Results, pair: tuple[CellResult, CellResult] | None) -> list[tuple[str, Failed]]:
    """Return the models of the pair that have draws that failed, with these."""
    models = {model for cell in pair or () for model in cell.plan.models}
    return [(model, each) for model, each in results.failed.items() if model in models]


def _cut_off(results: Results) -> list[str]:
    """Return a warning about the models that look worse than they are because samples were cut off, one for those with the same limit."""
    shares: dict[str, list[str]] = {}
    for model, each in results.truncated.items():
        if each.matters:
            shares.setdefault(each.remedy, []).append(each.share_of(model))
    return [f"{listed(models)} samples {remedy}." for remedy, models in shares.items()]


def support(results: Results) -> tuple[str, ...]:
    """Return short sentences on the data: realised cost off the budget, and arms that were only measured."""
    pair = main_pair(results)
    trained = {item.cell for item in results.evaluations} | {name for item in results.comparisons for name in (item.left, item.right)}
    sentences: list[str] = []
    if pair is not None:
        sentences += _strayed(results, pair)
    if results.mixed_rates:
        sentences.append(
            f"Draws of {listed(results.mixed_rates)} were charged at other prices, or for another size, than the study has now: costs here "
            "are as charged, so comparisons by cost mix both."
        )
    done = trained | {each.cell for each in results.spendings}
    rest = [cell for cell in results.cells if cell not in (pair or ()) and cell.plan.cell.name not in done]
    only = "Measured only, no student was trained on it" if results.evaluations else "Also measured"
    for name in dict.fromkeys(cell.plan.cell.budget for cell in rest):
        cells = [cell for cell in rest if cell.plan.cell.budget == name]
        matched = len(cells) == 2 and name is not None
        text = _covering(results, (cells[0], cells[1])) if matched else ", ".join(_coverage(cell) for cell in cells[:4])
        label = "number-matched, not equal cost" if name is None else f"budget {name}"
        claim = "" if matched else "problems covered, "
        sentences.append(f"{only} ({label}): {claim}{text}{_more(len(cells) - 4)}.")
    return tuple(sentences)


def students_finding(results: Results) -> str:
    """Return which data made the better student; "" where no two data sets were compared by training."""
    pair = main_pair(results)
    effects = _effects(results, pair)
    if pair is None or not effects.each:
        return ""
    finding = _trained(_names(pair), effects)
    if effects.decider is not None:  # students' own differences, as gains of the same data
        way, each = effects.decider.direction or 1, effects.each
        finding += f" ({', '.join(effect.signed(way) for effect in each[:_MOST_STUDENTS])}{_more(len(each) - _MOST_STUDENTS)})"
    return f"{_sentence(finding)}."


def data_finding(results: Results) -> str:
    """Return which data covers more problems; of cells that are not compared, what they cover."""
    pair = main_pair(results)
    if pair is not None:
        return f"{_sentence(_covering(results, pair))}."
    return f"Problems covered: {', '.join(_coverage(cell) for cell in results.cells[:4])}{_more(len(results.cells) - 4)}."


def _sentence(text: str) -> str:
    """Capitalise the first letter of a sentence that starts with a word of ours, not with a name."""
    return text[:1].upper() + text[1:] if text.startswith(("data ", "no ", "it ")) else text


def main_pair(results: Results) -> tuple[CellResult, CellResult] | None:
    """Return the two cells to compare: the first pair compared by training, else the first two of one budget, else the first two."""
    cells = {cell.plan.cell.name: cell for cell in results.cells}
    for comparison in results.comparisons:
        if comparison.split == "test" and comparison.metric == "pass@1" and comparison.left in cells and comparison.right in cells:
            return cells[comparison.left], cells[comparison.right]
    for left in results.cells:
        for right in results.cells:
            if left is not right and left.plan.cell.budget is not None and left.plan.cell.budget == right.plan.cell.budget:
                return left, right
    return (results.cells[0], results.cells[1]) if len(results.cells) > 1 else None


def _effects(results: Results, pair: tuple[CellResult, CellResult] | None) -> _Effects:
    if pair is None:
        return _Effects()
    left, right = (cell.plan.cell.name for cell in pair)
    found = {}
    for item in results.comparisons:
        if item.split != "test" or item.metric != "pass@1" or {item.left, item.right} != {left, right}:
            continue
        difference = item.difference if item.left == left else turned(item.difference)
        found[item.student] = _Effect(student=item.student, difference=difference, detectable=item.detectable, seeds=item.seeds)
    mean = found.pop(ALL_STUDENTS, None)
    return _Effects(each=tuple(found.values()), mean=mean)


def _verdict(results: Results, pair: tuple[CellResult, CellResult], effects: _Effects) -> str:
    """Return what to buy and why: students decide if they differ, else coverage does, and an open question says what would settle it."""
    ways = {effect.direction for effect in effects.deciding} - {0}
    if ways:
        return buy(results, pair, ways) + _trained(_names(pair), effects)
    if not effects.each:
        paired = paired_coverage(results, pair)
        if _ways(paired):
            return buy(results, pair, _ways(paired)) + _covering(results, pair)
        is_open = open_choice(results, pair) if paired is not None else ""
        return is_open + _covering(results, pair) + unsettled(results, pair) + _more_solutions(results, pair)
    trained, paired = _trained(_names(pair), effects) + _settling(effects.deciding), paired_coverage(results, pair)
    bought = buy(results, pair, _ways(paired))
    if not bought or paired is None:
        return trained
    gain = _points(paired if (paired.value or 0.0) > 0 else turned(paired))
    return f"{bought}its data covers more problems, {gain}; {trained}"


def _more_solutions(results: Results, pair: tuple[CellResult, CellResult]) -> str:
    """Return which cell keeps more solutions per problem, to follow an open difference in coverage; "" if that is open too."""
    kept = paired_kept(results, pair)
    way = 0 if kept is None else decided(kept, factor=1, decimals=2) or 0
    if kept is None or not way:
        return ""
    first, second = _names(pair) if way > 0 else _names((pair[1], pair[0]))
    value, low, high = (fixed(end or 0, 2, sign=True) for end in _ends(kept if way > 0 else turned(kept)))
    return f"; data from {first} has more solutions per problem to train on than data from {second}, {value} [{low}, {high}]"


def _ends(estimate: Estimate) -> tuple[float | None, float | None, float | None]:
    return estimate.value, estimate.low, estimate.high


def _ways(paired: Estimate | None) -> set[int]:
    return set() if paired is None else {decided(paired, factor=100, decimals=1) or 0} - {0}


def _settling(effects: Sequence[_Effect]) -> str:
    """Return how many more test problems would settle the difference of the student that needs the fewest."""
    needed = {each: problems_to_settle(each.difference.n, each.difference.value or 0.0, each.detectable) for each in effects}
    known = {each: number for each, number in needed.items() if number is not None}
    if not known:
        return settling(None, 0, "test problem")
    first = min(known, key=lambda each: known[each] - each.difference.n)
    return settling(known[first], first.difference.n, "test problem") + (f" for {first.student}" if len(effects) > 1 else "")


def _trained(names: tuple[str, str], effects: _Effects) -> str:
    left, right = names
    if effects.decider is not None:
        return _trained_on_average(names, effects.decider, len(effects.each))
    deciding = effects.each
    wins, losses, doubts = ([effect for effect in deciding if effect.direction == way] for way in (1, -1, 0))
    undecided = _doubts(doubts)
    if not wins and not losses:
        among = "" if len(deciding) == 1 else f" in any of {len(deciding)} students"
        return f"no difference found between data from {left} and data from {right}{among}: {undecided}"
    tail = f"; no difference found for {undecided}" if doubts else ""
    if wins and losses:
        gains = [", ".join(effect.gain() for effect in group) for group in (wins, losses)]
        return f"it depends on the student: data from {left} was better for {gains[0]}, data from {right} for {gains[1]}{tail}"
    better, worse = (left, right) if wins else (right, left)
    decided = wins or losses
    among = "" if len(deciding) == 1 else f" in {len(decided)} of {len(deciding)} students"
    gained = ", ".join(effect.gain() for effect in decided)
    return f"data from {better} made a better student than data from {worse}{among}: {gained}{tail}"


def _trained_on_average(names: tuple[str, str], mean: _Effect, students: int) -> str:
    left, right = names
    among = f"on average over {students} students"
    if not mean.direction:
        return f"no difference found between data from {left} and data from {right} {_doubts([replace(mean, student=among)])}"
    better, worse = (left, right) if mean.direction > 0 else (right, left)
    gain = _points(mean.difference if mean.direction > 0 else turned(mean.difference))
    return f"data from {better} made better students than data from {worse}, {gain} {among}"


def _doubts(effects: Sequence[_Effect]) -> str:
    """Format the intervals of undecided effects, and the differences that this run could detect."""
    could = f"; {detects(*(effect.detectable for effect in effects))}" if effects else ""
    return ", ".join(effect.doubt() for effect in effects) + could


def _covering(results: Results, pair: tuple[CellResult, CellResult]) -> str:
    """Compare the coverage of two cells, paired by problem. Without pairs, claim a difference only if the intervals do not overlap."""
    paired = paired_coverage(results, pair)
    if paired is not None:
        effect = _Effect(student="", difference=paired, detectable=0.0)
        if effect.direction == 0:
            return f"no difference found in coverage{effect.doubt()}: {_coverage(pair[0])}, {_coverage(pair[1])}"
        first, second = pair if effect.direction > 0 else (pair[1], pair[0])
        names = _names((first, second))
        return (
            f"data from {names[0]} covers more problems than data from {names[1]},{effect.gain()}: {_coverage(first)}, {_coverage(second)}"
        )
    measured = [cell.measures.get("covered") for cell in pair]
    both = f"{_coverage(pair[0])}, {_coverage(pair[1])}"
    bounds = [(item.low, item.high) for item in measured if item is not None and item.low is not None and item.high is not None]
    if len(bounds) != 2:
        return both
    # Rounded as printed, so that the claim never contradicts the intervals beside it.
    (left_low, left_high), (right_low, right_high) = (tuple(round(end, 3) for end in ends) for ends in bounds)
    names = _names(pair)
    if left_low > right_high:
        return f"data from {names[0]} covers more problems than data from {names[1]}: {both}"
    if right_low > left_high:
        return f"data from {names[1]} covers more problems than data from {names[0]}: {both}"
    return f"no difference found in coverage, the intervals overlap: {both}"


def _coverage(cell: CellResult) -> str:
    covered = cell.measures.get("covered")
    name = cell.plan.cell.name
    if covered is None or covered.value is None:
        return f"{name} not measured"
    return f"{name} {percent(covered)} of {count(covered.n)}"


def _setting(results: Results, pair: tuple[CellResult, CellResult] | None) -> tuple[str, str]:
    """Return the start of the answer, the planned cost per problem or a note that costs are not equal, and a sentence on realised costs."""
    if not results.cells:
        return "", ""
    left, right = pair or (results.cells[0], results.cells[0])
    plans = left.plan, right.plan
    unit, amount = plans[0].unit, plans[0].amount
    if unit is None or amount is None or (unit, amount) != (plans[1].unit, plans[1].amount):
        return ("Not at equal cost: " if pair else ""), ""
    if not results.n_problems:
        return "", ""
    each = readable(unit, [amount / results.n_problems])

    def format_cost(cost: float) -> str:
        return format_amount(unit, cost / results.n_problems * each.problems)

    spent = [(cell.cost.amount(unit), name) for cell, name in zip((left, right), _names((left, right)), strict=True)]
    paid = {name: format_cost(cost) for cost, name in spent if cost is not None}
    is_planned = plans[0].basis == "planned"
    if set(paid.values()) == {format_cost(amount)} and len(paid) == len({name for _, name in spent}):
        return f"At {'a planned and realised ' if is_planned else ''}{format_cost(amount)} {each.words}, ", ""
    realised = f"Realised cost {each.words}: {', '.join(f'{name} {cost}' for name, cost in paid.items())}." if paid else ""
    return f"At {'a planned ' if is_planned else ''}{format_cost(amount)} {each.words}, ", realised


def _strayed(results: Results, pair: tuple[CellResult, CellResult]) -> list[str]:
    """Report realised cost over 5% off the budget. Counts planned for equal cost miss it if a model writes longer than assumed."""
    unit = pair[0].plan.unit
    if unit is None or not results.n_problems:
        return []
    spent = [(cell.plan.cell.name, cell.cost.amount(unit), cell.plan.amount) for cell in pair]
    off = {name: amount / planned - 1 for name, amount, planned in spent if amount is not None and planned}
    if all(abs(share) <= 0.05 for share in off.values()):
        return []
    text = ", ".join(f"{name} {fixed(100 * share, sign=True)}%" for name, share in off.items())
    if any(cell.plan.basis == "planned" for cell in pair):
        text += " (basis planned is an estimate; basis: realised and limit are hard)"
    return [f"Realised cost strayed from the budget: {text}."]


def _names(pair: tuple[CellResult, CellResult]) -> tuple[str, str]:
    """Return short names: the arms' where both cells have one budget, else the cells' full names."""
    left, right = (cell.plan.cell for cell in pair)
    same = left.budget == right.budget and left.budget is not None
    return (left.arm, right.arm) if same else (left.name, right.name)


def _points(estimate: Estimate, unit: str = " points") -> str:
    value, low, high = (fixed((end or 0) * 100, sign=True) for end in _ends(estimate))
    return f"{value}{unit} [{low}, {high}]"


def _more(number: int) -> str:
    return f" and {number} more" if number > 0 else ""
