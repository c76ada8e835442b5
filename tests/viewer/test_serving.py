"""`isocost view` as a command: the link, Ctrl-C, and what it refuses."""

import http.client
import re
import signal
import socket
import subprocess
import sys
from importlib.resources import files
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from isocost.errors import InputError, MissingExtraError
from isocost.viewer import serving
from isocost.viewer.labelbook import LabelBook
from tests.viewer.rundirs import write_run

ISOCOST = [sys.executable, "-m", "isocost", "view"]


def refused(*arguments: str) -> str:
    """What the command says of something it cannot use."""
    done = subprocess.run([*ISOCOST, *arguments], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (2, "")
    return done.stderr


@pytest.mark.slow
def test_it_prints_a_link_serves_this_machine_and_says_at_the_end_what_was_labelled(tmp_path: Path) -> None:
    chosen = write_run(tmp_path)
    bo = LabelBook(tmp_path, "bo")
    for place, verdict in enumerate(("sound", "sound", "unsound")):
        bo.say(chosen[place].sample_id, verdict)  # type: ignore[arg-type]
    with subprocess.Popen(
        [*ISOCOST, str(tmp_path), "--labeller", "ann"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as viewer:
        try:
            assert viewer.stdout
            opening = viewer.stdout.readline()
            assert opening.startswith("open http://127.0.0.1:")
            link = urlsplit(opening.removeprefix("open ").strip())
            assert re.fullmatch(r"/[\w-]{32}/", link.path)
            cookie = exchanged(link.hostname or "", link.port or 0, link.path, link.query)
            for place in range(3):
                form = f"sample={chosen[place].sample_id}&verdict=sound"
                assert posted(link.port or 0, f"{link.path}label", cookie, form) == f"{link.path}label/{place + 2}"
            with pytest.raises(ConnectionRefusedError):  # loopback too, and not the address that is served
                socket.create_connection(("127.0.0.2", link.port or 0), timeout=5).close()
        finally:
            viewer.send_signal(signal.SIGINT)
        said, complaints = viewer.communicate(timeout=30)
    assert (viewer.returncode, said) == (0, "")
    interval = r"\[[-−\d.]+, [-−\d.]+\]"
    closing, following = complaints.strip().splitlines()
    assert following.startswith("put the labels into the report: isocost report ")
    assert re.fullmatch(
        rf"labelled 3/6, false positives 0\.0% {interval} of 3; 3 of these labelled this time; "
        rf"agreement with bo 66\.7% {interval}, kappa 0\.00 {interval}, n 3",
        closing,
    )


def exchanged(host: str, port: int, path: str, query: str) -> str:
    connection = http.client.HTTPConnection(host, port, timeout=30)
    connection.request("GET", f"{path}?{query}")
    answer = connection.getresponse()
    assert (answer.status, answer.getheader("location")) == (303, path)
    assert "server" not in {name.lower() for name, _ in answer.getheaders()}
    return (answer.getheader("set-cookie") or "").partition(";")[0]


def posted(port: int, path: str, cookie: str, form: str) -> str:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    headers = {"cookie": cookie, "origin": f"http://127.0.0.1:{port}", "content-type": "application/x-www-form-urlencoded"}
    connection.request("POST", path, form, headers)
    return connection.getresponse().getheader("location") or ""


@pytest.mark.slow
def test_what_cannot_be_shown_is_refused_in_a_line_or_two(tmp_path: Path) -> None:
    assert refused(str(tmp_path)) == f"error: {tmp_path}: no study.yaml; is it a run directory?\n"
    write_run(tmp_path / "run")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert refused(str(tmp_path / "run"), "--port", str(port)).startswith(f"error: --port {port}: Address already in use\n  leave")
    assert refused(str(tmp_path / "run"), "--labeller", " ").startswith("error: --labeller: a name has 1 to 40 printable characters")


def test_a_missing_extra_is_said_in_a_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    with pytest.raises(MissingExtraError, match=r'uvicorn is not installed\n  install it: pip install "isocost\[view\]"'):
        serving.serve({"run": tmp_path}, labeller="ann", port=0, say=print)


@pytest.mark.parametrize("name", ["", "  ", "x" * 41, "a\nb", "\u202eann"])
def test_a_name_that_cannot_be_printed_is_refused(name: str) -> None:
    with pytest.raises(InputError, match="--labeller"):
        serving.checked_name(name)


def test_a_name_may_have_letters_of_any_script() -> None:
    assert serving.checked_name(" Zoë 李 ") == "Zoë 李"


def test_what_the_pages_need_is_in_the_package() -> None:
    package = files("isocost.viewer")
    for name in ("viewer.css", "keys.js", "saving.js", "templates/label.html.j2", "templates/list.html.j2"):
        assert (package / name).is_file(), name
