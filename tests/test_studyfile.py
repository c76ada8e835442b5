import os
import re
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from isocost.config import Study
from isocost.errors import StudyError
from isocost.preparing.parts import known_parts
from isocost.studyfile import check_study, load_study, placed
from tests.builders import Raw, nested, raw_study

KNOWN = known_parts()

# Section 5 of the design, less what this version does not have: the engines vllm and openai, the policy adaptive with its objective.
COMPLETE = """
name: gsm8k-qwen
seed: 0
problems:
  train:      {source: gsm8k, split: train, limit: 2000}
  validation: {source: gsm8k, split: train, skip: 2000, limit: 300}
  test:       {source: gsm8k, split: test}
  transfer:   {source: jsonl, path: perturbed.jsonl}
models:
  weak:    {engine: transformers, model: Qwen/Qwen2.5-0.5B}
  strong:  {engine: transformers, model: Qwen/Qwen2.5-1.5B, price: {input: 0.15, output: 0.6, dated: 2026-11-01}}
  student: {engine: transformers, model: HuggingFaceTB/SmolLM2-360M}
  table:   {engine: replay, table: samples.parquet, model: NAME-IN-TABLE}
prompt: {template: gsm8k-8shot}
sampling: {temperature: 0.7, max_tokens: 512}
budgets:
  low:  {unit: flops, match: {model: strong, samples_per_problem: 1}}
  high: {unit: flops, match: {model: strong, samples_per_problem: 10}}
  paid: {unit: usd, amount: 25, basis: realised}
costs: {prompt_tokens: none, attention: false}
limit: {unit: usd, amount: 100}
pilot: {problems: 100, samples_per_problem: 4}
arms:
  weak:   {policy: uniform, models: [weak]}
  strong: {policy: uniform, models: [strong]}
  equal:  {policy: uniform, models: [weak], samples_per_problem: 10}
grader: {name: math}
audit: {by: steps, per_model: 300}
curate: {distinct: string, per_problem: null}
finetune: {students: [student, weak, strong], arms: [weak, strong], steps: 150, batch_size: 32, learning_rates: [3.0e-4], checkpoints: 10,
           seeds: [0], method: full}
evaluate: {maj_at: [1, 4, 8, 16]}
executor: local
"""


def load(folder: Path, text: str, *set_: str) -> Study:
    path = folder / "study.yaml"
    path.write_text(text, encoding="utf-8")
    return load_study(path, set_, KNOWN)


def mistakes_of(raw: Raw) -> Sequence[str]:
    with pytest.raises(StudyError) as caught:
        check_study(raw, KNOWN)
    return caught.value.mistakes


def test_the_complete_example_of_the_design_is_valid(tmp_path: Path) -> None:
    study = load(tmp_path, COMPLETE)
    assert study.arms["equal"].samples_per_problem == 10
    assert study.budgets["paid"].basis == "realised"
    assert study.models["table"].options == {"table": "samples.parquet", "model": "NAME-IN-TABLE"}
    assert study.problems.validation is not None
    assert study.problems.validation.options == {"split": "train", "skip": 2000, "limit": 300}
    assert study.finetune is not None
    assert study.finetune.students == ("student", "weak", "strong")


def test_what_is_left_out_has_the_value_of_the_design(tmp_path: Path) -> None:
    """The complete example says what is the default anyway, so nothing changes when it does not."""
    complete = yaml.safe_load(COMPLETE)
    for section, keys in {
        "sampling": ["temperature", "max_tokens"],
        "curate": ["distinct", "per_problem"],
        "audit": ["by"],
        "grader": ["name"],
        "finetune": ["steps", "batch_size", "learning_rates", "checkpoints", "seeds", "method"],
    }.items():
        for key in keys:
            del complete[section][key]
    del complete["seed"], complete["executor"], complete["costs"], complete["arms"]["weak"]["policy"]
    assert check_study(complete, KNOWN) == load(tmp_path, COMPLETE)


