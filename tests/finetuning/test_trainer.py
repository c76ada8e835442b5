"""What a step sees and does not see: micro-batches, lengths, memory, losses that are no numbers."""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from isocost.errors import InputError, ModelError, RunError
from isocost.finetuning import Encoded, Logged, finetune, recorded, trainer
from isocost.finetuning.trainer import (
    Course,
    _arguments,
    _check_batch,
    _name_dtype,
    _tracked_as,
    limits_of,
    load_tokenizer,
    micro_batch,
    run_here,
)
from isocost.finetuning.watching import Watch
from isocost.finetuning.work import work_folder
from tests.finetuning.setting import QUICK, ROWS, weights
from tests.matrices import first_fast

torch = pytest.importorskip("torch")


def tensors(folder: Path) -> Any:
    from safetensors.torch import load_file

    return load_file(folder / "model.safetensors")


def assert_close(left: Path, right: Path) -> None:
    a, b = tensors(left), tensors(right)
    assert a.keys() == b.keys()
    for name in a:
        torch.testing.assert_close(a[name], b[name], rtol=1e-4, atol=1e-6)


def test_eight_micro_batches_of_one_are_one_batch_of_eight(base: Path, tmp_path: Path) -> None:
    """The rows differ in length, so a mean of means would differ from the mean over tokens."""
    losses: dict[int, list[float]] = {}
    for parts in (1, 8):
        settings = replace(QUICK, steps=3, batch_size=8, gradient_accumulation=parts, learning_rates=(3e-4,))
        logged: list[Logged] = []
        finetune(base, ROWS, tmp_path / str(parts), settings, score=None, progress=logged.append)
        losses[parts] = [each.loss for each in logged]
    assert losses[8] == pytest.approx(losses[1], rel=1e-5)
    assert_close(tmp_path / "8", tmp_path / "1")
    # Nothing is close to another training.
    finetune(base, ROWS, tmp_path / "other", replace(QUICK, batch_size=8, seed=1, learning_rates=(3e-4,)), score=None)
    with pytest.raises(AssertionError):
        assert_close(tmp_path / "other", tmp_path / "1")


