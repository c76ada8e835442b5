from isocost.auditing import audit, false_positive_rate
from isocost.records import Audit
from tests.auditing.samples import RIGHT, WRONG, all_right, sample, study


def names(audits: list[Audit]) -> list[tuple[str, str]]:
    return [(a.sample_id.split("/")[0], a.sample_id.split("/")[1]) for a in audits]


def test_one_solution_a_problem_and_model_up_to_the_number_asked_for() -> None:
    samples = study()
    found = names(audit(samples, all_right(samples), per_model=7, seed=0))
    assert len(found) == len(set(found)) == 14
    assert [model for model, _ in found] == ["m0"] * 7 + ["m1"] * 7
    assert len(audit(samples, all_right(samples), per_model=None, seed=0)) == 40


def test_the_choice_is_the_seed_s_and_not_the_order_s() -> None:
    samples = study()
    verdicts = all_right(samples)
    found = audit(samples, verdicts, per_model=7, seed=0)
    assert audit(reversed(samples), verdicts, per_model=7, seed=0) == found
    assert audit(samples, verdicts, per_model=7, seed=1) != found


def test_problems_with_many_correct_solutions_are_not_favoured() -> None:
    samples = [sample("m", f"p{p}", i) for p in range(40) for i in range(20 if p < 20 else 1)]
    drawn = [name for seed in range(60) for _, name in names(audit(samples, all_right(samples), per_model=10, seed=seed))]
    many = sum(int(name[1:]) < 20 for name in drawn)
    assert 240 <= many <= 360  # 300 expected of 600, standard deviation about 11


def test_only_answer_correct_solutions_are_audited() -> None:
    samples = [sample("m", "p0", 0), sample("m", "p1", 0), sample("m", "p2", 0)]
    assert names(audit(samples, {"m/p0/0": RIGHT, "m/p1/0": WRONG}, per_model=None, seed=0)) == [("m", "p0")]


def test_a_solution_is_judged_by_its_equations() -> None:
    texts = ["2 + 2 = 4", "2 + 2 = 5, so 4", "four"]
    samples = [sample("m", f"p{i}", 0, text) for i, text in enumerate(texts)]
    found = {a.sample_id: (a.by, a.sound, a.first_false) for a in audit(samples, all_right(samples), per_model=None, seed=0)}
    assert found == {"m/p0/0": ("steps", True, None), "m/p1/0": ("steps", False, "2 + 2 = 5"), "m/p2/0": ("steps", None, None)}


def test_the_rate_is_over_what_could_be_checked() -> None:
    audits = [Audit(sample_id=str(i), by="steps", sound=sound) for i, sound in enumerate([True] * 19 + [False] + [None] * 5)]
    found = false_positive_rate(audits)
    assert (found.value, found.n, found.n_ungraded) == (0.05, 20, 5)
    assert found.low is not None
    assert found.high is not None
    assert 0.002 < found.low < 0.01
    assert 0.2 < found.high < 0.25


def test_nothing_checked_has_no_rate() -> None:
    found = false_positive_rate([Audit(sample_id="a", by="steps", sound=None)])
    assert (found.value, found.n, found.n_ungraded) == (None, 0, 1)
