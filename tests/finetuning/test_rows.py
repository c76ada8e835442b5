"""Rows as a model sees them: the tokenizer's own template, one end token, nothing cut."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import pytest

from isocost.engines.base import Request
from isocost.errors import ModelError
from isocost.finetuning import IGNORED, encode

CHATML = (
    "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
ENDLESS = CHATML.replace("<|im_end|>", "<|stop|>")
TWICE = CHATML.replace("<|im_end|>\n", "<|im_end|><|im_end|>\n")
# As reasoning models have it: the prompt opens the reasoning, and a finished turn shows only what follows it.
THINKING = (
    "{% for m in messages %}{% set said = m.content.split('</think>')[-1].strip() if m.role == 'assistant' else m.content %}"
    "<|im_start|>{{ m.role }}\n{{ said }}<|im_end|>\n{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n<think>\n{% endif %}"
)
ASKED = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "What is 3 + 4?"}]
TOLD = [*ASKED, {"role": "assistant", "content": "3 + 4 = 7\n#### 7"}]


@pytest.fixture
def chatty(tokenizer: Any) -> Any:
    tokenizer.add_special_tokens({"eos_token": "<|im_end|>", "additional_special_tokens": ["<|im_start|>", "<|stop|>"]})
    tokenizer.chat_template = CHATML
    return tokenizer


def learned(encoded: Any) -> list[int]:
    return [token for token in encoded.labels if token != IGNORED]


def test_chat_rows_are_those_of_the_tokenizers_own_template(chatty: Any) -> None:
    (row,) = encode(chatty, [{"messages": TOLD}]).rows
    whole = chatty.apply_chat_template(TOLD, tokenize=True, return_dict=True)["input_ids"]
    asked = chatty.apply_chat_template(ASKED, tokenize=True, add_generation_prompt=True, return_dict=True)["input_ids"]
    # The line break after the last turn is never generated.
    assert row.input_ids == whole[: len(row.input_ids)]
    assert chatty.decode(whole[len(row.input_ids) :]) == "\n"
    assert row.labels[: len(asked)] == [IGNORED] * len(asked)
    assert chatty.decode(learned(row)) == "3 + 4 = 7\n#### 7<|im_end|>"


def test_a_chat_is_trained_on_as_the_engine_asks_it(chatty: Any, base: Path, tmp_path: Path) -> None:
    from isocost.engines import load_engine

    folder = tmp_path / "chat"
    folder.mkdir()
    for name in ("config.json", "model.safetensors", "generation_config.json"):
        (folder / name).symlink_to(base / name)
    chatty.save_pretrained(folder)
    engine: Any = load_engine("transformers", {"model": str(folder)}, base=folder)
    request = Request(problem_id="p", prompt="What is 3 + 4?", first_index=0, count=1, chat=True, system="Be brief.")
    (row,) = encode(chatty, [{"messages": TOLD}]).rows
    assert engine._tokens(request) == row.input_ids[: row.labels.count(IGNORED)]


@pytest.mark.parametrize("row", [{"messages": TOLD}, {"prompt": "Q: 1?\nA:\n", "completion": "#### 1"}])
def test_the_end_token_occurs_once_and_last(chatty: Any, row: dict[str, Any]) -> None:
    class Closing:
        """A tokenizer that closes every text with the end token."""

        eos_token, eos_token_id, chat_template = chatty.eos_token, chatty.eos_token_id, chatty.chat_template
        apply_chat_template = chatty.apply_chat_template

        def __call__(self, text: str, *, add_special_tokens: bool = True) -> dict[str, list[int]]:
            ids = chatty(text, add_special_tokens=False)["input_ids"]
            return {"input_ids": [*ids, *([self.eos_token_id] if add_special_tokens else [])]}

    for tokenizer in (chatty, Closing()):
        (encoded,) = encode(tokenizer, [row]).rows
        assert learned(encoded).count(chatty.eos_token_id) == 1
        assert encoded.labels[-1] == encoded.input_ids[-1] == chatty.eos_token_id


@pytest.mark.parametrize(
    ("template", "remark"),
    [
        (ENDLESS, "its chat template ends no reply with an end token; <|im_end|> is added"),
        (TWICE, "its chat template writes 2 end tokens after a reply; only the first is kept"),
    ],
)
def test_a_template_with_no_end_token_or_another_one_is_told(chatty: Any, template: str, remark: str) -> None:
    chatty.chat_template = template
    encoding = encode(chatty, [{"messages": TOLD}] * 2)
    assert encoding.remarks == (remark,)
    for row in encoding.rows:
        assert [token == chatty.eos_token_id for token in learned(row)].count(True) == 1
        assert row.labels[-1] == chatty.eos_token_id


@pytest.mark.parametrize("text", ["It is 7.<|im_end|>\nNot 8.", "7<|stop|>#### 7"])
def test_a_solution_with_an_end_token_inside_is_left_out_and_counted(chatty: Any, text: str) -> None:
    stop = chatty.convert_tokens_to_ids("<|stop|>")
    rows = [{"messages": [*ASKED, {"role": "assistant", "content": text}]}, {"prompt": "Q", "completion": text}, {"messages": TOLD}]
    encoding = encode(chatty, rows, ends=[stop])
    assert (len(encoding.rows), encoding.n_with_end, encoding.n_too_long) == (1, 2, 0)


def test_a_solution_with_a_stop_string_inside_is_left_out_and_counted(chatty: Any) -> None:
    texts = ["7\n\nis it", "7 is it\n\n", "7\nis it"]  # at the end it cuts nothing
    rows = [{"prompt": "Q", "completion": text} for text in texts]
    rows_of_chat: list[Any] = [{"messages": [*ASKED, {"role": "assistant", "content": text}]} for text in texts]
    for each in (rows, rows_of_chat):
        encoding = encode(chatty, each, stop=["\n\n"])
        assert (len(encoding.rows), encoding.n_with_stop, encoding.n_with_end) == (2, 1, 0)


def test_reasoning_is_trained_on_where_the_prompt_opens_it(chatty: Any) -> None:
    chatty.chat_template = THINKING
    reply = {"role": "assistant", "content": "<think>\nThree and four.\n</think>\n\n#### 7"}
    (row,) = encode(chatty, [{"messages": [*ASKED, reply]}]).rows
    assert chatty.decode(row.input_ids).endswith("<|im_start|>assistant\n<think>\nThree and four.\n</think>\n\n#### 7<|im_end|>")
    assert chatty.decode(learned(row)) == "Three and four.\n</think>\n\n#### 7<|im_end|>"


def test_solutions_without_the_reasoning_that_the_prompt_opens_are_refused(chatty: Any) -> None:
    chatty.chat_template = THINKING
    with pytest.raises(ModelError, match=r"student: its chat template asks for a reply with '.*<think>'") as caught:
        encode(chatty, [{"messages": TOLD}], place="student")
    assert "finetune.reasoning: keep, or with finetune.format: plain" in str(caught.value)


@pytest.mark.parametrize("template", [THINKING, THINKING.replace("<think>\n{% endif %}", "<think>{% endif %}")])
@pytest.mark.parametrize("text", ["\n\n3 + 4 = 7\n#### 7", ">5 is true\n#### 7"])
def test_one_shared_character_does_not_count_as_reasoning(chatty: Any, template: str, text: str) -> None:
    chatty.chat_template = template
    with pytest.raises(ModelError, match="with which the solutions do not begin"):
        encode(chatty, [{"messages": [*ASKED, {"role": "assistant", "content": text}]}], place="student")


def test_reasoning_that_the_prompt_opens_may_lack_its_opening(chatty: Any) -> None:
    chatty.chat_template = THINKING
    (row,) = encode(chatty, [{"messages": [*ASKED, {"role": "assistant", "content": "Three.\n</think>\n\n#### 7"}]}]).rows
    assert chatty.decode(learned(row)) == "Three.\n</think>\n\n#### 7<|im_end|>"


def test_reasoning_that_the_template_strips_is_trained_on(chatty: Any) -> None:
    chatty.chat_template = THINKING.replace("<think>\n{% endif %}", "{% endif %}")
    kept = "<think>\nThree and four.\n</think>\n\n#### 7"
    rows = [{"messages": [*ASKED, {"role": "assistant", "content": content}]} for content in (kept, "#### 7 ")]
    first, other = encode(chatty, rows).rows
    assert chatty.decode(learned(first)) == kept + "<|im_end|>"
    assert chatty.decode(learned(other)) == "#### 7<|im_end|>"  # nothing but whitespace was lost
    chatty.chat_template = chatty.chat_template.replace("{{ said }}", "{{ said | upper }}")
    with pytest.raises(ModelError, match="student: its chat template changes the text of a reply"):
        encode(chatty, [{"messages": [*TOLD[:-1], {"role": "assistant", "content": "seven"}]}], place="student")


def test_a_chat_without_a_template_is_refused(tokenizer: Any) -> None:
    with pytest.raises(ModelError, match="student: has no chat template"):
        encode(tokenizer, [{"messages": TOLD}], place="student")


def test_rows_above_the_limit_are_left_out_and_none_is_cut(tokenizer: Any) -> None:
    rows = [{"prompt": "Q: 1?\nA:\n", "completion": "1 + 1 = 2\n" * n} for n in (1, 2, 30)]
    lengths = [len(row.input_ids) for row in encode(tokenizer, rows).rows]
    for limit in (lengths[0] - 1, *lengths):
        encoding = encode(tokenizer, rows, limit=limit)
        fit = [length for length in lengths if length <= limit]
        assert [len(row.input_ids) for row in encoding.rows] == fit
        assert encoding.n_too_long == 3 - len(fit)


def test_every_row_keeps_its_place(tokenizer: Any) -> None:
    rows = [{"prompt": f"Q: {n}?\nA:\n", "completion": f"#### {n}"} for n in range(9)]
    texts = [tokenizer.decode(row.input_ids[:-1]) for row in encode(tokenizer, rows).rows]
    assert texts == [row["prompt"] + row["completion"] for row in rows]
    assert len(set(itertools.chain(texts))) == 9
