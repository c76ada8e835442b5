"""kill -9 at random moments over one run: what is lost, what is bought twice, what is bought again, and whether the limit holds.

The run samples two models, two budgets an arm, under a limit. With `--engine dice` they are random numbers, which takes no time to load, so
that most kills come in the middle of buying; with `--engine transformers` they are the embedded models. One start in three is killed at a
random moment of its start-up, the others at a random time after their first batch, so that a slow machine is not killed in start-up only.
What an engine begins is counted by the engine itself. Then the run is completed and compared with one that was never killed. Each kill is
reported on standard error as it happens: 200 take about 20 minutes.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import polars as pl
import psutil

from isocost.engines.base import Engine, Generation, ModelSize, Request
from isocost.engines.batching import cut
from isocost.records import SamplingParams

STUDY = """\
name: kills
problems: {{train: {{source: lab, split: train, limit: {problems}}}}}
models:
  weak: {{engine: "kills:open_engine", model: "lab:tiny", batch_size: 32, params: 50000}}
  strong: {{engine: "kills:open_engine", model: "lab:weak", batch_size: 32, params: 400000}}
prompt: {{template: lab-2shot}}
sampling: {{temperature: 0.8, max_tokens: 64}}
budgets: {{low: {{unit: flops, match: {{model: strong, samples_per_problem: {samples}}}}}, half: {{unit: flops, basis: realised, match: {{model: strong, samples_per_problem: {half}}}}}}}
limit: {{unit: flops, amount: {limit}}}
grader: {{name: number}}
arms: {{weak: {{models: [weak]}}, strong: {{models: [strong]}}}}
"""  # noqa: E501
IN_STARTUP = 1 / 3  # the share of starts that are killed before they buy
RUN = "from pathlib import Path; from isocost import run; run(Path('study.yaml'), Path({out!r}), until='sample')"


class Counting:
    """An engine that writes down every batch that it begins."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.identity, self.size, self.render, self.batches, self.close = (
            engine.identity, engine.size, engine.render, engine.batches, engine.close,
        )  # fmt: skip
        self.remote, self.concurrency, self.shares_prompts = engine.remote, engine.concurrency, engine.shares_prompts

    def generate(self, batch: Sequence[Request], params: SamplingParams, seed: int) -> list[list[Generation]]:
        with open(os.environ["BEGUN"], "a") as begun:  # noqa: PTH123
            begun.write(f"{seed} {len(batch)}\n")
        return self._engine.generate(batch, params, seed)


class Dice:
    """Draws numbers for solutions, a batch in a tenth of a second: what starts quickly can be killed at work more often."""

    remote, concurrency, shares_prompts = False, 1, True

    def __init__(self, model: str) -> None:
        self.identity = f"dice:{model}"

    def size(self) -> ModelSize:
        return ModelSize(parameters=1000, description="none")

    def render(self, request: Request) -> str:
        return request.prompt

    def batches(self, requests: Sequence[Request]) -> list[tuple[Request, ...]]:
        return cut(requests, 32)

    def generate(self, batch: Sequence[Request], params: SamplingParams, seed: int) -> list[list[Generation]]:
        rng = random.Random(seed)
        time.sleep(0.1)
        return [[self._draw(rng, params) for _ in range(request.count)] for request in batch]

    def _draw(self, rng: random.Random, params: SamplingParams) -> Generation:
        tokens = rng.randrange(5, params.max_tokens)
        return Generation(
            text=f"#### {rng.randrange(100)}", num_prompt_tokens=9, num_generated_tokens=tokens, finish_reason="stop", sharing=1
        )

    def close(self) -> None:
        pass


def open_engine(options: Mapping[str, object], base: Path) -> Counting:
    if os.environ["ENGINE"] == "dice":
        return Counting(Dice(str(options["model"])))
    from isocost.engines.transformers.engine import open_engine as open_transformers

    return Counting(open_transformers(options, base))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--engine", choices=("dice", "transformers"), default="dice")
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--problems", type=int, default=100)
    parser.add_argument("--samples", type=int, default=60)
    parser.add_argument("--longest", type=float, default=0.5, help="seconds that a start lives at most after its first batch")
    given = parser.parse_args()
    os.environ["ENGINE"] = given.engine
    rng = random.Random(0)
    with tempfile.TemporaryDirectory() as folder:
        base = Path(folder)
        limit = given.problems * given.samples * 64 * 2 * 400000 * 4
        text = STUDY.format(problems=given.problems, samples=given.samples, half=given.samples / 2, limit=limit)
        (base / "study.yaml").write_text(text)
        (base / "kills.py").write_text(Path(__file__).read_text())
        starting = run_whole(base)
        kills, over = 0, 0
        while kills < given.kills:
            process = start(base, "killed")
            if completes(process, base, rng, starting, given.longest):
                break
            kill(process)
            kills += 1
            over += spent(base / "killed") > limit
            say(f"kill {kills} of {given.kills}: {len(begun(base, 'killed')):,} batches begun")
        say("completing the killed run")
        if start(base, "killed").wait():
            raise SystemExit("the killed run cannot be completed")
        compare(base, kills, over)


