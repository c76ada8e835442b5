"""Recovery of batches that a worker committed before it died, without the driver having received them."""

from __future__ import annotations

import json

from isocost.executors.jobs import Answers, Job, StoredDraw
from isocost.executors.storing import draw_of
from isocost.store import BatchLog, Row


def recover_answers(job: Job, writer: str) -> Answers | None:
    """Return the answers to a job that a worker committed before it died, or None if it committed none."""
    if job.storing is None:
        return None
    log = BatchLog(job.storing.stem, writer).log
    # Compared as bytes, because parsing every line of a large log would take long.
    begins = b'{"batch": ' + json.dumps(job.key).encode()
    for _, line in log.lines():
        if line.startswith(begins):
            return _answers(job, json.loads(line.decode("utf-8", "surrogatepass"))["rows"])
    return None


def _answers(job: Job, rows: list[Row]) -> Answers:
    stored: list[list[StoredDraw]] = [[] for _ in job.requests]
    places = {
        (request.problem_id, index): number
        for number, request in enumerate(job.requests)
        for index in range(request.first_index, request.first_index + request.count)
    }
    for row in rows:
        stored[places[row["problem_id"], row["sample_index"]]].append(draw_of(row))
    return Answers(generations=(), stored=stored, seconds=sum(row["cost_seconds"] for row in rows))
