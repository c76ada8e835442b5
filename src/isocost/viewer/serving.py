"""`isocost view`: serves the pages on this machine until Ctrl-C."""

from __future__ import annotations

import contextlib
import getpass
import secrets
import socket
from collections.abc import Callable
from pathlib import Path

from isocost.errors import InputError, MissingExtraError
from isocost.viewer.labelbook import LabelBook
from isocost.viewer.rundata import RunData

_LOOPBACK = "127.0.0.1"
_LONGEST_NAME = 40


def serve(path: Path, *, labeller: str | None, port: int, say: Callable[[str], None]) -> str:
    """Serve a run directory until somebody ends it.

    Args:
        path: The run directory.
        labeller: Who labels; None is whoever is logged in.
        port: Where, on 127.0.0.1; 0 is any that is free.
        say: Told the one line that holds the link.

    Returns:
        The closing line: what was labelled.

    Raises:
        MissingExtraError: starlette or uvicorn is not installed.
        RunDirectoryError: There is nothing to show.
        InputError: The port is taken, or the name is none.
        StorageError: The labels of the directory are damaged.
    """
    try:
        import uvicorn

        from isocost.viewer.app import viewer
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in ("starlette", "uvicorn"):
            raise
        raise MissingExtraError(error.name or "starlette", "view") from error
    book, data = LabelBook(path, checked_name(_login() if labeller is None else labeller)), RunData(path)
    before = len(book.own())
    data.counts()  # what cannot be read is said here, not in the browser
    with _listening(port) as listener:
        port = listener.getsockname()[1]
        token, prefix = secrets.token_urlsafe(24), f"/{secrets.token_urlsafe(24)}"
        config = uvicorn.Config(
            viewer(data, book, token=token, port=port, prefix=prefix),
            log_config=None,
            log_level="error",
            access_log=False,
            ws="none",
            lifespan="off",
            server_header=False,
            timeout_graceful_shutdown=2,
        )
        say(f"open http://{_LOOPBACK}:{port}{prefix}/?token={token}")
        with contextlib.suppress(KeyboardInterrupt):  # the server ends in order, and then raises what ended it
            uvicorn.Server(config).run(sockets=[listener])
    return closing(data, book, before)


def closing(data: RunData, book: LabelBook, before: int) -> str:
    """One line: what was labelled, in all and this time, the rate so far, and agreement with others."""
    from isocost.viewer.agreeing import agreement_line
    from isocost.viewer.standing import stand

    standing = stand(data, book)
    if not standing.labelled:
        return "nothing labelled"
    now = len(book.own()) - before
    line = ", ".join(standing.parts()) + (f"; {now:,} of these labelled this time" if now > 0 else "")
    agreed = agreement_line(book.labels(), book.labeller)
    return f"{line}; {agreed}" if agreed else line


def checked_name(labeller: str) -> str:
    """A labeller's name without white space around it.

    Raises:
        InputError: It is empty, too long, or holds what cannot be printed.
    """
    name = labeller.strip()
    if not name or len(name) > _LONGEST_NAME or not name.isprintable():
        raise InputError(f"--labeller: a name has 1 to {_LONGEST_NAME} printable characters; give one, such as --labeller ann")
    return name


def _login() -> str:
    try:
        return getpass.getuser()
    except (KeyError, ImportError, OSError):  # a container's user without a name
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