def test_all_mistakes_are_told_at_once_with_their_lines(tmp_path: Path) -> None:
    text = """\
name: my study
problems:
  train: {source: jsnol, path: p.jsonl}
models:
  weak: {engine: replay, tabel: t.parquet, model: weak}
prompt:
  template: gsm8k-9shot
sampling:
  temprature: 0.7
  max_tokens: -1
budgets:
  low: {unit: flops, match: {model: stong, samples_per_problem: 1}}
arms:
  weak: {models: [waek]}
grader: {name: maths}
limits: {unit: usd, amount: 1}
"""
    with pytest.raises(StudyError) as caught:
        load(tmp_path, text)
    found = [mistake.removeprefix(f"{tmp_path}/study.yaml:") for mistake in caught.value.mistakes]
    assert found == [
        "1: name: a name has letters, digits, dots, dashes and underscores only, got 'my study'",
        '3: problems.train.source: unknown problem source "jsnol"; did you mean "jsonl"?',
        '5: models.weak.tabel: unknown key "tabel"; did you mean "table"?',
        '7: prompt.template: unknown template "gsm8k-9shot"; did you mean "gsm8k-8shot"?',
        '9: sampling.temprature: unknown key "temprature"; did you mean "temperature"?',
        "10: sampling.max_tokens: input should be greater than 0, got -1",
        '12: budgets.low.match.model: unknown model "stong"; known: weak',
        '14: arms.weak.models.0: unknown model "waek"; did you mean "weak"?',
        '15: grader.name: unknown grader "maths"; did you mean "math"?',
        '16: limits: unknown key "limits"; did you mean "limit"?',
    ]
    assert str(caught.value) == "\n".join(caught.value.mistakes)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name: [", r"study\.yaml:\d+: not YAML"),
        ("a: b: c", r"study\.yaml:1: not YAML"),
        ("- name", r"study\.yaml: a study file is a mapping"),
        ("", r"study\.yaml: a study file is a mapping"),
        ("name: !!python/object/apply:os.getpid []", r"study\.yaml:1: not YAML"),
        ("name: x", 'study.yaml: problems: "problems" is missing'),
    ],
)
def test_what_is_no_study_is_refused(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(StudyError, match=message):
        load(tmp_path, text)


def test_a_missing_file_and_one_that_is_no_text(tmp_path: Path) -> None:
    with pytest.raises(StudyError, match=r"nothing\.yaml: no such study file"):
        load_study(tmp_path / "nothing.yaml", (), KNOWN)
    (tmp_path / "binary.yaml").write_bytes(b"n\xff\xfe\x00")
    with pytest.raises(StudyError, match=r"binary\.yaml:1: not UTF-8, at byte 2; save it as UTF-8"):
        load_study(tmp_path / "binary.yaml", (), KNOWN)
    with pytest.raises(StudyError, match="is a folder, not a study file"):
        load_study(tmp_path, (), KNOWN)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_a_study_in_utf_16_names_the_command_that_converts_it(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "study.yaml"
    path.write_bytes(yaml.safe_dump(raw_study()).encode(encoding))
    with pytest.raises(StudyError, match=r"is UTF-(16|16LE|16BE|32) text, not UTF-8\n  convert it: iconv -f UTF-") as caught:
        load_study(path, (), KNOWN)
    subprocess.run(str(caught.value).partition("convert it: ")[2], shell=True, check=True)
    assert load_study(tmp_path / "study-utf8.yaml", (), KNOWN).name == raw_study()["name"]


def test_a_study_that_is_a_pipe_or_a_device_is_not_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "study.yaml")
    for path in (tmp_path / "study.yaml", Path("/dev/zero")):
        with pytest.raises(StudyError, match="is not an ordinary file, but a pipe or a device; write the study file into a file first"):
            load_study(path, (), KNOWN)


def test_keys_that_stand_twice_are_refused_with_both_lines(tmp_path: Path) -> None:
    text = yaml.safe_dump(raw_study() | {"seed": "many"}, sort_keys=False)
    first = next(i for i, line in enumerate(text.splitlines(), 1) if line.startswith("name:"))
    again = len(text.splitlines()) + 1
    with pytest.raises(StudyError) as caught:
        load(tmp_path, text + "name: other\n")
    path = tmp_path / "study.yaml"
    assert caught.value.mistakes[0] == f"{path}:{again}: name: occurs twice, first in line {first}; keep one"
    assert ": seed: " in caught.value.mistakes[1]
    with pytest.raises(StudyError, match=r"name: occurs twice"):
        load(tmp_path, text + "name: other\n", "seed=1")


def test_set_overrides_and_creates(tmp_path: Path) -> None:
    settings = ("seed=7", "sampling.max_tokens=64", "limit.unit=usd", "limit.amount=2.5", "arms.equal.models=[strong]", "name=ab")
    study = load(tmp_path, COMPLETE, *settings)
    assert (study.seed, study.sampling.max_tokens, study.name) == (7, 64, "ab")
    assert study.sampling.temperature == 0.7
    assert study.limit is not None
    assert (study.limit.unit, study.limit.amount) == ("usd", 2.5)
    assert study.arms["equal"].models == ("strong",)


def test_set_creates_a_section(tmp_path: Path) -> None:
    text = yaml.safe_dump(raw_study())
    assert load(tmp_path, text).pilot is None
    pilot = load(tmp_path, text, "pilot.problems=3", "pilot.samples_per_problem=2").pilot
    assert pilot is not None
    assert (pilot.problems, pilot.samples_per_problem) == (3, 2)


def test_set_may_take_a_section_away(tmp_path: Path) -> None:
    assert load(tmp_path, COMPLETE, "finetune=null").finetune is None


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("seed", "--set seed: write it as key.key=value"),
        ("=7", "--set =7: write it as key.key=value"),
        ("seed.x=7", '--set seed.x=7: "seed" is not a section'),
        ("seed=[", r"--set seed=\[: the value is not YAML"),
        ("seed=many", "seed: input should be a valid integer, .*, got 'many'"),
        ("sampling.max_token=5", r'--set: sampling.max_token: unknown key "max_token"; did you mean "max_tokens"\?'),
        ("evaluat.maj_at=[1]", 'unknown key "evaluat"; did you mean "evaluate"'),
    ],
)
def test_a_wrong_setting_is_named(tmp_path: Path, setting: str, message: str) -> None:
    with pytest.raises(StudyError, match=message):
        load(tmp_path, COMPLETE, setting)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (["audit.by=judge"], "--set: audit: by: judge needs model"),
        (["audit.max_tokens=5"], "--set: audit: max_tokens goes with by: judge"),
        (["foo.bar=1"], '--set: foo: unknown key "foo"'),
        (["models.auditor.params=5"], '--set: models.auditor.engine: "engine" is missing'),
        (["models.weak.engine=openai", "models.weak.base_url=http://x/v1", "seed=x"], "--set: seed: "),
        (["problems={train: {source: jsonl, path: p}}"], "--set: finetune: trained students need problems.test"),
    ],
)
def test_a_mistake_that_set_makes_of_a_good_file_names_set(tmp_path: Path, settings: list[str], message: str) -> None:
    path = tmp_path / "study.yaml"
    path.write_text(COMPLETE)
    load_study(path, (), KNOWN)
    with pytest.raises(StudyError) as caught:
        load_study(path, settings, KNOWN)
    assert any(mistake.startswith(message) for mistake in caught.value.mistakes), caught.value.mistakes
    assert not any(mistake.startswith(str(path)) for mistake in caught.value.mistakes)


