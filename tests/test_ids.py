import itertools
import subprocess
import sys
from dataclasses import dataclass, field, fields

import pytest

from isocost.executors.storing import SampleIds
from isocost.finetuning import TrainingSettings
from isocost.ids import digest, seed_of
from isocost.prompts.base import Template
from isocost.records import ADDED_LATER, OMIT, OMIT_DEFAULT, Problem, SamplingParams


@dataclass
class Setting:
    name: str
    value: float


def test_digests_are_the_same_for_ever() -> None:
    assert digest("a", 1) == "135f17a475a61afd"
    assert SampleIds("pool", "p1", "asked").at(0) == "0af59f11c1465399"
    assert seed_of("a", 1) == 697930202312019326


def test_a_digest_depends_on_every_part_and_their_order() -> None:
    made = [digest(), digest("a"), digest("a", "b"), digest("b", "a"), digest("ab"), digest(["a", "b"]), digest("a", 1), digest("a", "1")]
    assert len(set(made)) == len(made)


def test_the_order_of_keys_does_not_matter() -> None:
    assert digest({"a": 1, "b": [2.5, None]}) == digest({"b": [2.5, None], "a": 1})


def test_a_dataclass_counts_as_its_fields() -> None:
    assert digest(Setting("t", 0.7)) == digest({"name": "t", "value": 0.7})
    assert digest(SamplingParams()) != digest(SamplingParams(temperature=0.6))


@dataclass
class LaterSetting(Setting):
    penalty: float | None = field(default=None, metadata=ADDED_LATER)
    words: tuple[str, ...] = field(default=(), metadata=ADDED_LATER)


@dataclass
class Outer:
    inner: Setting


def test_a_field_added_later_changes_no_digest_at_its_default() -> None:
    assert digest(LaterSetting("t", 0.7)) == digest(Setting("t", 0.7))
    assert digest([Outer(LaterSetting("t", 0.7))]) == digest([Outer(Setting("t", 0.7))])
    changed = [LaterSetting("t", 0.7, penalty=0.0), LaterSetting("t", 0.7, words=("a",)), LaterSetting("t", 0.7, penalty=1.0)]
    assert len({digest(each) for each in [*changed, Setting("t", 0.7)]}) == 4


# The fields of every record that is part of a digest, as they were when runs were first made with it. Never add to these: mark a new field
# `metadata=ADDED_LATER`, or draws that were paid for are not found any more.
FIRST_FIELDS = {
    SamplingParams: {"temperature", "top_p", "top_k", "max_tokens", "stop"},
    Template: {"form", "examples", "separator", "stop", "chat", "system", "chat_stop"},
    Problem: {"id", "question", "answer", "metadata"},
    TrainingSettings: {"steps", "batch_size", "learning_rates", "checkpoints", "seed", "method", "max_length", "warmup", "scheduler"},
}


@pytest.mark.parametrize("record", FIRST_FIELDS, ids=lambda record: record.__name__)
def test_new_fields_of_digested_records_are_marked(record: type) -> None:
    always = {f.name for f in fields(record) if not (f.metadata.get(OMIT_DEFAULT) or f.metadata.get(OMIT))}
    assert always == FIRST_FIELDS[record]


def test_a_problem_whose_file_moved_is_the_same() -> None:
    here, there = (Problem(id="p", question="q", answer="1", where=where) for where in ("a.jsonl:1", "b.jsonl:7"))
    assert digest(here) == digest(there) == digest(Problem(id="p", question="q", answer="1"))


def test_any_text_has_a_digest() -> None:
    assert digest("\ud800") != digest("\ud801")


def test_what_has_no_canonical_json_is_refused() -> None:
    with pytest.raises(TypeError, match="set has no canonical JSON"):
        digest({1, 2})


def test_a_digest_is_as_long_as_asked() -> None:
    assert len(digest("a")) == 16
    assert digest("a", length=64).startswith(digest("a"))


def test_another_process_gets_the_same() -> None:
    code = "from isocost.ids import digest; print(digest('a', {'b': 1.5}))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == digest(
        "a", {"b": 1.5}
    )


def test_seeds_fit_63_bits_and_differ() -> None:
    seeds = {seed_of("batch", number) for number in range(2000)}
    assert len(seeds) == 2000
    assert all(0 <= seed < 2**63 for seed in seeds)
    assert max(seeds) > 2**60


def test_sample_ids_never_collide() -> None:
    # Names chosen so that gluing the parts together would make them collide.
    pools, problems, asked = ("m", "m1", "m11", "1"), [*(str(i) for i in range(20)), *(f"1{i}" for i in range(100, 120))], ("", "1")
    ids = [SampleIds(*parts).at(index) for *parts, index in itertools.product(pools, problems, asked, range(30))]
    assert len(set(ids)) == len(ids) == 4 * 40 * 2 * 30