def run_whole(base: Path) -> float:
    """Complete a run without a kill; return the seconds until its first batch."""
    say("the uninterrupted run")
    before = time.perf_counter()
    process = start(base, "whole")
    while process.poll() is None and not begun(base, "whole"):
        time.sleep(0.05)
    starting = time.perf_counter() - before
    if process.wait():
        raise SystemExit("the uninterrupted run failed")
    say(f"complete after {time.perf_counter() - before:.1f} s, the first batch after {starting:.1f} s")
    return starting


def completes(process: subprocess.Popen[bytes], base: Path, rng: random.Random, starting: float, longest: float) -> bool:
    """Let a start live until the random moment of its kill; return True if it ended before."""
    if rng.random() < IN_STARTUP:
        seconds = rng.uniform(0.2, starting)
    else:
        before, seconds = len(begun(base, "killed")), rng.uniform(0, longest)
        while process.poll() is None and len(begun(base, "killed")) == before:
            time.sleep(0.01)
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        return False
    return True


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def start(base: Path, out: str) -> subprocess.Popen[bytes]:
    path = os.pathsep.join([str(base), os.environ.get("PYTHONPATH", "")])
    environment = {**os.environ, "PYTHONWARNINGS": "ignore", "BEGUN": str(base / f"{out}.begun"), "PYTHONPATH": path}
    return subprocess.Popen([sys.executable, "-W", "ignore", "-c", RUN.format(out=out)], cwd=base, env=environment)


def kill(process: subprocess.Popen[bytes]) -> None:
    """kill -9 for the driver alone; its workers have to notice."""
    children = psutil.Process(process.pid).children(recursive=True)
    process.send_signal(signal.SIGKILL)
    process.wait()
    _, alive = psutil.wait_procs(children, timeout=10)
    if alive:
        raise SystemExit(f"{len(alive)} workers outlived their driver: {alive}")


def begun(base: Path, out: str) -> list[str]:
    path = base / f"{out}.begun"
    return path.read_text().splitlines() if path.exists() else []


def spent(directory: Path) -> float:
    """What the ledger has, worst cases in flight included."""
    total, waiting = 0.0, {}
    ledger = directory / "ledger.jsonl"
    for line in ledger.read_bytes().split(b"\n")[:-1] if ledger.exists() else []:
        entry = json.loads(line)
        if entry["event"] == "reserve":
            waiting[entry["request"]] = entry["flops"]
        else:
            waiting.pop(entry["request"], None)
            total += entry.get("flops") or 0.0 if entry["event"] in ("done", "lost") else 0.0
    return total + sum(waiting.values())


def compare(base: Path, kills: int, over: int) -> None:
    whole, killed = (pl.read_parquet(base / out / "samples.parquet") for out in ("whole", "killed"))
    keys = ["model", "problem_id", "sample_index"]
    lost = whole.join(killed, on=keys, how="anti").height
    doubled = killed.height - killed.unique(keys).height
    counts = Counter(begun(base, "killed"))
    again = sum(counts.values()) - len(counts)
    events = Counter(json.loads(line)["event"] for line in (base / "killed" / "ledger.jsonl").read_text().splitlines())
    print(f"kills                        {kills}")
    print(f"samples                      {whole.height:,} in {len(counts)} batches")
    print(f"lost                         {lost}")
    print(f"stored twice                 {doubled}")
    print(f"batches begun a second time  {again} in all, {again / max(1, kills):.2f} a kill, {os.cpu_count()} engines at work")
    print(f"reservations done again      {events['redone']} (begun or waiting)")
    print(f"limit exceeded after a kill  {over} times; spent {spent(base / 'killed'):.4g}, uninterrupted {spent(base / 'whole'):.4g}")
    print(f"equal to uninterrupted       {whole.equals(killed)}")


if __name__ == "__main__":
    main()
