"""isocost verify, as it is used: in a pipe."""

import io
import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import psutil
import pytest

from isocost import cli
from isocost.grading import GradingPool
from isocost.terminal import CountLine
from isocost.verifying import verify as grade
from tests.matrices import first_fast

ENVIRONMENT = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
VERIFY = [sys.executable, "-m", "isocost", "verify"]


def verify(data: bytes, *arguments: str, grader: str = "number", status: int = 0) -> tuple[list[bytes], str]:
    """Output lines and what was said on standard error."""
    command = [*VERIFY, "-", "--grader", grader, "-j", "1", *arguments]
    done = subprocess.run(command, input=data, capture_output=True, timeout=100, env=ENVIRONMENT, check=False)
    assert done.returncode == status, done.stderr.decode()
    return done.stdout.split(b"\n")[:-1], done.stderr.decode()


def line(**row: Any) -> bytes:
    return json.dumps(row).encode() + b"\n"


def test_every_line_comes_out_again_with_its_verdict() -> None:
    rows = [
        line(gold="12", prediction="#### 12"),
        line(gold=12, prediction="so 13"),
        line(expected_answer="12", generation="none"),
        line(answer="Six and six is 12.\n#### 12", generation="\\boxed{12.0}"),
        line(gold="a dozen", prediction="12"),
        line(gold="12", generation="so 12 and", finish_reason="length"),
    ]
    out, said = verify(b"".join(rows))
    assert [json.loads(text)["outcome"] for text in out] == ["correct", "incorrect", "no_answer", "correct", "ungraded", "no_answer"]
    assert json.loads(out[1]) == {
        "gold": 12,
        "prediction": "so 13",
        "outcome": "incorrect",
        "predicted_answer": "13",
        "reason": "different",
    }
    assert said.startswith("6 lines  correct 2  incorrect 1  no_answer 2  ungraded 1 (bad_reference 1)  ")
    assert said.splitlines()[1:] == ['note: stdin:5: reference "a dozen" is refused by the grader number (bad_reference)']


def test_fields_that_other_tools_name_otherwise_are_named() -> None:
    _, said = verify(line(target="12", completion="12") + line(gold="12", solution="12") + line(gold="12", prompt="?"), status=2)
    complaints = [text.partition(": ")[2] for text in said.splitlines() if text.startswith("error: stdin:")]
    assert complaints[:3] == [
        'stdin:1: has no "gold" (nor "expected_answer" or "answer"); rename its "target"',
        'stdin:2: has no "prediction" (nor "generation"); rename its "solution"',
        'stdin:3: has no "prediction" (nor "generation")',
    ]


def test_what_else_a_line_holds_is_kept_byte_for_byte() -> None:
    raw = '{ "é":"\\u00e9", "x":1.50 ,"big":1e400,"gold":1.50, "prediction" : "1.5","n":[1.0,{"a":2.50}] }'.encode()
    out, _ = verify(b"\xef\xbb\xbf" + raw + b"  \r\n" + raw)
    assert out == [raw[:-2] + b', "outcome": "correct", "predicted_answer": "1.5", "reason": "equal"}'] * 2
    out, _ = verify(raw.replace(b'"big"', b'"reason":"old", "outcome"'))
    assert out == [
        '{"é": "é", "x": 1.50, "gold": 1.50, "prediction": "1.5", "n": [1.0, {"a": 2.50}], '
        '"outcome": "correct", "predicted_answer": "1.5", "reason": "equal"}'.encode()
    ]


