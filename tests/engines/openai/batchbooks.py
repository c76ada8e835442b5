"""The books of the tests' batch endpoint: files, batches, what ran, and the bill. No network: `batchserver.py` speaks HTTP."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.engines.openai.replies import Answer, Asked, any_answer, completion

MOST_LINES, MOST_BYTES, LONGEST_ID, MOST_KEYS, LONGEST_VALUE = 50_000, 200_000_000, 64, 16, 512
FINAL = {"completed", "failed", "expired", "cancelled"}
Row = dict[str, Any]
LineFault = Callable[[Row, Row], tuple[str, Row | None]]  # (line, the right reply) -> ("output" or "error" or "", the line to write)


def _line(line: Row, status: int, body: Row, error: Row | None = None) -> Row:
    response = {"status_code": status, "request_id": "req", "body": body} if status else None
    return {"id": "batch_req", "custom_id": line["custom_id"], "response": response, "error": error}


def _refused(status: int, message: str, code: str | None = None) -> LineFault:
    body = {"error": {"message": message, "type": "error", "param": None, "code": code}}
    return lambda line, good: ("error", _line(line, status, body))


def _without_usage(line: Row, good: Row) -> tuple[str, Row | None]:
    return "output", _line(line, 200, {key: value for key, value in good.items() if key != "usage"})


def _huge_usage(line: Row, good: Row) -> tuple[str, Row | None]:
    return "output", _line(line, 200, {**good, "usage": {"prompt_tokens": 1, "completion_tokens": 10**6}})


LINE_FAULTS: dict[str, LineFault] = {
    "missing": lambda line, good: ("", None),
    "400": _refused(400, "something is wrong with this one"),
    "429": _refused(429, "slow down"),
    "500": _refused(500, "the server had an error"),
    "filtered": _refused(400, "Invalid prompt: it was flagged", "invalid_prompt"),
    "context": _refused(400, "This model's maximum context length is 8 tokens", "context_length_exceeded"),
    "batch_expired": lambda line, good: ("error", _line(line, 0, {}, {"code": "batch_expired", "message": "not run in time"})),
    "rubbish": lambda line, good: ("output", _line(line, 200, {"choices": "none"})),
    "no usage": _without_usage,
    "huge usage": _huge_usage,
    "unknown id": lambda line, good: ("output", {**_line(line, 200, good), "custom_id": "somebody-else"}),
}
FREE = {"400", "429", "500", "filtered", "context", "batch_expired"}  # lines that cost nothing


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """How a batch ends: its final state, the share of its lines that run, and the code of its error where it fails."""

    state: str = "completed"
    share: float = 1.0
    code: str = "invalid_json_line"


@dataclass(slots=True, kw_only=True)
class StoredFile:
    """A file at the endpoint."""

    name: str
    purpose: str
    path: Path

    @property
    def size(self) -> int:
        return self.path.stat().st_size


@dataclass(slots=True, kw_only=True)
class StoredBatch:
    """A batch at the endpoint."""

    id: str
    input_file: str
    endpoint: str
    metadata: Mapping[str, str] | None
    created: float
    ending: Ending
    state: str = "validating"
    lines: int = 0
    done: int = 0
    failed: int = 0
    output_file: str | None = None
    error_file: str | None = None
    errors: list[Row] = field(default_factory=list)
    running: bool = False


@dataclass(slots=True, kw_only=True)
class Books:
    """All that the endpoint keeps.

    Attributes:
        folder: Where its files are.
        delay: Seconds from the creation of a batch to its end.
        answer: The text of a solution.
        endings: How batches end, in the order of their creation; those after complete.
        lines: Misbehaviour of single lines by name -> each how many-th line of all has it.
        most_enqueued: The most lines of batches under way; one that exceeds it fails and runs nothing.
        cancel_share: The share of a cancelled batch's lines that ran before.
        ran: How often each line was run and charged, by its custom_id.
        tokens: Tokens on the bill: prompt, generated.
    """

    folder: Path
    delay: float = 0.0
    answer: Answer = any_answer
    endings: list[Ending] = field(default_factory=list)
    lines: Mapping[str, int] = field(default_factory=dict)
    most_enqueued: int | None = None
    cancel_share: float = 0.5
    ran: Counter[str] = field(default_factory=Counter)
    tokens: Counter[str] = field(default_factory=Counter)
    files: dict[str, StoredFile] = field(default_factory=dict)
    batches: dict[str, StoredBatch] = field(default_factory=dict)
    _numbers: Counter[str] = field(default_factory=Counter)
    _seen: int = 0

    def add_file(self, name: str, purpose: str, content: bytes) -> str:
        """Store an uploaded file."""
        id = self._new("file")
        path = self.folder / id
        path.write_bytes(content)
        self.files[id] = StoredFile(name=name, purpose=purpose, path=path)
        return id

    def create(self, asked: Row) -> StoredBatch:
        """Create a batch. Nothing of it runs before `advance`."""
        metadata = asked.get("metadata") or {}
        if len(metadata) > MOST_KEYS or any(len(value) > LONGEST_VALUE for value in metadata.values()):
            raise ValueError("metadata is too long")
        if asked["input_file_id"] not in self.files or asked.get("completion_window") != "24h":
            raise ValueError("no such input file, or another completion_window than 24h")
        ending = self.endings.pop(0) if self.endings else Ending()
        batch = StoredBatch(
            id=self._new("batch"),
            input_file=asked["input_file_id"],
            endpoint=asked["endpoint"],
            metadata=metadata,
            created=time.time(),
            ending=ending,
        )
        self.batches[batch.id] = batch
        return batch

    def advance(self, batch: StoredBatch) -> bool:
        """Move a batch on; return True if it is to be run now, which takes time."""
        if batch.state in FINAL or batch.running:
            return False
        if batch.state == "validating":
            lines = self._lines_of(batch)
            batch.lines = len(lines)
            batch.errors = self._flaws(batch, lines)
            if batch.errors or batch.ending.state == "failed":
                batch.errors = batch.errors or [{"code": batch.ending.code, "message": "it is so", "line": 1, "param": None}]
                batch.state = "failed"
                return False
            batch.state = "in_progress"
        if time.time() - batch.created < self.delay and batch.state != "cancelling":
            return False
        batch.running = True
        return True

    def run(self, batch: StoredBatch) -> None:
        """Run the lines of a batch, write its files, and end it."""
        ending = Ending(state="cancelled", share=self.cancel_share) if batch.state == "cancelling" else batch.ending
        lines = self._lines_of(batch)
        running = round(len(lines) * ending.share)
        found: dict[str, list[str]] = {"output": [], "error": [], "": []}
        code = "batch_cancelled" if ending.state == "cancelled" else "batch_expired"
        for number, line in enumerate(lines):
            if number < running:
                place, row = self._answer(line)
            else:
                place, row = "error", _line(line, 0, {}, {"code": code, "message": "it was not run"})
            batch.done += place == "output"
            batch.failed += place == "error"
            found[place].append(json.dumps(row))
        found["output"].reverse()  # an order of its own, as endpoints have
        for place in ("output", "error"):
            if found[place]:
                id = self.add_file(f"{batch.id}_{place}.jsonl", "batch_output", ("\n".join(found[place]) + "\n").encode())
                setattr(batch, f"{place}_file", id)
        batch.state, batch.running = ending.state, False

    def cancel(self, batch: StoredBatch) -> None:
        """Cancel a batch that has not ended."""
        if batch.state not in FINAL:
            batch.state = "cancelling"

    def _answer(self, line: Row) -> tuple[str, Row | None]:
        self._seen += 1
        fault = next((name for name, each in self.lines.items() if self._seen % each == 0), None)
        body = completion(Asked(path=line["url"], headers={}, body=line["body"]), self.answer)
        if fault not in FREE:
            self.ran[line["custom_id"]] += 1
            self.tokens["prompt"] += body["usage"]["prompt_tokens"]
            self.tokens["generated"] += body["usage"]["completion_tokens"]
        return LINE_FAULTS[fault](line, body) if fault else ("output", _line(line, 200, body))

    def _lines_of(self, batch: StoredBatch) -> list[Row]:
        try:
            return [json.loads(line) for line in self.files[batch.input_file].path.read_bytes().splitlines()]
        except ValueError:
            return []

    def _flaws(self, batch: StoredBatch, lines: Sequence[Row]) -> list[Row]:
        """Return what OpenAI refuses a batch for."""
        file = self.files[batch.input_file]
        ids = [line["custom_id"] for line in lines]
        others = sum(each.lines for each in self.batches.values() if each is not batch and each.state not in FINAL)
        found = {
            "invalid_purpose": file.purpose != "batch",
            "empty_file": not lines,
            "too_many_tasks": len(lines) > MOST_LINES or file.size > MOST_BYTES,
            "duplicate_custom_id": len(set(ids)) < len(ids) or any(len(id) > LONGEST_ID for id in ids),
            "mismatched_model": len({line["body"]["model"] for line in lines}) > 1,
            "mismatched_url": any(line["url"] != batch.endpoint or line["method"] != "POST" for line in lines),
            "token_limit_exceeded": self.most_enqueued is not None and others + len(lines) > self.most_enqueued,
        }
        return [{"code": code, "message": f"refused: {code}", "line": None, "param": None} for code, wrong in found.items() if wrong]

    def _new(self, kind: str) -> str:
        self._numbers[kind] += 1
        return f"{kind}-{self._numbers[kind]:06d}"
