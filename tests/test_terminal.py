import io
import os

import pytest

from isocost import events, terminal
from isocost.events import Note, StageProgress, StageWatch
from isocost.terminal import ProgressLine, clock, describe, end_line


class Screen(io.StringIO):
    def isatty(self) -> bool:
        return True


class Clock:
    """The time that the progress line sees."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def watch_clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(terminal, "time", made)
    return made


def event(done: int, total: int = 100, **changes: object) -> StageProgress:
    fields: dict[str, object] = {
        "stage": "sample", "done": done, "total": total, "unit": "samples", "seconds": 10.0, "done_before": 0, "tokens": 0, "detail": "",
        "finished": False,
    }  # fmt: skip
    return StageProgress(**(fields | changes))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0:00"), (7.4, "0:07"), (59.6, "1:00"), (130, "2:10"), (3599.9, "1:00:00"), (3765, "1:02:45"), (360_000, "100:00:00")],
)
def test_clock(seconds: float, text: str) -> None:
    assert clock(seconds) == text


@pytest.mark.parametrize(
    ("given", "line"),
    [
        (
            event(1240, 4000, tokens=21_300, detail="correct 62% [59, 65]", seconds=10, rate=125.5),
            "sample    1,240/4,000 samples  31%  2,130 tokens/s  correct 62% [59, 65]  0:22 left",
        ),
        (event(50, 100, done_before=40, rate=1.0), "sample    50/100 samples  50%  0:50 left"),
        (event(50, 100), "sample    50/100 samples  50%"),
        (event(0, 100), "sample    0/100 samples  0%"),
        (event(0, 0), "sample    0/0 samples"),
        (event(100, 100, finished=True, seconds=65), "sample    100/100 samples  100%  1:05"),
    ],
)
def test_what_a_line_says(given: StageProgress, line: str) -> None:
    assert describe(given) == line


def test_a_terminal_is_redrawn_in_place(watch_clock: Clock) -> None:
    screen = Screen()
    show = ProgressLine(screen)
    show(event(1, detail="a long detail"))
    watch_clock.now += 1
    show(event(20))
    watch_clock.now += 1
    show(event(100, finished=True))
    assert screen.getvalue().count("\n") == 1
    first, second, third = screen.getvalue().removeprefix("\r").rstrip("\n").split("\r")
    assert first.rstrip() == describe(event(1, detail="a long detail"))
    assert len(second) >= len(first.rstrip())  # nothing of the longer line is left to see
    assert second.rstrip() == describe(event(20))
    assert third.rstrip() == describe(event(100, finished=True))


def test_a_terminal_is_not_redrawn_all_the_time(watch_clock: Clock) -> None:
    screen = Screen()
    show = ProgressLine(screen)
    for done in range(100):
        show(event(done))
        watch_clock.now += 0.01
    assert 4 <= screen.getvalue().count("\r") <= 6


def test_a_note_stands_on_a_line_of_its_own(watch_clock: Clock) -> None:
    screen = Screen()
    show = ProgressLine(screen)
    show(event(1, detail="a long detail"))
    show(Note(text="hm"))
    assert screen.getvalue().split("\r")[-1].rstrip() == "note: hm"
    assert screen.getvalue().endswith("\n")


def test_a_note_of_several_lines_leaves_nothing_of_the_line_below_it(watch_clock: Clock) -> None:
    screen = Screen()
    show = ProgressLine(screen)
    show(event(1, detail="a long detail"))
    show(Note(text="hm\n  do this"))
    *_, erased, note = screen.getvalue().split("\r")
    assert erased.isspace()
    assert note == "note: hm\n  do this\n"


def test_an_error_is_below_the_line_of_the_stage_that_it_ends(watch_clock: Clock) -> None:
    screen = Screen()
    show = ProgressLine(screen)
    show(event(1, detail="a long detail"))
    end_line()
    end_line()
    assert screen.getvalue().count("\n") == 1
    assert screen.getvalue().endswith("\n")


def test_what_is_read_first_is_said_at_once_and_goes_when_a_stage_begins(watch_clock: Clock) -> None:
    screen = Screen()
    show = ProgressLine(screen)
    show.begin("prepare   reading")
    assert screen.getvalue() == "\rprepare   reading"
    show(event(0, total=9))
    assert "\n" not in screen.getvalue()
    show(event(9, total=9, finished=True))
    refused = Screen()
    ProgressLine(refused).begin("prepare   reading")
    end_line()
    assert refused.getvalue().split("\r")[-2:] == [" " * len("prepare   reading"), ""]


def test_a_log_file_has_no_line_of_what_is_read_first() -> None:
    log = io.StringIO()
    ProgressLine(log).begin("prepare   reading")
    assert log.getvalue() == ""


@pytest.mark.parametrize(("total", "seconds", "most"), [(1000, 0.001, 22), (1000, 1.0, 54), (100_000, 0.0, 22)])
def test_elsewhere_a_line_every_5_percent_or_30_seconds(watch_clock: Clock, total: int, seconds: float, most: int) -> None:
    stream = io.StringIO()
    show = ProgressLine(stream)
    for done in range(total):
        show(event(done, total))
        watch_clock.now += seconds
    show(event(total, total, finished=True))
    lines = stream.getvalue().splitlines()
    assert "\r" not in stream.getvalue()
    assert 20 <= len(lines) <= most
    assert lines[-1] == describe(event(total, total, finished=True))


def test_slow_work_is_heard_of_every_30_seconds(watch_clock: Clock) -> None:
    stream = io.StringIO()
    show = ProgressLine(stream)
    for second in range(301):
        show(event(1, 10_000, seconds=second))
        watch_clock.now += 1
    assert 10 <= len(stream.getvalue().splitlines()) <= 12


def test_a_stage_that_was_done_before_says_so(watch_clock: Clock) -> None:
    stream = io.StringIO()
    watch = StageWatch(stage="evaluate", total=40, unit="answers", listener=ProgressLine(stream), done_before=40)
    watch.finish()
    assert stream.getvalue().splitlines()[-1] == "evaluate  40 answers  already done"


def test_every_stage_begins_and_ends_with_a_line(watch_clock: Clock) -> None:
    stream = io.StringIO()
    show = ProgressLine(stream)
    for stage in ("finetune", "evaluate"):
        show(event(0, stage=stage))
        show(event(100, stage=stage, finished=True))
    assert [line.split()[0] for line in stream.getvalue().splitlines()] == ["finetune", "finetune", "evaluate", "evaluate"]


def test_time_left_counts_from_the_first_answer_on(monkeypatch: pytest.MonkeyPatch) -> None:
    passed = Clock()
    monkeypatch.setattr(events, "time", passed)
    seen: list[StageProgress | Note] = []
    watch = StageWatch(stage="sample", total=100, unit="samples", listener=seen.append, started=passed.now)
    watch.resume(20)
    passed.now += 600  # a large model is being loaded
    watch.advance(10)
    passed.now += 5
    watch.advance(10)
    first, second = (each for each in seen[1:] if isinstance(each, StageProgress))
    assert first.rate is None
    assert "left" not in describe(first)
    assert second.rate == 2.0
    assert describe(second).endswith("0:30 left")


def test_a_line_that_is_redrawn_fits_the_terminal(watch_clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    screen = Screen()
    monkeypatch.setattr(screen, "fileno", lambda: 0)
    monkeypatch.setattr(os, "get_terminal_size", lambda descriptor: os.terminal_size((40, 20)))
    line = ProgressLine(screen)
    line(event(10, detail="x" * 60))
    assert len(screen.getvalue().removeprefix("\r").rstrip()) == 39
    assert screen.getvalue().endswith("…")
    watch_clock.now += 1
    line(event(100, detail="x" * 60, finished=True))
    assert "x" * 60 in screen.getvalue()


@pytest.mark.parametrize("is_terminal", [True, False])
def test_a_terminal_that_was_closed_stops_no_work(is_terminal: bool) -> None:
    other, own = os.openpty() if is_terminal else os.pipe()
    os.close(other)  # the emulator's window, or the reader of the pipe
    with open(own, "w") as stream:  # noqa: PTH123 - of a descriptor
        for _ in range(3):
            terminal.write_text(stream, "line\n")
        assert os.path.samestat(os.fstat(own), os.stat(os.devnull))  # noqa: PTH116 - and so do the libraries that write to it


def test_a_stage_that_resumes_shows_nothing_until_it_has_something_new(watch_clock: Clock) -> None:
    """It may have nothing left to do, and a share below 100% would look as if it went on."""
    stream = io.StringIO()
    watch = StageWatch(stage="sample", total=20, unit="samples", listener=ProgressLine(stream), done_before=19)
    assert stream.getvalue() == ""
    watch.finish()
    assert stream.getvalue().splitlines() == ["sample    19 samples  already done"]


def test_a_note_is_shown_once(watch_clock: Clock) -> None:
    stream = io.StringIO()
    show = ProgressLine(stream)
    for text in ("7% were cut off", "another", "7% were cut off"):
        show(Note(text=text))
    assert stream.getvalue() == "note: 7% were cut off\nnote: another\n"
