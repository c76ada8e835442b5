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
_GRACE = 5.0  # seconds beyond a sample's own, before the sandbox counts as dead
_LONGEST_ANSWER = 10_000  # bytes of a reply, a bound in case the server is compromised
_INSIDE = Path(__file__).parent / "inside"


class SandboxError(Exception):
    """Raised where the sandbox has failed, not the program in it."""


class Sandbox:
    """A sandbox that runs untrusted programs. It starts with the first program, and restarts if it has ended. Thread-safe.

    Guarantees: no network and no sockets; nothing can be written but 16 MB in a /tmp per sample; nothing can be read
    but /usr and the folder of the Python that runs it, so no /proc, no /etc, and of a home folder nothing but a Python that lives in it; no
    other process can be seen or signalled; no program can fork or start another; memory and seconds are limited. When a program's time is
    over, the kernel ends all its threads with it. A program and its tests run in two processes, and the program's never contains its tests.
    Not guaranteed: the kernel is shared, and a vulnerability in it is a way out.

    Args:
        memory: Bytes of address space that a program, and its tests, may each use, including the interpreter's (about 30 MB).

    Raises:
        InputError: bubblewrap is not installed.
    """

    def __init__(self, *, memory: int) -> None:
        self._command = command(find_bubblewrap())
        self._memory = memory
        self._lock = threading.Lock()
        self._peer: socket.socket | None = None
        self._owner = 0
        self._end: weakref.finalize[[socket.socket, subprocess.Popen[bytes], int], Sandbox] | None = None

    def start(self) -> None:
        """Start the sandbox now, and run an empty program in it.

        Raises:
            InputError: bubblewrap, or the kernel feature that it needs, does not work on this machine.
        """
        with self._lock:
            try:
                self._running()
            except SandboxError as error:
                raise InputError(_no_sandbox(str(error))) from error

    def run(self, program: str, tests: str, *, seconds: float, prompt: str = "", entry_point: str = "", solution: str = "") -> str:
        """Return `passed` where the tests end without an exception after the program; else the reason for the failure.

        `prompt`, `entry_point` and `solution` say which names the tests expect from a program, and which are their own (`inside.names`).

        Reasons: `failed: ` and the exception's class, `syntax` (of the program), `timeout`, `memory`, `exit` (the process ended, or closed
        its pipe), `signal: ` and its name, `tampered` (it wrote to its pipe what no peer writes).

        Raises:
            SandboxError: the program could not be run, twice.
        """
        reference = {"tests": tests, "prompt": prompt, "entry_point": entry_point, "solution": solution}
        with self._lock:
            try:
                return self._ask(self._running(), program, reference, seconds)
            except SandboxError:
                self._close()
            # Once more in a new sandbox: the old one may have died long before, or the machine may have been too busy.
            try:
                return self._ask(self._running(), program, reference, seconds)
            except SandboxError:
                self._close()
                raise

    @staticmethod
    def longest(seconds: float) -> float:
        """Return the upper bound in seconds for `run`: where nothing answers, a start and a try, twice."""
        return 2 * (_START + _GRACE + seconds + _GRACE)

    def close(self) -> None:
        """End the sandbox and every process in it."""
        with self._lock:
            self._close()

    def _running(self) -> socket.socket:
        if self._peer is None or self._owner != os.getpid():  # a fork's requests would mix with its parent's
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
            theirs.close()  # else the socket would stay open when the server dies, and every wait would last to its deadline
            self._end = weakref.finalize(self, _end, ours, process, os.getpid())
            try:
                self._ask(ours, "", {"tests": ""}, _START)
            except SandboxError as error:
                self._close()
                raise SandboxError(_last_line(complaints) or str(error)) from error
        return ours

    def _ask(self, peer: socket.socket, program: str, reference: dict[str, str], seconds: float) -> str:
        deadline = time.monotonic() + seconds + _GRACE
        request = json.dumps({"program": program, "seconds": seconds, "memory": self._memory}).encode()
        source = json.dumps(reference).encode()
        if max(len(request), len(source)) > LONGEST_REQUEST:
            raise SandboxError("the program and its tests are too long")
        try:
            frames.send(peer, request, deadline=deadline)
            frames.send(peer, source, deadline=deadline)
            answer = frames.receive(peer, _LONGEST_ANSWER, deadline=deadline).decode(errors="replace")
        except (OSError, frames.BrokenFrameError) as error:
            raise SandboxError(f"it does not answer ({error})") from error
        if answer.startswith(BROKEN):
            raise SandboxError(answer.removeprefix(BROKEN))
        return answer

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
    """Check that a sandbox can be made on this machine; once per process.

    Raises:
        InputError: it cannot; the message says what to install or to permit.
    """
    sandbox = Sandbox(memory=1 << 30)
    try:
        sandbox.start()
    finally:
        sandbox.close()


def find_bubblewrap() -> str:
    """Return the path of bwrap.

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
    """Return the command line of a sandbox that serves samples on its standard input."""
    python = Path(sys.executable).resolve()  # in a virtual environment it is a link, and its target must be mounted
    system = [part for folder in ("/bin", "/lib", "/lib32", "/lib64") for part in _as_it_is(Path(folder))]
    homes = sorted({str(Path(sys.base_prefix).resolve()), str(python.parent)} - {"/"})
    return [
        bubblewrap,
        *("--unshare-user", "--unshare-all", "--die-with-parent", "--new-session", "--clearenv"),
        # The server needs this one capability, within this sandbox only, to make a mount and a PID namespace for each sample.
        # Samples do not have it.
        *("--cap-drop", "ALL", "--cap-add", "CAP_SYS_ADMIN"),
        *("--ro-bind", "/usr", "/usr", *system, "--ro-bind-try", "/etc/ld.so.cache", "/etc/ld.so.cache"),
        *(part for home in homes if not home.startswith("/usr/") for part in ("--ro-bind", home, home)),
        *("--ro-bind", str(_INSIDE), "/isocost/inside"),
        *(part for name in ("null", "zero", "random", "urandom") for part in ("--dev-bind", f"/dev/{name}", f"/dev/{name}")),
        *("--dir", "/tmp", "--remount-ro", "/"),
        # A fixed hash seed: the order of a set must not change a verdict.
        *("--setenv", "PYTHONHASHSEED", "0", "--setenv", "HOME", "/tmp", "--setenv", "PATH", "/usr/bin"),
        # -m finds the module in the working folder. Isolated mode (-I) would not, and nothing that it guards against is in here.
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
