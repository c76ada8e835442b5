"""Evaluations of verifiers: rollouts (`results.jsonl`, with `metadata.json` beside it), and traces of its version 1 (`traces.jsonl`)."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from isocost.tables.formats.base import (
    Choice,
    Known,
    Sample,
    at,
    content_text,
    finish_reason,
    mapping,
    message_text,
    question_id,
    reference_of,
)
from isocost.tables.formats.verdicts import number_of
from isocost.tables.reading.base import Record, Unread

_FIELDS = (
    "example_id prompt completion answer info reward error timing is_completed is_truncated task stop_condition metrics tool_defs "
    "token_usage error_chain long_error_chain trajectory model id generation_ms scoring_ms total_ms oai_tools"
)
_TRACE_FIELDS = (
    "version id verifiers task agent tools nodes calls mm_token_type_id_map request_rewrites response_rewrites rewards metrics info "
    "root_reply extra_usage is_completed ok stop_condition errors error timing reward advantage state sampling"
)


class Rollouts(Known):
    """A row per rollout, with a reward and metrics."""

    title = "verifiers"
    _known = frozenset(_FIELDS.split())

    def __init__(self, path: Path, choice: Choice) -> None:
        self._model = choice.model or _model_beside(path)

    @staticmethod
    def recognises(fields: Mapping[str, Any]) -> bool:
        """Return True for an object of this kind."""
        return {"completion", "reward"} <= fields.keys() and not fields.keys().isdisjoint({"prompt", "example_id"})

    def samples(self, record: Record) -> Iterator[Sample | Unread]:
        """Yield the responses of a record, and what gives none."""
        row = record.fields
        text = message_text(row.get("completion"))
        if row.get("error") and not text:
            yield Unread(at=record.at, reason="ended with an error before the model answered")
            return
        key = row.get("example_id", row.get("id"))
        usage = row["token_usage"] if isinstance(row.get("token_usage"), Mapping) else {}
        values = {
            "problem_id": question_id(json.dumps(row.get("prompt"), sort_keys=True, default=str)) if key is None else key,
            "model": row.get("model", self._model),
            "generation": text,
            "expected_answer": reference_of(row.get("answer")),
            "num_prompt_tokens": usage.get("input_tokens"),
            "num_generated_tokens": usage.get("output_tokens"),
            "finish_reason": "length" if row.get("is_truncated") else "stop" if row.get("is_completed") else None,
        }
        yield Sample(values=values, scores={"reward": row["reward"], **mapping(row.get("metrics"))}, settles=True, source=row)

    def unknown(self, record: Record) -> Iterable[str]:
        """Return the fields that are not read."""
        # Metrics are written twice, in `metrics` and beside it.
        metrics = mapping(record.fields.get("metrics"))
        return [name for name in record.fields if name not in self._known and name not in metrics]


class Traces(Known):
    """A row per trace: a graph of messages, the model's calls, and named rewards with weights."""

    title = "verifiers (traces)"
    known = frozenset(_TRACE_FIELDS.split())

    def __init__(self, path: Path, choice: Choice) -> None:
        self._model = choice.model

    @staticmethod
    def recognises(fields: Mapping[str, Any]) -> bool:
        """Return True for an object of this kind."""
        return isinstance(fields.get("nodes"), list) and isinstance(fields.get("task"), Mapping) and "rewards" in fields

    def samples(self, record: Record) -> Iterator[Sample | Unread]:
        """Yield the responses of a record, and what gives none."""
        row = record.fields
        calls = [call for call in _calls(row) if isinstance(call, Mapping) and not call.get("error")]
        sampled = [node["message"] for node in row["nodes"] if _is_sampled(node)]
        text = row.get("root_reply") or "\n\n".join(filter(None, (content_text(message.get("content")) for message in sampled)))
        if not text and (row.get("errors") or row.get("error")):
            yield Unread(at=record.at, reason="ended with an error before the model answered")
            return
        usages = [mapping(call.get("usage")) for call in calls]
        data = mapping(row["task"].get("data"))
        last = calls[-1].get("finish_reason") if calls else mapping(at(row["nodes"], -1)).get("finish_reason")
        values = {
            "problem_id": _task_id(row["task"], data),
            "model": _agents_model(row) or (calls[0].get("model") if calls else None) or self._model,
            "generation": text,
            "expected_answer": reference_of(data.get("answer")),
            "num_prompt_tokens": _total(usages, "prompt_tokens"),
            "num_generated_tokens": _total(usages, "completion_tokens"),
            "finish_reason": finish_reason(last),
        }
        scores = {name: _score(reward) for name, reward in mapping(row["rewards"]).items()}
        total = {"reward": _reward(mapping(row["rewards"]))}
        yield Sample(values=values, scores={**total, **scores, **mapping(row.get("metrics"))}, settles=True, source=row)


def _calls(row: Mapping[str, Any]) -> list[Any]:
    calls = row.get("calls")
    return calls if isinstance(calls, list) else []


def _agents_model(row: Mapping[str, Any]) -> Any:
    return mapping(mapping(row.get("agent")).get("config")).get("model")


def _is_sampled(node: object) -> bool:
    return isinstance(node, Mapping) and bool(node.get("sampled")) and isinstance(node.get("message"), Mapping)


def _task_id(task: Mapping[str, Any], data: Mapping[str, Any]) -> object:
    """Return what identifies a task: its key, an id in its data, its hash, or a digest of its data."""
    named = (task.get("key"), *(data.get(name) for name in ("id", "example_id", "task_id", "idx")), task.get("hash"))
    found = next((value for value in named if value is not None), None)
    return question_id(json.dumps(data, sort_keys=True, default=str)) if found is None else found


def _score(reward: object) -> object:
    """Return a reward's score; its weight counts in the sum alone."""
    return reward.get("score") if isinstance(reward, Mapping) else reward


def _reward(rewards: Mapping[str, Any]) -> float | None:
    """Return the weighted sum of rewards; None if one of them, or all, were not computed."""
    parts = [(number_of(_score(reward)), number_of(mapping(reward).get("weight", 1.0))) for reward in rewards.values()]
    numbers = [score * weight for score, weight in parts if score is not None and weight is not None]
    return sum(numbers) if numbers and len(numbers) == len(parts) else None


def _total(usages: list[Mapping[str, Any]], name: str) -> object:
    counts = [usage.get(name) for usage in usages]
    whole = [count for count in counts if isinstance(count, int | float)]
    return sum(whole) if whole and len(whole) == len(counts) else None


def _model_beside(path: Path) -> str | None:
    try:
        name = json.loads((path.parent / "metadata.json").read_text(encoding="utf-8")).get("model")
    except (OSError, ValueError, AttributeError, RecursionError):
        return None
    return name if isinstance(name, str) and name else None
