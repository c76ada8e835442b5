"""Attacks on the sandbox, each a real program; what is stopped is looked at from outside, or from the next program."""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

import isocost
from isocost.errors import InputError
from isocost.graders.code.sandbox import bubblewrap
from isocost.graders.code.sandbox.bubblewrap import Sandbox
from isocost.graders.code.sandbox.inside import calls, frames

REPOSITORY = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    made = Sandbox(memory=512 << 20)
    yield made
    made.close()


def outcome(sandbox: Sandbox, program: str, tests: str = "", *, seconds: float = 10.0) -> str:
    return sandbox.run(textwrap.dedent(program), textwrap.dedent(tests), seconds=seconds)


def server(sandbox: Sandbox) -> psutil.Process:
    """The process that serves samples: the last of the chain bwrap, bwrap, python."""
    assert sandbox._end is not None
    alive = sandbox._end.peek()
    assert alive is not None
    return psutil.Process(alive[2][1].pid).children(recursive=True)[-1]


@pytest.mark.sandbox
@pytest.mark.parametrize(
    ("program", "tests", "reason"),
    [
        ("def f(x): return x + 1", "assert f(1) == 2", "passed"),
        ("def f(x): return x", "assert f(1) == 2", "failed: AssertionError"),
        ("def f(x): return y", "assert f(1) == 2", "failed: NameError"),
        ("def f(x) return x", "", "syntax"),
        ("x = '\\0\ud800'", "", "syntax"),
        ("(" * 5000, "", "syntax"),
        ("def f(x): return f(x)", "f(1)", "failed: RecursionError"),
        ("import numpy", "", "failed: ModuleNotFoundError"),
        ("raise KeyboardInterrupt", "", "failed: KeyboardInterrupt"),
        ("class E(BaseException): __qualname__ = name = 'x'\nraise E", "", "failed: E"),
        ("E = type('a b\\n' + '\u00fc' * 200, (Exception,), {})\nraise E", "", "failed: ab"),
        ("def f():\n  yield 1", "assert list(f()) == [1]", "passed"),
        ("def f():\n  assert False\n  yield 1", "next(f())", "failed: AssertionError"),
        ("input()", "", "failed: EOFError"),
        ("import sys", "assert sys.stdin.read() == ''", "passed"),
        ("if __name__ == '__main__':\n  exit()", "", "passed"),
        ("import dataclasses\n@dataclasses.dataclass\nclass P:\n  x: 'int'", "assert P(1).x == 1", "passed"),
        ("import asyncio\nasync def f(): return 1", "assert asyncio.run(f()) == 1", "passed"),
        ("import threading\nseen = []\nt = threading.Thread(target=seen.append, args=[1])\nt.start()\nt.join()", "assert seen", "passed"),
        ("import ctypes\nctypes.string_at(0)", "", "signal: SIGSEGV"),
        ("x = 'a' * (1 << 40)", "", "memory"),
        ("import time\ntime.sleep(60)", "", "timeout"),
        ("while True: pass", "", "timeout"),
        ("x = 0", "while True: x += 1", "timeout"),
    ],
)
def test_what_becomes_of_a_program(sandbox: Sandbox, program: str, tests: str, reason: str) -> None:
    assert outcome(sandbox, program, tests, seconds=1.0 if reason == "timeout" else 10.0) == reason


@pytest.mark.sandbox
@pytest.mark.parametrize(
    "program",
    [
        "raise SystemExit(0)",
        "import os; os._exit(0)",
        "def f(x): raise SystemExit",
        "def f(x): __import__('os')._exit(0)",
        "import os; os.closerange(0, 100)",
        "import atexit\natexit.register(print, 'passed')\nexit(0)",
    ],
)
def test_to_exit_is_not_to_pass(sandbox: Sandbox, program: str) -> None:
    assert outcome(sandbox, program, "assert f(1) == 2") == "exit"


