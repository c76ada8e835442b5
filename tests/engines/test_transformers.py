import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from isocost.engines import load_engine
from isocost.engines.base import Generation, Request
from isocost.engines.checkpoints import count_parameters, locate
from isocost.engines.transformers import decoding
from isocost.engines.transformers.engine import TransformersEngine
from isocost.errors import MissingExtraError, ModelError, StudyError
from isocost.records import SamplingParams

PROMPTS = ["Q: Nora has 14 shells. How many?\nA:\n", "Q: Emil buys 3 cups for 4 dollars each. Then 2 more.\nA:\n", "7 + 5 =", "A"]
ONE = [Request(problem_id="p", prompt="A", first_index=0, count=1)]
GREEDY = SamplingParams(temperature=0, max_tokens=40)
SAMPLED = SamplingParams(temperature=1, max_tokens=40)


def ask(
    engine: TransformersEngine, params: SamplingParams, counts: tuple[int, ...] = (1, 1, 1, 1), seed: int = 0
) -> list[list[Generation]]:
    batch = [Request(problem_id=f"p{i}", prompt=p, first_index=0, count=n) for i, (p, n) in enumerate(zip(PROMPTS, counts, strict=False))]
    return engine.generate(batch, params, seed)


def loaded(engine: TransformersEngine) -> tuple[Any, Any]:
    return engine._load()


def greedy_tokens(engine: TransformersEngine, prompt: str) -> list[int]:
    """The tokens that transformers' own `generate` goes on with."""
    model, tokenizer = loaded(engine)
    inputs = tokenizer(prompt, return_tensors="pt", return_token_type_ids=False)
    tokens: list[int] = model.generate(**inputs, do_sample=False, max_new_tokens=40)[0, inputs["input_ids"].shape[1] :].tolist()
    return tokens


def ending_at(engine: TransformersEngine, monkeypatch: pytest.MonkeyPatch, tokens: list[int]) -> None:
    """Give the model other end tokens, so that texts of random weights end early, and at different lengths."""
    monkeypatch.setattr(loaded(engine)[0].generation_config, "eos_token_id", tokens)


def test_greedy_equals_generate(engine: TransformersEngine) -> None:
    tokenizer = loaded(engine)[1]
    for prompt, (ours,) in zip(PROMPTS, ask(engine, GREEDY), strict=True):
        theirs = greedy_tokens(engine, prompt)
        assert ours.text == tokenizer.decode(theirs, skip_special_tokens=True)
        assert ours.num_generated_tokens == len(theirs)
        assert ours.num_prompt_tokens == len(tokenizer(prompt)["input_ids"])


def test_seed_decides_and_global_random_state_is_left_alone(engine: TransformersEngine) -> None:
    torch.manual_seed(1)
    state = torch.get_rng_state()
    first = ask(engine, SAMPLED, (3, 3, 3, 3), seed=1)
    assert torch.equal(torch.get_rng_state(), state)
    torch.manual_seed(2)
    assert ask(engine, SAMPLED, (3, 3, 3, 3), seed=1) == first
    assert ask(engine, SAMPLED, (3, 3, 3, 3), seed=2) != first
    assert len({generation.text for generation in first[0]}) == 3


def test_each_distinct_prompt_is_read_once(engine: TransformersEngine) -> None:
    model, tokenizer = loaded(engine)
    shapes: list[tuple[int, ...]] = []
    hook = model.get_input_embeddings().register_forward_hook(lambda _module, inputs, _output: shapes.append(tuple(inputs[0].shape)))
    try:
        twice = Request(problem_id="again", prompt=PROMPTS[0], first_index=0, count=2)
        engine.generate([twice, *(Request(problem_id=p, prompt=p, first_index=0, count=4) for p in PROMPTS)], SAMPLED, 0)
    finally:
        hook.remove()
    width = max(len(ids) for ids in tokenizer(PROMPTS)["input_ids"])
    assert shapes[0] == (4, width)
    assert shapes[1] == (18, 1)
    assert all(rows <= 18 and tokens == 1 for rows, tokens in shapes[1:])
    assert len(shapes) <= SAMPLED.max_tokens  # the last token is not read