def test_bad_lines_are_named_and_keep_their_place() -> None:
    good = line(gold="3", prediction="3")
    bad = [
        b"nonsense\n",
        b"[1]\n",
        line(gold="3"),
        line(prediction="3"),
        line(gold="3", prediction=None),
        line(gold="3", prediction=True),
        line(gold="3", prediction=["3"]),
        b'{"gold": "3", "prediction": NaN}\n',
        b'{"gold": "\xff", "prediction": "3"}\n',
        b"[" * 100_000 + b"\n",
        b'{"gold": "3", "predic\n',
        b"{}\n",
    ]
    out, said = verify(good.join([b"", *bad, b"\n"]), status=2)
    assert len(out) == 2 * len(bad) + 2
    assert out[-1] == b""
    reasons = [json.loads(text)["reason"] for text in out[:-1]]
    assert [reason.partition(":")[0] for reason in reasons] == [*["equal", "bad_line"] * len(bad), "equal"]
    assert reasons[9] == 'bad_line: "prediction" is null, not text or a number'
    assert json.loads(out[5]) == {
        "gold": "3",
        "outcome": "ungraded",
        "predicted_answer": None,
        "reason": 'bad_line: has no "prediction" (nor "generation")',
    }
    errors = said.splitlines()
    assert errors[0] == "error: stdin:2: not JSON: Expecting value, at character 1"
    assert errors[2] == 'error: stdin:6: has no "prediction" (nor "generation")'
    assert errors[4] == 'error: stdin:10: "prediction" is null, not text or a number'
    assert errors[6] == 'error: stdin:14: "prediction" is a list, not text or a number'
    assert errors[8] == "error: stdin:18: not UTF-8, at byte 11"
    assert errors[9].startswith("error: stdin:20: not JSON")
    assert "ungraded 12 (bad_line 12)" in errors[10]
    assert errors[11:] == ["error: stdin: 12 of its lines could not be used; 2 more than are named"]


def test_a_line_that_can_be_read_but_not_written_again_is_bad() -> None:
    deep = b'{"gold": "1", "prediction": "1", "outcome": "x", "deep": ' + b"[" * 400 + b"]" * 400 + b"}\n"
    good = line(gold="3", prediction="3")
    out, said = verify(good + deep + good + deep.replace(b'"outcome"', b'"other"'), status=2)
    assert [json.loads(text)["reason"].partition(":")[0] for text in out] == [
        "equal",
        "bad_line",
        "equal",
        "equal",
    ]
    assert said.splitlines()[0] == "error: stdin:2: not JSON that can be read: nested too deeply"


@pytest.mark.slow
def test_text_that_breaks_readers_is_graded() -> None:
    texts = ["\x00 3", "\ud800 3", "3 \u202e", "\u2028 3", "x" * 5_000_000 + " 3"]
    out, _ = verify(b"".join(line(gold="3", prediction=text, id=text[:9]) for text in texts))
    assert [json.loads(text)["outcome"] for text in out] == ["correct"] * len(texts)
    out, _ = verify(line(gold="\ud800", prediction="\ud800 \U0001f600", outcome="?"), grader="exact")
    assert json.loads(out[0])["predicted_answer"] == "\ud800 \U0001f600"


@pytest.mark.slow
def test_problems_hold_the_references(tmp_path: Path) -> None:
    problems = tmp_path / "problems.jsonl"
    problems.write_bytes(b"".join(line(id=f"p{i}", question="?", answer=str(i)) for i in range(3)))
    rows = [line(problem_id="p1", prediction="1", gold="7"), line(problem_id="p2", prediction="1"), line(problem_id="p9", prediction="1")]
    out, said = verify(b"".join(rows), "--problems", str(problems), status=2)
    assert [json.loads(text)["outcome"] for text in out] == ["correct", "incorrect", "ungraded"]
    assert 'stdin:3: problem_id "p9" is not one of the 3 problems; theirs look like "p0"' in said
    _, said = verify(rows[1], "--problems", str(problems), "--problem-option", "limit=2", status=2)
    assert "the 2 problems" in said


