"""The run directory is evidence: a ledger that was cut, removed or changed never lets a run spend past its limit, and is named."""

from __future__ import annotations

import json
import shlex
import shutil
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tests import openai_runs as runs
from tests.engines.openai.server import Server
from tests.matrices import first_fast
from tests.openai_runs import Left, Shell, shell

__all__ = ["shell"]

LIMIT = 0.02
Line = dict[str, Any]


@pytest.fixture
def server() -> Iterator[Server]:
    """An endpoint that fails now and then: some requests are lost and charged."""
    with Server(every={"500": 6}) as server:
        yield server


def study(folder: Path, server: Server, *, limit: float | None = LIMIT, samples: int = 3) -> Path:
    arms = {"weak": {"models": ["weak"], "samples_per_problem": samples}}
    return runs.write(folder, runs.raw(server.url, limit=limit and {"unit": "usd", "amount": limit}, arms=arms))


@pytest.fixture
def out(tmp_path: Path, shell: Shell, server: Server) -> Path:
    """A finished run under a limit."""
    left = shell("run", study(tmp_path, server), "-o", tmp_path / "out")
    assert left.code == 0, left
    assert runs.events(tmp_path / "out")["lost"]
    return tmp_path / "out"


def read(out: Path) -> list[bytes]:
    return (out / "ledger.jsonl").read_bytes().splitlines(keepends=True)


def write(out: Path, lines: list[bytes]) -> None:
    (out / "ledger.jsonl").write_bytes(b"".join(lines))


def spent(out: Path) -> float:
    return sum(line["usd"] for line in runs.ledger(out) if line["event"] in ("done", "lost"))


def is_told_well(left: Left, *words: str) -> None:
    """One line and a remedy, which never restarts the limit and never speaks of a fault of isocost."""
    said = "\n".join(left.errors)
    assert left.code in (1, 2), left
    assert len(left.errors) == 2, said
    assert all(word in said for word in words), said
    assert "fault of isocost" not in left.err
    assert not {"remove the ledger", "remove it", "delete"} & set(said.replace("never remove it", "").split("; ")), said


def wrong_verdicts(out: Path) -> list[tuple[str, str, bool]]:
    rows = pl.read_parquet(out / "samples.parquet").select("generation", "expected_answer", "correct").rows()
    return [row for row in rows if (row[0].rpartition("#### ")[2] == row[1]) != row[2]]


def test_draws_that_are_bought_again_are_judged_by_their_own_texts(tmp_path: Path, shell: Shell) -> None:
    """An endpoint answers otherwise when it is asked again, and a draw's id is not that of its text."""
    salt = [""]

    def answer(prompt: str, seed: int | None, choice: int) -> str:
        return f"It is so.\n#### {zlib.crc32(f'{prompt} {seed} {choice} {salt[0]}'.encode()) % 10}"

    with Server(answer=answer) as server:
        path, out = study(tmp_path, server, limit=None), tmp_path / "out"
        assert shell("run", path, "-o", out).code == 0
        assert not wrong_verdicts(out)
        before = {row["id"]: row["generation"] for row in runs.stored(out)}
        for file in out.glob("pools/weak/*.parts/*.parquet"):
            file.unlink()
        salt[0] = "later"
        assert shell("sample", out, "--force").code == 0
        left = shell("run", path, "-o", out)
        assert left.code == 0, left
        after = {row["id"]: row["generation"] for row in runs.stored(out)}
        assert after.keys() == before.keys()
        assert after != before
        assert not wrong_verdicts(out)


