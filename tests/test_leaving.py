"""What is said of errors that isocost did not raise."""

import errno
import os

import pytest

from isocost.cli.leaving import report_errors


@pytest.mark.parametrize("number", [errno.EMFILE, errno.ENFILE, errno.EAGAIN])
def test_what_the_system_allows_no_more_of_is_no_fault_of_isocost(number: int, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left, report_errors(debug=False):
        raise OSError(number, os.strerror(number))
    said = capsys.readouterr().err
    assert left.value.code == 1
    assert "fault of isocost" not in said
    assert "ulimit -n" in said
