"""One batch of many requests against the fake batch API of the tests: requests per second to submit and to collect, and memory.

Submitting is from the first request that is written until the endpoint's id of the batch is on the disk: rendering, the file, reservations,
upload, creation. Collecting is from the look that shows the end until the last answer is committed, entered in the ledger and graded: both
files, checks, the pool, verdicts. The endpoint's own work between the two is left out. Memory is the largest resident size of the driver,
of any other process of it (that with the endpoint's client), and of all at once. From the repository's root:
`PYTHONPATH=src:. python benchmarks/batch_speed.py`.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import psutil

STUDY = """\
name: speed
problems: {{train: {{source: jsonl, path: problems.jsonl}}}}
models:
  weak:
    {{engine: openai, model: tiny, base_url: "{url}", batch: true, tokens_per_sample: 100, prompt_tokens: 50,
      price: {{input: 2, output: 20, batch: {{input: 1, output: 10}}}}}}
prompt: {{form: "Q: {{question}}\\nA:"}}
sampling: {{max_tokens: 512}}
limit: {{unit: usd, amount: 100000}}
budgets: {{low: {{unit: usd, amount: 100}}}}
grader: {{name: number}}
arms: {{weak: {{models: [weak], samples_per_problem: {samples}}}}}
"""
RUN = """\
import sys; sys.path.insert(0, {scripts!r})
import batch_speed; batch_speed.watch({marks!r})
from pathlib import Path; from isocost import run; run(Path({study!r}), Path({out!r}), until='sample')
"""
QUESTION = (
    "A train with {n} cars leaves the station, and at each of the next {m} stops two cars are added. " * 2 + "How many cars has it then?"
)


def watch(marks: str) -> None:
    """Write down when the steps of the batch begin and end."""
    from isocost.dispatch.batches.submitting import Submitter
    from isocost.dispatch.batches.terms import Timing
    from isocost.ledger.submissions import Submissions
    from isocost.sampling import batches, cells

    batches.TIMING = Timing(poll=0.2, longest_poll=0.2)

    def mark(name: str) -> None:
        others = sum(sum(child.cpu_times()[:2]) for child in psutil.Process().children(recursive=True))
        with Path(marks).open("a") as file:
            file.write(json.dumps([name, [time.time(), time.process_time(), others]]) + "\n")

    record, submit, buy = Submissions.record, Submitter.submit, cells.buy

    def recorded(self: Submissions, event: Any, id: str, **facts: Any) -> Any:
        if event == "state":
            mark(f"state {facts['status']}")
        found = record(self, event, id, **facts)
        mark(event)
        return found

    def submitted(self: Submitter) -> Any:
        mark("begin")
        return (yield from submit(self))

    def bought(*arguments: Any, **named: Any) -> None:
        buy(*arguments, **named)
        mark("bought")

    Submissions.record = recorded  # type: ignore[method-assign]
    Submitter.submit = submitted  # type: ignore[method-assign]
    cells.buy = bought


def peaks(process: subprocess.Popen[bytes]) -> list[float]:
    """Return the largest resident MB of the driver, of any other process of it, and of all at once, until it ends."""
    driver = psutil.Process(process.pid)
    found = [0.0, 0.0, 0.0]
    while process.poll() is None:
        try:
            own = driver.memory_info().rss / 1e6
            others = [child.memory_info().rss / 1e6 for child in driver.children(recursive=True)]
        except psutil.Error:
            continue
        found = [max(a, b) for a, b in zip(found, (own, max(others, default=0.0), own + sum(others)), strict=True)]
        time.sleep(0.05)
    return found


def describe(what: str, seconds: list[float], requests: int) -> str:
    """Return a line on a phase: its time on the clock, and the time of the processors, which other programs do not lengthen."""
    clock, driver, others = seconds
    rate = f"{requests / clock:,.0f} requests/s; processor time {driver:.1f} s of the driver, {others:.1f} s of other processes"
    return f"{what:12} {clock:.1f} s, {rate}: {requests / max(driver, others):,.0f} requests/s of the busier"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--problems", type=int, default=10_000)
    parser.add_argument("--samples", type=int, default=5)
    parser.add_argument("--words", type=int, default=100, help="words of each solution")
    given = parser.parse_args()
    sys.path.insert(0, str(Path(__file__).parent))
    from batch_kills import bill, serving

    requests = given.problems * given.samples
    with tempfile.TemporaryDirectory() as folder, serving("--words", str(given.words)) as url:
        base = Path(folder)
        rows = ({"id": f"p{n}", "question": QUESTION.format(n=n, m=n % 7), "answer": str(n % 10)} for n in range(given.problems))
        (base / "problems.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
        (base / "study.yaml").write_text(STUDY.format(url=url, samples=given.samples))
        names = {"scripts": str(Path(__file__).parent), "marks": str(base / "marks")}
        text = RUN.format(**names, study=str(base / "study.yaml"), out=str(base / "out"))
        process = subprocess.Popen([sys.executable, "-W", "ignore", "-c", text], stderr=subprocess.DEVNULL)
        driver, other, both = peaks(process)
        if process.returncode:
            raise SystemExit("the run failed")
        marks = dict(map(json.loads, (base / "marks").read_text().splitlines()))
        paid = bill(url)["lines"]
    print(f"requests     {requests:,} in one batch, {paid:,} on the endpoint's bill")
    total = [0.0, 0.0, 0.0]
    for what, first, last in (("submitting", "begin", "created"), ("collecting", "state completed", "bought")):
        seconds = [after - before for before, after in zip(marks[first], marks[last], strict=True)]
        total = [a + b for a, b in zip(total, seconds, strict=True)]
        print(describe(what, seconds, requests))
    print(describe("both", total, requests))
    print(f"memory       driver {driver:,.0f} MB, largest other process {other:,.0f} MB, all at once {both:,.0f} MB")


if __name__ == "__main__":
    main()
