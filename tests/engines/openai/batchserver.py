"""An endpoint with OpenAI's batch API on this machine: real HTTP, real files, and a bill of its own.

In a test: `with BatchServer(faults={"create": ["500 done"]}) as server: ... server.url`. As a process of its own, for as long as stdin is
open: `python -m tests.engines.openai.batchserver --delay 1`; the first line of its output is the URL, and `GET /bill` has what it charged.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.engines.openai.batchbooks import Books, Ending, StoredBatch
from tests.engines.openai.replies import Answer, Asked, Reply, any_answer, completion, refusal
from tests.engines.openai.serving import InThread


class BatchServer(InThread):
    """Serves files, batches and single completions under /v1 from a thread of its own.

    Args:
        delay: Seconds from the creation of a batch to its end.
        answer: The text for a prompt, a seed and the number of the choice.
        endings: How batches end, in the order of their creation.
        lines: Misbehaviour of lines (`batchbooks.LINE_FAULTS`) -> each how many-th line has it.
        most_enqueued: The most lines under way; a batch beyond it fails.
        cancel_share: The share of a cancelled batch's lines that ran before.
        faults: By operation (upload, create, poll, list, files, content, delete, cancel, look), what its next calls do: a status, `cut`
            (the connection closes); with ` done` behind it, the operation is carried out first. `as ID` carries it out, and replies with
            that batch or file.
        shows: What listings show of a batch: any of `metadata`, `file` (its input file), `name` (of that file).
        listing_delay: Seconds after which a batch appears in listings.
        page: The most batches that a page of a listing has, whatever was asked for.
        states: Names of states as they are shown, where they differ.
        oldest_first: Whether listings of batches begin with the oldest.
        knows_after: Whether they go on behind the id in `after`.
        last: The value of `has_more` on a last page; None leaves `has_more` out of all.

    Attributes:
        url: Its base_url.
        books: Files, batches and the bill.
        calls: How many calls came, by operation.
    """

    def __init__(
        self,
        *,
        delay: float = 0.0,
        answer: Answer = any_answer,
        endings: Sequence[Ending] = (),
        lines: Mapping[str, int] | None = None,
        most_enqueued: int | None = None,
        cancel_share: float = 0.5,
        faults: Mapping[str, Sequence[str]] | None = None,
        shows: Sequence[str] = ("metadata", "file", "name"),
        listing_delay: float = 0.0,
        page: int = 100,
        states: Mapping[str, str] | None = None,
        oldest_first: bool = False,
        knows_after: bool = True,
        last: bool | None = False,
        port: int = 0,
    ) -> None:
        super().__init__(port)
        self._folder = tempfile.TemporaryDirectory()
        self.books = Books(
            folder=Path(self._folder.name),
            delay=delay,
            answer=answer,
            endings=list(endings),
            lines=lines or {},
            most_enqueued=most_enqueued,
            cancel_share=cancel_share,
        )
        self.calls: Counter[str] = Counter()
        self.faults = {name: list(each) for name, each in (faults or {}).items()}
        self.shows, self.listing_delay, self._page, self._states = shows, listing_delay, page, dict(states or {})
        self._oldest_first, self._knows_after, self._last = oldest_first, knows_after, last
        self._runs: set[asyncio.Task[None]] = set()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        super().__exit__(kind, error, trace)
        self._folder.cleanup()

    def bill(self) -> dict[str, Any]:
        """What was run and charged: lines, lines that were charged more than once, tokens; and how many files are stored."""
        ran = dict(self.books.ran)
        return {
            "lines": sum(ran.values()),
            "twice": sum(count > 1 for count in ran.values()),
            "tokens": dict(self.books.tokens),
            "files": len(self.books.files),
            "ran": ran,
        }

    async def _listen(self) -> asyncio.Server:
        return await asyncio.start_server(self._connected, "127.0.0.1", self._port, limit=2**20)

    def _disconnect(self) -> None:
        for task in (each for each in asyncio.all_tasks() if each is not asyncio.current_task()):
            task.cancel()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                first, *lines = head.decode("latin-1").rstrip().split("\r\n")
                method, target, _ = first.split(" ")
                headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
                content = await reader.readexactly(int(headers.get("content-length", "0")))
                reply = await self._take(method, target, headers, content)
                if reply.cut:
                    break
                top = [f"HTTP/1.1 {reply.status} x", f"content-length: {len(reply.body)}"]
                top += [f"{name}: {value}" for name, value in reply.headers.items()]
                writer.write("\r\n".join([*top, "", ""]).encode() + reply.body)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

    async def _take(self, method: str, target: str, headers: Mapping[str, str], content: bytes) -> Reply:
        parts = urlsplit(target)
        path = parts.path.removeprefix("/v1").strip("/").split("/")
        operation = _operation(method, path)
        self.calls[operation] += 1
        fault = self.faults[operation].pop(0) if self.faults.get(operation) else ""
        reply = refusal(503, "not carried out")
        if not fault or fault.endswith(" done"):
            reply = await self._carry_out(operation, path, parse_qs(parts.query), headers, content)
        if fault.startswith("as "):
            await self._carry_out(operation, path, parse_qs(parts.query), headers, content)
            return self._reply_of(fault.removeprefix("as "))
        status = fault.removesuffix(" done")
        if status == "cut":
            return Reply(cut=True)
        wait = {"retry-after": "0.05"} if status == "429" else {}
        return refusal(int(status), f"refused with {status}", headers=wait) if status else reply

    def _reply_of(self, id: str) -> Reply:
        batch = self.books.batches.get(id)
        return _json(self._shown(batch, self.shows_all)) if batch else self._of_file("look", id)

    async def _carry_out(
        self, operation: str, path: Sequence[str], query: Mapping[str, list[str]], headers: Mapping[str, str], content: bytes
    ) -> Reply:
        if operation == "ask":
            body = completion(Asked(path="/".join(path), headers=headers, body=json.loads(content)), self.books.answer)
            return _json(body)
        if operation == "bill":
            return _json(self.bill())
        if operation == "upload":
            return self._upload(headers, content)
        if operation == "create":
            try:
                return _json(self._shown(self.books.create(json.loads(content)), self.shows_all))
            except ValueError as error:
                return refusal(400, str(error))
        if operation == "list":
            return await self._list(query)
        if operation == "files":
            return self._list_files(query)
        if operation in ("poll", "cancel"):
            return await self._look_at(path[1], cancel=operation == "cancel")
        return self._of_file(operation, path[1])

    shows_all = ("metadata", "file", "name")

    def _upload(self, headers: Mapping[str, str], content: bytes) -> Reply:
        boundary = b"--" + headers["content-type"].partition("boundary=")[2].strip('"').encode()
        name, purpose, data = "", "", b""
        for part in content.split(boundary)[1:-1]:
            head, _, value = part.removeprefix(b"\r\n").partition(b"\r\n\r\n")
            if b'name="purpose"' in head:
                purpose = value.removesuffix(b"\r\n").decode()
            if b"filename=" in head:
                name, data = head.partition(b'filename="')[2].partition(b'"')[0].decode(), value.removesuffix(b"\r\n")
        id = self.books.add_file(name, purpose, data)
        return _json({"id": id, "object": "file", "bytes": len(data), "filename": name, "purpose": purpose})

    async def _look_at(self, id: str, *, cancel: bool) -> Reply:
        batch = self.books.batches.get(id)
        if batch is None:
            return refusal(404, "no such batch")
        if cancel:
            self.books.cancel(batch)
        self._advance(batch)
        await asyncio.sleep(0)
        return _json(self._shown(batch, self.shows_all))

    def _advance(self, batch: StoredBatch) -> None:
        if self.books.advance(batch):
            run = asyncio.create_task(asyncio.to_thread(self.books.run, batch))
            self._runs.add(run)
            run.add_done_callback(self._runs.discard)

    async def _list(self, query: Mapping[str, list[str]]) -> Reply:
        old = [each for each in self.books.batches.values() if time.time() - each.created >= self.listing_delay]
        newest = sorted(old, key=lambda each: each.id, reverse=not self._oldest_first)
        after = query.get("after", [""])[0]
        if after and self._knows_after:
            newest = [each for each in newest if (each.id > after if self._oldest_first else each.id < after)]
        most = min(self._page, int(query.get("limit", ["20"])[0]))
        shown = [self._shown(each, self.shows) for each in newest[:most]]
        last = shown[-1]["id"] if shown else None
        more = {} if self._last is None else {"has_more": len(newest) > most or self._last}
        return _json({"object": "list", "data": shown, "last_id": last, **more})

    def _list_files(self, query: Mapping[str, list[str]]) -> Reply:
        newest = sorted((id for id, file in self.books.files.items() if file.purpose in query.get("purpose", [file.purpose])), reverse=True)
        after = query.get("after", [""])[0]
        newest = [id for id in newest if not after or id < after]
        most = min(self._page, int(query.get("limit", ["10000"])[0]))
        files = [(id, self.books.files[id]) for id in newest[:most]]
        shown = [{"id": id, "object": "file", "filename": file.name, "created_at": int(file.path.stat().st_mtime)} for id, file in files]
        return _json({"object": "list", "data": shown, "has_more": len(newest) > most, "last_id": shown[-1]["id"] if shown else None})

    def _shown(self, batch: StoredBatch, shows: Sequence[str]) -> dict[str, Any]:
        return {
            "id": batch.id,
            "object": "batch",
            "endpoint": batch.endpoint,
            "errors": {"object": "list", "data": batch.errors} if batch.errors else None,
            "input_file_id": batch.input_file if "file" in shows else None,
            "completion_window": "24h",
            "status": self._states.get(batch.state, batch.state),
            "output_file_id": batch.output_file,
            "error_file_id": batch.error_file,
            "created_at": int(batch.created),
            "request_counts": {"total": batch.lines, "completed": batch.done, "failed": batch.failed},
            "metadata": batch.metadata if "metadata" in shows else None,
        }

    def _of_file(self, operation: str, id: str) -> Reply:
        file = self.books.files.get(id)
        if file is None:
            return refusal(404, "no such file")
        if operation == "content":
            return Reply(body=file.path.read_bytes())
        if operation == "delete":
            self.books.files.pop(id).path.unlink()
            return _json({"id": id, "object": "file", "deleted": True})
        name = file.name if "name" in self.shows else "file.jsonl"
        return _json(
            {
                "id": id,
                "object": "file",
                "bytes": file.size,
                "filename": name,
                "purpose": file.purpose,
                "created_at": int(file.path.stat().st_mtime),
            }
        )


def _operation(method: str, path: Sequence[str]) -> str:
    if path[0] == "files":
        if len(path) == 1:
            return "upload" if method == "POST" else "files"
        return "delete" if method == "DELETE" else "content" if path[-1] == "content" else "look"
    if path[0] == "batches":
        return {("POST", 1): "create", ("GET", 1): "list", ("GET", 2): "poll"}.get((method, len(path)), "cancel")
    return "bill" if path[0] == "bill" else "ask"


def _json(value: object) -> Reply:
    return Reply(body=json.dumps(value).encode())


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--delay", type=float, default=0.0)
    parser.add_argument("--listing-delay", type=float, default=0.0)
    parser.add_argument("--words", type=int, default=0, help="words of padding in each solution")
    parser.add_argument("--page", type=int, default=100)
    parser.add_argument("--shows", default="metadata,file,name")
    parser.add_argument("--line", action="append", default=[], metavar="FAULT:N", help="each Nth line goes wrong in this way")
    given = parser.parse_args()
    lines = {name: int(each) for name, _, each in (text.rpartition(":") for text in given.line)}
    shows = given.shows.split(",")
    padding = "thus " * given.words
    with BatchServer(
        delay=given.delay,
        listing_delay=given.listing_delay,
        page=given.page,
        shows=shows,
        lines=lines,
        answer=lambda *asked: padding + any_answer(*asked),
    ) as server:
        sys.stdout.write(server.url + "\n")
        sys.stdout.flush()
        sys.stdin.read()


if __name__ == "__main__":
    main()
