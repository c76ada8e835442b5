from __future__ import annotations

import importlib.util
import itertools
import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from isocost.errors import InputError, MissingExtraError, ModelError, RunDirectoryError, RunError, StorageError
from isocost.finetuning import IGNORED, Encoded, Logged, TrainingSettings, cycled, encode, finetune, recorded
from tests.finetuning.setting import QUICK, ROWS, weights

torch = pytest.importorskip("torch")


def collated(tokenizer: Any, encoded: list[Encoded]) -> Any:
    from trl.trainer.sft_trainer import DataCollatorForLanguageModeling

    return DataCollatorForLanguageModeling(pad_token_id=tokenizer.pad_token_id)(
        [{"input_ids": r.input_ids, "labels": r.labels} for r in encoded]
    )


@pytest.mark.parametrize("pad_is_end", [False, True])
def test_the_loss_is_on_the_completion_and_its_end(tokenizer: Any, *, pad_is_end: bool) -> None:
    if pad_is_end:
        tokenizer.pad_token = tokenizer.eos_token
    batch = collated(tokenizer, encode(tokenizer, ROWS).rows)
    for row, ids, labels, attended in zip(ROWS, batch["input_ids"], batch["labels"], batch["attention_mask"], strict=True):
        learned = ids[labels != IGNORED]
        assert tokenizer.decode(learned[:-1]) == row["completion"]
        assert learned[-1] == tokenizer.eos_token_id
        assert torch.equal(labels[labels != IGNORED], learned)
        assert tokenizer.decode(ids[(labels == IGNORED) & (attended == 1)]) == row["prompt"]
        assert attended[labels != IGNORED].all()


def test_the_prompt_is_encoded_as_when_the_model_is_asked(tokenizer: Any) -> None:
    # A line break at the start of the completion would join the prompt's last one to a single token.
    row = {"prompt": "Q: 1?\nA:\n", "completion": "\n1 + 1 = 2"}
    prompt = tokenizer(row["prompt"])["input_ids"]
    assert tokenizer(row["prompt"] + row["completion"])["input_ids"][: len(prompt)] != prompt
    (encoded,) = encode(tokenizer, [row]).rows
    assert encoded.input_ids[: len(prompt)] == prompt
    assert tokenizer.decode(encoded.input_ids[:-1]) == row["prompt"] + row["completion"]


def test_an_end_token_that_the_tokenizer_adds_is_not_doubled(tokenizer: Any) -> None:
    end = tokenizer.eos_token_id

    class Closing:
        eos_token_id = end

        def __call__(self, text: str, *, add_special_tokens: bool = True) -> dict[str, list[int]]:
            return {"input_ids": [*tokenizer(text)["input_ids"], *([end] if add_special_tokens else [])]}

    assert encode(Closing(), ROWS) == encode(tokenizer, ROWS)


def test_cycling_shows_every_row_equally_often_in_changing_order() -> None:
    rows = [Encoded(input_ids=[i], labels=[i]) for i in range(5)]
    shown = [row.input_ids[0] for row in itertools.islice(cycled(rows, 0), 20)]
    passes = [shown[i : i + 5] for i in range(0, 20, 5)]
    assert all(sorted(one) == list(range(5)) for one in passes)
    assert len({tuple(one) for one in passes}) > 1
    assert shown == [row.input_ids[0] for row in itertools.islice(cycled(rows, 0), 20)]
    assert shown != [row.input_ids[0] for row in itertools.islice(cycled(rows, 1), 20)]


def test_checkpoints_are_evenly_spaced_and_end_at_the_end() -> None:
    assert replace(QUICK, steps=600, checkpoints=10).checkpoint_steps == tuple(range(60, 601, 60))
    assert replace(QUICK, steps=7, checkpoints=3).checkpoint_steps == (2, 4, 7)
    assert replace(QUICK, steps=2, checkpoints=10).checkpoint_steps == (1, 2)


