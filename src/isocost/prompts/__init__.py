"""Prompt templates by name. To add one: a module here with a `Template`, and a line in `TEMPLATES`."""

from __future__ import annotations

from dataclasses import replace

from isocost.config import Prompt
from isocost.errors import StudyError
from isocost.parts import PartError, import_part
from isocost.prompts.base import Template

TEMPLATES = {
    "gsm8k-8shot": "isocost.prompts.gsm8k:EIGHT_SHOT",
    "gsm8k": "isocost.prompts.gsm8k:PLAIN",
    "lab-2shot": "isocost.prompts.lab:TWO_SHOT",
    "lab": "isocost.prompts.lab:PLAIN",
    "math-4shot": "isocost.prompts.math:FOUR_SHOT",
    "math": "isocost.prompts.math:PLAIN",
}


def make_template(prompt: Prompt) -> Template:
    """Return the template of a study's prompt section, with its chat format and system message.

    Raises:
        StudyError: no template has that name.
    """
    if prompt.form is None:
        return replace(load_template(prompt.template or ""), chat=prompt.chat, system=prompt.system)
    return Template(
        form=prompt.form,
        examples=tuple((example.question, example.solution) for example in prompt.examples),
        separator=prompt.separator,
        stop=prompt.stop,
        chat=prompt.chat,
        system=prompt.system,
        chat_stop=prompt.stop,
    )


def load_template(name: str) -> Template:
    """Return the template of that name, or the user's own as `package.module:attribute`.

    Raises:
        StudyError: there is none, or the named object is not a `Template`.
    """
    target = TEMPLATES.get(name, name)
    # A name without a colon is neither a known template nor a path to one.
    if ":" not in target:
        raise StudyError([f"prompt.template: unknown template {name!r}; known: {', '.join(TEMPLATES)}"])
    try:
        template = import_part(target)
    except PartError as error:
        raise StudyError([f"prompt.template: {target} {error}"]) from error
    if not isinstance(template, Template):
        raise StudyError([f"prompt.template: {target} is not an isocost.prompts.base.Template"])
    return template