@pytest.mark.parametrize(
    ("arguments", "message"),
    first_fast(
        [
            (["--problems", "gsm9k"], 'did you mean "gsm8k"'),
            (["--problems", "none.jsonl"], "none.jsonl"),
            (["--option", "ordr=given"], 'unknown option "ordr"'),
            (["--option", "ordr"], "write it as KEY=VALUE"),
            (["--option", "percent=value", "--option", "percent=strict"], "percent is given twice"),
            (["--problem-option", "split=test"], "without --problems"),
            (["--time-limit", "inf"], "is not a number of seconds"),
            (["--time-limit", "nan"], "--time-limit"),
        ]
    ),
)
def test_wrong_options_are_one_error(arguments: list[str], message: str) -> None:
    out, said = verify(line(gold="3", prediction="3"), *arguments, status=2)
    assert out == []
    assert message in said


@pytest.mark.slow
def test_files_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    for path, message in ((tmp_path / "none.jsonl", "cannot be read: No such file"), (tmp_path, "holds no file of samples")):
        done = subprocess.run([*VERIFY, str(path)], capture_output=True, timeout=60, env=ENVIRONMENT, check=False)
        assert (done.returncode, done.stdout) == (2, b"")
        assert message in done.stderr.decode()


def test_options_reach_the_workers() -> None:
    row = line(gold="2,1", prediction="\\boxed{1, 2}")
    assert json.loads(verify(row, grader="math")[0][0])["outcome"] == "correct"
    assert json.loads(verify(row, "--option", "order=given", grader="math")[0][0])["outcome"] == "incorrect"


def test_a_hang_is_one_ungraded_line() -> None:
    rows = [line(gold="open", prediction=text) for text in ("a:3", "hang", "a:4")]
    out, said = verify(b"".join(rows), "--time-limit", "1", grader="tests.misbehaving_graders:Steps")
    assert [json.loads(text)["outcome"] for text in out] == ["incorrect", "ungraded", "incorrect"]
    assert "ungraded 1 (timeout 1)" in said


def test_a_line_comes_out_while_the_next_is_not_there_yet() -> None:
    command = [*VERIFY, "-", "--grader", "number"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=ENVIRONMENT) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        for number in (b"3", b"4"):
            process.stdin.write(line(gold="3", prediction=number.decode()))
            process.stdin.flush()
            assert b'"predicted_answer": "' + number in process.stdout.readline()
        process.stdin.close()
        assert process.stdout.read() == b""
        assert process.wait(10) == 0