@pytest.mark.slow
def test_micro_batches_are_of_like_length_and_a_step_sees_the_same_rows(
    base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from trl import SFTTrainer

    seen: list[tuple[int, list[tuple[int, ...]]]] = []
    compute = SFTTrainer.compute_loss

    def spy(self: Any, model: Any, inputs: Any, *args: Any, **kwargs: Any) -> Any:
        rows = [tuple(ids[mask == 1].tolist()) for ids, mask in zip(inputs["input_ids"], inputs["attention_mask"], strict=True)]
        seen.append((inputs["input_ids"].numel(), rows))
        return compute(self, model, inputs, *args, **kwargs)

    monkeypatch.setattr(SFTTrainer, "compute_loss", spy)
    tokenizer = load_tokenizer(base)
    lengths = [40, 5, 39, 6, 41, 7, 38, 8]  # one step in alternating lengths
    data = [Encoded(input_ids=[3 + n] * n, labels=[3 + n] * n) for n in lengths * 2]
    sizes, rows = {}, {}
    for parts in (1, 4):
        seen.clear()
        settings = replace(QUICK, steps=2, batch_size=8, gradient_accumulation=parts)
        course = Course(model_path=base, tokenizer=tokenizer, data=data, settings=settings)
        assert run_here(course, 1e-3, tmp_path / str(parts), lambda logged: None) is None
        sizes[parts] = sum(size for size, _ in seen)
        steps = [seen[i : i + parts] for i in range(0, len(seen), parts)]
        rows[parts] = [sorted(row for _, part in step for row in part) for step in steps]
    assert rows[4] == rows[1]
    assert sizes[4] < 0.7 * sizes[1]


def test_a_loss_that_is_not_a_number_keeps_the_last_good_checkpoint(base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from trl import SFTTrainer

    settings = replace(QUICK, steps=6, checkpoints=3, learning_rates=(1e-3, 2e-3))
    scores: list[str] = []

    def score(folder: Path) -> float:
        scores.append(weights(folder))
        return float(len(scores))

    compute, calls = SFTTrainer.compute_loss, [0]

    def breaking(self: Any, *args: Any, **kwargs: Any) -> Any:
        calls[0] += 1
        loss = compute(self, *args, **kwargs)
        return loss * float("nan") if calls[0] in (5, 9) else loss  # in the fifth step of the first rate, the fourth of the second

    monkeypatch.setattr(SFTTrainer, "compute_loss", breaking)
    trained = finetune(base, ROWS, tmp_path / "out", settings, score=score)
    assert [(c.learning_rate, c.step) for c in trained.candidates] == [(1e-3, 2), (1e-3, 4), (2e-3, 2)]
    assert [(d.learning_rate, d.step) for d in trained.diverged] == [(1e-3, 5), (2e-3, 4)]
    assert weights(tmp_path / "out") == scores[-1]
    assert recorded(tmp_path / "out") == trained
    assert all(bool(torch.isfinite(tensor).all()) for tensor in tensors(tmp_path / "out").values())


def test_a_student_without_a_good_checkpoint_fails_with_the_setting_to_change(base: Path, tmp_path: Path) -> None:
    settings = replace(QUICK, steps=4, checkpoints=2, learning_rates=(1e38,))
    with pytest.raises(RunError, match=r"the loss was not a number at step \d at 1e\+38, before any checkpoint\n  give smaller"):
        finetune(base, ROWS, tmp_path / "out", settings, score=lambda _: 1.0)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("error", [torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB"), MemoryError()])
def test_out_of_memory_names_the_settings_to_change(
    base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    from trl import SFTTrainer

    def full(*_: Any, **__: Any) -> None:
        raise error

    monkeypatch.setattr(SFTTrainer, "compute_loss", full)
    settings = replace(QUICK, batch_size=4, gradient_accumulation=2)
    with pytest.raises(RunError, match=r"out of memory with 2 rows of up to .* tokens at once") as caught:
        finetune(base, ROWS, tmp_path / "out", settings, score=None)
    for key in ("gradient_accumulation (now 2)", "gradient_checkpointing: true", "lower finetune.max_length"):
        assert key in str(caught.value)
    assert work_folder(tmp_path / "out").exists()  # a start with other settings refuses it, one with the same goes on


def test_a_batch_is_cut_into_equal_parts_only() -> None:
    assert micro_batch(replace(QUICK, batch_size=32, gradient_accumulation=4), 2) == 4
    with pytest.raises(InputError, match=r"batch_size: 32 rows are not divisible into 3 micro-batches$"):
        micro_batch(replace(QUICK, batch_size=32, gradient_accumulation=3), 1)
    with pytest.raises(InputError, match="16 rows are not divisible into 8 micro-batches on 3 processes"):
        micro_batch(replace(QUICK, batch_size=16, gradient_accumulation=8), 3)


def test_several_visible_devices_do_not_enlarge_the_batch(base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from trl import SFTConfig

    find = SFTConfig.__post_init__

    def eight(self: Any) -> None:
        find(self)
        self._n_gpu = 8

    monkeypatch.setattr(SFTConfig, "__post_init__", eight)
    settings = replace(QUICK, batch_size=4, gradient_accumulation=2)
    course = Course(model_path=base, tokenizer=load_tokenizer(base), data=[], settings=settings)
    arguments = _arguments(course, 1e-3, tmp_path)
    assert (arguments.n_gpu, arguments.train_batch_size * arguments.gradient_accumulation_steps) == (1, 4)
    arguments._n_gpu = 8
    with pytest.raises(RunError, match=r"the trainer would take 32 rows per step, and finetune\.batch_size is 4"):
        _check_batch(arguments, settings, 1)


def test_on_a_gpu_a_student_is_evaluated_in_the_precision_of_its_base(base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from transformers import AutoModelForCausalLM

    def dtypes(folder: Path) -> list[Any]:
        return [AutoModelForCausalLM.from_pretrained(each, dtype="auto").dtype for each in (base, folder)]

    finetune(base, ROWS, tmp_path / "out", QUICK, score=None)
    before = weights(tmp_path / "out")
    _name_dtype(base, tmp_path / "out")
    assert dtypes(tmp_path / "out") == [torch.bfloat16, torch.float32]
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    _name_dtype(base, tmp_path / "out")
    assert dtypes(tmp_path / "out") == [torch.bfloat16, torch.bfloat16]
    assert weights(tmp_path / "out") == before


def test_bf16_that_is_emulated_is_not_used(base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[dict[str, Any]] = []
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda **given: bool(asked.append(given)))
    monkeypatch.setattr("trl.SFTConfig", lambda **given: SimpleNamespace(device="", n_gpu=1, train_batch_size=2, **given))
    assert _arguments(Course(model_path=base, tokenizer=None, data=[], settings=QUICK), 1e-3, tmp_path).bf16 is False
    assert asked == [{"including_emulation": False}]


def test_training_in_bf16_has_nearly_the_losses_of_float32_and_keeps_float32_weights(
    base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on a GPU: the same autocast runs on a CPU, slowly."""
    import trl
    from safetensors.torch import load_file

    made = trl.SFTConfig
    losses: dict[bool, list[float]] = {False: [], True: []}
    for bf16, logged in losses.items():
        monkeypatch.setattr("trl.SFTConfig", lambda forced=bf16, **given: made(**{**given, "bf16": forced}))
        finetune(base, ROWS, tmp_path / str(bf16), QUICK, score=None, progress=lambda each, logged=logged: logged.append(each.loss))
    assert losses[True] == pytest.approx(losses[False], rel=0.02)
    assert losses[True] != losses[False]
    assert {tensor.dtype for tensor in load_file(tmp_path / "True" / "model.safetensors").values()} == {torch.float32}


def test_a_layer_that_does_not_exist_is_an_error_of_the_student(base: Path, tmp_path: Path) -> None:
    settings = replace(QUICK, method="lora", lora_targets=("v_proj", "q_prj"))
    with pytest.raises(ModelError, match=r"has no layer 'q_prj' for finetune\.lora\.targets\n  it has .*q_proj"):
        finetune(base, ROWS, tmp_path / "out", settings, score=None)


@pytest.mark.slow
def test_lora_takes_its_rank_its_scale_and_its_layers(base: Path, tmp_path: Path) -> None:
    def changed(out: Path) -> set[str]:
        before, after = tensors(base), tensors(out)
        return {name for name in before if not torch.equal(before[name].float(), after[name])}

    settings = replace(QUICK, method="lora", learning_rates=(1e-2,), lora_targets=("q_proj", "v_proj"))
    finetune(base, ROWS, tmp_path / "a", settings, score=None)
    assert {name.split(".")[-2] for name in changed(tmp_path / "a")} == {"q_proj", "v_proj"}
    for key, value in (("lora_rank", 2), ("lora_alpha", 64)):
        finetune(base, ROWS, tmp_path / key, replace(settings, **{key: value}), score=None)
        assert weights(tmp_path / key) != weights(tmp_path / "a")
    update = tensors(tmp_path / "lora_rank")["model.layers.0.self_attn.q_proj.weight"]
    before = tensors(base)["model.layers.0.self_attn.q_proj.weight"].float()
    assert torch.linalg.matrix_rank(update - before, rtol=1e-4) <= 2


@pytest.mark.slow
def test_recomputed_activations_change_nothing(base: Path, tmp_path: Path) -> None:
    for name, recompute in (("a", False), ("b", True)):
        finetune(base, ROWS, tmp_path / name, replace(QUICK, gradient_checkpointing=recompute), score=None)
    assert_close(tmp_path / "a", tmp_path / "b")


@pytest.mark.parametrize(("scheduler", "last"), first_fast([("linear", 0.25), ("constant_with_warmup", 1.0)]))
def test_the_rate_follows_warm_up_and_scheduler(base: Path, tmp_path: Path, scheduler: Any, last: float) -> None:
    rates: list[float] = []
    settings = replace(QUICK, steps=5, warmup=0.2, scheduler=scheduler, learning_rates=(1e-3,))
    finetune(base, ROWS, tmp_path / "out", settings, score=None, progress=lambda logged: rates.append(logged.learning_rate))
    assert rates[0] in (0.0, pytest.approx(1e-3))
    assert max(rates) == pytest.approx(1e-3)
    assert rates[-1] == pytest.approx(last * 1e-3)


@pytest.mark.slow
def test_tensorboard_gets_what_is_logged(base: Path, tmp_path: Path) -> None:
    reader = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    losses: list[float] = []
    finetune(
        base,
        ROWS,
        tmp_path / "out",
        QUICK,
        score=None,
        progress=lambda logged: losses.append(logged.loss),
        report_to=["tensorboard"],
        tracked_in=tmp_path / "trackers",
    )
    (events,) = (tmp_path / "trackers").rglob("events.*")
    found = reader.EventAccumulator(str(events)).Reload()
    assert [scalar.value for scalar in found.Scalars("train/loss")] == pytest.approx(losses, rel=1e-4)
    assert [scalar.step for scalar in found.Scalars("train/loss")] == [1, 2, 3]


def test_a_tracker_that_is_not_installed_is_named(base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import importlib.util

    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, *rest: None if name == "trackio" else find(name, *rest))
    with pytest.raises(InputError, match=r"finetune\.report_to: trackio is not installed\n  pip install trackio"):
        finetune(base, ROWS, tmp_path / "out", QUICK, score=None, report_to=["trackio"])


def test_limits_are_read_from_the_model(base: Path, tmp_path: Path) -> None:
    context, ends = limits_of(base)
    assert context is not None
    assert load_tokenizer(base).eos_token_id in ends
    long = {"prompt": "Q: 1?\nA:\n" * context, "completion": "#### 7"}
    trained = finetune(base, [*ROWS, long], tmp_path / "out", replace(QUICK, max_length=10 * context), score=None)
    assert (trained.n_rows, trained.n_too_long) == (3, 1)
    assert os.environ.get("WORLD_SIZE") is None


def test_trackio_shows_a_training_under_names_that_a_resumed_one_has_too(base: Path, tmp_path: Path) -> None:
    tracked = tmp_path / "demo" / "logs" / "trackers" / "student-weak@low-0-abc"
    given: Any = {"model_path": base, "tokenizer": None, "data": (), "settings": QUICK}
    course = Course(**given, report_to=("trackio",), tracked_in=tracked)
    assert _tracked_as(course, 3e-4) == {"project": "demo", "run_name": "student-weak@low-0-abc, learning rate 0.0003"}
    assert _tracked_as(course, 1e-4) != _tracked_as(course, 3e-4)
    assert _tracked_as(Course(**given, report_to=("tensorboard",), tracked_in=tracked), 3e-4) == {}
    assert _tracked_as(Course(**given, report_to=("trackio",)), 3e-4)["run_name"].startswith(base.name)


def test_what_a_tracker_prints_is_not_on_standard_output(
    base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def train(watch: Watch) -> None:
        watch.report(Logged(1, 0.5, 3e-4, 1.0))
        sys.stdout.write("* Run finished\n")

    monkeypatch.setattr(trainer, "_trainer", lambda *given: SimpleNamespace(train=lambda **_: train(given[-1])))
    course = Course(model_path=base, tokenizer=None, data=(), settings=QUICK)
    run_here(course, 3e-4, tmp_path / "rate-0", lambda logged: print(logged.step))  # noqa: T201 - as a user would
    assert capsys.readouterr() == ("1\n", "* Run finished\n")  # what the caller prints is where the caller looks for it
