"""Tables and files at URLs (`s3://`, `hf://`, `https://`), copied through fsspec."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import ModuleType

from isocost.errors import InputError, IsocostError, MissingExtraError, StorageError, TableError
from isocost.tables.source import first_line

_URLS: dict[str, str] = {}  # by the path of their copy
_SQUEEZED = re.compile(r"([a-z][a-z0-9+.]+):/{1,2}(?=[^/])(.+)", re.DOTALL)  # two letters at least: a drive is none


def is_url(name: str) -> bool:
    """Return True for a URL. A file of such a name is taken literally."""
    return "://" in name and not Path(name).exists()


def url_of(path: str) -> str | None:
    """Return the URL that a path was made of, None for any other path. `Path` makes `s3:/bucket` of `s3://bucket`."""
    found = _SQUEEZED.match(path)
    if found is None or Path(path).exists():
        return None
    scheme, rest = found.groups()
    return f"{scheme}:///{rest}" if scheme == "file" else f"{scheme}://{rest}"


@contextmanager
def local(sources: Sequence[str]) -> Iterator[list[Path]]:
    """Yield the sources as local paths; files at URLs are copied for as long as the block runs.

    Raises:
        TableError: A URL cannot be read.
        MissingExtraError: fsspec is not installed.
    """
    with ExitStack() as stack:
        stack.enter_context(names_urls())
        paths: list[Path] = []
        for source in sources:
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="isocost-import-")) if is_url(source) else None
            paths.append(fetched(source, Path(folder)) if folder else Path(source))
        yield paths


@contextmanager
def names_urls() -> Iterator[None]:
    """Name URLs in place of their copies in errors of the block."""
    try:
        yield
    except IsocostError as error:
        error.rewrite(with_urls)
        raise


def with_urls(text: str) -> str:
    """Return a text that names URLs in place of their copies."""
    for path, url in _URLS.items():
        text = text.replace(path, url)
    return text


def folder_of(path: Path) -> str:
    """Return the folder of a file, or of the URL that it is a copy of."""
    url = _URLS.get(str(path))
    return str(path.parent) if url is None else url.partition("?")[0].rpartition("/")[0]


@contextmanager
def uploaded(out: str) -> Iterator[Path]:
    """Yield a local path to write to. What is written there goes to the URL at the end of the block, if no error ended it.

    Raises:
        InputError: The table exists.
        StorageError: The URL cannot be written.
        MissingExtraError: fsspec is not installed.
    """
    if not is_url(out):
        if Path(out).exists():
            raise InputError(f"{out}: exists already", advice="name another file, or remove it")
        if not Path(out).absolute().parent.is_dir():
            raise InputError(f"{out}: its folder does not exist")
        yield Path(out)
        return
    fsspec = _fsspec()
    with tempfile.TemporaryDirectory(prefix="isocost-import-") as folder:
        try:
            system, name = fsspec.core.url_to_fs(out)
            taken = system.exists(name)
        except Exception as error:  # of any file system's library
            raise InputError(f"{out}: cannot be opened: {first_line(error)}") from error
        if taken:
            raise InputError(f"{out}: exists already", advice="name another file, or remove it")
        path = Path(folder) / out.rpartition("/")[2]
        yield path
        try:
            system.put_file(str(path), name)
        except Exception as error:  # of any file system's library
            raise StorageError(f"{out}: cannot be written: {first_line(error)}") from error


def fetched(url: str, folder: Path) -> Path:
    """Copy the file at a URL into a folder, and return the path of the copy. A file of this machine is not copied.

    Raises:
        TableError: It cannot be read.
        MissingExtraError: fsspec is not installed.
    """
    fsspec = _fsspec()
    # With the name of its folder, which is that of the model where the file has none.
    parent, name = ("", *url.partition("?")[0].partition("://")[2].rstrip("/").split("/"))[-2:]
    path = folder / (parent if parent.strip(".") else "files") / (name if name.strip(".") else "file")
    try:
        path.parent.mkdir()
        system, at = fsspec.core.url_to_fs(url)
        if isinstance(system, fsspec.implementations.local.LocalFileSystem):
            return Path(at)
        system.get_file(at, str(path))
    except ImportError as error:  # of the library of a file system
        if url.partition("://")[0] in ("http", "https"):
            raise MissingExtraError("aiohttp", "hub") from error
        raise TableError(f"{url}: cannot be read: {first_line(error)}") from error
    except FileNotFoundError as error:
        raise TableError(f"{url}: cannot be read: there is no such file") from error
    except Exception as error:  # of any file system's library
        raise TableError(f"{url}: cannot be read: {first_line(error)}") from error
    _URLS[str(path)] = url
    return path


def _fsspec() -> ModuleType:
    try:
        import fsspec.implementations.local
    except ImportError as error:
        raise MissingExtraError("fsspec", "hub") from error
    module: ModuleType = fsspec
    return module
