"""Records of inspect's `.eval` archives: a zip of one JSON file per sample, compressed with deflate or Zstandard.

Python's zipfile lists members but refuses Zstandard, so members are read here and decompressed by pyarrow.
"""

from __future__ import annotations

import re
import struct
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa

from isocost.encodings import utf8_flaw
from isocost.errors import TableError
from isocost.tables.jsonobjects import read_object
from isocost.tables.reading import base
from isocost.tables.reading.base import Record, Unread
from isocost.tables.source import first_line

_ZSTANDARD = 93  # the zip format's number of the method
_LOCAL_HEADER = 30  # bytes before a member's name
_HEADERS = ("header.json", "_journal/start.json", "start.json")  # of finished, unfinished and early logs
_SAMPLE = re.compile(r"samples/[^/].*\.json\Z", re.DOTALL)
_CHUNKED = re.compile(r"samples/.+_epoch_\d+/sample\.json\Z", re.DOTALL)


def archive_records(path: Path) -> Iterator[Record | Unread]:
    """Yield a record per sample: an inspect log in JSON with this sample alone.

    Raises:
        TableError: The archive is cut off, is no log of inspect, or is written in a way that isocost does not read.
    """
    try:
        with path.open("rb") as file, zipfile.ZipFile(file) as archive:
            names = archive.namelist()
            if any(map(_CHUNKED.match, names)):
                raise TableError(
                    f"{path}: stores samples in chunks (log version 3)\n  isocost reads logs of version 2: inspect log convert"
                )
            header = next((name for name in _HEADERS if name in names), None)
            samples = [member for member in archive.infolist() if _SAMPLE.match(member.filename)]
            if header is None or not samples:
                raise TableError(f"{path}: is a zip archive, but not a log of inspect with samples")
            head = _object(file, archive.getinfo(header), path)
            # The journal of a log that is being written has no status.
            about = {"eval": head.get("eval", {}), "status": head.get("status", "started")}
            for member in samples:
                at = f"{path}: {member.filename[:120]}"
                try:
                    yield Record(at=at, fields={**about, "samples": [_object(file, member, path)]})
                except TableError as error:
                    yield Unread(at=at, reason=error.happened.removeprefix(f"{at}: ").partition(":")[0])
    except zipfile.BadZipFile as error:
        advice = "copy it again; inspect recovers logs of killed runs"
        raise TableError(f"{path}: is cut off, or damaged: {first_line(error)}", advice=advice) from error
    except OSError as error:
        raise TableError(f"{path}: cannot be read: {first_line(error)}") from error


def _object(file: Any, member: zipfile.ZipInfo, path: Path) -> dict[str, Any]:
    at = f"{path}: {member.filename[:120]}"
    try:
        return read_object(_content(file, member, at).decode("utf-8"), at)[0]
    except UnicodeDecodeError as error:
        raise TableError(f"{at}: {utf8_flaw(error)}") from error
    except (struct.error, zlib.error, OSError, pa.ArrowException) as error:
        raise TableError(f"{at}: cannot be decompressed: {first_line(error)}") from error


def _content(file: Any, member: zipfile.ZipInfo, at: str) -> bytes:
    """Return the bytes of a member."""
    if max(member.file_size, member.compress_size) > base.LONGEST:
        raise TableError(f"{at}: is longer than {base.LONGEST:,} bytes")
    file.seek(member.header_offset)
    # The lengths in the local header count: its extra field may differ from the directory's.
    name, extra = struct.unpack("<26x2H", file.read(_LOCAL_HEADER))
    file.seek(name + extra, 1)
    packed: bytes = file.read(member.compress_size)
    content: bytes
    if member.compress_type == zipfile.ZIP_STORED:
        content = packed
    elif member.compress_type == zipfile.ZIP_DEFLATED:
        content = zlib.decompressobj(-15).decompress(packed, member.file_size + 1)
    elif member.compress_type == _ZSTANDARD:
        with pa.input_stream(pa.BufferReader(packed), compression="zstd") as stream:
            content = stream.read(member.file_size + 1)  # one more: a longer content is damage, and may be without end
    else:
        raise TableError(f"{at}: is compressed by the zip method {member.compress_type}; isocost reads deflate and Zstandard")
    if len(content) != member.file_size or zlib.crc32(content) != member.CRC:
        raise TableError(f"{at}: is damaged")
    return content