@pytest.mark.sandbox
@pytest.mark.parametrize("word", ["passed", "defined", "ready", "sandbox: it broke", "failed: ", "failed: a b", ""])
@pytest.mark.parametrize("framed", [True, False])
def test_a_verdict_cannot_be_written_to_whatever_is_open(sandbox: Sandbox, word: str, framed: bool) -> None:
    program = f"""
        import os
        said = {word!r}.encode()
        for file in range(100):
            try:
                os.write(file, len(said).to_bytes(4, "big") + said if {framed} else said)
            except OSError:
                pass
    """
    assert outcome(sandbox, program, "assert False") in ("tampered", "exit", "failed: ", "failed: AssertionError")


@pytest.mark.sandbox
@pytest.mark.parametrize(
    "program",
    [
        "import builtins\nbuiltins.AssertionError = type('Nothing', (Exception,), {})\ndef f(x): return x",
        "import builtins\nbuiltins.exec = print\ndef f(x): return x",
        "import builtins\ntrue = compile('1', '', 'exec')\nbuiltins.compile = lambda *a, **k: true\ndef f(x): return x",
        "import builtins\nbuiltins.str = lambda *a, **k: ''\ndef f(x): return x",
        "import os\nos._exit = print\ndef f(x): return x",
        "import sys\nsys.excepthook = sys.settrace = sys.exit = print\ndef f(x): return x",
        "print('passed')\ndef f(x): return x",
        "import inside.sample, inside.frames\ninside.frames.send = inside.sample.FAILED = None\ndef f(x): return x",
    ],
)
def test_patching_the_interpreter_passes_nothing(sandbox: Sandbox, program: str) -> None:
    assert outcome(sandbox, program, "assert f(1) == 2") in ("failed: AssertionError", "exit")


@pytest.mark.sandbox
@pytest.mark.parametrize(
    "program",
    [
        "import sys\n[setattr(m, '_execute', lambda *a: None) for n, m in list(sys.modules.items()) if n.endswith('sample')]",
        "import sys\nfor n, m in [*sys.modules.items()]:\n  if n.endswith('sample'): m._compile = lambda *a, **k: compile('1', '', 'exec')",
        "import sys\nm = sys.modules.get('inside.sample')\nif m: m._execute = lambda *a: None",
        """
        import sys
        frame = sys._getframe().f_back
        while frame:
            for name, thing in [*frame.f_globals.items(), *frame.f_locals.items()]:
                if name in ("_execute", "_compile", "execute", "translate"):
                    frame.f_globals[name] = frame.f_locals[name] = lambda *a, **k: None
                if hasattr(thing, "__code__"):
                    thing.__code__ = (lambda *a, **k: None).__code__
            frame = frame.f_back
        """,
        "import gc, types\nfor f in gc.get_objects():\n  if type(f) is types.FunctionType and 'insid' in f'{f.__module__}': f.__code__ = 0",
        """
        import sys
        def skip(frame, event, argument):
            if frame.f_code.co_filename == "tests" and event == "line":
                frame.f_trace = None
                frame.f_lineno = 2
            return skip
        sys.settrace(skip)
        """,
        # while it is tested: the token, were it in a variable
        """
        import os, sys
        def f(x):
            frame = sys._getframe()
            while frame:
                for thing in frame.f_locals.values():
                    if isinstance(thing, bytes) and len(thing) >= 16:
                        os.write(3, (16).to_bytes(4, "big") + thing[-16:])
                        os.write(3, (16).to_bytes(4, "big") + thing[:16])
                        os._exit(0)
                frame = frame.f_back
            return x
        """,
    ],
)
def test_what_judges_cannot_be_rebound(sandbox: Sandbox, program: str) -> None:
    program = textwrap.dedent(program)
    if "def f(x)" not in program:
        program += "\ndef f(x): return x"
    assert outcome(sandbox, program, "assert f(1) == 2\n0") in ("failed: AssertionError", "tampered")


@pytest.mark.sandbox
def test_nothing_of_the_sandbox_is_in_the_modules(sandbox: Sandbox) -> None:
    program = """
        import sys
        assert not [name for name in sys.modules if name.startswith("inside")]
        frame = sys._getframe().f_back
        while frame:
            assert not [thing for thing in frame.f_globals.values() if getattr(thing, "__module__", "").startswith("inside")]
            assert not [name for name, thing in frame.f_locals.items() if hasattr(thing, "__code__") and frame.f_code.co_name == "run"]
            frame = frame.f_back
    """
    assert outcome(sandbox, program) == "passed"


