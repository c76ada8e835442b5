"""The blocks of CONTRIBUTING.md and README.md: files are valid, commands run as they are written."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

import isocost
from isocost.preparing.parts import known_parts
from isocost.problems import load_problems
from isocost.studyfile import load_study
from tests.engines.openai.server import Server
from tests.installed import install, mypy
from tests.openai_runs import Left, Shell
from tests.test_extras import EXTRAS

ROOT = Path(__file__).resolve().parents[1]
PAGES = {name: (ROOT / name).read_text(encoding="utf-8") for name in ("CONTRIBUTING.md", "README.md")}
SOURCES = Path(isocost.__file__).parents[1]
# The README's study downloads problems and models: here it has embedded problems and recorded samples instead.
OFFLINE = (
    "problems.train={source: lab, limit: 6}",
    "models.weak={engine: replay, table: recorded.jsonl, model: weak, params: 500000000}",
    "models.strong={engine: replay, table: recorded.jsonl, model: strong, params: 1500000000}",
)


def blocks(page: str, *languages: str) -> list[str]:
    """The fenced blocks of a page in some languages."""
    return re.findall(rf"(?ms)^```(?:{'|'.join(languages)})\n(.*?)^```", PAGES[page])


def commands(page: str) -> list[str]:
    """The commands of a page, without comments."""
    lines = (line for block in blocks(page, "console") for line in block.splitlines())
    return [re.sub(r"\s+# .*", "", line.removeprefix("$ ")) for line in lines if line.startswith("$ ")]


def endpoint_commands() -> list[str]:
    """The README's commands on its study of an endpoint, but the one that serves until it is stopped."""
    return [each for each in commands("README.md") if re.search(r" (endpoint\.yaml|runs/endpoint)", each) and " view " not in each]


def write_files(page: str, folder: Path) -> list[Path]:
    """Write the blocks that begin with the name of a file."""
    paths = []
    for block in blocks(page, "python", "yaml"):
        name = re.match(r"# ([\w.]+)\n", block)
        assert name, f"{page}: a block does not begin with the name of its file: {block[:60]}"
        paths.append(folder / name[1])
        paths[-1].write_text(block, encoding="utf-8")
    return paths


