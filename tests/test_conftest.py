"""Tests that need what a machine lacks are skipped, and fail where CI is set."""

from __future__ import annotations

import pytest

from tests import conftest

pytest_plugins = ["pytester"]

TESTS = """
import pytest

@pytest.mark.sandbox
def test_in_a_sandbox(): ...

@pytest.mark.browser
def test_in_a_browser(): ...

def test_of_neither(): ...
"""


@pytest.fixture
def marked(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """Tests of each mark on a machine that has neither bubblewrap nor chromium."""
    monkeypatch.setattr(conftest, "LACKING", {"sandbox": lambda: "no bubblewrap", "browser": lambda: "no chromium"})
    monkeypatch.delenv("CI", raising=False)
    pytester.makeconftest("from tests.conftest import pytest_runtest_setup")
    pytester.makeini("[pytest]\nmarkers =\n    sandbox\n    browser")
    pytester.makepyfile(TESTS)
    return pytester


def test_what_is_missing_skips_the_tests_that_need_it(marked: pytest.Pytester) -> None:
    result = marked.runpytest_inprocess("-rs")
    result.assert_outcomes(passed=1, skipped=2)
    result.stdout.fnmatch_lines(["SKIPPED*no bubblewrap", "SKIPPED*no chromium"])


def test_what_is_missing_fails_the_tests_that_need_it_where_ci_is_set(marked: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "true")
    result = marked.runpytest_inprocess()
    result.assert_outcomes(passed=1, errors=2)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["no bubblewrap; where CI is set, this is a failure", "no chromium; where CI is set, this is a failure"])


def test_what_is_there_runs_the_tests_that_need_it(marked: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "true")
    monkeypatch.setattr(conftest, "LACKING", {"sandbox": lambda: "", "browser": lambda: ""})
    marked.runpytest_inprocess().assert_outcomes(passed=3)
