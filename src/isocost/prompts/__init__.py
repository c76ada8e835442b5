"""Prompt templates by name. To add one: a module here with a `Template`, and a line in `TEMPLATES`."""

from __future__ import annotations

from importlib import import_module

from isocost.errors import StudyError
from isocost.prompts.base import Template

TEMPLATES = {
    "gsm8k-8shot": "isocost.prompts.gsm8k:EIGHT_SHOT",
    "gsm8k": "isocost.prompts.gsm8k:PLAIN",
    "lab-2shot": "isocost.prompts.lab:TWO_SHOT",
    "lab": "isocost.prompts.lab:PLAIN",
    "math-4shot": "isocost.prompts.math:FOUR_SHOT",
    "math": "isocost.prompts.math:PLAIN",
}


def load_template(name: str) -> Template:
    """The template of that name, or the user's own as `package.module:attribute`.

    Raises:
        StudyError: there is none, or what was named is not a `Template`.
    """
    target = TEMPLATES.get(name, name)
    module, _, attribute = target.partition(":")
    if not attribute:
        raise StudyError([f"prompt.template: unknown template {name!r}; known: {', '.join(TEMPLATES)}"])
    try:
        template = getattr(import_module(module), attribute)
    except (ImportError, AttributeError) as error:
        raise StudyError([f"prompt.template: {target} cannot be imported: {error}"]) from error
    if not isinstance(template, Template):
        raise StudyError([f"prompt.template: {target} is not an isocost.prompts.base.Template"])
    return template
