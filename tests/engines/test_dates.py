"""The date that chat templates get: fixed, in every notation of strftime, and of no effect on templates that ask for none."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pytest

from isocost.engines import load_engine
from isocost.engines.base import Request
from isocost.engines.dates import with_fixed_date
from isocost.engines.encoding import render_chat
from tests.engines.test_chat import FORMAT, with_format

DAY = dt.date(2026, 3, 4)
# As in Llama 3.2: a variable, with another date where the function is not defined.
DATED = (
    "{% if not date_string is defined %}{% if strftime_now is defined %}{% set date_string = strftime_now('%d %b %Y') %}"
    "{% else %}{% set date_string = '26 Jul 2024' %}{% endif %}{% endif %}Today Date: {{ date_string }}\n"
) + FORMAT


class Templated:
    """A tokenizer that has a chat template alone."""

    eos_token = bos_token = ""

    def __init__(self, template: str) -> None:
        self.chat_template = template

    def get_chat_template(self) -> str:
        return self.chat_template

    def apply_chat_template(self, messages: Any, *, chat_template: str | None, tokenize: bool, **given: Any) -> str:
        from transformers.utils.chat_template_utils import render_jinja_template

        assert not tokenize
        texts, _ = render_jinja_template([messages], chat_template=chat_template or self.chat_template, **given)
        return str(texts[0])


def rendered(template: str, date: dt.date | None) -> str:
    return render_chat(Templated(template), [{"role": "user", "content": "Why?"}], "model", date=date)


@pytest.mark.parametrize("form", ["%d %b %Y", "%-d/%-m/%y", "%A, %B %e", "%H:%M:%S", "100 %% of %Y, %%d", "%F %j %c", "none", '"%d" \\n'])
def test_a_template_gets_the_date_as_strftime_writes_it(form: str) -> None:
    quoted = form.replace("\\", "\\\\").replace('"', '\\"')
    assert rendered(f'{{{{ strftime_now("{quoted}") }}}}', DAY) == dt.datetime(2026, 3, 4).strftime(form)


@pytest.mark.parametrize("before", ["", "\n", " \n  ", "{# a note #}\n", "{%- if true %}\n", "\n\n{{- '' }}"])
def test_nothing_but_the_date_changes(before: str) -> None:
    after = "{% endif %}" if "if" in before else ""
    template = (
        before + "{% macro day(form) %}{{ strftime_now(format=form) }}{% endmacro %}\n[{{ day('%Y') }}]{{ messages[0].content }}" + after
    )
    text = rendered(template, dt.date(1999, 1, 1))
    assert text.replace("[1999]", f"[{dt.datetime.now():%Y}]") == rendered(template, None)


def test_a_template_without_a_date_is_left_as_it_is() -> None:
    assert with_fixed_date(FORMAT, DAY) == FORMAT


def test_an_engine_asks_with_the_date_that_it_was_opened_with(checkpoint: Path, tmp_path: Path) -> None:
    folder = with_format(checkpoint, tmp_path / "dated", DATED)
    request = Request(problem_id="p", prompt="Why?", first_index=0, count=1, chat=True)

    def asked(**given: Any) -> str:
        return load_engine("transformers", {"model": str(folder)}, base=tmp_path, **given).render(request)

    assert asked(chat_date=DAY).startswith("Today Date: 04 Mar 2026\n")
    assert asked().startswith(f"Today Date: {dt.datetime.now():%d %b %Y}\n")
