"""What people type who know another tool, and what they are told."""

from __future__ import annotations

from pathlib import Path

import pytest

from isocost.engines import ENGINES
from isocost.errors import StudyError
from isocost.hints import is_prose, nearest
from isocost.preparing.parts import known_parts
from isocost.studyfile import load_study
from tests import openai_runs as runs
from tests.openai_runs import Shell, shell

__all__ = ["shell"]

MODEL = ("engine", "sampling", "prompt", "price", *ENGINES["openai"].keys)
WORDS = [
    ("max_tokens", MODEL, "sampling.max_tokens"),
    ("temperature", MODEL, "sampling.temperature"),
    ("max_completion_tokens", MODEL, "max_tokens_field: max_completion_tokens"),
    ("api_base", MODEL, "base_url"),
    ("api_key", MODEL, "api_key_env"),
    ("seed", MODEL, "seeds: false"),
    ("num_workers", MODEL, "concurrency"),
    ("base_ulr", MODEL, 'did you mean "base_url"?'),
    ("ollama", ENGINES, "base_url: http://localhost:11434/v1"),
    ("OpenAI", ENGINES, 'did you mean "openai"?'),
    ("HuggingFace", ENGINES, "transformers"),
    ("max_completion_tokens", ("temperature", "max_tokens"), "max_tokens_field"),
    ("nothing", ("a", "b"), "known: a, b"),
]


@pytest.mark.parametrize(("word", "valid", "said"), WORDS)
def test_a_word_of_another_tool_is_answered_with_ours(word: str, valid: tuple[str, ...], said: str) -> None:
    assert said in nearest(word, valid)


@pytest.mark.parametrize(
    ("text", "found"),
    [("Solve: {question}", True), ("Answer this", True), ("a\nb", True), ("math-4shot", False), ("own.prompts:ONE", False)],
)
def test_a_text_is_told_from_a_name(text: str, found: bool) -> None:
    assert is_prose(text) == found


def test_the_hints_are_in_the_messages_of_a_study(tmp_path: Path) -> None:
    raw = runs.raw("http://127.0.0.1:9/v1", prompt={"template": "Solve: {question}"}, sampling={"max_completion_tokens": 9})
    raw["models"]["weak"] |= {"max_tokens": 9, "api_base": "x", "engine": "openai"}
    raw["models"]["other"] = {"engine": "ollama", "model": "x"}
    with pytest.raises(StudyError) as error:
        load_study(runs.write(tmp_path, raw), [], known_parts())
    text = str(error.value)
    for said in ("write the text as form", "sampling.max_tokens", "it is base_url here", "localhost:11434", "max_tokens_field"):
        assert said in text, text


def test_a_path_from_the_home_folder_is_found(tmp_path: Path, shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    raw = runs.raw("http://127.0.0.1:9/v1", problems={"train": {"source": "jsonl", "path": "~/problems.jsonl"}})
    raw |= {"costs": {"prices": "~/prices.yaml"}, "models": {"weak": runs.model("http://127.0.0.1:9/v1", price=None)}}
    path = runs.write(tmp_path, raw)
    (tmp_path / "problems.jsonl").rename(home / "problems.jsonl")
    (home / "prices.yaml").write_text("dated: 2026-11-01\nmodels: {tiny: {input: 1, output: 2}}\n")
    left = shell("plan", path)
    assert left.code == 0, left
    assert "output $2.00" in left.out
