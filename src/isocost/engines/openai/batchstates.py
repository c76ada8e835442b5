"""Read what an endpoint says of files and batches. Its replies are hostile: a field of another type counts as missing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from isocost.engines.batches import BatchState
from isocost.engines.openai.endpoint import Endpoint
from isocost.engines.openai.replies import BadReplyError
from isocost.engines.openai.troubles import words

_LISTED = 3  # errors of a batch that are kept: a failed file may have one for each line
_LONGEST_STATUS = 40  # characters
_LATEST = 1e11  # seconds since the epoch: a larger number counts other units


def read_id(reply: Any) -> str:
    """Return the id in a reply.

    Raises:
        BadReplyError: it has none.
    """
    id = reply.get("id") if isinstance(reply, dict) else None
    if not isinstance(id, str) or not id:
        raise BadReplyError("no id")
    return id


def with_id(reply: Any, id: str) -> Any:
    """Return a reply unless it names something else than what was asked for: a cache or a proxy may give the reply to another request.

    Raises:
        BadReplyError: it has another id.
    """
    shown = reply.get("id") if isinstance(reply, dict) else None
    if isinstance(shown, str) and shown != id:
        raise BadReplyError(f"it is of {shown}")
    return reply


def read_upload(reply: Any, name: str, size: int) -> str:
    """Return the id of a file that was uploaded under a name.

    Raises:
        BadReplyError: it has none, or is the reply to another upload. An endpoint may show a name of its own.
    """
    id, shown, told = read_id(reply), reply.get("filename"), reply.get("bytes")
    is_named_alike = isinstance(shown, str) and shown.startswith(name.partition("-")[0] + "-")
    if isinstance(shown, str) and shown != name and (is_named_alike or (isinstance(told, int) and told != size)):
        raise BadReplyError(f"it is of another file, {shown}")
    return id


def read_state(reply: Any, endpoint: Endpoint) -> BatchState:
    """Return the state of a batch.

    Raises:
        BadReplyError: it has no id, or no status.
    """
    id, status = read_id(reply), reply.get("status")
    if not isinstance(status, str):
        raise BadReplyError("no status")
    counts = reply.get("request_counts")
    counts = counts if isinstance(counts, dict) else {}
    errors = _errors(reply.get("errors"))
    return BatchState(
        id=id,
        status=endpoint.clean(status, _LONGEST_STATUS).lower(),
        total=_count(counts.get("total")),
        completed=_count(counts.get("completed")),
        failed=_count(counts.get("failed")),
        output_file=_text(reply.get("output_file_id")),
        error_file=_text(reply.get("error_file_id")),
        errors=tuple(endpoint.clean(words(each)) for each in errors),
        codes=tuple(endpoint.clean(str(each.get("code") or ""), 60) for each in errors if isinstance(each, dict)),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A page of a listing.

    Attributes:
        entries: Its entries as they came; {} for one that is no object.
        last: The id that the next page comes after, None if the page does not show it.
        is_last: True if the endpoint says that nothing comes after it.
    """

    entries: list[dict[str, Any]]
    last: str | None
    is_last: bool


def read_page(reply: Any) -> Page:
    """Return a page of a listing.

    Raises:
        BadReplyError: it is no listing.
    """
    data = reply.get("data") if isinstance(reply, dict) else None
    if not isinstance(data, list):
        raise BadReplyError("no listing")
    entries = [each if isinstance(each, dict) else {} for each in data]
    last = _text(reply.get("last_id")) or (_text(entries[-1].get("id")) if entries else None)
    return Page(entries=entries, last=last, is_last=reply.get("has_more") is False)


def read_metadata(batch: dict[str, Any]) -> dict[str, str]:
    """Return the metadata that a listing shows of a batch; {} where it shows none."""
    metadata = batch.get("metadata")
    return {key: value for key, value in metadata.items() if isinstance(value, str)} if isinstance(metadata, dict) else {}


def read_input_file(batch: dict[str, Any]) -> str | None:
    """Return the id of a batch's input file, or None."""
    return _text(batch.get("input_file_id"))


def created_before(batch: dict[str, Any], when: float) -> bool:
    """Return True if a batch was created before a time by the endpoint's clock; False where it gives no time that can be read."""
    created = read_created(batch)
    return created is not None and created < when


def read_created(entry: dict[str, Any]) -> float | None:
    """Return the time of a batch or a file in seconds, None where it gives none that can be read."""
    created = entry.get("created_at")
    return created if isinstance(created, int | float) and not isinstance(created, bool) and 0 < created < _LATEST else None


def _errors(given: Any) -> list[Any]:
    data = given.get("data") if isinstance(given, dict) else given
    return [each for each in data if each][:_LISTED] if isinstance(data, list) else ([given] if given else [])


def _count(given: Any) -> int:
    return given if isinstance(given, int) and not isinstance(given, bool) and given >= 0 else 0


def _text(given: Any) -> str | None:
    return given if isinstance(given, str) and given else None