def run(command: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a command as a shell would, with this isocost."""
    own = f"PYTHONPATH=.:{shlex.quote(str(SOURCES))}"
    command = command.replace("PYTHONPATH=.", own) if command.startswith("PYTHONPATH=. ") else f"PYTHONPATH={SOURCES} {command}"
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return subprocess.run(
        ["bash", "-c", command], cwd=folder, env={**os.environ, "PATH": path}, capture_output=True, text=True, check=False
    )


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[[str], Left]:
    """The same in this process, without starting two of their own for every command; redirections are not understood."""
    monkeypatch.chdir(tmp_path)
    shell = Shell(monkeypatch, capsys)

    def run_here(command: str) -> Left:
        words = shlex.split(command)
        for path in tmp_path.glob("*.py"):  # another test has other modules of these names
            sys.modules.pop(path.stem, None)
        with monkeypatch.context() as patched:
            if words[0] == "PYTHONPATH=.":
                patched.syspath_prepend(tmp_path)
                words = words[1:]
            assert words[0] == "isocost"
            return shell(*words[1:])

    return run_here


def test_every_block_has_a_language() -> None:
    for name, page in PAGES.items():
        assert set(re.findall(r"(?m)^```(.+)$", page)) <= {"python", "yaml", "console"}, name
        assert page.count("\n```") == 2 * len(re.findall(r"(?m)^```.+$", page)), name


def test_make_and_pip_commands_name_what_exists() -> None:
    asked = [command for page in PAGES for command in (*commands(page), *re.findall(r"`((?:make|pip) [^`]+)`", PAGES[page]))]
    targets = {command.split()[1] for command in asked if command.startswith("make ")}
    assert {"demo", "test", "check", "docs"} <= targets
    for target in targets:
        assert subprocess.run(["make", "-n", target], cwd=ROOT, capture_output=True, check=False).returncode == 0, target
    for extra in re.findall(r'pip install [^`\n]*"?\.\[([\w,]+)\]', "\n".join(asked)):
        assert set(extra.split(",")) <= EXTRAS.keys()


def test_the_parts_are_typed(tmp_path: Path) -> None:
    modules = [path for path in write_files("CONTRIBUTING.md", tmp_path) if path.suffix == ".py"]
    assert len(modules) == 5
    found = mypy(modules, install(tmp_path / "installed"))
    assert found.returncode == 0, found.stdout + found.stderr


def test_every_part_runs_in_a_study(tmp_path: Path, here: Callable[[str], Left]) -> None:
    write_files("CONTRIBUTING.md", tmp_path)
    found = {}
    for number, command in enumerate(commands("CONTRIBUTING.md")):
        if number == 0:  # the engine's: worker processes have to find its module too
            done = run(command, tmp_path)
            assert done.returncode == 0, f"{command}\n{done.stderr}"
        else:
            left = here(command)
            assert left.code == 0, f"{command}\n{left.err}"
        out = re.search(r"-o runs/(\w+)", command)
        found[out[1] if out else "engine"] = tmp_path / "runs" / (out[1] if out else "parts")
    assert list(found) == ["engine", "grader", "source", "policy", "prompt"]
    samples = {name: pl.read_parquet(folder / "samples.parquet") for name, folder in found.items()}
    assert samples["engine"]["generation"].unique().to_list() == ["#### 2"]
    assert (found["grader"] / "verdicts" / "same-text-1").is_dir()
    assert set(samples["source"]["problem_id"]) == {f"{a}+{b}" for a in range(3) for b in range(3)}
    assert samples["source"].filter("correct")["problem_id"].unique().sort().to_list() == ["0+2", "1+1", "2+0"]
    # Rounds of 4, 3 and 1 draws: the problem whose answer is 2 leaves after the first, and the budget pays for 8.
    counts = dict(samples["policy"].group_by("problem_id").len().iter_rows())
    assert counts == {"0+0": 3, "0+1": 2, "1+0": 2, "1+1": 1}
    assert samples["prompt"].height == 8


def test_an_engine_without_all_members_is_told(tmp_path: Path, here: Callable[[str], Left]) -> None:
    write_files("CONTRIBUTING.md", tmp_path)
    engine = tmp_path / "parrot.py"
    engine.write_text(re.sub(r"    (remote|shares_prompts) = .*\n", "", engine.read_text()))
    left = here(commands("CONTRIBUTING.md")[0])
    assert left.code == 2
    assert "models.own.engine: parrot:open_engine has no remote, shares_prompts; isocost.engines.base.Engine says" in left.err


def test_the_readme_s_studies_are_valid(tmp_path: Path) -> None:
    names = [load_study(study, (), known_parts()).name for study in write_files("README.md", tmp_path)]
    assert names == ["gsm8k-qwen"]


def test_the_readme_s_endpoint_leads_to_a_training_set(
    tmp_path: Path, here: Callable[[str], Left], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The small model errs on every third problem; the page's problem is the first of ten."""
    from datasets import load_dataset

    write_files("README.md", tmp_path)
    monkeypatch.setenv("OPENAI_API_KEY", "unused")
    line = re.search(r'`(\{"question": .*?\})`', PAGES["README.md"])
    assert line
    rows = [json.loads(line[1]), *({"question": f"What is {i} * 7?", "answer": str(7 * i)} for i in range(20, 29))]
    (tmp_path / "problems.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows))

    def answer(prompt: str, seed: int | None, choice: int) -> str:
        factor = int(re.findall(r"What is (\d+)", prompt)[-1])
        return f"It is so. #### {7 * factor + (factor % 3 == 0 and (seed or 0) % 2)}"

    with Server(models=("small", "large"), answer=answer) as server:
        left = {command: here(re.sub(r"http://127.0.0.1:\d+/v1", server.url, command)) for command in endpoint_commands()}
    assert {each.code for each in left.values()} == {0}, left
    verbs = [command.split()[1] for command in left]
    assert verbs == ["init", "run", "run", "report", "export"]
    drafted, checked, ran, _, _ = left.values()
    assert drafted.err == "wrote endpoint.yaml: look through it, then\n  isocost run endpoint.yaml --dry-run\n"
    assert "The pilot draws 2 samples of each of 10 problems from weak and strong and costs at most" in checked.out
    assert "report: runs/endpoint/report.html" in ran.out
    assert "solutions and labels: isocost view runs/endpoint" in ran.err
    rows = load_dataset(str(tmp_path / "data"), split="train", cache_dir=str(tmp_path / "cache"))
    assert [message["role"] for message in rows[0]["messages"]] == ["user", "assistant"]


def test_the_readme_s_commands_run(tmp_path: Path, here: Callable[[str], Left]) -> None:
    write_files("README.md", tmp_path)
    line = re.search(r'`(\{"gold": .*?\})`', PAGES["README.md"])
    assert line
    (tmp_path / "answers.jsonl").write_text(line[1] + "\n")
    recorded = [
        {"problem_id": problem.id, "model": model, "generation": f"#### {problem.answer}", "num_generated_tokens": 9}
        for problem in load_problems("lab", {"limit": 6}, base=tmp_path)
        for model in ("weak", "strong")
        for _ in range(24)
    ]
    (tmp_path / "recorded.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in recorded))
    offline = " ".join(f"--set {shlex.quote(setting)}" for setting in OFFLINE)
    for command in commands("README.md"):
        _, verb, *_ = command.split()
        if not command.startswith("isocost ") or command in endpoint_commands():
            continue
        command = {"view": "isocost view --help", "plan": f"{command} {offline}", "run": f"{command} {offline}"}.get(verb, command)
        if ">" in command:
            done = run(command, tmp_path)
            assert done.returncode == 0, f"{command}\n{done.stderr}"
        else:
            left = here(command)
            assert left.code == 0, f"{command}\n{left.err}"
    assert (tmp_path / "runs" / "gsm8k-qwen" / "report.html").exists()
    assert '"outcome"' in (tmp_path / "verdicts.jsonl").read_text()


@pytest.mark.parametrize(
    "number",
    ["47.5 [45.0, 50.1]", "40.9 [38.4, 43.4]", "54.7 [52.2, 57.2]", "30.7 [28.4, 33.0]", "0.65 [0.61, 0.69]", "58.7 [53.0, 64.1]"],
)
def test_the_readme_s_numbers_are_those_of_the_recorded_report(number: str) -> None:
    assert number in PAGES["README.md"]
    assert number.replace(" ", "% ", 1) in (report := (ROOT / "docs/studies/demo.md").read_text(encoding="utf-8")) or number in report