@pytest.mark.sandbox
def test_long_tests_arrive_whole(sandbox: Sandbox) -> None:
    tests = "# much\n" * 300_000 + "assert f(1) == 2"
    assert outcome(sandbox, "def f(x): return 2", tests) == "passed"
    assert outcome(sandbox, "def f(x): return 1", tests) == "failed: AssertionError"


@pytest.mark.sandbox
def test_the_tests_are_not_in_the_process_while_the_program_is_defined(sandbox: Sandbox) -> None:
    program = """
        import gc, sys
        frame, seen = sys._getframe(), []
        while frame:
            seen.append(repr(frame.f_locals) + repr(frame.f_code.co_consts))
            frame = frame.f_back
        needle = "".join(["assert 'nee", "dle42'"])
        assert needle not in "".join(seen)
        held = [thing for thing in gc.get_objects() if isinstance(thing, (dict, list, tuple)) and thing is not globals()]
        assert not [1 for thing in held if needle in thing]
    """
    assert outcome(sandbox, program, "assert 'needle42'") == "passed"


@pytest.mark.sandbox
def test_a_program_reaches_no_network(sandbox: Sandbox) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        for family in (socket.AF_INET, socket.AF_INET6, socket.AF_UNIX, socket.AF_NETLINK, socket.AF_VSOCK):
            assert outcome(sandbox, f"import socket\nsocket.socket({int(family)}, 1)") == "failed: PermissionError"
        assert outcome(sandbox, f"import socket\nsocket.create_connection(('127.0.0.1', {port}))") == "failed: PermissionError"
        assert outcome(sandbox, "import urllib.request\nurllib.request.urlopen('http://1.1.1.1')") == "failed: URLError"
        listening.settimeout(0.1)
        with pytest.raises(TimeoutError):
            listening.accept()


@pytest.mark.sandbox
@pytest.mark.parametrize(
    "path", ["/etc/passwd", "/proc/self/environ", "/proc/1/fd", "/sys", "/var", "/run", "/dev/mem", "/dev/kmsg", "/dev/shm"]
)
def test_what_is_of_the_machine_cannot_be_read(sandbox: Sandbox, path: str) -> None:
    assert outcome(sandbox, f"import os\nos.stat({path!r})") == "failed: FileNotFoundError"


