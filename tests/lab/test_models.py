"""The embedded models: what is shipped, that it loads anywhere, and that the recipe makes it again."""

from __future__ import annotations

from pathlib import Path

import pytest

from isocost.config.models import ModelSpec, Price
from isocost.errors import InputError, ModelError
from isocost.lab import MODELS, train_model, weights
from isocost.preparing.embedded import embedded_size
from tests.builders import study


def test_all_models_together_are_small() -> None:
    files = [path for name in MODELS for path in weights(name).iterdir()]
    assert sum(path.stat().st_size for path in files) < 25_000_000


@pytest.mark.parametrize("name", MODELS)
def test_a_model_loads_with_plain_transformers(name: str) -> None:
    import torch
    from safetensors.torch import load_file
    from transformers import AutoModelForCausalLM, AutoTokenizer

    model = AutoModelForCausalLM.from_pretrained(weights(name))
    tokenizer = AutoTokenizer.from_pretrained(weights(name))
    assert model.config.model_type == "llama"
    assert {tensor.dtype for tensor in load_file(weights(name) / "model.safetensors").values()} == {torch.bfloat16}
    text = "Q: Ada has 12 coins. Ada buys 30 coins. How many coins does Ada have?\nA:\n12 + 30 = 42\n#### 42"
    assert tokenizer.decode(tokenizer(text)["input_ids"]) == text


@pytest.mark.parametrize("name", MODELS)
def test_the_size_by_the_recipe_is_that_of_the_engine(name: str) -> None:
    from isocost.engines import load_engine

    spec = ModelSpec.model_validate({"engine": "transformers", "model": f"lab:{name}"})
    assert embedded_size(study(), spec) == load_engine("transformers", {"model": str(weights(name))}, base=Path()).size()
    priced = spec.model_copy(update={"price": Price(output=1.0)})
    assert embedded_size(study(), priced) is None


def test_strong_costs_three_to_four_times_weak() -> None:
    from isocost.engines import load_engine

    def parameters(name: str) -> int:
        size = load_engine("transformers", {"model": str(weights(name))}, base=Path()).size()
        assert size is not None
        return size.parameters

    assert 3 <= parameters("strong") / parameters("weak") <= 4
    assert parameters("strong") / parameters("tiny") > 6


def test_all_models_share_a_tokenizer() -> None:
    assert len({(weights(name) / "tokenizer.json").read_bytes() for name in MODELS}) == 1


@pytest.mark.slow
def test_the_recipe_makes_a_model_again(tmp_path: Path) -> None:
    lines: list[str] = []
    folder = train_model("tiny", tmp_path / "tiny", steps=2, compiled=False, progress=lines.append)
    assert lines
    assert lines[-1].startswith("step 2/2  loss ")
    assert (folder / "tokenizer.json").read_bytes() == (weights("tiny") / "tokenizer.json").read_bytes()
    with pytest.raises(InputError, match="exists already"):
        train_model("tiny", tmp_path / "tiny", steps=2, compiled=False, progress=lines.append)


def test_unknown_models_are_refused() -> None:
    with pytest.raises(ModelError, match="no embedded model"):
        weights("huge")
    with pytest.raises(InputError, match="no embedded model"):
        train_model("huge", Path("nowhere"), steps=1, compiled=False, progress=print)