def test_a_mistake_of_the_file_keeps_its_line_beside_set(tmp_path: Path) -> None:
    path = tmp_path / "study.yaml"
    raw = raw_study(audit={"by": "judge"}, arms={"a": {"models": ["wek"], "samples_per_problem": 1}})
    path.write_text(yaml.safe_dump(raw))
    with pytest.raises(StudyError) as alone:
        load_study(path, (), KNOWN)
    with pytest.raises(StudyError) as caught:
        load_study(path, ["audit.per_model=5", "models.third={engine: replay}"], KNOWN)
    mine = [mistake.partition(": ")[0] for mistake in alone.value.mistakes]
    assert len(mine) == 2
    assert [mistake.partition(": ")[0] for mistake in caught.value.mistakes if not mistake.startswith("--set: models.third")] == mine


FINETUNE = {"students": ["weak"], "arms": ["strong"]}
TEST_SET = {"train": {"source": "jsonl", "path": "a"}, "test": {"source": "jsonl", "path": "b"}}


@pytest.mark.parametrize(
    ("raw", "mistakes"),
    [
        (
            raw_study(budgets=None),
            ["arms.weak: has nothing to spend; add a budget under budgets, or samples_per_problem here", "arms.strong: has"],
        ),
        (
            raw_study(budgets={"number": {"unit": "usd", "amount": 1}}),
            ['budgets.number: the name "number" is taken by number-matched arms'],
        ),
        (raw_study(budgets={"low": {"unit": "usd"}}), ["budgets.low: give either amount or match"]),
        (raw_study(budgets={"low": {"unit": "eur", "amount": 1}}), ["budgets.low.unit: input should be 'flops' or 'usd', got 'eur'"]),
        (raw_study(budgets={"low": {"unit": "usd", "amount": float("inf")}}), ["budgets.low.amount: input should be a finite number"]),
        (nested(raw_study(), "budgets", "low", "match", "model", value="we:ak"), ['budgets.low.match.model: unknown model "we:ak"']),
        (raw_study(arms={"both": {"models": ["weak", "strong"]}}), ["arms.both.models: the policy uniform takes one model, got 2"]),
        (
            raw_study(arms={"a": {"policy": "dart", "models": ["weak", "strong"]}}),
            ["arms.a.models: the policy dart takes one model, got 2"],
        ),
        (
            raw_study(arms={"a": {"policy": "first-hit", "models": ["weak", "strong"]}, "b": {"policy": "mixed", "models": ["weak"]}}),
            [
                "arms.a.models: the policy first-hit takes one model, got 2",
                "arms.b.models: the policy mixed takes at least two models, got 1",
            ],
        ),
        (raw_study(arms={"a": {"policy": "cascade", "models": ["weak"]}}), ["arms.a.models: the policy cascade takes at least two"]),
        (
            raw_study(arms={"a": {"models": ["weak"], "policy": "unifrom"}}),
            ['arms.a.policy: unknown policy "unifrom"; did you mean "uniform"?'],
        ),
        (raw_study(arms={"a@b": {"models": ["weak"]}}), ["arms.a@b: a name has letters, digits"]),
        (raw_study(arms={}), ["arms: dictionary should have at least 1 item"]),
        (raw_study(models={"weak": {"engine": "replya"}}), ['models.weak.engine: unknown engine "replya"; did you mean "replay"?']),
        (raw_study(prompt=None), ['prompt: "prompt" is missing']),
        (nested(raw_study(), "models", "weak", "price", value={"input": 1}), ["models.weak.price: output is missing: US dollars"]),
        (
            nested(raw_study(), "models", "weak", "price", value={"gpu_hour": 2}),
            ["models.weak.price: tokens_per_second is missing: gpu_hour needs it; `isocost status DIR` of a run prints what was measured"],
        ),
        (
            raw_study(costs={"prompt_token": "none"}),
            ['costs.prompt_token: unknown key "prompt_token"; did you mean "prompt_tokens"?'],
        ),
        (
            raw_study(costs={"prompt_tokens": "all"}),
            ["costs.prompt_tokens: input should be 'none', 'shared' or 'each', got 'all'"],
        ),
        (
            nested(raw_study(), "models", "weak", "prompt", value={"template": "x"}),
            ['models.weak.prompt.template: unknown template "x"; known: gsm8k'],
        ),
        (
            raw_study(finetune=FINETUNE, problems=TEST_SET),
            ["finetune: choosing among checkpoints needs problems.validation; add it, or set checkpoints: 1"],
        ),
        (raw_study(finetune=FINETUNE | {"checkpoints": 1}), ["finetune: trained students need problems.test to be evaluated on"]),
        (
            raw_study(finetune=FINETUNE | {"gradient_accumulation": 5}),
            ["finetune: gradient_accumulation: 5 does not cut batch_size: 32 into equal parts"],
        ),
        (raw_study(finetune=FINETUNE | {"lora": {"rank": 4}}), ["finetune: lora goes with method: lora; add that, or leave lora out"]),
        (raw_study(finetune=FINETUNE | {"format": "chatml"}), ["finetune.format: input should be 'auto', 'plain' or 'chat', got 'chatml'"]),
        (
            raw_study(finetune=FINETUNE | {"reasoning": "keep"}),
            ["finetune.reasoning: keep needs models.weak.reasoning, such as {open: <think>, close: </think>}"],
        ),
        (raw_study(executor="accelerate"), ["executor: accelerate needs config, the file that `accelerate config` writes"]),
        (raw_study(executor={"name": "ray", "config": "a.yaml"}), ["executor: config goes with name: accelerate"]),
        (raw_study(executor={"name": "accelerate", "config": "a.yaml", "workers": 2}), ["executor: workers goes with name: ray"]),
        (
            raw_study(finetune={"students": ["wek"], "arms": ["x"], "budgets": ["lo"], "checkpoints": 1}, problems=TEST_SET),
            [
                'finetune.students.0: unknown model "wek"; did you mean "weak"?',
                'finetune.arms.0: unknown arm "x"',
                'finetune.budgets.0: unknown budget "lo"',
            ],
        ),
    ],
)
def test_what_does_not_fit_together_is_told(raw: Raw, mistakes: list[str]) -> None:
    found = mistakes_of(raw)
    for start in mistakes:
        assert any(mistake.startswith(start) for mistake in found), found