@pytest.mark.sandbox
def test_home_folder_repository_and_environment_cannot_be_read(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("secret")
    for path in (secret, REPOSITORY / "pyproject.toml", Path.home() / ".bashrc", Path.home() / ".ssh"):
        assert outcome(sandbox, f"open({str(path)!r})") == "failed: FileNotFoundError"
    python = str(Path(sys.base_prefix).resolve())
    program = f"""
        import os
        for place, folders, files in os.walk({str(Path.home())!r}):
            assert {python!r}.startswith(place) or place.startswith({python!r}), place
    """
    assert outcome(sandbox, program) == "passed"
    monkeypatch.setenv("API_KEY", "secret")
    own = Sandbox(memory=512 << 20)
    assert (
        outcome(own, "import os\nassert sorted(os.environ) == ['HOME', 'LC_CTYPE', 'PATH', 'PWD', 'PYTHONHASHSEED'], list(os.environ)")
        == "passed"
    )
    own.close()


@pytest.mark.sandbox
@pytest.mark.parametrize("folder", ["/", "/usr", "/usr/lib", "/dev", "/isocost", "/isocost/inside", sys.base_prefix])
def test_the_system_cannot_be_written(sandbox: Sandbox, folder: str) -> None:
    program = f"import os\npath = os.path.join({folder!r}, 'isocost-was-here')\nopen(path, 'w').write('x')"
    assert outcome(sandbox, program) in ("failed: OSError", "failed: PermissionError")
    assert not (Path(folder) / "isocost-was-here").exists()
    assert outcome(sandbox, f"import os\nos.chmod({folder!r}, 0o777)") in ("failed: OSError", "failed: PermissionError")


@pytest.mark.sandbox
def test_every_program_has_a_tmp_of_its_own(sandbox: Sandbox) -> None:
    name = f"isocost-{os.getpid()}"
    deep = f"import os\nopen('/tmp/{name}', 'w').write('x')\nfor _ in range(300): os.mkdir('d'); os.chdir('d')\nos.chmod('/tmp', 0)"
    assert outcome(sandbox, deep) == "passed"
    assert outcome(sandbox, "import os\nassert os.getcwd() == '/tmp'\nassert os.listdir() == []") == "passed"
    assert not Path("/tmp", name).exists()


@pytest.mark.sandbox
def test_a_program_that_closes_tmp_is_judged(sandbox: Sandbox) -> None:
    tests = f"text = {'a' * (1 << 22)!r}\nassert f(2) == 4"  # read by the tests' process while the program runs already
    assert sandbox.run("import os\nos.chmod('/tmp', 0)\ndef f(x): return 5", tests, seconds=10.0) == "failed: AssertionError"
    assert sandbox.run("import os\nos.chmod('/tmp', 0)\ndef f(x): return 4", tests, seconds=10.0) == "passed"


@pytest.mark.sandbox
@pytest.mark.parametrize(
    "program",
    [
        "open('/tmp/big', 'wb').write(bytes(20 << 20))",
        "for i in range(9): open(f'/tmp/{i}', 'wb').write(bytes(4 << 20))",
        "for i in range(2000): open(f'/tmp/{i}', 'wb').close()",
        "files = [open('/dev/null') for _ in range(200)]",
    ],
)
def test_files_are_limited(sandbox: Sandbox, program: str) -> None:
    assert outcome(sandbox, f"import signal\nsignal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n{program}") == "failed: OSError"


@pytest.mark.sandbox
@pytest.mark.parametrize(
    "program",
    [
        "import os\nwhile True: os.fork()",
        "import os\nos.posix_spawn('/usr/bin/true', ['true'], {})",
        "import os\nos.execv('/usr/bin/true', ['true'])",
        "import subprocess\nsubprocess.Popen(['sleep', '1000'])",
        "import subprocess\nsubprocess.Popen('sleep 1000 &', shell=True, start_new_session=True)",
        "import multiprocessing\nmultiprocessing.Process(target=print).start()",
        "import os, ctypes\nif ctypes.CDLL(None).vfork() < 0: raise PermissionError",
        "import ctypes\nif ctypes.CDLL(None).syscall(CLONE, 17, 0, 0, 0, 0) < 0: raise PermissionError",
    ],
)
def test_no_process_can_be_started(sandbox: Sandbox, program: str) -> None:
    program = program.replace("CLONE", "56" if os.uname().machine == "x86_64" else "220")
    assert outcome(sandbox, program, seconds=3.0) == "failed: PermissionError"
    assert server(sandbox).children() == []


@pytest.mark.sandbox
@pytest.mark.skipif(os.uname().machine != "x86_64", reason="other ways in, of x86_64 alone")
def test_the_filter_has_no_way_round_it(sandbox: Sandbox) -> None:
    x32 = (
        "import ctypes\nlibc = ctypes.CDLL(None, use_errno=True)\nassert libc.syscall(0x40000000 + 57) < 0\nassert ctypes.get_errno() == 38"
    )
    assert outcome(sandbox, x32) == "passed"
    i386 = """
        import ctypes, mmap
        page = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
        page.write(bytes.fromhex("b802000000 cd80 c3"))  # mov eax, 2 (fork); int 0x80; ret
        ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(page)))()
    """
    assert outcome(sandbox, i386) in ("signal: SIGSYS", "signal: SIGSEGV")


@pytest.mark.parametrize(("header", "column"), [("x86_64-linux-gnu/asm/unistd_64.h", 0), ("asm-generic/unistd.h", 1)])
def test_system_calls_have_the_numbers_of_the_kernels_headers(header: str, column: int) -> None:
    file = Path("/usr/include", header)
    if not file.exists():
        pytest.skip("the kernel's headers are not installed")
    numbers = {name: int(number) for name, number in re.findall(r"#define __NR(?:3264)?_(\w+)\s+(\d+)", file.read_text())}
    assert {name: call[column] for name, call in calls._FORBIDDEN.items()} == {name: numbers[name] for name in calls._FORBIDDEN}
    assert numbers["clone"] == calls._CLONE[column]
    assert numbers["clone3"] == calls._CLONE3


@pytest.mark.sandbox
def test_threads_are_limited_and_end_with_the_program(sandbox: Sandbox) -> None:
    program = """
        import threading, time
        threading.stack_size(32768)
        try:
            while True:
                threading.Thread(target=time.sleep, args=[1000], daemon=True).start()
        except RuntimeError:
            raise OSError(threading.active_count())
    """
    # timeout: threading waits for ever for a thread that finds no memory left for its first steps
    assert outcome(sandbox, program, seconds=3.0) in ("failed: OSError", "memory", "timeout")
    assert outcome(sandbox, "import threading, time\nthreading.Thread(target=time.sleep, args=[1000]).start()") == "passed"
    assert server(sandbox).children() == []


@pytest.mark.sandbox
def test_memory_is_limited_however_it_is_asked_for(sandbox: Sandbox) -> None:
    assert outcome(sandbox, "held = []\nwhile True: held.append(bytearray(1 << 20))") == "memory"
    assert outcome(sandbox, "import mmap\nmmap.mmap(-1, 100 << 30)") in ("memory", "failed: OSError")
    assert outcome(sandbox, "import os\nos.memfd_create('x')") == "failed: PermissionError"
    assert (
        outcome(sandbox, "import ctypes\nif ctypes.CDLL(None).shmget(0, 1 << 20, 0o1600) < 0: raise PermissionError")
        == "failed: PermissionError"
    )
    assert server(sandbox).memory_info().rss < 100 << 20


@pytest.mark.sandbox
def test_endless_output_goes_nowhere(sandbox: Sandbox) -> None:
    assert outcome(sandbox, "while True: print('x' * 100_000)", seconds=1.0) == "timeout"
    assert outcome(sandbox, "import sys\nwhile True: sys.stderr.write('x' * 100_000)", seconds=1.0) == "timeout"
    assert outcome(sandbox, "import os\nwhile True: os.write(3, b'x' * 100_000)", seconds=1.0) in (
        "exit",
        "tampered",
        "failed: BrokenPipeError",
    )


@pytest.mark.sandbox
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP, signal.SIGTERM])
@pytest.mark.parametrize("target", ["0", "-1", "os.getppid()", "1", "2", "3", "-2", "-os.getpgrp()"])
def test_signals_reach_nobody_else(sandbox: Sandbox, target: str, number: int) -> None:
    before = server(sandbox).pid
    outcome(sandbox, f"import os\nos.kill({target}, {int(number)})", seconds=1.0)
    assert outcome(sandbox, "def f(): return 1", "assert f() == 1") == "passed"
    assert server(sandbox).pid == before
    assert server(sandbox).status() not in (psutil.STATUS_STOPPED, psutil.STATUS_ZOMBIE)


