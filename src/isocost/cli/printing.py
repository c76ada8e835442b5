"""Print data to standard output, and everything else to standard error."""

from __future__ import annotations

import json
import os
import sys

from isocost.errors import StorageError
from isocost.terminal import printable


def print_data(value: object) -> None:
    """Print a text as it is, anything else as JSON.

    Raises:
        SystemExit: 141 if the reader has closed the pipe, as `yes | head` ends.
        StorageError: standard output cannot be written.
    """
    try:
        sys.stdout.write((value if isinstance(value, str) else json.dumps(value, indent=2, ensure_ascii=False)).rstrip("\n") + "\n")
        sys.stdout.flush()
    except BrokenPipeError:  # the reader has closed the pipe
        _drop_output()
        raise SystemExit(141) from None
    except OSError as error:
        _drop_output()
        raise StorageError(f"standard output: {error.strerror}") from error


def say(line: str) -> None:
    """Print a line to standard error."""
    sys.stderr.write(printable(line) + "\n")
    sys.stderr.flush()


def _drop_output() -> None:
    """Discard the buffered rest of standard output: Python would fail on it again at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
