"""Work on a Ray cluster: the same samples as on this machine, whatever dies on the way."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Any, cast

import psutil
import pytest

from isocost.config import ExecutorSpec
from isocost.engines.base import Request
from isocost.errors import InputError, MissingExtraError, RunError, StudyError
from isocost.executors.engineworker import EngineWorker
from isocost.executors.jobqueue import WorkerDiedError
from isocost.executors.jobs import Answers, EngineSpec, Job, Outcome, Storing
from isocost.executors.ray import cluster as clusters
from isocost.executors.ray import remote
from isocost.executors.ray.actor import make_picklable
from isocost.executors.ray.cluster import Cluster, load_ray
from isocost.executors.ray.remote import RayWorker, WasDeadError
from isocost.executors.ray.supervisor import Supervisor
from isocost.preparing.executing import ExecutorChoice
from isocost.records import ModelCard, SamplingParams
from isocost.running import run
from tests.builders import nested, raw_study, study, write_study

ON_RAY = ExecutorChoice(name="ray")
DYING = "tests.dying_engine:open_engine"


# With workers that only pretend


class Pretending:
    """A worker with engines in this process: dies before it is given something, in the middle, or after it has committed."""

    def __init__(self, number: int, dies: str = "") -> None:
        self.number, self.writer, self._dies = number, f"r{number}-{id(self):x}", dies
        self.dead = threading.Event()
        self._worker = EngineWorker(self.writer)

    def is_ready(self, files: Sequence[Path], timeout: float) -> bool:
        if self._dies == "unfit":
            raise InputError("executor: no good")
        if self._dies == "starting":
            raise WorkerDiedError("no memory")
        return self._dies != "never"

    def exchange(self, jobs: Sequence[Job], timeout: float, withdrawn: Collection[str]) -> list[Outcome]:
        if self._dies == "idle":
            raise WasDeadError("gone")
        if self._dies == "working":
            raise WorkerDiedError("killed")
        outcomes = self._worker.exchange(jobs, 10.0)
        if self._dies == "committed":
            raise WorkerDiedError("killed")
        return outcomes

    def call(self, function: Callable[[], Any]) -> Any:
        if self._dies:
            raise WorkerDiedError("killed")
        return function()

    def kill(self) -> None:
        self.dead.set()


def supervisor_of(*dies: str, size: int = 1) -> Supervisor:
    """Workers that die so, one after the other; those that come later are well."""
    fates = iter(dies)
    return Supervisor(lambda number: cast("RayWorker", Pretending(number, next(fates, ""))), size, [])


@pytest.fixture
def job(tmp_path: Path) -> Job:
    write_study(tmp_path)
    options = (("table", "table.parquet"), ("model", "weak"))
    card = ModelCard(
        name="weak",
        engine="replay",
        source="table.parquet",
        parameters=1000,
        parameters_are="declared",
        flops_per_token=2000.0,
        usd_per_million=None,
    )
    return Job(
        key="k1",
        spec=EngineSpec(name="replay", options=options, base=tmp_path),
        remote=False,
        queue="",
        concurrency=1,
        requests=(
            Request(problem_id="p00", prompt="", first_index=0, count=2),
            Request(problem_id="p01", prompt="", first_index=3, count=1),
        ),
        params=SamplingParams(max_tokens=64),
        seed=1,
        storing=Storing(stem=tmp_path / "pool", pool="pool", asked=("a", "b"), card=card),
    )


def texts(future: Future[Answers]) -> list[list[str]]:
    return [[draw.generation.splitlines()[0] for draw in draws] for draws in future.result(60).stored]


def lines(folder: Path) -> int:
    return sum(len(path.read_text().splitlines()) for path in folder.glob("pool.*.jsonl"))


@pytest.mark.parametrize("fate", ["working", "idle", "starting"])
def test_a_job_of_a_dead_worker_is_answered_by_the_next(job: Job, tmp_path: Path, fate: str) -> None:
    supervisor = supervisor_of(fate)
    answers = texts(supervisor.queue.put(job))
    assert [[text.split(":")[0] for text in each] for each in answers] == [[" Way 0", " Way 1"], [" Way 3"]]
    assert lines(tmp_path) == 1
    supervisor.close(wait=True)


def test_what_a_dead_worker_had_committed_is_not_bought_again(job: Job, tmp_path: Path) -> None:
    supervisor = supervisor_of("committed", "working")  # the second would die of it
    well = EngineWorker("w").exchange([job], 10.0)[0].answers
    dead = supervisor.queue.put(job).result(60)
    assert well is not None
    assert dead.stored == well.stored
    assert lines(tmp_path) == 2
    supervisor.close(wait=False)


def test_a_job_that_three_workers_die_of_fails(job: Job) -> None:
    supervisor = supervisor_of("working", "idle", "working", "idle", "working")
    with pytest.raises(RunError, match=r"3 workers in a row died at the same batch of the engine replay; the last: killed"):
        supervisor.queue.put(job).result(60)
    supervisor.close(wait=False)


def test_workers_that_die_idle_are_not_held_against_a_job(job: Job) -> None:
    supervisor = supervisor_of("idle", "idle", "idle", "idle")
    assert texts(supervisor.queue.put(job))
    supervisor.close(wait=True)


def test_a_function_is_run_again_by_the_next_worker() -> None:
    supervisor = supervisor_of("working")
    assert supervisor.call(lambda: 3) == 3
    supervisor.close(wait=True)
    with pytest.raises(RunError, match="3 workers in a row died at the same work"):
        supervisor_of("a", "b", "c").call(lambda: 3)


def test_a_fault_while_a_worker_starts_is_the_cause_of_the_error(job: Job) -> None:
    def broken(number: int) -> RayWorker:
        raise KeyError(number)

    with pytest.raises(RunError, match="no worker could start on the cluster: 0") as raised:
        Supervisor(broken, 1, []).queue.put(job).result(60)
    assert isinstance(raised.value.__cause__, KeyError)


def test_a_worker_that_is_of_no_use_fails_the_run(job: Job) -> None:
    supervisor = supervisor_of("unfit")
    with pytest.raises(InputError, match="no good"):
        supervisor.queue.put(job).result(60)
    with pytest.raises(InputError, match="no good"):
        supervisor.call(lambda: 3)
    supervisor.close(wait=False)


def test_when_no_worker_can_start_the_run_fails(job: Job) -> None:
    supervisor = supervisor_of("starting", "starting", "starting")
    with pytest.raises(RunError, match="no worker could start on the cluster: no memory"):
        supervisor.queue.put(job).result(60)
    supervisor.close(wait=False)


def test_a_cluster_without_room_is_not_waited_for_for_ever(job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("isocost.executors.ray.supervisor.NO_WORKER_TIMEOUT", 0.0)
    supervisor = supervisor_of("never")
    with pytest.raises(RunError, match="no room for a worker"):
        supervisor.queue.put(job).result(60)
    supervisor.close(wait=False)


def test_closing_does_not_wait_for_workers_that_have_not_come(job: Job) -> None:
    supervisor = supervisor_of("never")
    future = supervisor.queue.put(job)
    supervisor.close(wait=False)
    with pytest.raises(RunError, match="stopped"):
        future.result(60)


# What is said


class Sharing:
    """A cluster by its nodes."""

    def __init__(self, *nodes: dict[str, float]) -> None:
        self._nodes = nodes

    def is_initialized(self) -> bool:
        return True

    def nodes(self) -> list[dict[str, Any]]:
        return [{"Alive": True, "Resources": node} for node in self._nodes] + [{"Alive": False, "Resources": {"CPU": 99.0}}]


@pytest.mark.parametrize(
    ("nodes", "spec", "small", "expected"),
    [
        ([{"CPU": 4}, {"CPU": 2}], {}, True, (6, 1, 0)),
        ([{"CPU": 4}, {"CPU": 2}, {}], {}, False, (3, 2, 0)),
        ([{"CPU": 5}, {"CPU": 2}], {"cpus_per_worker": 2}, True, (3, 2, 0)),
        ([{"CPU": 8, "GPU": 2}, {"CPU": 8, "GPU": 2}, {"CPU": 64}], {}, False, (4, 1, 1)),
        ([{"CPU": 8, "GPU": 8}, {"CPU": 8, "GPU": 3}], {"gpus_per_worker": 4}, False, (2, 1, 4)),
        ([{"CPU": 8}], {"workers": 3}, True, (3, 1, 0)),
    ],
)
def test_the_cluster_is_shared_out(
    nodes: list[dict[str, float]], spec: dict[str, Any], small: bool, expected: tuple[int, int, int]
) -> None:
    share = Cluster(Sharing(*nodes), None, 1).share(ExecutorSpec(name="ray", **spec), small=small)
    assert (share.workers, share.cpus, share.gpus) == expected


def test_a_worker_that_fits_nowhere_is_an_error() -> None:
    with pytest.raises(InputError, match="a worker needs 8 CPUs, and the cluster has 1 nodes with 4 CPUs"):
        Cluster(Sharing({"CPU": 4}), None, 1).share(ExecutorSpec(name="ray", cpus_per_worker=8), small=True)


def test_the_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(MissingExtraError, match=r'pip install "isocost\[ray\]"'):
        load_ray()


def test_the_command_line_goes_over_the_study_file() -> None:
    here, there = ExecutorSpec(), ExecutorSpec(name="ray", workers=2, address="auto")
    assert ExecutorChoice().apply_to(there) == there
    assert ExecutorChoice(name="local").apply_to(there) == here
    assert ExecutorChoice(address="h:1").apply_to(there) == ExecutorSpec(name="ray", workers=2, address="h:1")
    assert ExecutorChoice(name="ray", address="auto").apply_to(here) == ExecutorSpec(name="ray", address="auto")
    with pytest.raises(InputError, match="--executor dask: is not known"):
        ExecutorChoice(name="dask").apply_to(here)
    with pytest.raises(InputError, match="goes with --executor ray"):
        ExecutorChoice(address="auto").apply_to(here)


def test_a_study_names_its_executor() -> None:
    assert study(executor="ray").executor == ExecutorSpec(name="ray")
    assert study(executor={"name": "ray", "workers": 3}).executor.workers == 3
    with pytest.raises(StudyError, match="executor: workers goes with name: ray"):
        study(executor={"workers": 3})
    with pytest.raises(StudyError, match=r"executor\.name"):
        study(executor="slurm")


class SpitefulError(Exception):
    def __init__(self, one: int, two: int) -> None:
        super().__init__(f"{one} and {two}")


def test_errors_that_cannot_be_sent_are_told_in_words() -> None:
    plain = ValueError("x")
    assert make_picklable(plain) is plain
    assert str(make_picklable(SpitefulError(1, 2))) == "SpitefulError: 1 and 2"


# On a Ray of this machine


@pytest.fixture(scope="module")
def ray() -> Iterator[Any]:
    pytest.importorskip("ray")
    package = load_ray()
    package.init(
        address="local", num_cpus=2, object_store_memory=80 * 2**20, include_dashboard=False, log_to_driver=False, configure_logging=False
    )
    yield package
    package.shutdown()


def same_samples(one: Path, other: Path) -> bool:
    return (one / "samples.parquet").read_bytes() == (other / "samples.parquet").read_bytes()


@pytest.fixture(scope="module")
def recorded_here(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A study of recorded models, run on this machine."""
    folder = tmp_path_factory.mktemp("recorded")
    run(write_study(folder), folder / "local")
    return folder