@pytest.mark.parametrize(
    ("finetune", "curate", "own", "form"),
    [
        (None, None, None, None),
        (None, "<r>{reasoning}</r>", None, "<r>{reasoning}</r>"),
        ("drop", "<r>{reasoning}</r>", {"open": "<think>", "close": "</think>"}, None),
        ("keep", None, {"open": "<think>", "close": "</think>"}, "<think>\n{reasoning}\n</think>\n\n"),
        ("keep", "<r>{reasoning}</r>", None, "<r>{reasoning}</r>"),
        ("keep", None, {"close": "</think>"}, "{reasoning}\n</think>\n\n"),  # the prompt opens it
    ],
)
def test_reasoning_is_kept_between_the_students_own_delimiters(
    finetune: str | None, curate: str | None, own: Raw | None, form: str | None
) -> None:
    raw = nested(raw_study(), "models", "weak", "reasoning", value=own) if own else raw_study()
    raw |= {"finetune": FINETUNE | {"checkpoints": 1, "reasoning": finetune}, "curate": {"reasoning": curate}, "problems": TEST_SET}
    assert check_study(raw, KNOWN).trained_reasoning("weak") == form


@pytest.mark.parametrize("seed", [-1, 1 << 32])
def test_training_seeds_are_those_that_libraries_take(seed: int) -> None:
    raw = raw_study() | {"finetune": FINETUNE | {"checkpoints": 1, "seeds": [seed]}, "problems": TEST_SET}
    assert any(mistake.startswith("finetune.seeds") for mistake in mistakes_of(raw))