GONE: dict[str, Callable[[bytes], bytes | None]] = {
    "removed": lambda data: None,
    "emptied": lambda data: b"",
    "cut between lines": lambda data: b"".join(data.splitlines(keepends=True)[: data.count(b"\n") // 2]),
    "cut within a line": lambda data: data[: len(data) // 3],
    "first half cut off": lambda data: b"".join(
        line for line in data.splitlines(keepends=True) if json.loads(line)["request"] not in _begun(data)
    ),
}


def _begun(data: bytes) -> set[str]:
    """The requests of the first half of a ledger."""
    lines = [json.loads(line) for line in data.splitlines()]
    return {line["request"] for line in lines[: len(lines) // 2]}


@pytest.mark.parametrize("how", first_fast(GONE))
def test_a_run_with_a_limit_stops_where_the_ledger_lacks_what_was_paid(
    tmp_path: Path, shell: Shell, server: Server, out: Path, how: str
) -> None:
    whole = (out / "ledger.jsonl").read_bytes()
    damage(out, GONE[how](whole))
    asked = runs.completions(server)
    path = study(tmp_path, server, samples=6)
    left = shell("run", path, "-o", out)
    is_told_well(left, "ledger.jsonl: lacks ", "stored and paid", "$0.00", "restore it from a copy", "lower limit.amount")
    assert left.code == 2
    assert runs.completions(server) == asked
    assert shell("run", path, "-o", out).code == 2  # and again
    assert "warning: ledger.jsonl lacks lines" in shell("status", out).out

    (out / "ledger.jsonl").write_bytes(whole)
    assert shell("run", path, "-o", out).code in (0, 1)
    assert spent(out) <= LIMIT
    assert runs.completions(server) > asked


@pytest.mark.slow
@pytest.mark.parametrize("how", first_fast(GONE))
def test_a_lowered_limit_goes_on_and_counts_all_that_is_known(tmp_path: Path, shell: Shell, server: Server, out: Path, how: str) -> None:
    before = spent(out)
    damage(out, GONE[how]((out / "ledger.jsonl").read_bytes()))
    assert shell("run", study(tmp_path, server, samples=60), "-o", out).code == 2
    left = shell("run", study(tmp_path, server, limit=LIMIT * 0.9, samples=60), "-o", out)
    assert "it is counted again" in left.err
    assert "stopped at the limit" in left.errors[0]
    assert before < spent(out) <= LIMIT * 0.9  # what progress.json says of lost requests is counted too
    assert max(sum(pair) for pair in runs.balances(out)) <= LIMIT * 0.9
    left = shell("run", study(tmp_path, server, limit=LIMIT * 0.9, samples=60), "-o", out)
    assert left.code == 1
    assert "ledger.jsonl" not in left.err


@pytest.mark.parametrize("how", first_fast(GONE))
def test_without_a_limit_it_is_counted_again_with_a_note(tmp_path: Path, shell: Shell, server: Server, how: str) -> None:
    out, path = tmp_path / "out", study(tmp_path, server, limit=None)
    assert shell("run", path, "-o", out).code == 0
    before, asked = spent(out), runs.completions(server)
    damage(out, GONE[how]((out / "ledger.jsonl").read_bytes()))
    left = shell("run", path, "-o", out)
    assert left.code == 0, left
    assert [note for note in left.notes if "ledger.jsonl: lacks " in note and "it is counted again" in note]
    assert runs.completions(server) == asked
    assert spent(out) == pytest.approx(before)
    left = shell("run", path, "-o", out)
    assert "ledger.jsonl" not in left.err


@pytest.mark.slow
def test_lost_requests_alone_are_missed_too(tmp_path: Path, shell: Shell, server: Server, out: Path) -> None:
    lost = {line["request"] for line in runs.ledger(out) if line["event"] == "lost"}
    kept, closing = [], set()
    for line in read(out):  # each lost request with its reservation, not the one that it was sent again under
        entry = json.loads(line)
        if entry["request"] in lost and entry["request"] not in closing:
            closing |= {entry["request"]} if entry["event"] == "lost" else set()
            continue
        kept.append(line)
    write(out, kept)
    left = shell("run", study(tmp_path, server, samples=6), "-o", out)
    is_told_well(left, "that progress.json counts")


def test_closing_lines_that_were_cut_off_are_derived(tmp_path: Path, shell: Shell, server: Server, out: Path) -> None:
    """The reservation is still there: what is stored is done."""
    before, asked = spent(out), runs.completions(server)
    assert json.loads(read(out)[-1])["event"] != "reserve"
    write(out, read(out)[:-1])
    left = shell("run", study(tmp_path, server), "-o", out)
    assert left.code == 0, left
    assert spent(out) == pytest.approx(before)
    assert runs.completions(server) == asked


def double(event: str) -> Callable[[list[bytes]], list[bytes]]:
    def change(lines: list[bytes]) -> list[bytes]:
        at = next(i for i, line in enumerate(lines) if json.loads(line)["event"] == event)
        return [*lines[: at + 1], lines[at], *lines[at + 1 :]]

    return change


def edit(event: str, /, **changes: Any) -> Callable[[list[bytes]], list[bytes]]:
    def change(lines: list[bytes]) -> list[bytes]:
        at = next(i for i, line in enumerate(lines) if json.loads(line)["event"] == event)
        # Without the checksum, as lines of earlier versions are.
        entry = {key: value for key, value in (json.loads(lines[at]) | changes).items() if key != "check" and value != "gone"}
        return [*lines[:at], json.dumps(entry).encode() + b"\n", *lines[at + 1 :]]

    return change


def replace(line: bytes) -> Callable[[list[bytes]], list[bytes]]:
    return lambda lines: [*lines[:3], line + b"\n", *lines[4:]]


CHANGES: dict[str, tuple[Callable[[list[bytes]], list[bytes]], str]] = {
    "doubled reserve": (double("reserve"), "doubled"),
    "doubled done": (double("done"), "doubled"),
    "doubled lost": (double("lost"), "doubled"),
    "cheaper done": (edit("done", usd=1e-9), "was changed by hand"),
    "dearer done": (edit("done", usd=0.1), "was changed by hand"),
    "fewer tokens": (edit("done", tokens=1), "was changed by hand"),
    "cheaper lost": (edit("lost", usd=0.0), "than was reserved"),
    "other request": (edit("done", request="another"), "not open"),
    "negative": (edit("done", usd=-1.0), '"usd" is -1.0'),
    "text for a cost": (edit("done", usd="1"), '"usd" is "1"'),
    "no number": (edit("lost", usd=float("nan")), '"usd" is NaN'),
    "lacks a key": (edit("done", tokens="gone"), 'lacks "tokens"'),
    "unknown event": (edit("done", event="found"), "event 'found'"),
    "a list": (replace(b"[1, 2]"), "not an object"),
    "a number": (replace(b"7"), "not an object"),
    "null": (replace(b"null"), "not an object"),
    "no JSON": (replace(b'{"event": "done", "requ'), "not JSON"),
    "a NUL byte": (replace(b"\0\0\0"), "not JSON"),
    "no UTF-8": (replace(b'{"event": "\xff\xfe"}'), "not UTF-8"),
    "empty": (replace(b""), "not JSON"),
    "too deep": (replace(b"[" * 100_000), "not JSON"),
    "a huge number": (replace(b"1" * 5000), "not JSON"),
}


@pytest.mark.parametrize("how", first_fast(CHANGES))
def test_a_line_that_was_changed_is_named(tmp_path: Path, shell: Shell, server: Server, out: Path, how: str) -> None:
    change, words = CHANGES[how]
    write(out, change(read(out)))
    asked = runs.completions(server)
    left = shell("run", study(tmp_path, server, samples=6), "-o", out)
    is_told_well(left, "ledger.jsonl:", words, "restore")
    assert runs.completions(server) == asked
    assert "fault of isocost" not in shell("status", out).err
    assert shell("status", out).code == 0


def damage(out: Path, data: bytes | None) -> None:
    if data is None:
        (out / "ledger.jsonl").unlink()
    else:
        (out / "ledger.jsonl").write_bytes(data)


@pytest.mark.slow
def test_a_ledger_of_engines_on_this_machine_is_counted_again_under_a_limit(tmp_path: Path, shell: Shell) -> None:
    """Nobody charges for what a kill cut off here, so all that was paid is stored."""
    from tests.builders import write_study

    out = tmp_path / "out"
    path = write_study(tmp_path, limit={"unit": "flops", "amount": 1e9})
    assert shell("run", path, "-o", out).code == 0
    whole = runs.ledger(out)
    for how in GONE.values():
        damage(out, how((out / "ledger.jsonl").read_bytes()))
        left = shell("run", path, "-o", out)
        assert left.code == 0, left
        assert "it is counted again" in left.err
        assert sum(x["flops"] for x in runs.ledger(out) if x["event"] == "done") == pytest.approx(
            sum(x["flops"] for x in whole if x["event"] == "done")
        )


def test_draws_that_are_gone_are_not_bought_again_unasked(tmp_path: Path, shell: Shell, server: Server, out: Path) -> None:
    (part,) = out.glob("pools/weak/*.parts/*.parquet")
    data, asked, before = part.read_bytes(), runs.completions(server), spent(out)
    part.unlink()
    path = study(tmp_path, server)
    left = shell("run", path, "-o", out)
    is_told_well(left, f"{part}: 24 draws of 24 batches that were paid ($0.00", f"isocost sample {out} --force")
    assert runs.completions(server) == asked

    part.write_bytes(data)
    assert shell("run", path, "-o", out).code == 0
    assert runs.completions(server) == asked

    part.unlink()
    left = shell("sample", out, "--force")
    assert left.code == 0, left
    assert spent(out) > 1.5 * before
    assert spent(out) <= LIMIT
    assert pl.read_parquet(out / "samples.parquet").height == 24
    left = shell("run", path, "-o", out)
    assert left.code == 0, left


def test_samples_that_are_all_there_are_not_thrown_away(shell: Shell, out: Path) -> None:
    left = shell("sample", out, "--force")
    assert left.errors == ["error: samples are paid for and never thrown away", "  use another folder to sample again"]
    assert left.code == 2


def rename_pool(out: Path) -> None:
    (folder,) = out.glob("pools/weak/*.parts")
    folder.rename(folder.with_name("0123456789abcdef.parts"))


def rename_model(out: Path) -> None:
    (out / "pools" / "weak").rename(out / "pools" / "other")


@pytest.mark.slow
@pytest.mark.parametrize("move", first_fast([rename_pool, rename_model]))
def test_draws_that_were_moved_are_named_and_not_bought_again(
    tmp_path: Path, shell: Shell, server: Server, out: Path, move: Callable[[Path], None]
) -> None:
    asked, path = runs.completions(server), study(tmp_path, server, samples=6)
    move(out)
    for left in (shell("run", path, "-o", out), shell("sample", out, "--force")):
        is_told_well(left, "holds 24 batches that were paid and stored in ", "move them back")
    assert runs.completions(server) == asked


@pytest.mark.slow
@pytest.mark.parametrize("where", first_fast(["pools/weak copy", "pools/weak/kept"]))
def test_a_copy_of_a_pool_beside_it_is_not_a_second_bill(tmp_path: Path, shell: Shell, server: Server, out: Path, where: str) -> None:
    """People keep copies where the originals are."""
    (folder,) = out.glob("pools/weak/*.parts")
    copy = out / where
    shutil.copytree(out / "pools" / "weak" if where.endswith("copy") else folder, copy if where.endswith("copy") else f"{copy}.parts")
    before, asked = spent(out), runs.completions(server)
    left = shell("run", study(tmp_path, server), "-o", out)
    assert left.code == 0, left
    assert spent(out) == before
    assert runs.completions(server) == asked


def test_a_remedy_can_be_pasted_into_a_shell(tmp_path: Path, shell: Shell, server: Server, out: Path) -> None:
    """Unquoted, a shell would take `a[1]` to a folder `a1`: another run."""
    odd = out.rename(tmp_path / "a[1] $(b)")
    (part,) = odd.glob("pools/weak/*.parts/*.parquet")
    part.unlink()
    left = shell("run", study(tmp_path, server), "-o", odd)
    assert shlex.split(left.errors[1].partition("isocost sample ")[2]) == [str(odd), "--force"]


@pytest.mark.slow
def test_a_model_that_was_renamed_is_not_bought_again(tmp_path: Path, shell: Shell, server: Server, out: Path) -> None:
    path, before, asked = study(tmp_path, server, limit=2 * LIMIT), spent(out), runs.completions(server)
    former = path.read_text()
    path.write_text(former.replace("  weak:\n    engine", "  renamed:\n    engine").replace("- weak", "- renamed"))
    for _ in range(2):
        is_told_well(shell("run", path, "-o", out), 'models.renamed was called "weak"', "give it the name that it had")
    assert (spent(out), runs.completions(server)) == (before, asked)
    path.write_text(former)
    left = shell("run", path, "-o", out)
    assert left.code == 0, left


@pytest.mark.parametrize(("key", "value"), [("temperature", 0.3), ("base_url", None)])
def test_draws_that_count_no_more_are_told_before_others_are_bought(
    tmp_path: Path, shell: Shell, server: Server, out: Path, key: str, value: object
) -> None:
    path, kept = study(tmp_path, server, limit=2 * LIMIT), len(runs.stored(out))
    with pytest.MonkeyPatch.context() as no_proxy:
        no_proxy.setenv("NO_PROXY", "*")
        changed = f"sampling.{key}={value}" if value else f"models.weak.base_url={server.url.replace('127.0.0.1', 'localhost')}"
        left = shell("run", path, "-o", out, "--set", changed)
    assert left.code == 0, left
    told = f"weak: it is sampled from the start; its {kept} stored draws of before do not count, as the model (its weights "
    assert left.err.count(told) == 1, left.err
    assert "sampled from the start" not in shell("run", path, "-o", out, "--set", changed).err


def test_a_price_that_was_corrected_is_told_where_it_is_compared(tmp_path: Path, shell: Shell, server: Server, out: Path) -> None:
    path, before, asked = study(tmp_path, server, limit=2 * LIMIT), spent(out), runs.completions(server)
    said = "Draws of weak were charged at other prices, or for another size, than the study has now"
    assert said not in (out / "report.md").read_text()
    for start in range(2):
        left = shell("run", path, "-o", out, "--set", "models.weak.price={input: 2.0, output: 30.0}")
        assert left.code == 0, left
        assert left.err.count("the price or the size of weak has changed") == (start == 0)  # once
        assert said in (out / "report.md").read_text()
    assert (spent(out), runs.completions(server)) == (before, asked)
    left = shell("run", path, "-o", out)  # the price of all draws again: none was bought at the other one
    assert left.code == 0, left
    assert "has changed" not in left.err
    assert said not in (out / "report.md").read_text()


@pytest.mark.slow
def test_what_is_gone_of_a_renamed_model_is_missed(tmp_path: Path, shell: Shell, server: Server, out: Path) -> None:
    """Both names ask the same requests, under the same keys of the ledger, as in runs of versions that bought a renamed model again."""
    path = study(tmp_path, server, limit=2 * LIMIT)
    path.write_text(path.read_text().replace("  weak:\n    engine", "  renamed:\n    engine").replace("- weak", "- renamed"))
    shutil.rmtree(out / "pools" / "weak")  # else the run stops
    assert shell("run", path, "-o", out).code == 0
    for part in (out / "pools" / "renamed").glob("*.parts/*.parquet"):
        part.unlink()
    asked = runs.completions(server)
    is_told_well(shell("run", path, "-o", out), "pools/renamed", "that were paid", "--force")
    assert runs.completions(server) == asked


@pytest.mark.slow
@pytest.mark.parametrize("times", first_fast([2, 3]))
def test_a_ledger_that_was_appended_to_itself_is_told_with_the_lines_to_keep(
    tmp_path: Path, shell: Shell, server: Server, out: Path, times: int
) -> None:
    lines, bill = read(out), spent(out)
    write(out, lines * times)
    asked = runs.completions(server)
    left = shell("run", study(tmp_path, server), "-o", out)
    if times == 2:
        is_told_well(left, "ledger.jsonl: the second half of the file is a copy of the first", f"keep its first {len(lines)} lines")
    else:
        is_told_well(left, "ledger.jsonl:", "paid already: the lines from here on are doubled", "restore the file from a copy")
    assert runs.completions(server) == asked
    write(out, lines)
    assert shell("run", study(tmp_path, server), "-o", out).code == 0
    assert spent(out) == bill


def test_an_amount_of_the_ledger_that_was_changed_by_hand_is_told(tmp_path: Path, shell: Shell, server: Server, out: Path) -> None:
    lines, asked = read(out), runs.completions(server)
    number = next(number for number, line in enumerate(lines) if b'"event": "lost"' in line)
    usd = json.loads(lines[number])["usd"]
    assert usd
    changed = lines[number].replace(f'"usd": {usd}'.encode(), f'"usd": {2 * usd}'.encode())
    write(out, [*lines[:number], changed, *lines[number + 1 :]])
    left = shell("run", study(tmp_path, server), "-o", out)
    is_told_well(left, f"ledger.jsonl:{number + 1}: damaged line: was changed after it was written", "restore the file from a copy")
    assert runs.completions(server) == asked


def test_prompts_that_were_paid_without_a_token_of_text_are_missed_in_the_ledger(tmp_path: Path, shell: Shell) -> None:
    """A content filter ends such replies. The endpoint charges for their prompts."""
    with Server(every={"filtered at once": 1}) as server:
        path, out = study(tmp_path, server), tmp_path / "out"
        shell("run", path, "-o", out)
        assert {(row["finish_reason"], row["num_generated_tokens"]) for row in runs.stored(out)} == {("error", 0)}
        assert spent(out) > 0
        lines, asked = read(out), runs.completions(server)
        (out / "ledger.jsonl").write_bytes(b"")
        (out / "progress.json").unlink()
        left = shell("run", path, "-o", out)
        is_told_well(left, "ledger.jsonl: lacks", "stored and paid")
        assert runs.completions(server) == asked
        write(out, lines)
        shell("run", path, "-o", out)
        assert runs.completions(server) == asked


@pytest.mark.slow
def test_a_ledger_line_with_a_key_twice_is_told(tmp_path: Path, shell: Shell, server: Server, out: Path) -> None:
    lines = read(out)
    write(out, [lines[0].replace(b"{", b'{"usd": 0.0, ', 1).partition(b', "check"')[0] + b"}\n", *lines[1:]])
    left = shell("run", study(tmp_path, server), "-o", out)
    is_told_well(left, 'ledger.jsonl:1: damaged line: key "usd" occurs twice in one object', "restore the file from a copy")


def test_the_ledger_of_another_run_without_an_id_is_told_and_nothing_is_to_be_bought(
    tmp_path: Path, shell: Shell, server: Server, out: Path
) -> None:
    other = tmp_path / "other"
    assert shell("run", study(tmp_path, server), "-o", other, "--set", "seed=7").code == 0
    (out / "ledger.jsonl").write_bytes(
        b"".join(line.partition(b', "run": ')[0] + b"}\n" for line in read(other)[:1]) + b"".join(read(other)[1:])
    )
    asked = runs.completions(server)
    left = shell("run", study(tmp_path, server), "-o", out)
    is_told_well(left, f"{out / 'ledger.jsonl'}: lacks ", "it is another run's", "restore the run's own ledger", "need not be bought again")
    assert "--force" not in left.err
    assert runs.completions(server) == asked
