"""isocost verify, as it is used: in a pipe."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psutil
import pytest

ENVIRONMENT = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
VERIFY = [sys.executable, "-m", "isocost.cli", "verify"]


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
    ]
    out, said = verify(b"".join(rows))
    assert [json.loads(text)["outcome"] for text in out] == ["correct", "incorrect", "no_answer", "correct", "ungraded"]
    assert json.loads(out[1]) == {
        "gold": 12,
        "prediction": "so 13",
        "outcome": "incorrect",
        "predicted_answer": "13",
        "reason": "different",
    }
    assert said.startswith("5 lines  correct 2  incorrect 1  no_answer 1  ungraded 1 (bad_reference 1)  ")


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
        line(gold=None, prediction="3"),
        line(gold=True, prediction="3"),
        line(gold=["3"], prediction="3"),
        b'{"gold": NaN, "prediction": "3"}\n',
        b'{"gold": "\xff", "prediction": "3"}\n',
        b"[" * 100_000 + b"\n",
        b'{"gold": "3", "predic\n',
        b"{}\n",
    ]
    out, said = verify(good.join([b"", *bad, b"\n"]), status=2)
    assert len(out) == 2 * len(bad) + 2
    assert out[-1] == b""
    assert [json.loads(text)["reason"] for text in out[:-1]] == [*["equal", "bad_line"] * len(bad), "equal"]
    assert json.loads(out[5]) == {"gold": "3", "outcome": "ungraded", "predicted_answer": None, "reason": "bad_line"}
    errors = said.splitlines()
    assert errors[0] == "error: stdin:2: not JSON: Expecting value, at character 1"
    assert errors[2] == 'error: stdin:6: has no "prediction" (nor "generation")'
    assert errors[4] == 'error: stdin:10: "gold" is null, not text or a number'
    assert errors[6] == 'error: stdin:14: "gold" is a list, not text or a number'
    assert errors[8] == "error: stdin:18: not UTF-8, at byte 11"
    assert errors[9].startswith("error: stdin:20: not JSON")
    assert errors[-1] == "error: stdin: 12 of its lines could not be used"
    assert len(errors) == 12


def test_text_that_breaks_readers() -> None:
    texts = ["\x00 3", "\ud800 3", "3 \u202e", "\u2028 3", "x" * 5_000_000 + " 3"]
    out, _ = verify(b"".join(line(gold="3", prediction=text, id=text[:9]) for text in texts))
    assert [json.loads(text)["outcome"] for text in out] == ["correct"] * len(texts)
    out, _ = verify(line(gold="\ud800", prediction="\ud800 \U0001f600", outcome="?"), grader="exact")
    assert json.loads(out[0])["predicted_answer"] == "\ud800 \U0001f600"


def test_problems_hold_the_references(tmp_path: Path) -> None:
    problems = tmp_path / "problems.jsonl"
    problems.write_bytes(b"".join(line(id=f"p{i}", question="?", answer=str(i)) for i in range(3)))
    rows = [line(problem_id="p1", prediction="1", gold="7"), line(problem_id="p2", prediction="1"), line(problem_id="p9", prediction="1")]
    out, said = verify(b"".join(rows), "--problems", str(problems), status=2)
    assert [json.loads(text)["outcome"] for text in out] == ["correct", "incorrect", "ungraded"]
    assert 'stdin:3: problem_id "p9" is not one of the 3 problems' in said
    _, said = verify(rows[1], "--problems", str(problems), "--problem-option", "limit=2", status=2)
    assert "the 2 problems" in said


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--problems", "gsm9k"], 'did you mean "gsm8k"'),
        (["--problems", "none.jsonl"], "none.jsonl"),
        (["--option", "ordr=given"], 'unknown option "ordr"'),
        (["--option", "ordr"], "write it as KEY=VALUE"),
    ],
)
def test_wrong_options_are_one_error(arguments: list[str], message: str) -> None:
    out, said = verify(line(gold="3", prediction="3"), *arguments, status=2)
    assert out == []
    assert message in said


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    for path, message in ((tmp_path / "none.jsonl", "cannot be read: No such file"), (tmp_path, "is a folder")):
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
        assert process.stderr.read() == b"\nstopped: the lines that came out are graded\n"
    assert psutil.wait_procs(workers, timeout=10)[1] == []


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
