"""Commands on the pages of the documents: isocost knows them and their options, and those of docs/start run as they are written."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import polars as pl
import pytest
from typer.testing import CliRunner

from isocost.cli import app
from tests.engines.openai.server import Server
from tests.openai_runs import Left, Shell

ROOT = Path(__file__).resolve().parents[1]
PAGES = sorted((*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")))
START = ROOT / "docs" / "start"


class Block(NamedTuple):
    """A fenced block: its language, its text, the file that it is, and why it is not run."""

    language: str
    text: str
    file: str | None
    not_run: str | None


def blocks(text: str) -> list[Block]:
    """The fenced blocks of a page; a line `NAME`: before one names its file, <!-- not run: REASON --> says why it is only parsed."""
    before = r"(?:^`(?P<file>[\w./-]+)`:\n\n)?(?:^<!-- not run: (?P<reason>[^\n]+) -->\n)?"
    pattern = rf"(?ms){before}^```(?P<language>\w*)\n(?P<text>.*?)^```"
    return [Block(found["language"], found["text"], found["file"], found["reason"]) for found in re.finditer(pattern, text)]


def commands(block: Block) -> list[str]:
    """The commands of a block, without the comments behind them."""
    lines = (line.removeprefix("$ ") for line in block.text.splitlines() if block.language == "console" and line.startswith("$ "))
    return [re.sub(r"\s+# .*", "", line) for line in lines]


def refused(command: str) -> str | None:
    """Why the command line does not know a command or one of its options; None if it does."""
    # --help is carried out once everything is parsed, in place of the command.
    found = CliRunner().invoke(app, [*shlex.split(re.split(r"\s+[<>|]", command)[0])[1:], "--help"])
    return None if found.exit_code == 0 else found.output


def all_commands() -> Iterator[tuple[str, str]]:
    """Each command of isocost with its page."""
    for page in PAGES:
        for block in blocks(page.read_text(encoding="utf-8")):
            for command in commands(block):
                if command.startswith("isocost "):
                    yield str(page.relative_to(ROOT)), command


@pytest.mark.parametrize(("page", "command"), list(all_commands()))
def test_the_command_line_knows_the_commands_of_the_pages(page: str, command: str) -> None:
    assert refused(command) is None


def test_wrong_commands_are_found() -> None:
    assert refused("isocost nowhere study.yaml") is not None
    assert refused("isocost run study.yaml --nothing") is not None
    assert refused("isocost run study.yaml --dry-run > plan.txt") is None
    (block,) = blocks("`a.json`:\n\n```json\n{}\n```\n")
    assert (block.file, block.not_run) == ("a.json", None)
    (block,) = blocks("<!-- not run: needs a cluster -->\n```console\n$ isocost run x.yaml   # comment\n```\n")
    assert (block.not_run, commands(block)) == ("needs a cluster", ["isocost run x.yaml"])


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[[str], Left]:
    """Run a command of isocost in the test's folder, workers as threads."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OPENAI_API_KEY", "none")
    shell = Shell(monkeypatch, capsys)
    return lambda command: shell(*shlex.split(command)[1:])


def write(page: str, folder: Path, change: Callable[[str], str] = lambda text: text) -> list[str]:
    """Write the files of a page of docs/start, changed, and return the commands of isocost that it runs, in order."""
    found = blocks((START / page).read_text(encoding="utf-8"))
    for block in found:
        if block.file:
            (folder / block.file).parent.mkdir(parents=True, exist_ok=True)
            (folder / block.file).write_text(change(block.text), encoding="utf-8")
    return [command for block in found if not block.not_run for command in commands(block) if command.startswith("isocost ")]


def run_all(page_commands: list[str], here: Callable[[str], Left]) -> dict[str, Left]:
    """Run the commands one after another; each must succeed.

    `isocost view` serves until it is stopped, so its help is shown. The studies that `isocost init` writes are there already, changed.
    Two orders of the draws are enough for a backtest.
    """
    done = {}
    for command in page_commands:
        changed = command.replace("isocost init ", "isocost init drafted-").replace("isocost backtest", "isocost backtest --seeds 2")
        done[command] = here("isocost view --help" if command.startswith("isocost view ") else changed)
        assert done[command].code == 0, f"{command}\n{done[command].err}"
    return done