@pytest.mark.parametrize(("stop", "after"), [(["\n\n\n"], "\n\n"), (["\n\n"], "\n"), (["Q:", "\n"], "")])
def test_no_stop_string_is_written_after_reasoning(stop: list[str], after: str) -> None:
    raw = nested(raw_study(), "models", "weak", "reasoning", value={"close": "</think>"})
    raw |= {"finetune": FINETUNE | {"checkpoints": 1, "reasoning": "keep"}, "problems": TEST_SET}
    assert check_study(raw, KNOWN).trained_reasoning("weak", stop) == "{reasoning}\n</think>" + after


@pytest.mark.parametrize(
    ("wanted", "chat", "trained"), [("auto", False, False), ("auto", True, True), ("plain", True, False), ("chat", False, True)]
)
def test_a_student_is_trained_in_the_form_in_which_it_is_asked(wanted: str, *, chat: bool, trained: bool) -> None:
    prompt = {"template": "gsm8k", "chat": chat}
    raw = raw_study(finetune=FINETUNE | {"checkpoints": 1, "format": wanted}, problems=TEST_SET, prompt=prompt)
    assert check_study(raw, KNOWN).trains_chat("weak") == trained


def test_one_checkpoint_and_one_rate_need_no_validation() -> None:
    study = check_study(raw_study(finetune=FINETUNE | {"checkpoints": 1}, problems=TEST_SET), KNOWN)
    assert study.finetune is not None
    assert study.finetune.learning_rates == (3e-4,)


def test_a_number_matched_arm_needs_no_budget() -> None:
    study = check_study(raw_study(budgets=None, arms={"equal": {"models": ["weak"], "samples_per_problem": 3}}), KNOWN)
    assert study.budgets == {}


def test_parts_of_ones_own_are_not_looked_up() -> None:
    raw = nested(raw_study(), "models", "weak", value={"engine": "mine.engines:open", "anything": 1})
    raw = nested(raw, "grader", "name", value="mine:grader")
    assert check_study(raw, KNOWN).models["weak"].options == {"anything": 1}