@pytest.mark.parametrize("params", [GREEDY, SAMPLED, SamplingParams(temperature=1, top_k=50, top_p=0.9, max_tokens=40)])
def test_dropping_rows_changes_nothing(engine: TransformersEngine, monkeypatch: pytest.MonkeyPatch, params: SamplingParams) -> None:
    ending_at(engine, monkeypatch, list(range(0, 1024, 16)))
    outputs = []
    for steps in (1, 8, 1000):
        monkeypatch.setattr(decoding, "_STEPS_BETWEEN_CHECKS", steps)
        outputs.append(ask(engine, params, (4, 4, 4, 4)))
    assert outputs[0] == outputs[1] == outputs[2]
    assert len({g.num_generated_tokens for generations in outputs[0] for g in generations}) > 2


def test_stops_at_any_end_token_and_counts_it(engine: TransformersEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    tokens = greedy_tokens(engine, PROMPTS[2])
    place = next(i for i in range(5, 40) if tokens[i] not in tokens[:i])
    ending_at(engine, monkeypatch, [1023, tokens[place]])
    (ended,) = ask(engine, GREEDY)[2]
    assert (ended.finish_reason, ended.num_generated_tokens) == ("stop", place + 1)
    assert ended.text == loaded(engine)[1].decode(tokens[:place])


def test_stop_string_is_cut_and_its_tokens_are_paid(engine: TransformersEngine) -> None:
    tokenizer = loaded(engine)[1]
    (free,) = ask(engine, GREEDY)[1]
    stop = free.text[10:13]
    (stopped,) = ask(engine, SamplingParams(temperature=0, max_tokens=40, stop=("not there", stop)))[1]
    assert stopped.finish_reason == "stop"
    assert stopped.text == free.text[: free.text.find(stop)]
    tokens = greedy_tokens(engine, PROMPTS[1])
    paid = stopped.num_generated_tokens
    assert stop in tokenizer.decode(tokens[:paid])
    assert stop not in tokenizer.decode(tokens[: paid - 1])


@pytest.mark.parametrize("max_tokens", [1, 7, 8, 9, 20])
def test_max_tokens(engine: TransformersEngine, max_tokens: int) -> None:
    longer = ask(engine, GREEDY)
    for (cut,), (whole,) in zip(ask(engine, SamplingParams(temperature=0, max_tokens=max_tokens)), longer, strict=True):
        assert (cut.finish_reason, cut.num_generated_tokens) == ("length", max_tokens)
        assert whole.text.startswith(cut.text.rstrip("\N{REPLACEMENT CHARACTER}"))


def test_context_limits_tokens_and_refuses_prompts(engine: TransformersEngine) -> None:
    asked = [Request(problem_id=str(n), prompt="7" * n, first_index=0, count=2) for n in (1024, 1020, 3)]
    full, nearly, short = engine.generate(asked, SAMPLED, 0)
    assert [(g.text, g.num_generated_tokens, g.finish_reason) for g in full] == [("", 0, "error")] * 2
    assert [g.num_generated_tokens for g in nearly] == [4, 4]
    assert [g.num_generated_tokens for g in short] == [40, 40]
    assert full[0].num_prompt_tokens == 1024


def test_empty_prompt_is_an_error_sample(engine: TransformersEngine) -> None:
    ((nothing,),) = engine.generate([Request(problem_id="p", prompt="", first_index=0, count=1)], SAMPLED, 0)
    assert nothing.finish_reason == "error"


def test_size_counts_tied_embeddings_once(engine: TransformersEngine) -> None:
    attention, feed_forward, norms = 4 * 64 * 64, 3 * 64 * 160, 2 * 64
    assert engine.size().parameters == 1024 * 64 + 2 * (attention + feed_forward + norms) + 64
    assert engine.size().description == "total, tied embeddings"


def test_size_leaves_an_untied_input_table_out(checkpoint: Path) -> None:
    from transformers import AutoConfig, AutoModelForCausalLM

    config = AutoConfig.from_pretrained(checkpoint)
    tied = count_parameters(AutoModelForCausalLM.from_config(config))
    config.tie_word_embeddings = False
    untied = count_parameters(AutoModelForCausalLM.from_config(config))
    assert untied.parameters == tied.parameters
    assert untied.description == "total less the untied input embeddings"


def test_identity_is_the_content(checkpoint: Path, tmp_path: Path) -> None:
    def copy(name: str, flip: bool) -> str:
        folder = tmp_path / name
        folder.mkdir()
        for file in checkpoint.iterdir():
            data = bytearray(file.read_bytes())
            if flip and file.suffix == ".safetensors":
                data[-1] ^= 1
            (folder / file.name).write_bytes(data)
        return load_engine("transformers", {"model": str(folder)}, base=tmp_path).identity

    assert copy("same", flip=False) == load_engine("transformers", {"model": str(checkpoint)}, base=tmp_path).identity
    assert copy("same-again", flip=False) != copy("other", flip=True)


def test_broken_models_are_told_in_one_line(checkpoint: Path, tmp_path: Path) -> None:
    def error_of(model: str) -> str:
        with pytest.raises(ModelError) as caught:
            load_engine("transformers", {"model": model}, base=tmp_path).generate(ONE, GREEDY, 0)
        assert "\n" not in str(caught.value)
        return str(caught.value)

    (tmp_path / "empty").mkdir()
    (tmp_path / "strange").mkdir()
    (tmp_path / "strange" / "config.json").write_text('{"model_type": "abacus"}')
    (tmp_path / "hollow").mkdir()
    (tmp_path / "hollow" / "config.json").write_bytes((checkpoint / "config.json").read_bytes())
    assert str(tmp_path / "nowhere" / "at" / "all") in error_of("nowhere/at/all")
    assert "no such folder" in error_of("./nowhere")
    assert "no config.json" in error_of("empty")
    assert "abacus" in error_of("strange")
    assert str(tmp_path / "hollow") in error_of("hollow")


def test_weights_that_lack_tensors_are_refused(checkpoint: Path, tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    folder = tmp_path / "partial"
    folder.mkdir()
    for file in checkpoint.iterdir():
        (folder / file.name).write_bytes(file.read_bytes())
    weights = load_file(checkpoint / "model.safetensors")
    del weights["model.norm.weight"]
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    engine = load_engine("transformers", {"model": str(folder)}, base=tmp_path)
    with pytest.raises(ModelError, match=r"lack 1 tensors, such as model\.norm\.weight"):
        engine.generate(ONE, GREEDY, 0)


def test_wrong_options_and_engines_are_told(tmp_path: Path) -> None:
    with pytest.raises(StudyError, match='batchsize: unknown key; did you mean "batch_size"'):
        load_engine("transformers", {"model": "x", "batchsize": 3}, base=tmp_path)
    with pytest.raises(StudyError, match='did you mean "transformers"'):
        load_engine("transformer", {}, base=tmp_path)
    with pytest.raises(StudyError, match="cannot be imported"):
        load_engine("isocost.nothing:here", {}, base=tmp_path)


def test_a_name_is_sought_on_the_hub_only_if_it_cannot_be_a_path(tmp_path: Path) -> None:
    assert locate("Qwen/Qwen2.5-0.5B", tmp_path, "main", None).folder is None
    assert locate("gpt2", tmp_path, None, None).folder is None
    (tmp_path / "models").mkdir()
    with pytest.raises(ModelError, match="no such folder"):
        locate("models/tiny", tmp_path, None, None)


def test_missing_packages_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [n for n in sys.modules if n.startswith("isocost.engines.transformers")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(MissingExtraError, match=r'pip install "isocost\[transformers\]"'):
        load_engine("transformers", {"model": "x"}, base=tmp_path)
