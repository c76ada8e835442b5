"""Logs of inspect, as `.json` or `.eval`: samples by id and epoch, with scores by scorer, and long texts as attachments."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from isocost.tables.formats.base import Choice, Known, Sample, at, content_text, finish_reason, mapping
from isocost.tables.reading.base import Record, Unread

_FIELDS = (
    "id epoch input choices target messages output scores score metadata store events timelines model_usage role_usage started_at "
    "completed_at total_time working_time uuid invalidation error error_retries attachments events_data limit sandbox files setup "
    "transcript"
)


_ATTACHED = "attachment://"
# As inspect's value_to_float: partly correct is neither 0 nor 1, so it counts only with --correct.
_LETTERS = {"C": 1.0, "I": 0.0, "P": 0.5, "N": 0.0}
_WORDS = {"yes": 1.0, "true": 1.0, "no": 0.0, "false": 0.0}


class InspectLog(Known):
    """A log, or a sample of one. The epoch, less one, is the sample's index."""

    title = "inspect"
    known = frozenset(_FIELDS.split())

    def __init__(self, path: Path, choice: Choice) -> None:
        self._samples, self._status = 0, "success"
        self._planned: int | None = None

    @staticmethod
    def recognises(fields: Mapping[str, Any]) -> bool:
        """Return True for an object of this kind."""
        spec = fields.get("eval")
        return isinstance(spec, Mapping) and isinstance(fields.get("samples"), list) and not spec.keys().isdisjoint({"model", "task"})

    def samples(self, record: Record) -> Iterator[Sample | Unread]:
        """Yield the responses of a record, and what gives none."""
        spec = record.fields["eval"]
        self._samples += len(record.fields["samples"])
        self._planned, self._status = _planned(spec), str(record.fields.get("status", "success"))
        for number, sample in enumerate(record.fields["samples"], start=1):
            place = record.at if len(record.fields["samples"]) == 1 else f"{record.at}: sample {number}"
            if not isinstance(sample, Mapping) or sample.get("id") is None:
                yield Unread(at=place, reason="not a sample with an id")
            elif sample.get("error") and not _completion(sample):
                yield Unread(at=place, reason="ended with an error before the model answered")
            else:
                yield _sample(spec, sample)

    def unknown(self, record: Record) -> Iterable[str]:
        """Return the fields that are not read."""
        samples = [sample for sample in record.fields["samples"] if isinstance(sample, Mapping)]
        return [name for sample in samples for name in sample if name not in self.known]

    def doubt(self) -> str:
        """Return the status of a log that was not completed, with its samples; "" if it was."""
        if self._status == "success":
            return ""
        of = "" if self._planned is None else f" of {self._planned:,}"
        return f'the log is not complete: its status is "{self._status[:80]}", and it has {self._samples:,}{of} samples'


def _planned(spec: Mapping[str, Any]) -> int | None:
    """Return the number of samples that a log should have: the samples of its data set times the epochs."""
    samples, epochs = mapping(spec.get("dataset")).get("samples"), mapping(spec.get("config")).get("epochs") or 1
    ids = mapping(spec.get("dataset")).get("sample_ids")
    many = len(ids) if isinstance(ids, list) else samples  # --limit takes some of the data set
    return many * epochs if isinstance(many, int) and isinstance(epochs, int) else None


def _sample(spec: Mapping[str, Any], sample: Mapping[str, Any]) -> Sample:
    task, epoch, target = spec.get("task"), sample.get("epoch"), sample.get("target")
    output = mapping(sample.get("output"))
    usage = _usage(spec, sample, output)
    values = {
        "problem_id": f"{task}/{sample['id']}" if isinstance(task, str) else sample["id"],
        "model": spec.get("model"),
        "sample_index": epoch - 1 if isinstance(epoch, int) else epoch,
        "generation": _completion(sample),
        "num_prompt_tokens": usage.get("input_tokens"),
        "num_generated_tokens": usage.get("output_tokens"),
        "finish_reason": "length" if sample.get("limit") else finish_reason(mapping(at(output.get("choices"), 0)).get("stop_reason")),
        "expected_answer": _attached(sample, target if isinstance(target, str) else at(target, 0)),
    }
    scores, answers = _scores(sample)
    if len(answers) == 1:
        values["predicted_answer"] = _attached(sample, next(iter(answers.values())))
    return Sample(values=values, scores=scores, source=sample)


def _completion(sample: Mapping[str, Any]) -> str | None:
    output = sample.get("output")
    if not isinstance(output, Mapping):
        return None
    message = mapping(mapping(at(output.get("choices"), 0)).get("message"))
    text = output.get("completion") or content_text(message.get("content"))
    found = _attached(sample, text)
    return found if isinstance(found, str) and found else None


def _attached(sample: Mapping[str, Any], text: object) -> object:
    """Return a text, or the attachment that it refers to."""
    attachments = sample.get("attachments")
    if not isinstance(text, str) or not text.startswith(_ATTACHED) or not isinstance(attachments, Mapping):
        return text
    return attachments.get(text.removeprefix(_ATTACHED), text)


def _usage(spec: Mapping[str, Any], sample: Mapping[str, Any], output: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the model's tokens over all calls of a sample, else those of its last call. Models that grade are not counted."""
    model = spec.get("model")
    mine = mapping(sample.get("model_usage")).get(model) if isinstance(model, str) else None
    return mapping(mine or output.get("usage"))


def _scores(sample: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, str]]:
    """Return the values and the answers of a sample's scores by scorer. A scorer with several values counts as several."""
    given = sample.get("scores") or ({"score": sample["score"]} if sample.get("score") else {})
    values: dict[str, Any] = {}
    answers: dict[str, str] = {}
    for name, score in given.items() if isinstance(given, Mapping) else ():
        if not isinstance(score, Mapping):
            continue
        value = score.get("value")
        parts = {f"{name}.{part}": each for part, each in value.items()} if isinstance(value, Mapping) else {name: value}
        values |= {part: _number(each) for part, each in parts.items()}
        if isinstance(score.get("answer"), str):
            answers[name] = score["answer"]
    return values, answers


def _number(value: object) -> object:
    if not isinstance(value, str):
        return value
    return _LETTERS.get(value, _WORDS.get(value.lower(), value))
