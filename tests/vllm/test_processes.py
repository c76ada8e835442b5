"""vLLM in processes of its own: what it prints, whom it talks to, and what is left of it."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from pathlib import Path

import psutil
import pytest

from isocost.lab import weights

PATIENCE = 60  # seconds; vLLM's processes for further devices look after each other and then end

SCRIPT = """
import os, sys
from pathlib import Path

def look(event, arguments):
    if event in ("socket.connect", "socket.getaddrinfo", "socket.sendto") and not isinstance(arguments[-1], (str, bytes)):
        address = arguments[1][0] if event != "socket.getaddrinfo" else arguments[0]
        if address not in ("127.0.0.1", "localhost", "::1", None):
            print("network:", event, address, file=sys.stderr)

sys.addaudithook(look)

def main():
    from isocost.engines import load_engine
    from isocost.engines.base import Request
    from isocost.records import SamplingParams

    options = {"model": sys.argv[1], "dtype": "float32", "enforce_eager": True, "tensor_parallel_size": int(sys.argv[2])}
    engine = load_engine("vllm", options, base=Path())
    asked = [Request(problem_id="p", prompt="Q: a\\nA:\\n", first_index=0, count=4)]
    (generations,) = engine.generate(asked, SamplingParams(max_tokens=8), 0)
    print("generated", len(generations), file=sys.stderr, flush=True)
    if sys.argv[3] == "wait":
        sys.stdin.read()

if __name__ == "__main__":
    main()
"""


@pytest.fixture
def script(tmp_path: Path, installed: None) -> Path:
    path = tmp_path / "script.py"
    path.write_text(textwrap.dedent(SCRIPT))
    return path


def test_it_prints_nothing_asks_nobody_and_ends_with_its_process(script: Path) -> None:
    done = subprocess.run([sys.executable, str(script), str(weights("weak")), "1", "go"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout == ""
    assert "generated 4" in done.stderr
    assert "network:" not in done.stderr
    assert "INFO" not in done.stderr
    assert "it/s" not in done.stderr


@pytest.mark.parametrize(("model", "devices"), [("weak", 1), ("tiny", 2)])
def test_nothing_is_left_of_a_process_that_is_killed(script: Path, monkeypatch: pytest.MonkeyPatch, model: str, devices: int) -> None:
    if devices == 2:
        if (psutil.cpu_count() or 1) < 2:
            pytest.skip("two devices need two cores")
        monkeypatch.setenv("VLLM_CPU_OMP_THREADS_BIND", "0|1")
    command = [sys.executable, str(script), str(weights(model)), str(devices), "wait"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        said = next((line for line in iter(process.stderr.readline, "") if line.startswith("generated")), None)
        assert said == "generated 4\n"
        children = psutil.Process(process.pid).children(recursive=True)
        assert bool(children) == (devices > 1)
        process.kill()
        _, alive = psutil.wait_procs(children, timeout=PATIENCE)
        for left in alive:
            left.kill()
        assert not alive