def test_a_reader_that_has_enough_ends_it_quietly(tmp_path: Path) -> None:
    file = tmp_path / "many.jsonl"
    file.write_bytes(line(gold="3", prediction="3") * 50_000)
    with subprocess.Popen(
        [*VERIFY, str(file), "--grader", "number"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=ENVIRONMENT
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline()
        process.stdout.close()
        assert process.wait(30) == 141
        assert process.stderr.read() == b""


def test_ctrl_c_ends_it_with_one_line() -> None:
    command = [*VERIFY, "-", "--grader", "tests.misbehaving_graders:Steps", "--time-limit", "100"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=ENVIRONMENT) as process:
        assert process.stdin is not None
        assert process.stderr is not None
        process.stdin.write(line(gold="open", prediction="hang"))
        process.stdin.flush()
        deadline = time.monotonic() + 30
        while len(workers := psutil.Process(process.pid).children(recursive=True)) < 2 and time.monotonic() < deadline:
            time.sleep(0.1)
        process.send_signal(2)
        assert process.wait(30) == 130
        assert process.stderr.read() == b"\nstopped after 0 lines\n"
    assert psutil.wait_procs(workers, timeout=10)[1] == []


def test_lines_before_a_slow_one_come_out_and_are_counted(tmp_path: Path) -> None:
    file = tmp_path / "some.jsonl"
    file.write_bytes(b"".join(line(gold="open", prediction=text) for text in ("a:3", "a:4", "hang", "a:5")))
    command = [*VERIFY, str(file), "--grader", "tests.misbehaving_graders:Steps", "--time-limit", "100"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=ENVIRONMENT) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert [json.loads(process.stdout.readline())["predicted_answer"] for _ in range(2)] == ["3", "4"]
        time.sleep(0.5)  # between the writing of a line and its count there is a moment, and a signal may fall into it
        process.send_signal(2)
        assert process.wait(30) == 130
        assert process.stdout.read() == b""
        assert process.stderr.read() == b"\nstopped after 2 lines\n"


def test_ctrl_c_while_it_starts() -> None:
    script = "import time, threading, os, isocost.cli as c; threading.Timer(0.2, os.kill, (os.getpid(), 2)).start(); "
    script += "c.app = lambda *a, **k: time.sleep(60); c.main()"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, timeout=30, env=ENVIRONMENT, check=False)
    assert (done.returncode, done.stderr) == (130, b"\nstopped\n")


@pytest.mark.slow
def test_a_file_of_which_nothing_can_be_graded_says_why() -> None:
    _, said = verify(line(gold="a dozen", prediction="12") * 1200, status=2)
    assert said.splitlines()[1:] == [
        'note: stdin:1: reference "a dozen" is refused by the grader number (bad_reference); 1,200 lines like it',
        "error: no line could be graded; choose another --grader or correct the references",
    ]
    _, said = verify(line(gold="open", prediction="raise"), grader="tests.misbehaving_graders:Steps", status=2)
    assert "note: stdin:1: is ungraded (error: ValueError: cannot read this)" in said


@pytest.mark.parametrize(
    ("data", "message"),
    first_fast(
        [
            (b"PAR1\x15\x04\x15", "stdin: is a Parquet table; verify reads JSON lines"),
            ('{"gold": "3"}\n'.encode("utf-16"), "stdin: is UTF-16 text"),
            (b"\x1f\x8b\x08\x00", "gzip -dc FILE | isocost verify -"),
            (b'[\n {"gold": "3",\n', "is one JSON value over several lines; verify reads JSON lines\n  jq -c '.[]' FILE"),
            (b'[{"gold": "3", "prediction": "3"}]\n', "is one JSON list on one line"),
            (b'{\n "gold": "3",\n', "jq -c . FILE"),
        ]
    ),
)
def test_other_kinds_of_files_are_one_error(data: bytes, message: str) -> None:
    out, said = verify(data, status=2)
    assert out == []
    assert message in said
    assert len(said.splitlines()) <= 2


def test_the_command_for_another_kind_of_file_can_be_pasted(tmp_path: Path) -> None:
    path = tmp_path / "a b $(c).jsonl"
    path.write_bytes(line(gold="3", prediction="3").decode().encode("utf-16"))
    done = subprocess.run([*VERIFY, str(path)], capture_output=True, timeout=60, env=ENVIRONMENT, check=False)
    assert f"iconv -f UTF-16 -t UTF-8 '{path}' | isocost verify -" in done.stderr.decode()


@pytest.mark.parametrize(
    ("redirection", "status", "message"),
    first_fast(
        [
            ("ok.jsonl > /dev/full", 1, "error: standard output: No space left on device\n  0 lines were written before it\n"),
            ("ok.jsonl >&-", 2, "error: standard output: is closed\n"),
            ("- <&-", 2, "error: standard input: is closed; name a file, or feed it through a pipe\n"),
            ("ok.jsonl >> ok.jsonl", 2, "error: ok.jsonl: is the input and the output at once\n  write to another file\n"),
        ]
    ),
)
def test_streams_that_cannot_be_used(tmp_path: Path, redirection: str, status: int, message: str) -> None:
    (tmp_path / "ok.jsonl").write_bytes(line(gold="3", prediction="3"))
    command = f"{sys.executable} -m isocost verify --grader number {redirection}"
    done = subprocess.run(command, shell=True, cwd=tmp_path, capture_output=True, timeout=60, env=ENVIRONMENT, check=False)
    assert (done.returncode, done.stdout, done.stderr.decode()) == (status, b"", message)


def test_progress_is_counted_on_a_terminal_only(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    now = [100.0]
    monkeypatch.setattr("isocost.terminal.time.monotonic", lambda: now[0])
    terminal, pipe = Terminal(), io.StringIO()
    lines = [CountLine(terminal, wanted=True), CountLine(pipe, wanted=True), CountLine(pipe, wanted=False)]
    for seconds in (1.0, 4.0, 4.5):
        now[0] = 100 + seconds
        for each in lines:
            each.show("verify", 8, "lines")
    assert terminal.getvalue() == "\rverify    8 lines  2 lines/s  0:04"
    lines[0].clear()
    assert terminal.getvalue().endswith(" \r")
    assert pipe.getvalue() == ""


def test_for_want_of_memory_it_ends_with_one_line(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def devour(*arguments: object, **options: object) -> None:
        raise MemoryError

    monkeypatch.setattr(cli, "app", devour)
    monkeypatch.setattr("signal.signal", lambda *arguments: None)  # it is this process's
    with pytest.raises(SystemExit, match="1"):
        cli.main()
    assert capsys.readouterr().err == "error: out of memory; give it more, or use smaller pieces\n"


@pytest.mark.slow
def test_memory_does_not_grow_with_the_stream() -> None:
    peaks = []
    for count in (2_000, 30_000):
        with subprocess.Popen(
            [*VERIFY, "-", "--grader", "number"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=ENVIRONMENT
        ) as process:
            assert process.stdin is not None
            for start in range(0, count, 1000):
                process.stdin.write(b"".join(line(gold="3", prediction=f"{start} {i} {'x' * 4000} 3") for i in range(1000)))
            peaks.append(psutil.Process(process.pid).memory_info().rss)
            process.stdin.close()
            assert process.wait(100) == 0
    assert peaks[1] - peaks[0] < 60 << 20


def test_a_line_with_a_key_twice_is_not_graded() -> None:
    out, said = verify(b'{"gold": "1", "gold": "2", "prediction": "2"}\n' + line(gold="1", prediction="1"), status=2)
    assert [json.loads(text)["outcome"] for text in out] == ["ungraded", "correct"]
    assert 'error: stdin:1: key "gold" occurs twice in one object; keep one' in said


def test_lines_whose_reference_is_no_answer_are_left_out() -> None:
    bad = [line(gold=gold, prediction="3") for gold in (None, True, ["3"], "proof", "")] + [b'{"gold": NaN, "prediction": "3"}\n']
    raw = b"".join([line(gold="3", prediction="3"), *bad])
    out, said = verify(raw)
    reasons = [json.loads(text)["reason"] for text in out]
    assert reasons[0] == "equal"
    assert reasons[1:5] == [f"bad_reference: no_reference: {what}" for what in ("null", "true", "a list", "proof")]
    assert all(json.loads(text)["outcome"] == "ungraded" for text in out[1:])
    assert "stdin: 6 lines left out, their reference is no answer: 2, 3, 4, 5, 6, 7" in said
    _, said = verify(raw, "--strict", status=2)
    assert "error: stdin: 6 references are no answers" in said


def test_the_reading_thread_ends_with_an_error(tmp_path: Path) -> None:
    """Lines enough to fill what is read ahead: the thread waits for room when the writer fails."""
    lines = tmp_path / "lines.jsonl"
    lines.write_bytes(line(gold="12", prediction="#### 12") * 20_000)

    def fail(data: bytes) -> None:
        raise OSError("the disk is full")

    with (
        GradingPool("number", workers=1, time_limit=5.0) as pool,
        lines.open("rb") as file,
        pytest.raises(OSError, match="the disk is full"),
    ):
        grade(file.fileno(), pool, workers=1, answers=None, write=fail, complain=lambda number, why: None, name="lines")
    assert not [thread for thread in threading.enumerate() if thread.name == "isocost-reading" and thread.is_alive()]
