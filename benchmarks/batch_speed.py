"""One batch of many requests against the fake batch API of the tests: requests per second to submit and to collect, and memory.

Submitting is from the first request that is written until the endpoint's id of the batch is on the disk: rendering, the file, reservations,
upload, creation. Collecting is from the look that shows the end until the last answer is committed, entered in the ledger and graded: both
files, checks, the pool, verdicts. The endpoint's own work between the two is left out. Each phase has its time on the clock, and the
processor time of isocost's processes and of the fake, which other programs on the machine hardly lengthen. The driver and the process with
the endpoint's client work side by side, so the busier of them bounds the rate on idle cores. Memory is the largest resident size of the
driver, of any other process of it, and of all at once, until the last answer is graded and until the table of samples is written.
From the repository's root: `PYTHONPATH=src:. python benchmarks/batch_speed.py`.
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
import batch_speed; batch_speed.watch({marks!r}, {fake})
from pathlib import Path; from isocost import run; run(Path({study!r}), Path({out!r}), until='sample')
"""
QUESTION = (
    "A train with {n} cars leaves the station, and at each of the next {m} stops two cars are added. " * 2 + "How many cars has it then?"
)


def watch(marks: str, fake: int) -> None:
    """Write down when the steps of the batch begin and end: clock, and processor time of driver, other processes and fake.

    Args:
        marks: The file.
        fake: The process of the fake endpoint.
    """
    from isocost.dispatch.batches.submitting import Submitter
    from isocost.dispatch.batches.terms import Timing
    from isocost.ledger.submissions import Submissions
    from isocost.sampling import batches, cells

    batches.TIMING = Timing(poll=0.2, longest_poll=0.2)

    def mark(name: str) -> None:
        others = sum(sum(child.cpu_times()[:2]) for child in psutil.Process().children(recursive=True))
        endpoint = sum(psutil.Process(fake).cpu_times()[:2])
        with Path(marks).open("a") as file:
            file.write(json.dumps([name, [time.time(), time.process_time(), others, endpoint]]) + "\n")

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


def peaks(process: subprocess.Popen[bytes], marks: Path) -> tuple[list[float], list[float]]:
    """Return the largest resident MB of the driver, of any other process of it, and of all at once: while it buys, and until it ends."""
    driver = psutil.Process(process.pid)
    buying, whole = [0.0, 0.0, 0.0], [0.0, 0.0, 0.0]
    while process.poll() is None:
        try:
            own = driver.memory_info().rss / 1e6
            others = [child.memory_info().rss / 1e6 for child in driver.children(recursive=True)]
        except psutil.Error:
            continue
        whole = [max(a, b) for a, b in zip(whole, (own, max(others, default=0.0), own + sum(others)), strict=True)]
        if not marks.exists() or '"closed"' not in marks.read_text():
            buying = whole
        time.sleep(0.05)
    return buying, whole


def describe(what: str, seconds: list[float], requests: int) -> str:
    """Return the lines on a phase: its time on the clock, and the processor time of each side."""
    clock, driver, others, fake = seconds
    rates = [f"{requests / time:,.0f}" for time in (clock, max(driver, others), driver + others)]
    return (
        f"{what:12} {rates[0]} requests/s by the clock, by processor time {rates[1]} of the busier process, {rates[2]} of both\n"
        f"             {clock:.1f} s; processor time {driver:.1f} s driver, {others:.1f} s endpoint's client, {fake:.1f} s fake"
    )


def describe_memory(when: str, found: list[float]) -> str:
    """Return a line on memory."""
    return f"memory       {when}: driver {found[0]:,.0f} MB, largest other process {found[1]:,.0f} MB, all at once {found[2]:,.0f} MB"


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
        fake = psutil.Process().children()[0].pid
        names = {"scripts": str(Path(__file__).parent), "marks": str(base / "marks"), "fake": fake}
        text = RUN.format(**names, study=str(base / "study.yaml"), out=str(base / "out"))
        process = subprocess.Popen([sys.executable, "-W", "ignore", "-c", text], stderr=subprocess.DEVNULL)
        buying, whole = peaks(process, base / "marks")
        if process.returncode:
            raise SystemExit("the run failed")
        marks = dict(map(json.loads, (base / "marks").read_text().splitlines()))
        paid = bill(url)["lines"]
    print(f"requests     {requests:,} in one batch, {paid:,} on the endpoint's bill")
    total = [0.0] * 4
    for what, first, last in (("submitting", "begin", "created"), ("collecting", "state completed", "bought")):
        seconds = [after - before for before, after in zip(marks[first], marks[last], strict=True)]
        total = [a + b for a, b in zip(total, seconds, strict=True)]
        print(describe(what, seconds, requests))
    print(describe("both", total, requests))
    print(describe_memory("until the last answer is graded", buying))
    print(describe_memory("with the table of samples", whole))


if __name__ == "__main__":
    main()
