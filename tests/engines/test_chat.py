"""Prompts in a model's chat format."""

from pathlib import Path
from typing import Any

import pytest
from transformers import AutoTokenizer

from isocost.engines import load_engine
from isocost.engines.base import Request
from isocost.engines.transformers.engine import TransformersEngine
from isocost.errors import ModelError
from isocost.records import SamplingParams

FORMAT = (
    "{{ bos_token }}{% for m in messages %}<{{ m.role }}>{{ m.content }}</{{ m.role }}>\n{% endfor %}"
    "{% if add_generation_prompt %}<assistant>{% endif %}"
)
GREEDY = SamplingParams(temperature=0, max_tokens=12)


def ask(prompt: str, *, chat: bool = True, system: str | None = None, count: int = 1) -> Request:
    return Request(problem_id=f"{prompt}-{chat}-{system}", prompt=prompt, first_index=0, count=count, chat=chat, system=system)


def with_format(checkpoint: Path, folder: Path, chat_template: str) -> Path:
    """The checkpoint with a chat format, and with a start token that its tokenizer adds to every text, as Llama's does."""
    folder.mkdir()
    for file in checkpoint.iterdir():
        (folder / file.name).write_bytes(file.read_bytes())
    tokenizer: Any = AutoTokenizer.from_pretrained(folder)
    tokenizer.bos_token = tokenizer.eos_token
    tokenizer._tokenizer.post_processor = _starting_with(tokenizer.bos_token, tokenizer.bos_token_id)
    tokenizer.chat_template = chat_template
    tokenizer.save_pretrained(folder)
    return folder


def _starting_with(token: str, number: int) -> Any:
    from tokenizers.processors import TemplateProcessing

    return TemplateProcessing(single=f"{token} $A", special_tokens=[(token, number)])


@pytest.fixture
def chatty(checkpoint: Path, tmp_path: Path) -> TransformersEngine:
    folder = with_format(checkpoint, tmp_path / "chatty", FORMAT)
    engine = load_engine("transformers", {"model": str(folder), "device": "cpu"}, base=tmp_path)
    assert isinstance(engine, TransformersEngine)
    return engine


def test_render_is_what_the_model_reads(chatty: TransformersEngine) -> None:
    start = chatty._load()[1].bos_token
    assert chatty.render(ask("Why?")) == f"{start}<user>Why?</user>\n<assistant>"
    assert chatty.render(ask("Why?", system="Be brief.")) == f"{start}<system>Be brief.</system>\n<user>Why?</user>\n<assistant>"
    assert chatty.render(ask("Why?", chat=False)) == "Why?"


def test_render_loads_no_weights(chatty: TransformersEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("isocost.engines.checkpoints.AutoModelForCausalLM", None)
    assert "<user>Why?</user>" in chatty.render(ask("Why?"))


def test_the_start_token_is_read_once(chatty: TransformersEngine) -> None:
    model, tokenizer = chatty._load()
    read: list[list[int]] = []
    hook = model.get_input_embeddings().register_forward_hook(lambda _module, inputs, _output: read.append(inputs[0][0].tolist()))
    try:
        ((said,),) = chatty.generate([ask("Why?")], GREEDY, 0)
        ((text,),) = chatty.generate([ask("Why?", chat=False)], GREEDY, 0)
    finally:
        hook.remove()
    prompts = [ids for ids in read if len(ids) > 1]
    assert [ids.count(tokenizer.bos_token_id) for ids in prompts] == [1, 1]
    assert [said.num_prompt_tokens, text.num_prompt_tokens] == [len(ids) for ids in prompts]
    assert tokenizer.decode(prompts[0]) == chatty.render(ask("Why?"))


def test_a_chat_is_answered_as_its_text_would_be(chatty: TransformersEngine) -> None:
    tokenizer = chatty._load()[1]
    written = chatty.render(ask("7 + 5 =")).removeprefix(tokenizer.bos_token)  # which the tokenizer adds to plain text
    batch = [ask("7 + 5 ="), ask("7 + 5 =", chat=False), ask("7 + 5 =", system="Hm."), ask(written, chat=False)]
    answers = chatty.generate(batch, GREEDY, 0)
    assert answers[0] == answers[3]
    assert len({generations[0].num_prompt_tokens for generations in answers}) == 3


def test_a_model_without_a_chat_format_is_told(checkpoint: Path, engine: TransformersEngine) -> None:
    for call in (lambda: engine.render(ask("Why?")), lambda: engine.generate([ask("Why?")], GREEDY, 0)):
        with pytest.raises(ModelError, match=r"has no chat template\n  leave out prompt\.chat") as caught:
            call()
        assert str(checkpoint) in str(caught.value)


REFUSING = "{% if messages[0].role == 'system' %}{{ raise_exception('System role not supported') }}{% endif %}" + FORMAT


def test_a_format_without_system_messages_is_told(checkpoint: Path, tmp_path: Path) -> None:
    folder = with_format(checkpoint, tmp_path / "gemma", REFUSING)
    engine = load_engine("transformers", {"model": str(folder), "device": "cpu"}, base=tmp_path)
    assert "<user>Why?" in engine.render(ask("Why?"))
    with pytest.raises(ModelError, match=r"refuses the messages: System role not supported; leave out prompt\.system"):
        engine.render(ask("Why?", system="Be brief."))


def test_a_chat_format_that_hangs_on_nothing_it_knows_is_told(checkpoint: Path, tmp_path: Path) -> None:
    folder = with_format(checkpoint, tmp_path / "odd", "{{ messages[5].content }}")
    engine = load_engine("transformers", {"model": str(folder), "device": "cpu"}, base=tmp_path)
    with pytest.raises(ModelError, match=r"refuses the messages: .*; leave out prompt\.chat"):
        engine.render(ask("Why?"))


def test_the_chat_format_is_part_of_the_identity(checkpoint: Path, tmp_path: Path) -> None:
    one = with_format(checkpoint, tmp_path / "one", FORMAT)
    other = with_format(checkpoint, tmp_path / "other", FORMAT + " ")
    assert len({load_engine("transformers", {"model": str(folder)}, base=tmp_path).identity for folder in (one, other, checkpoint)}) == 3
