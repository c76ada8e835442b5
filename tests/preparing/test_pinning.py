"""Every worker runs the weights that a model's draws are stored under."""

from __future__ import annotations

from pathlib import Path

import pytest

from isocost.engines import checkpoints
from isocost.executors.jobs import EngineFacts, EngineSpec
from isocost.preparing.facts import cache_facts
from isocost.preparing.pinning import pin
from isocost.store import RunDirectory

OLD, NEW = "a" * 40, "b" * 40


def spec_of(base: Path, engine: str = "transformers", **options: object) -> EngineSpec:
    return EngineSpec(name=engine, options=tuple(sorted(options.items())), base=base)


@pytest.mark.parametrize("engine", ["transformers", "vllm"])
@pytest.mark.parametrize("revision", [None, "main", "v2"])
def test_a_name_on_the_hub_is_opened_at_the_commit_of_its_identity(tmp_path: Path, engine: str, revision: str | None) -> None:
    given = spec_of(tmp_path, engine, model="org/model", dtype="float32", **({"revision": revision} if revision else {}))
    pinned = pin(given, f"org/model@{OLD}")
    assert dict(pinned.options) == {"model": "org/model", "dtype": "float32", "revision": OLD}
    assert pinned.identity == f"org/model@{OLD}"


def test_a_branch_that_moves_between_two_starts_moves_no_worker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    commit = [OLD]
    monkeypatch.setattr(checkpoints, "commit_of", lambda name, revision: revision or commit[0])
    monkeypatch.setattr(checkpoints.Checkpoint, "config", lambda self: None)
    directory = RunDirectory(tmp_path / "run")

    def opened(spec: EngineSpec) -> str:
        return checkpoints.locate("org/model", tmp_path, dict(spec.options).get("revision"), None).opened()[0].identity()  # type: ignore[arg-type]

    found = []
    for commit[0] in (OLD, NEW):
        given = spec_of(tmp_path, model="org/model")
        facts = cache_facts(directory, lambda spec: EngineFacts(identity=opened(spec), size=None))(given)
        found.append((facts.identity, opened(pin(given, facts.identity))))
    assert found == [(f"org/model@{OLD}", f"org/model@{OLD}")] * 2


def test_runs_that_began_without_a_commit_resume_as_they_began(tmp_path: Path) -> None:
    given = spec_of(tmp_path, model="org/model")
    assert pin(given, "org/model@main") == given


def test_engines_without_weights_are_not_pinned(tmp_path: Path) -> None:
    for engine in ("openai", "replay", "parrot:open_engine"):
        given = spec_of(tmp_path, engine, model="org/model")
        assert pin(given, f"org/model@{OLD}") == given


def test_a_folder_must_have_the_contents_of_its_identity(tmp_path: Path) -> None:
    given = spec_of(tmp_path, model="folder")
    pinned = pin(given, "sha256:1234")
    assert (pinned.options, pinned.key, pinned.identity) == (given.options, given.key, "sha256:1234")