def dying(folder: Path, **options: object) -> Path:
    raw = raw_study()
    for name, model in raw["models"].items():
        raw = nested(raw, "models", name, value={**model, "engine": DYING, **options})
    return write_study(folder, models=raw["models"])


def test_a_recorded_study_gives_the_same_samples(ray: Any, recorded_here: Path) -> None:
    run(recorded_here / "study.yaml", recorded_here / "ray", executor=ON_RAY)
    assert same_samples(recorded_here / "local", recorded_here / "ray")
    assert not list((recorded_here / "ray").glob("pools/*/*.r*.jsonl"))  # sealed


@pytest.mark.slow
def test_a_worker_is_killed_in_the_middle(ray: Any, recorded_here: Path, tmp_path: Path) -> None:
    run(dying(tmp_path, dies="once"), tmp_path / "ray", executor=ON_RAY)
    assert not psutil.pid_exists(int((tmp_path / "once").read_text()))
    assert same_samples(recorded_here / "local", tmp_path / "ray")


@pytest.mark.slow
def test_an_engine_that_always_dies_fails_the_run(ray: Any, tmp_path: Path) -> None:
    with pytest.raises(RunError, match="3 workers in a row died at the same batch of the engine tests"):
        run(dying(tmp_path, dies="again", always=True), tmp_path / "ray", executor=ON_RAY)


