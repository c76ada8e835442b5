"""A bubblewrap sandbox with a Python server in it: its command line, its start, its end."""

from __future__ import annotations

import contextlib
import functools
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import weakref
from pathlib import Path
from typing import IO

from isocost.errors import InputError
from isocost.graders.code.sandbox.inside import frames
from isocost.graders.code.sandbox.inside.server import BROKEN, LONGEST_REQUEST

_START = 20.0  # seconds that bubblewrap and the server's imports may take
_GRACE = 5.0  # seconds beyond a sample's own, before the sandbox is taken for dead
_LONGEST_ANSWER = 10_000
_INSIDE = Path(__file__).parent / "inside"


class SandboxError(Exception):
    """The sandbox, not the program in it, has failed."""


class Sandbox:
    """Runs programs out of reach of the machine. Starts with the first, and again whenever it is no longer there; for any thread to use.

    What holds: no network and no sockets; nothing can be written but 16 MB in a /tmp that each sample has to itself; nothing can be read
    but /usr and the Python that runs it, so no home folder, no /proc, no /etc; no other process can be seen or signalled; no program can
    fork or start another; memory and seconds are limited. When a program's time is over, the kernel ends all its threads with it. A program
    and its tests run in two processes, and the program's never holds its tests.
    What does not: the kernel is shared, and a hole in it is a way out.

    Args:
        memory: Bytes of address space that a program, and its tests, may each take, the interpreter's included (about 30 MB).

    Raises:
        InputError: there is no bubblewrap on this machine.
    """

    def __init__(self, *, memory: int) -> None:
        self._command = command(find_bubblewrap())
        self._memory = memory
        self._lock = threading.Lock()
        self._peer: socket.socket | None = None
        self._owner = 0
        self._end: weakref.finalize[[socket.socket, subprocess.Popen[bytes], int], Sandbox] | None = None

    def start(self) -> None:
        """Start it now, and run an empty program in it.

        Raises:
            InputError: bubblewrap, or what is behind it, does not work on this machine.
        """
        with self._lock:
            try:
                self._running()
            except SandboxError as error:
                raise InputError(_no_sandbox(str(error))) from error

    def run(self, program: str, tests: str, *, seconds: float, prompt: str = "", entry_point: str = "", solution: str = "") -> str:
        """Return `passed` where the tests end without an exception after the program; else the reason why not.

        `prompt`, `entry_point` and `solution` say which names the tests mean of a program, and which are their own (`inside.names`).

        Reasons: `failed: ` and the exception's class, `syntax` (of the program), `timeout`, `memory`, `exit` (it ended, or closed what it
        answers by), `signal: ` and its name, `tampered` (it wrote what no answer is to what it answers by).

        Raises:
            SandboxError: the program could not be run, twice.
        """
        told = {"tests": tests, "prompt": prompt, "entry_point": entry_point, "solution": solution}
        with self._lock:
            try:
                return self._ask(self._running(), program, told, seconds)
            except SandboxError:
                self._close()
            try:
                return self._ask(self._running(), program, told, seconds)
            except SandboxError:
                self._close()
                raise

    @staticmethod
    def longest(seconds: float) -> float:
        """Seconds that `run` takes at the very most: where nothing answers, twice a start and a try."""
        return 2 * (_START + _GRACE + seconds + _GRACE)

    def close(self) -> None:
        """End it, and every process in it."""
        with self._lock:
            self._close()

    def _running(self) -> socket.socket:
        if self._peer is None or self._owner != os.getpid():  # a fork's questions would mix with its parent's
            self._peer, self._owner = self._open(), os.getpid()
        return self._peer

    def _open(self) -> socket.socket:
        ours, theirs = socket.socketpair()
        with theirs, tempfile.TemporaryFile() as complaints:
            try:
                process = subprocess.Popen(
                    self._command,
                    stdin=theirs.fileno(),
                    stdout=subprocess.DEVNULL,
                    stderr=complaints,
                    start_new_session=True,  # Ctrl-C is for the caller, who then closes the sandbox
                )
            except OSError as error:
                raise SandboxError(str(error)) from error
            theirs.close()  # else nobody would learn that the server is gone
            self._end = weakref.finalize(self, _end, ours, process, os.getpid())
            try:
                self._ask(ours, "", {"tests": ""}, _START)
            except SandboxError as error:
                self._close()
                raise SandboxError(_last_line(complaints) or str(error)) from error
        return ours

    def _ask(self, peer: socket.socket, program: str, told: dict[str, str], seconds: float) -> str:
        deadline = time.monotonic() + seconds + _GRACE
        request = json.dumps({"program": program, "seconds": seconds, "memory": self._memory}).encode()
        source = json.dumps(told).encode()
        if max(len(request), len(source)) > LONGEST_REQUEST:
            raise SandboxError("the program and its tests are too long")
        try:
            frames.send(peer, request, deadline=deadline)
            frames.send(peer, source, deadline=deadline)
            said = frames.receive(peer, _LONGEST_ANSWER, deadline=deadline).decode(errors="replace")
        except (OSError, frames.BrokenFrameError) as error:
            raise SandboxError(f"it does not answer ({error})") from error
        if said.startswith(BROKEN):
            raise SandboxError(said.removeprefix(BROKEN))
        return said

    def _close(self) -> None:
        self._peer = None
        if self._end is not None:
            self._end()