@pytest.mark.sandbox
@pytest.mark.parametrize(
    "call", ["ptrace(16, 2, 0, 0)", "unshare(0x10000000)", "mount(b'x', b'/tmp', b'tmpfs', 0, 0)", "syscall(321, 0, 0, 0)", "setns(3, 0)"]
)
def test_no_capability_is_left_and_no_namespace_can_be_made(sandbox: Sandbox, call: str) -> None:
    program = f"import ctypes\nlibc = ctypes.CDLL(None, use_errno=True)\nassert libc.{call} < 0\nraise OSError(ctypes.get_errno(), '')"
    assert outcome(sandbox, program) == "failed: PermissionError"


@pytest.mark.sandbox
def test_equal_programs_see_equal_chance_and_equal_hashes(sandbox: Sandbox) -> None:
    program = "import random\ndrawn = random.random(), hash('isocost')"
    other = Sandbox(memory=512 << 20)
    reasons = set()
    for place in (sandbox, sandbox, other):
        reasons.add(outcome(place, program, "raise type(f'n{abs(hash(drawn))}', (Exception,), {})"))
    other.close()
    assert len(reasons) == 1


@pytest.mark.sandbox
def test_a_sandbox_that_died_is_replaced(sandbox: Sandbox) -> None:
    outcome(sandbox, "")
    dead = server(sandbox)
    dead.kill()
    assert outcome(sandbox, "def f(): return 1", "assert f() == 1") == "passed"
    assert server(sandbox).pid != dead.pid


