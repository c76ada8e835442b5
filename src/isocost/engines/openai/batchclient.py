"""The client of an endpoint's batch API: files and batches, each call sent once."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterator
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote

import httpx2
import openai

from isocost.engines.batches import BatchState, Sighting
from isocost.engines.openai.batchstates import (
    created_before,
    read_created,
    read_input_file,
    read_metadata,
    read_page,
    read_state,
    read_upload,
    with_id,
)
from isocost.engines.openai.client import Connection, ReplyTooLongError, client_for
from isocost.engines.openai.endpoint import Endpoint
from isocost.engines.openai.failures import redact, refusal, translate
from isocost.engines.openai.options import OpenAIOptions
from isocost.engines.openai.replies import BadReplyError, parsed
from isocost.errors import EngineError, TryAgainError
from isocost.store.files import atomic_write

T = TypeVar("T")
KEY = "isocost_submission"  # of the metadata
_WINDOW = "24h"
_MOST_DOWNLOADED = 8 * 2**30  # bytes of a result file: 50,000 replies of 160 KiB
_PART = 2**20  # bytes that are written at once
_PAGE = 100  # batches of a page of a listing, the most that OpenAI gives
_MOST_PAGES = 1000
_SKEW = 900.0  # seconds by which two clocks of the endpoint may differ
_UNKNOWN = (404, 405)  # statuses of what is not there, and of a call that an endpoint does not have
_REFUSALS = (400, 401, 403, 404, 405, 413, 422)  # after another status, a proxy or the endpoint may have carried out a creation


class BatchClient:
    """Calls the batch API of one endpoint. It implements `engines.batches.BatchApi`."""

    def __init__(self, endpoint: Endpoint, options: OpenAIOptions) -> None:
        self._endpoint, self._timeout = endpoint, options.timeout
        self._client = client_for(endpoint, options.timeout, 1, _MOST_DOWNLOADED)
        self._connection = Connection(self._client, str(endpoint))
        self._files: dict[str, dict[str, Any]] = {}  # what the endpoint says of input files, by id

    def upload(self, path: Path, name: str) -> str:
        """Upload a file of requests, streamed from the disk."""

        async def send() -> Any:
            with path.open("rb") as file:
                return await self._client.files.with_raw_response.create(file=(name, file, "application/jsonl"), purpose="batch")

        size = path.stat().st_size
        return self._ask("the upload of a batch", send, lambda reply: read_upload(reply, name, size))

    def create(self, file: str, url: str, submission: str) -> BatchState:
        """Create a batch. `charged` of an error is True if the endpoint may have created it all the same."""
        body = {"input_file_id": file, "endpoint": url, "completion_window": _WINDOW, "metadata": {KEY: submission}}
        try:
            return self._ask(
                "a new batch",
                lambda: self._client.post("/batches", cast_to=httpx2.Response, body=body),
                lambda reply: self._created(reply, file, submission),
            )
        except EngineError as error:
            cause = error.__cause__
            if isinstance(cause, ReplyTooLongError):  # it came after the request was carried out
                raise TryAgainError(error.happened, charged=True) from error
            if isinstance(cause, openai.APIStatusError):  # a gateway's 503 or 429 says nothing of what the endpoint behind it did
                error.charged = cause.status_code not in _REFUSALS
            raise

    def look(self, batch: str) -> BatchState | None:
        """Return the state of a batch, None if the endpoint does not know it."""
        return self._or_none(
            lambda: self._ask(f"batch {batch}", lambda: self._get(f"/batches/{batch}"), lambda reply: self._state(with_id(reply, batch)))
        )

    def cancel(self, batch: str) -> BatchState | None:
        """Ask the endpoint to cancel a batch; return its state, None if the endpoint does not know the batch."""
        path = f"/batches/{batch}/cancel"
        return self._or_none(
            lambda: self._ask(
                f"batch {batch}",
                lambda: self._client.post(path, cast_to=httpx2.Response, body={}),
                lambda reply: self._state(with_id(reply, batch)),
            )
        )

    def find(self, submission: str, file: str, others: Collection[str] = ()) -> Sighting:
        """Page through the listing to its end. A batch is recognised by its metadata, its input file, or that file's name."""
        doubtful, whole = 0, False
        try:
            for page, whole in self._pages("batches", ""):  # noqa: B007 (the last one counts)
                for batch in (each for each in page if each.get("id") not in others):
                    is_it = self._is_of(batch, submission, file)
                    if is_it:
                        return Sighting(batch=self._state(batch))
                    doubtful += is_it is None
        except _MissingError:
            return Sighting(batch=None, listed=False)
        return Sighting(batch=None, doubtful=doubtful, whole=whole)

    def has_file(self, file: str) -> bool:
        """Return True if the endpoint knows a file by its id."""
        return bool(self._file(file))

    def find_files(self, submission: str) -> list[str]:
        """Page through the listing of files; return the ids of those whose name carries the id of a submission."""
        files = [file for page, _ in self._pages("files", "purpose=batch&") for file in page]
        named = [file.get("id") for file in files if submission in str(file.get("filename"))]
        return [id for id in named if isinstance(id, str)]

    def download(self, file: str, path: Path) -> bool:
        """Download a file to the disk, whole or not at all."""

        async def receive() -> Any:
            with atomic_write(path) as temporary, temporary.open("wb") as out:
                async with self._client.files.with_streaming_response.content(file) as response:
                    async for part in _parts(response.iter_bytes(_PART)):
                        out.write(part)
            return True

        return self._or_none(lambda: self._ask(f"file {file}", receive, bool)) is True

    def delete(self, file: str) -> None:
        """Delete a file, if it is there."""
        self._or_none(lambda: self._ask(f"file {file}", lambda: self._client.files.with_raw_response.delete(file), bool))

    def close(self) -> None:
        """End the connection."""
        self._connection.close()

    def _pages(self, kind: str, query: str) -> Iterator[tuple[list[dict[str, Any]], bool]]:
        """Yield the entries of each page of a listing, and True with the last one if it is certain that nothing comes after it.

        No time ends it: the clock here may be wrong, and endpoints list in any order. Some have no word for the last page, and say it with
        an empty one.
        """
        after, seen = "", set[Any]()
        for _ in range(_MOST_PAGES):
            path = f"/{kind}?{query}limit={_PAGE}" + (f"&after={quote(after, safe='')}" if after else "")
            page = self._ask(f"the list of {kind}", lambda path=path: self._get(path), read_page)  # type: ignore[misc]
            ids = {each["id"] for each in page.entries if isinstance(each.get("id"), str)}
            is_end = page.is_last or not page.entries
            yield page.entries, is_end
            # A page that repeats earlier ones is of an endpoint that knows no `after`, and may be all that it shows of a longer list.
            if is_end or page.last is None or ids <= seen:
                break
            seen |= ids
            after = page.last

    def _is_of(self, batch: dict[str, Any], submission: str, file: str) -> bool | None:
        """Return True if a listed batch is that of a submission, False if it is another, None if it shows nothing that could tell."""
        metadata, input_file = read_metadata(batch), read_input_file(batch)
        if KEY in metadata:
            return metadata[KEY] == submission
        if input_file == file:
            return True
        if input_file is None:
            return False if metadata or self._is_older(batch, file) else None
        return not self._is_older(batch, file) and submission in str(self._file(input_file).get("filename"))

    def _is_older(self, batch: dict[str, Any], file: str) -> bool:
        """Return True if a batch was created before a file was uploaded, both by the endpoint's own clock."""
        uploaded = read_created(self._file(file))
        return uploaded is not None and created_before(batch, uploaded - _SKEW)

    def _file(self, file: str) -> dict[str, Any]:
        """Return what the endpoint says of a file, {} if it does not know it."""
        if file not in self._files:
            said = self._or_none(
                lambda: self._ask(f"file {file}", lambda: self._get(f"/files/{quote(file, safe='')}"), lambda reply: with_id(reply, file))
            )
            self._files[file] = said if isinstance(said, dict) else {}
        return self._files[file]

    def _created(self, reply: Any, file: str, submission: str) -> BatchState:
        """Return the state of a new batch.

        Raises:
            BadReplyError: it is that of another one. Its metadata decide, as a proxy may give files ids of its own.
        """
        state = self._state(reply)
        metadata, input_file = read_metadata(reply), read_input_file(reply)
        if metadata.get(KEY, submission) != submission or (KEY not in metadata and input_file not in (None, file)):
            raise BadReplyError(f"it is of another batch, {state.id}")
        return state

    def _state(self, reply: Any) -> BatchState:
        return read_state(reply, self._endpoint)

    def _get(self, path: str) -> Awaitable[httpx2.Response]:
        return self._client.get(path, cast_to=httpx2.Response)

    def _ask(self, name: str, send: Callable[[], Awaitable[Any]], read: Callable[[Any], T]) -> T:
        """Send one call and read its reply.

        Raises:
            _MissingError: the endpoint replies with 404, or with 405 for a call that it does not have.
            TryAgainError, EngineError: as `BatchApi`.
        """

        async def timed() -> Any:
            async with asyncio.timeout(self._timeout):
                return await send()

        try:
            reply = self._connection.submit(timed()).result()
            return read(_body(reply))
        except (openai.OpenAIError, httpx2.HTTPError) as error:
            raise self._missing(error, name) or translate(error, self._endpoint, name) from error
        except ReplyTooLongError as error:
            raise refusal(f"{self._endpoint}: the reply to {name} has more than {_MOST_DOWNLOADED:,} bytes\n  ask its provider") from error
        except TimeoutError as error:
            raise TryAgainError(f"{self._endpoint}: no reply to {name} within {self._timeout:g} s", charged=True) from error
        except BadReplyError as error:
            redact(error, self._endpoint)
            told = self._endpoint.clean(str(error))
            raise TryAgainError(f"{self._endpoint}: a reply to {name} that cannot be read: {told}", charged=True) from error

    def _missing(self, error: Exception, name: str) -> _MissingError | None:
        if not isinstance(error, openai.APIStatusError) or error.status_code not in _UNKNOWN:
            return None
        redact(error, self._endpoint)
        missing = _MissingError(
            f"{self._endpoint}: has no batch API, or does not know {name} ({error.status_code})\n"
            "  leave batch out of the model's section, or check base_url, which usually ends in /v1"
        )
        missing.charged = False
        return missing

    def _or_none(self, ask: Callable[[], T]) -> T | None:
        try:
            return ask()
        except _MissingError:
            return None


class _MissingError(EngineError):
    """The endpoint does not know what was asked for."""


async def _parts(parts: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Yield the parts of a download. A failure of TLS is an OSError, which would be taken for one of the disk."""
    try:
        async for part in parts:
            yield part
    except ssl.SSLError as error:
        raise httpx2.ReadError(str(error)) from error


def _body(reply: Any) -> Any:
    """Return the parsed body of a response; what is no response as it is."""
    response = getattr(reply, "http_response", reply)
    return parsed(response.content) if isinstance(response, httpx2.Response) else response