@pytest.mark.slow
def test_students_are_trained_on_workers_as_on_this_machine(ray: Any, tmp_path: Path) -> None:
    pytest.importorskip("trl")
    study = tmp_path / "trained.yaml"
    study.write_text(
        """
name: trained
problems: {train: {source: lab, limit: 8}, test: {source: lab, split: test, limit: 4}}
models:
  weak:    {engine: transformers, model: "lab:weak", batch_size: 8}
  student: {engine: transformers, model: "lab:tiny", batch_size: 8}
prompt: {template: lab-2shot}
sampling: {max_tokens: 64}
budgets: {low: {unit: flops, match: {model: weak, samples_per_problem: 4}}}
arms: {weak: {models: [weak]}}
grader: {name: number}
finetune: {students: [student], arms: [weak], steps: 2, batch_size: 2, checkpoints: 1, seeds: [0, 1]}
"""
    )
    run(study, tmp_path / "local")
    run(study, tmp_path / "ray", executor=ON_RAY)
    assert same_samples(tmp_path / "local", tmp_path / "ray")
    weights = {name: sorted((tmp_path / name).glob("models/*/model.safetensors")) for name in ("local", "ray")}
    assert [path.parent.name for path in weights["local"]] == [path.parent.name for path in weights["ray"]]
    assert len(weights["ray"]) == 2
    from safetensors.torch import load_file

    for here, there in zip(*weights.values(), strict=True):
        one, other = load_file(here), load_file(there)
        # Workers may have another number of threads, and so another order of additions.
        assert all(one[key].allclose(other[key], atol=1e-5) for key in one)
    measured = json.loads((tmp_path / "ray" / "measures.json").read_text())
    assert {row["cell"] for row in measured["students"]} == {None, "weak@low"}


