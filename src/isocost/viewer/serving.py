"""The server of `isocost view`: serves the pages on this machine until Ctrl-C."""

from __future__ import annotations

import contextlib
import getpass
import secrets
import socket
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from isocost.errors import InputError, MissingExtraError, RunDirectoryError
from isocost.paths import shell_word
from isocost.viewer.choosing import OpenRun
from isocost.viewer.labelbook import LabelBook
from isocost.viewer.rundata import RunData

_LOOPBACK = "127.0.0.1"
_LONGEST_NAME = 40


def serve(runs: Mapping[str, Path], *, labeller: str | None, port: int, say: Callable[[str], None]) -> str:
    """Serve the pages of one run directory, or of several, until they are interrupted.

    Args:
        runs: The run directories by name.
        labeller: Name of the labeller; None for the login name.
        port: Port on 127.0.0.1; 0 for any free one.
        say: Called with the one line that contains the link.

    Returns:
        The closing lines, one per run: a summary of the labels.

    Raises:
        MissingExtraError: starlette or uvicorn is not installed.
        RunDirectoryError: There is nothing to show.
        InputError: The port is not available, or the labeller's name is invalid.
        StorageError: The labels of the directory are damaged.
    """
    try:
        import uvicorn

        from isocost.viewer.app import viewer
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in ("starlette", "uvicorn"):
            raise
        raise MissingExtraError(error.name or "starlette", "view") from error
    name = checked_name(_login() if labeller is None else labeller)
    served = [OpenRun(name=run, data=RunData(path), book=LabelBook(path, name)) for run, path in runs.items()]
    before = [len(run.book.own()) for run in served]
    for run in served:
        run.data.counts()  # fail here, not in the browser, if a file cannot be read
    with _listening(port) as listener:
        port = listener.getsockname()[1]
        token, prefix = secrets.token_urlsafe(24), f"/{secrets.token_urlsafe(24)}"
        config = uvicorn.Config(
            viewer(served, token=token, port=port, prefix=prefix),
            log_config=None,
            log_level="error",
            access_log=False,
            ws="none",
            lifespan="off",
            server_header=False,
            timeout_graceful_shutdown=2,
        )
        threading.Thread(target=_count_ahead, args=[served], daemon=True).start()
        say(f"open http://{_LOOPBACK}:{port}{prefix}/?token={token}")
        with contextlib.suppress(KeyboardInterrupt):  # uvicorn shuts down, then raises the interrupt again
            uvicorn.Server(config).run(sockets=[listener])
    lines = [closing(run.data, run.book, labels) for run, labels in zip(served, before, strict=True)]
    return lines[0] if len(served) == 1 else "\n".join(f"{run.name}: {line}" for run, line in zip(served, lines, strict=True))


def _count_ahead(runs: Sequence[OpenRun]) -> None:
    for run in runs:
        with contextlib.suppress(RunDirectoryError):  # the pages count for themselves, and show what is wrong
            run.data.count_ahead()


def closing(data: RunData, book: LabelBook, before: int) -> str:
    """Return the closing line: labels in all and of this time, the rate so far, and agreement with others; then the next command."""
    from isocost.viewer.agreeing import agreement_line
    from isocost.viewer.standing import stand

    standing = stand(data, book)
    if not standing.labelled:
        return "nothing labelled"
    now = len(book.own()) - before
    line = ", ".join(standing.parts()) + (f"; {now:,} of these labelled this time" if now > 0 else "")
    agreed = agreement_line(book.labels(), book.labeller)
    following = f"\nput the labels into the report: isocost report {shell_word(data.path)}" if now > 0 else ""
    return f"{line}; {agreed}{following}" if agreed else f"{line}{following}"


def checked_name(labeller: str) -> str:
    """Strip white space from a labeller's name and check it.

    Raises:
        InputError: The name is empty, too long, or has characters that cannot be printed.
    """
    name = labeller.strip()
    if not name or len(name) > _LONGEST_NAME or not name.isprintable():
        raise InputError(f"--labeller: a name has 1 to {_LONGEST_NAME} printable characters; give one, such as --labeller ann")
    return name


def _login() -> str:
    try:
        return getpass.getuser()
    except (KeyError, ImportError, OSError):  # in a container, the user may have no name
        return "me"


def _listening(port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((_LOOPBACK, port))
    except (OSError, OverflowError) as error:
        listener.close()
        why = error.strerror if isinstance(error, OSError) else "not a port"
        raise InputError(f"--port {port}: {why}\n  leave --port out: any free port will do") from error
    listener.listen(128)
    return listener