def solve(prompt: str, seed: int | None, choice: int) -> str:
    """A sum, right four times in five."""
    a, b = map(int, re.findall(r"What is (\d+) \+ (\d+)", prompt)[-1]) if "What is" in prompt else (0, 0)
    return f"The sum is {a} + {b}.\n#### {a + b + ((seed or 0) + choice + a) % 5 // 4}"


@pytest.mark.slow
def test_the_page_about_endpoints_runs(tmp_path: Path, here: Callable[[str], Left]) -> None:
    with Server(models=["small", "large"], answer=solve) as server:
        page_commands = write("endpoint.md", tmp_path, lambda text: re.sub(r"http://127.0.0.1:\d+/v1", server.url, text))
        # The page has three problems for a pilot of fifty.
        rows = [{"id": f"s{i}", "question": f"What is {i} + {i + 7}?", "answer": str(2 * i + 7)} for i in range(20)]
        with (tmp_path / "problems.jsonl").open("a", encoding="utf-8") as file:
            file.writelines(f"{json.dumps(row)}\n" for row in rows)
        study = (tmp_path / "endpoint.yaml").read_text(encoding="utf-8")
        for old, new in (("problems: 50,", "problems: 8,"), ("max_tokens: 512", "max_tokens: 32")):
            assert old in study
            study = study.replace(old, new)
        (tmp_path / "endpoint.yaml").write_text(study, encoding="utf-8")
        run_all(page_commands, here)
    assert (tmp_path / "runs" / "endpoint" / "report.html").exists()
    assert any((tmp_path / "data").iterdir())


@pytest.mark.slow
def test_the_page_about_samples_runs(tmp_path: Path, here: Callable[[str], Left]) -> None:
    page_commands = write("samples.md", tmp_path)
    rows = [
        {"problem_id": f"p{p}", "model": model, "sample_index": i, "correct": (p * 7 + i * 3) % ease == 0, "num_generated_tokens": 30 + p}
        for model, ease in (("weak", 4), ("strong", 2))
        for p in range(30)
        for i in range(8)
    ]
    (tmp_path / "recorded.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")
    run_all(page_commands, here)
    assert pl.read_parquet(tmp_path / "table.parquet")["correct"].to_list() == [True, False]
    assert pl.read_parquet(tmp_path / "graded.parquet")["correct"].to_list() == [True, False]


@pytest.mark.slow
def test_the_page_about_a_gpu_runs_with_embedded_models(tmp_path: Path, here: Callable[[str], Left]) -> None:
    def embedded(text: str) -> str:
        for old, new in (
            ("Qwen/Qwen2.5-0.5B", '"lab:tiny"'),
            ("Qwen/Qwen2.5-1.5B", '"lab:weak"'),
            ("gsm8k-8shot", "lab-2shot"),
            ("{source: gsm8k, split: train, limit: 2000}", "{source: lab, split: train, limit: 12}"),
            ("{source: gsm8k, split: train, skip: 7000}", "{source: lab, split: validation, limit: 4}"),
            ("{source: gsm8k, split: test}", "{source: lab, split: test, limit: 4}"),
            ("max_tokens: 512", "max_tokens: 96"),
            ("  arms: [weak, strong]\n", "  arms: [weak, strong]\n  steps: 2\n"),
        ):
            assert old in text, old
            text = text.replace(old, new)
        return text

    run_all(write("gpu.md", tmp_path, embedded), here)
    assert (tmp_path / "runs" / "gsm8k" / "report.html").exists()


def test_pages_that_are_only_parsed_say_why() -> None:
    reasons = [block.not_run for page in START.glob("*.md") for block in blocks(page.read_text(encoding="utf-8")) if block.not_run]
    assert len(reasons) == 4
    assert all(reason.startswith(("needs ", "the study of another page")) for reason in reasons)