def test_a_student_that_has_learned_its_rows_writes_them_and_stops(base: Path, tokenizer: Any, tmp_path: Path) -> None:
    from transformers import AutoModelForCausalLM

    settings = TrainingSettings(steps=80, batch_size=4, learning_rates=(1e-2,), checkpoints=1, warmup=0.1)
    calls: list[Logged] = []
    trained = finetune(base, ROWS[:2], tmp_path / "out", settings, score=None, progress=calls.append)
    model = AutoModelForCausalLM.from_pretrained(tmp_path / "out")
    assert model.dtype == torch.float32
    for row in ROWS[:2]:
        prompt = tokenizer(row["prompt"], return_tensors="pt")
        reply = model.generate(**prompt, max_new_tokens=40, do_sample=False)[0, prompt["input_ids"].shape[1] :]
        assert reply[-1] == tokenizer.eos_token_id
        assert tokenizer.decode(reply, skip_special_tokens=True) == row["completion"]
    assert calls[-1].step == 80
    assert calls[-1].loss < calls[0].loss
    assert [max(c.learning_rate for c in calls), calls[-1].learning_rate] == [pytest.approx(1e-2), pytest.approx(1e-2 / 72)]
    assert all(c.tokens_per_second > 0 for c in calls)
    assert (trained.n_rows, trained.n_too_long, trained.steps) == (2, 0, 80)


