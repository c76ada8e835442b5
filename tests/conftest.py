"""Settings of hypothesis, and the rule for tests that need what a machine may lack."""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from hypothesis import settings

from isocost.errors import InputError
from isocost.graders.code.sandbox.bubblewrap import check_sandbox

# A busy machine is no mistake: properties are tested, not speed. And what passed once passes again, unless somebody looks for more.
settings.register_profile("isocost", deadline=None, derandomize=True)
settings.register_profile("search", deadline=None, max_examples=1000)
settings.load_profile(os.environ.get("ISOCOST_HYPOTHESIS", "isocost"))


@pytest.hookimpl(optionalhook=True)  # the tests of the engine vllm run without xdist
def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """Return the number of processes of `-n auto`: three for two cores, as tests wait for processes that start, end or are given up."""
    cores = len(os.sched_getaffinity(0))
    return cores + cores // 2


@pytest.fixture(scope="session", autouse=True)
def unsynced() -> Iterator[None]:
    """Leave out fsync in this process: no test cuts the power, and a small run would wait longer for the disk than it computes."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda descriptor: None)
        yield


CHROMIUM = Path("/usr/bin/chromium")


@cache
def no_sandbox() -> str:
    """Return why programs cannot be run in bubblewrap here; nothing where they can."""
    try:
        check_sandbox()
    except InputError as error:
        return str(error).partition("\n")[0]
    return ""


def no_browser() -> str:
    """Return why pages cannot be opened in a browser here; nothing where they can."""
    return "" if CHROMIUM.exists() else f"{CHROMIUM} is missing: apt-get install chromium"


LACKING = {"sandbox": no_sandbox, "browser": no_browser}  # by the mark of the tests that need it


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip a test that needs what this machine lacks, and fail it where CI is set: there, nobody reads what was skipped."""
    for mark, lacking in LACKING.items():
        if item.get_closest_marker(mark) and (reason := lacking()):
            if os.environ.get("CI"):
                pytest.fail(f"{reason}; where CI is set, this is a failure", pytrace=False)
            pytest.skip(reason)