def places(raw: Any, keys: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """The path of every value in plain data."""
    inner = list(raw.items() if isinstance(raw, dict) else enumerate(raw) if isinstance(raw, list) else [])
    return [path for key, value in inner for path in ((*keys, key), *places(value, (*keys, key)))]


WHOLE = yaml.safe_load(COMPLETE)
junk: st.SearchStrategy[object] = st.sampled_from(
    [None, "", "x", 0, -1, 1.5, True, [], {}, [1], [{}], [["a"]], {"a": 1}, {"a": {"b": []}}, {1: 2}, {None: None}]
)


@settings(max_examples=400)
@given(st.sampled_from(places(WHOLE)), junk)
def test_a_study_with_anything_anywhere_is_valid_or_refused(keys: tuple[str | int, ...], value: object) -> None:
    mistakes: Sequence[str] | None = None
    try:
        check_study(nested(WHOLE, *keys, value=value), KNOWN)
    except StudyError as error:
        mistakes = error.mistakes
    assert mistakes is None or (mistakes and all("\n" not in mistake for mistake in mistakes))


def test_values_that_an_engine_refuses_are_told_with_the_other_mistakes(tmp_path: Path) -> None:
    asked: list[str] = []

    def refuse(engine: str, options: Mapping[str, object]) -> list[str]:
        asked.append(engine)
        return ["model: is too large", "table: is missing", "extra.deep: is wrong"]

    picky = replace(KNOWN, engine_mistakes=refuse, price_mistakes=lambda path, shown: [f"{shown}:2: {path.parent == tmp_path}"])
    path = tmp_path / "study.yaml"
    path.write_text(COMPLETE)
    load_study(path, (), picky)
    assert not asked
    with pytest.raises(StudyError) as caught:
        load_study(path, ("seed=many", "costs.prices=p.yaml"), picky)
    mistakes = caught.value.mistakes
    assert any("models.weak.model: is too large" in mistake for mistake in mistakes)
    assert any(mistake.startswith("--set: seed: ") for mistake in mistakes)
    assert mistakes[-1] == "p.yaml:2: True"


def test_a_mistake_found_later_gets_the_place_of_what_it_is_about(tmp_path: Path) -> None:
    path = tmp_path / "study.yaml"
    path.write_text("name: x\nmodels:\n  gpt-4.1: {n: 0}\n")
    later = [
        "models.gpt-4.1.n: is 0",
        "models.gpt-4.1.price.input is missing\n  give it",
        "seed: is odd",
        "prices.yaml:3: no",
        "models: none",
    ]
    assert StudyError(placed(path, ("seed=7",), later)).mistakes == (
        f"{path}:3: models.gpt-4.1.n: is 0",
        f"{path}:3: models.gpt-4.1.price.input is missing\n  give it",
        "--set: seed: is odd",
        "prices.yaml:3: no",
        f"{path}:2: models: none",
    )
    assert StudyError(placed(path, ("models.new.n=0",), ["models.new: lacks all", "models: none"])).mistakes == (
        "--set: models.new: lacks all",
        f"{path}:2: models: none",
    )


@pytest.mark.parametrize(
    ("value", "told"), [("many", "must be a whole number"), ("true", "must be"), ("-1", "must be"), ("0", "leaves no")]
)
def test_how_many_problems_is_a_count(tmp_path: Path, value: str, told: str) -> None:
    path = tmp_path / "study.yaml"
    path.write_text(COMPLETE)
    with pytest.raises(StudyError, match=f"--set: problems.train.limit: .*{told}"):
        load_study(path, (f"problems.train.limit={value}",), KNOWN)


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("limit=5", "limit: must be a section with keys such as unit, amount, got 5$"),
        ("grader=maths", "grader: must be a section with keys such as name, time_limit, got 'maths'$"),
        ("models=[a, b]", r"models: must be a section of names, got \['a', 'b'\]"),
        ("models.weak.price=0.5", "models.weak.price: must be a section with keys such as input, output, input_cache_read, .*, got 0.5$"),
    ],
)
def test_what_is_no_section_is_told_what_belongs_there(tmp_path: Path, setting: str, message: str) -> None:
    path = tmp_path / "study.yaml"
    path.write_text(COMPLETE)
    with pytest.raises(StudyError) as caught:
        load_study(path, (setting,), KNOWN)
    assert any(re.search(message, mistake) for mistake in caught.value.mistakes), caught.value.mistakes
