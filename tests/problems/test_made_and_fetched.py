import json
import socket
import sys
from functools import partial
from importlib.util import find_spec
from pathlib import Path

import pytest

from isocost.errors import MissingExtraError, ProblemsError
from isocost.problems import load_problems
from isocost.problems.reasoning_gym import split_seed

needs_datasets = pytest.mark.skipif(find_spec("datasets") is None, reason="datasets is not installed")
needs_gym = pytest.mark.skipif(find_spec("reasoning_gym") is None, reason="reasoning-gym is not installed")


def test_lab_problems(tmp_path: Path) -> None:
    problems = load_problems("lab", {"split": "test", "seed": 3, "skip": 2, "limit": 5}, base=tmp_path)
    assert [problem.id for problem in problems] == [f"lab-test-{i:05d}" for i in range(2, 7)]
    assert all(set(problem.metadata) == {"level", "scene"} and problem.answer.isdigit() for problem in problems)


@needs_datasets
def test_hub_reads_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_DATASETS_OFFLINE", "1")
    folder = tmp_path / "mine"
    folder.mkdir()
    rows = [{"question": f"Q{i}", "answer": str(i), "level": i} for i in range(3)]
    (folder / "train.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    problems = load_problems("hub", {"dataset": "mine", "limit": 2}, base=tmp_path)
    assert [(problem.id, problem.question, problem.answer) for problem in problems] == [
        ("mine-train-00000", "Q0", "0"),
        ("mine-train-00001", "Q1", "1"),
    ]
    assert problems[1].metadata == {"level": 1}
    with pytest.raises(ProblemsError, match=r'row 0: no field "text"; this row has: question, answer, level'):
        load_problems("hub", {"dataset": "mine", "question_field": "text"}, base=tmp_path)


@needs_datasets
def test_a_dataset_that_cannot_be_had_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def unreachable(*args: object, **kwargs: object) -> None:
        raise ConnectionError("no route\nto host")

    monkeypatch.setattr("datasets.load_dataset", unreachable)
    monkeypatch.setattr("isocost.problems.hub._answers", lambda dataset: True)
    for source, options in (("hub", {"dataset": "no/such"}), ("gsm8k", {}), ("math", {})):
        with pytest.raises(ProblemsError, match=r"cannot be loaded: no route$"):
            load_problems(source, options, base=tmp_path)


@needs_datasets
def test_without_a_network_nothing_is_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The library would try six times, half a minute for every split."""
    import datasets.config
    import huggingface_hub.constants

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        nobody = f"http://127.0.0.1:{free.getsockname()[1]}"
    monkeypatch.setattr(huggingface_hub, "HfApi", partial(huggingface_hub.HfApi, endpoint=nobody))
    offline: list[bool] = []

    def load_dataset(*args: object, **kwargs: object) -> None:
        offline.append(datasets.config.HF_HUB_OFFLINE and huggingface_hub.constants.HF_HUB_OFFLINE)
        raise ConnectionError("no route")

    monkeypatch.setattr("datasets.load_dataset", load_dataset)
    before = datasets.config.HF_HUB_OFFLINE
    with pytest.raises(ProblemsError, match=r"\(split train\) cannot be loaded: not on this machine, and the hub cannot be reached\n"):
        load_problems("hub", {"dataset": "no/such"}, base=tmp_path)
    assert offline == [True]
    assert datasets.config.HF_HUB_OFFLINE is before


@pytest.mark.parametrize(
    ("package", "extra", "source"), [("datasets", "hub", "hub"), ("datasets", "hub", "gsm8k"), ("reasoning_gym", "gym", "reasoning_gym")]
)
def test_a_missing_package_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, package: str, extra: str, source: str
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    options: dict[str, dict[str, object]] = {
        "hub": {"dataset": "x"},
        "gsm8k": {},
        "reasoning_gym": {"dataset": "basic_arithmetic", "size": 2},
    }
    with pytest.raises(MissingExtraError, match=rf"isocost\[{extra}\]"):
        load_problems(source, options[source], base=tmp_path)


def test_near_seeds_are_far_apart() -> None:
    seeds = [split_seed("basic_arithmetic", split, seed) for split in ("train", "test") for seed in range(50)]
    gaps = [abs(one - other) for i, one in enumerate(seeds) for other in seeds[:i]]
    assert min(gaps) > 10_000


@needs_gym
def test_reasoning_gym(tmp_path: Path) -> None:
    options: dict[str, object] = {"dataset": "basic_arithmetic", "size": 20, "seed": 1}
    problems = load_problems("reasoning_gym", options, base=tmp_path)
    assert len({problem.question for problem in problems}) == len(problems)
    other = load_problems("reasoning_gym", {**options, "seed": 2}, base=tmp_path)
    assert not {problem.question for problem in problems} & {problem.question for problem in other}
    with pytest.raises(ProblemsError, match="reasoning_gym"):
        load_problems("reasoning_gym", {**options, "dataset": "no_such_task"}, base=tmp_path)