def _end(peer: socket.socket, process: subprocess.Popen[bytes], owner: int) -> None:
    peer.close()
    if os.getpid() != owner:
        return
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)  # with its first process, its PID namespace ends
    process.wait()


@functools.cache
def check_sandbox() -> None:
    """See whether a sandbox can be made here; once a process.

    Raises:
        InputError: it cannot; the message says what to install or to permit.
    """
    sandbox = Sandbox(memory=1 << 30)
    try:
        sandbox.start()
    finally:
        sandbox.close()


def find_bubblewrap() -> str:
    """Where bwrap is.

    Raises:
        InputError: it is not installed.
    """
    found = shutil.which("bwrap")
    if found is None:
        raise InputError(
            "programs are run in a bubblewrap sandbox only, and bwrap is not on the PATH\n"
            "  install it: apt install bubblewrap (Debian, Ubuntu), dnf install bubblewrap (Fedora)"
        )
    return found


def command(bubblewrap: str) -> list[str]:
    """The command line of a sandbox that serves samples on its standard input."""
    python = Path(sys.executable).resolve()  # a virtual environment's is a link to the one it was made from
    system = [part for folder in ("/bin", "/lib", "/lib32", "/lib64") for part in _as_it_is(Path(folder))]
    homes = sorted({str(Path(sys.base_prefix).resolve()), str(python.parent)} - {"/"})
    return [
        bubblewrap,
        *("--unshare-user", "--unshare-all", "--die-with-parent", "--new-session", "--clearenv"),
        # The server makes a mount and a PID namespace for each sample, and needs this one capability for it, over this sandbox alone.
        # Samples do not have it.
        *("--cap-drop", "ALL", "--cap-add", "CAP_SYS_ADMIN"),
        *("--ro-bind", "/usr", "/usr", *system, "--ro-bind-try", "/etc/ld.so.cache", "/etc/ld.so.cache"),
        *(part for home in homes if not home.startswith("/usr/") for part in ("--ro-bind", home, home)),
        *("--ro-bind", str(_INSIDE), "/isocost/inside"),
        *(part for name in ("null", "zero", "random", "urandom") for part in ("--dev-bind", f"/dev/{name}", f"/dev/{name}")),
        *("--dir", "/tmp", "--remount-ro", "/"),
        *("--setenv", "PYTHONHASHSEED", "0", "--setenv", "HOME", "/tmp", "--setenv", "PATH", "/usr/bin"),
        # -m looks for the module in the working folder; isolated mode (-I) would not, and what it guards against is not in here.
        *("--chdir", "/isocost", str(python), "-s", "-S", "-B", "-m", "inside"),
    ]


def _as_it_is(folder: Path) -> list[str]:
    if folder.is_symlink():
        return ["--symlink", str(folder.readlink()), str(folder)]
    return ["--ro-bind", str(folder), str(folder)] if folder.is_dir() else []


def _last_line(complaints: IO[bytes]) -> str:
    complaints.seek(0)
    lines = complaints.read(10_000).decode(errors="replace").strip().splitlines()
    return lines[-1] if lines else ""


def _no_sandbox(reason: str) -> str:
    return (
        f"programs are run in a bubblewrap sandbox only, and none can be made here: {reason[:200]}\n"
        "  allow user namespaces: sysctl kernel.unprivileged_userns_clone=1 or kernel.apparmor_restrict_unprivileged_userns=0;\n"
        "  in a container: docker run --security-opt seccomp=unconfined --security-opt apparmor=unconfined"
    )
