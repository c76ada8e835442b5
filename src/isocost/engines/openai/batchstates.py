"""Read what an endpoint says of files and batches. Its replies are hostile: a field of another type counts as missing."""

from __future__ import annotations

from typing import Any

from isocost.engines.batches import BatchState
from isocost.engines.openai.endpoint import Endpoint
from isocost.engines.openai.replies import BadReplyError
from isocost.engines.openai.troubles import words

_LISTED = 3  # errors of a batch that are kept: a failed file may have one for each line
_LONGEST_STATUS = 40  # characters


def read_id(reply: Any) -> str:
    """Return the id in a reply.

    Raises:
        BadReplyError: it has none.
    """
    id = reply.get("id") if isinstance(reply, dict) else None
    if not isinstance(id, str) or not id:
        raise BadReplyError("no id")
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


def read_page(reply: Any) -> tuple[list[dict[str, Any]], str | None]:
    """Return the batches of a page of a listing as they came, and the id that the next page comes after; None for the last page.

    Raises:
        BadReplyError: it is no listing.
    """
    data = reply.get("data") if isinstance(reply, dict) else None
    if not isinstance(data, list):
        raise BadReplyError("no listing")
    batches = [each for each in data if isinstance(each, dict)]
    last = _text(reply.get("last_id")) or (_text(batches[-1].get("id")) if batches else None)
    return batches, last if reply.get("has_more") and batches else None


def read_metadata(batch: dict[str, Any]) -> dict[str, str]:
    """Return the metadata that a listing shows of a batch; {} where it shows none."""
    metadata = batch.get("metadata")
    return {key: value for key, value in metadata.items() if isinstance(value, str)} if isinstance(metadata, dict) else {}


def read_input_file(batch: dict[str, Any]) -> str | None:
    """Return the id of a batch's input file, or None."""
    return _text(batch.get("input_file_id"))


def created_before(batch: dict[str, Any], when: float) -> bool:
    """Return True if a batch was created before a time by the endpoint's clock; False where it gives no time that can be read."""
    created = batch.get("created_at")
    return isinstance(created, int | float) and not isinstance(created, bool) and created < when


def _errors(given: Any) -> list[Any]:
    data = given.get("data") if isinstance(given, dict) else given
    return [each for each in data if each][:_LISTED] if isinstance(data, list) else ([given] if given else [])


def _count(given: Any) -> int:
    return given if isinstance(given, int) and not isinstance(given, bool) and given >= 0 else 0


def _text(given: Any) -> str | None:
    return given if isinstance(given, str) and given else None