def test_fewer_rows_than_a_batch_still_fill_every_batch(base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from trl import SFTTrainer

    shapes: list[int] = []
    tokens: list[int] = []
    compute = SFTTrainer.compute_loss

    def spy(self: Any, model: Any, inputs: Any, *args: Any, **kwargs: Any) -> Any:
        shapes.append(len(inputs["labels"]))
        tokens.append(int(inputs["attention_mask"].sum()))
        return compute(self, model, inputs, *args, **kwargs)

    monkeypatch.setattr(SFTTrainer, "compute_loss", spy)
    trained = finetune(base, ROWS[:1], tmp_path / "out", replace(QUICK, batch_size=4), score=None)
    assert shapes == [4, 4, 4]
    assert trained.tokens == sum(tokens)


def test_the_checkpoint_with_the_best_score_is_kept(base: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    scores = [0.1, 0.3, 0.2, 0.3]
    seen: list[str] = []

    def score(folder: Path) -> float:
        assert not out.exists()
        assert (folder / "tokenizer.json").exists()
        seen.append(weights(folder))
        return scores[len(seen) - 1]

    calls: list[Logged] = []
    settings = replace(QUICK, learning_rates=(1e-3, 5e-3), checkpoints=2)
    trained = finetune(base, ROWS, out, settings, score=score, progress=calls.append)
    assert [(c.learning_rate, c.step) for c in trained.candidates] == [(1e-3, 1), (1e-3, 3), (5e-3, 1), (5e-3, 3)]
    assert [c.score for c in trained.candidates] == scores
    assert trained.best == trained.candidates[1]
    assert weights(out) == seen[1]
    assert len(set(seen)) == 4
    assert recorded(out) == trained
    assert json.loads((out / "trained.json").read_text())["settings"]["learning_rates"] == [1e-3, 5e-3]
    assert [call.step for call in calls] == list(range(1, 7))


@pytest.mark.slow
def test_the_same_rows_and_seed_give_the_same_weights(base: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    for name, seed, before in (("a", 0, 7), ("b", 0, 8), ("c", 1, 8)):
        torch.manual_seed(before)
        finetune(base, ROWS, tmp_path / name, replace(QUICK, seed=seed), score=None)
    assert weights(tmp_path / "a") == weights(tmp_path / "b") != weights(tmp_path / "c")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a", "b", "c"]
    assert capfd.readouterr() == ("", "")


def test_lora_saves_a_whole_model(base: Path, tmp_path: Path) -> None:
    from transformers import AutoModelForCausalLM

    settings = replace(QUICK, method="lora", learning_rates=(1e-2,))
    finetune(base, ROWS, tmp_path / "a", settings, score=None)
    finetune(base, ROWS, tmp_path / "b", settings, score=None)
    assert weights(tmp_path / "a") == weights(tmp_path / "b")
    assert not list((tmp_path / "a").glob("adapter*"))
    before, after = (AutoModelForCausalLM.from_pretrained(p, dtype=torch.float32).state_dict() for p in (base, tmp_path / "a"))
    assert before.keys() == after.keys()
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    assert changed
    assert all("proj" in name for name in changed)


def test_nothing_half_written_bears_the_name(base: Path, tmp_path: Path) -> None:
    out, work = tmp_path / "out", tmp_path / ".out.part"
    work.mkdir()
    (work / "training.json.tmp").write_bytes(b"torn")  # as a kill leaves it at the very start

    def interrupted(folder: Path) -> float:
        assert not out.exists()
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        finetune(base, ROWS, out, QUICK, score=interrupted)
    assert list(tmp_path.iterdir()) == [work]
    assert recorded(out) is None
    with pytest.raises(RunError, match="not a number"):
        finetune(base, ROWS, out, QUICK, score=lambda _: float("nan"))
    finetune(base, ROWS, out, QUICK, score=lambda _: 0.5)
    assert list(tmp_path.iterdir()) == [out]


def test_rows_that_do_not_fit_are_left_out_whole(base: Path, tokenizer: Any, tmp_path: Path) -> None:
    long = {"prompt": ROWS[0]["prompt"] * 9, "completion": "#### 7"}
    limit = max(len(row.input_ids) for row in encode(tokenizer, ROWS).rows)
    trained = finetune(base, [*ROWS, long], tmp_path / "out", replace(QUICK, steps=1, max_length=limit), score=None)
    assert (trained.n_rows, trained.n_too_long) == (3, 1)
    with pytest.raises(InputError, match=rf"1 row, all of them longer than finetune\.max_length of {limit:,} tokens"):
        finetune(base, [long], tmp_path / "other", replace(QUICK, max_length=limit), score=None)


def test_a_student_whose_answers_would_be_cut_at_its_stop_strings_is_refused(base: Path, tmp_path: Path) -> None:
    cut = [{**row, "completion": row["completion"].replace("\n", "\n\n")} for row in ROWS]
    trained = finetune(base, [*ROWS, cut[0]], tmp_path / "out", QUICK, score=None, stop=["\n\n"])
    assert (trained.n_rows, trained.n_with_stop) == (3, 1)
    with pytest.raises(ModelError, match=r'2 of 3 rows contain a stop string of the student \("\\n\\n"\), at which its answers are cut'):
        finetune(base, [ROWS[0], *cut[:2]], tmp_path / "other", QUICK, score=None, stop=["\n\n"])


def test_what_cannot_be_trained_is_refused_before_anything_is_spent(base: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    with pytest.raises(InputError, match="no rows"):
        finetune(base, [], out, QUICK, score=None)
    with pytest.raises(InputError, match="at least one"):
        finetune(base, ROWS, out, replace(QUICK, steps=0), score=None)
    with pytest.raises(InputError, match="validation score"):
        finetune(base, ROWS, out, replace(QUICK, checkpoints=2), score=None)
    with pytest.raises(ModelError, match="no tokenizer"):
        finetune(tmp_path / "nowhere", ROWS, out, QUICK, score=None)
    out.mkdir()
    with pytest.raises(RunDirectoryError, match="exists already"):
        finetune(base, ROWS, out, QUICK, score=None)


def test_a_model_without_an_end_token_is_refused(base: Path, tmp_path: Path) -> None:
    endless = tmp_path / "endless"
    shutil.copytree(base, endless)
    config = json.loads((endless / "tokenizer_config.json").read_text())
    del config["eos_token"]
    (endless / "tokenizer_config.json").write_text(json.dumps(config))
    with pytest.raises(ModelError, match="no end token"):
        finetune(endless, ROWS, tmp_path / "out", QUICK, score=None)


@pytest.mark.parametrize(("package", "method"), [("trl", "full"), ("peft", "lora")])
def test_a_missing_extra_is_named(base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, package: str, method: Any) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, *rest: None if name == package else find(name, *rest))
    with pytest.raises(MissingExtraError, match=rf"{package} is not installed\n.*isocost\[train\]"):
        finetune(base, ROWS, tmp_path / "out", replace(QUICK, method=method), score=None)


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b'{"trained": 3}', b'{"trained": {"best": {}}}', b"\xff"])
def test_a_damaged_record_is_named_with_what_to_do(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "trained.json").write_bytes(data)
    with pytest.raises(StorageError, match=r"trained\.json: is damaged") as caught:
        recorded(tmp_path / "model")
    assert f"remove {tmp_path / 'model'} to train this model again" in str(caught.value)