@pytest.mark.sandbox
def test_a_sandbox_that_hangs_is_replaced(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bubblewrap, "_GRACE", 0.5)
    outcome(sandbox, "")
    stopped = server(sandbox)
    stopped.suspend()
    assert outcome(sandbox, "def f(): return 1", "assert f() == 1", seconds=1.0) == "passed"
    assert not stopped.is_running()


@pytest.mark.slow
@pytest.mark.sandbox
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM, None])
def test_nothing_is_left_behind_by_a_worker_that_ends(how: signal.Signals | None) -> None:
    script = """
        import sys, time
        from isocost.graders.code.sandbox.bubblewrap import Sandbox
        sandbox = Sandbox(memory=512 << 20)
        sandbox.start()
        print(sandbox._end.peek()[2][1].pid, flush=True)
        sys.stdin.read(1)
    """
    worker = subprocess.Popen([sys.executable, "-c", textwrap.dedent(script)], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert worker.stdout is not None
    assert worker.stdin is not None
    first = psutil.Process(int(worker.stdout.readline()))
    chain = [first, *first.children(recursive=True)]
    assert len(chain) >= 3
    if how is None:
        worker.stdin.close()
    else:
        worker.send_signal(how)
    worker.wait()
    worker.stdout.close()
    _, left = psutil.wait_procs(chain, timeout=5)
    assert left == []


def test_without_bubblewrap_the_message_says_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(InputError, match="apt install bubblewrap"):
        Sandbox(memory=512 << 20)


def test_where_no_sandbox_can_be_made_the_message_says_why(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    broken = tmp_path / "bwrap"
    broken.write_text("#!/bin/sh\necho 'bwrap: No permissions to create new namespace' >&2\nexit 1\n")
    broken.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    with pytest.raises(InputError, match=r"No permissions to create new namespace\n  allow user namespaces"):
        Sandbox(memory=512 << 20).start()


@pytest.mark.sandbox
@pytest.mark.skipif(os.geteuid() != 0 or not Path("/usr/bin/python3").exists(), reason="needs root, and a Python that all users can read")
def test_it_works_for_a_user_without_rights(tmp_path: Path) -> None:
    source = Path(isocost.__file__).parent
    shutil.copytree(source, Path("/tmp", tmp_path.name) / "isocost", ignore=shutil.ignore_patterns("__pycache__", "weights"))
    script = """
        import os
        from isocost.graders.code.sandbox.bubblewrap import Sandbox
        assert os.getuid() == 65534
        sandbox = Sandbox(memory=512 << 20)
        print(sandbox.run("x = 1", "assert x == 1", seconds=9.0), sandbox.run("import os; os.fork()", "", seconds=9.0), sep=", ")
    """
    try:
        done = subprocess.run(
            ["/usr/bin/python3", "-c", textwrap.dedent(script)], cwd=Path("/tmp", tmp_path.name), user=65534, group=65534, extra_groups=[],
            env={"PATH": os.environ["PATH"]}, capture_output=True, text=True,
        )  # fmt: skip
    finally:
        shutil.rmtree(Path("/tmp", tmp_path.name))
    if "3.10" in done.stderr or "cannot import name" in done.stderr:
        pytest.skip("the system's Python is too old")
    assert done.stdout == "passed, failed: PermissionError\n", done.stderr


def test_a_peer_that_sends_a_byte_at_a_time_is_not_waited_for_beyond_the_deadline() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.sendall(b"\0\0")
        started = time.monotonic()
        with pytest.raises(TimeoutError):
            frames.receive(ours, 100, deadline=started + 0.2)
        assert time.monotonic() - started < 30  # the peer sends nothing more
        theirs.sendall(b"\1\0\0\0")
        with pytest.raises(frames.BrokenFrameError):
            frames.receive(ours, 100, deadline=time.monotonic() + 0.2)