@pytest.mark.slow
def test_models_give_the_same_samples(ray: Any, tmp_path: Path) -> None:
    study = tmp_path / "models.yaml"
    study.write_text(
        """
name: models
problems: {train: {source: lab, limit: 6}}
models:
  weak:   {engine: transformers, model: "lab:tiny", batch_size: 4}
  strong: {engine: transformers, model: "lab:weak", batch_size: 4}
prompt: {template: lab}
sampling: {max_tokens: 32}
budgets: {low: {unit: flops, match: {model: strong, samples_per_problem: 2}}}
arms: {weak: {models: [weak]}, strong: {models: [strong]}}
grader: {name: number}
"""
    )
    run(study, tmp_path / "local")
    run(study, tmp_path / "ray", executor=ON_RAY)
    assert same_samples(tmp_path / "local", tmp_path / "ray")


@pytest.mark.slow
def test_nothing_outlives_a_driver_that_is_killed(recorded_here: Path, tmp_path: Path) -> None:
    study, out = dying(tmp_path, dies="begun", hangs=True), tmp_path / "ray"
    command = [sys.executable, "-m", "isocost", "run", str(study), "-o", str(out), "--executor", "ray"]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parent.parent)}
    driver = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=environment)
    while not (tmp_path / "begun").exists():
        assert driver.poll() is None, driver.communicate()
        time.sleep(0.1)
    # Ray's two agents end by themselves too, but take a minute or more to notice.
    workers = [
        p for p in psutil.Process(driver.pid).children(recursive=True) if not p.name().endswith(("Agent", "DashboardA", "RuntimeEnv"))
    ]
    assert {"raylet", "gcs_server"} < {worker.name() for worker in workers}
    assert any(worker.name().startswith("ray::Worker") for worker in workers)
    driver.kill()
    driver.communicate()
    assert psutil.wait_procs(workers, timeout=60)[1] == []
    done = subprocess.run(command, capture_output=True, text=True, timeout=240, env=environment, check=False)
    assert done.returncode == 0, done.stderr
    assert [line.partition(":")[0] for line in done.stdout.splitlines()[2:]] == ["report"]  # nothing of Ray's
    assert same_samples(recorded_here / "local", out)


@pytest.mark.slow
def test_another_version_is_refused(ray: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote, "own_version", lambda: "9.9")
    with pytest.raises(InputError, match=r"a node of the cluster has isocost .*, this machine 9\.9"):
        run(write_study(tmp_path), tmp_path / "ray", executor=ON_RAY)


@pytest.mark.slow
def test_a_run_directory_that_workers_do_not_see_is_named(ray: Any, tmp_path: Path) -> None:
    worker = RayWorker(ray, 0, clusters.Share(workers=1, cpus=1, gpus=0))
    with pytest.raises(InputError, match="does not see /nowhere/lock"):
        worker.is_ready([Path("/nowhere/lock")], 60.0)
    worker.kill()


def test_an_address_that_nobody_answers_at() -> None:
    pytest.importorskip("ray")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # and does not listen
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(InputError, match=f"Ray at {address}: cannot be reached"):
            clusters._check_reachable(address)
    for wrong in ("ray://host:1", "host", "host:x"):
        with pytest.raises(InputError, match="is not the address of a Ray cluster"):
            clusters._check_reachable(wrong)
