"""The prompt."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, field_validator, model_validator

from isocost.config.sections import Section


class Example(Section):
    """A worked example before the question.

    Attributes:
        question: Text of the question, put in the form.
        solution: Text of its solution.
    """

    question: str
    solution: str


class PromptChanges(Section):
    """Changes of one model to the study's prompt; a key that is left out keeps the study's value.

    Attributes:
        template: A template by name, or `package.module:attribute`.
        form: Instead of a template: the text of one question, with `{question}` in the place of the problem.
        examples: Worked examples before the question; only with `form`.
        separator: Text between examples; only with `form`.
        stop: Strings that end a reply; only with `form`.
        chat: Send the prompt as the user's message in the model's chat format, not as text to continue.
        system: The system message; only with `chat: true`.
    """

    template: str | None = None
    form: str | None = None
    examples: tuple[Example, ...] = ()
    separator: str = "\n\n"
    stop: tuple[Annotated[str, Field(min_length=1)], ...] = ()
    chat: bool = False
    system: str | None = None

    @field_validator("form")
    @classmethod
    def _asks(cls, form: str | None) -> str | None:
        if form is not None and "{question}" not in form:
            raise ValueError("write {question} where the problem's text goes")
        return form

    @model_validator(mode="after")
    def _fits(self) -> Self:
        # A template brings its own form, so one of the two would be ignored silently.
        if self.template is not None and self.form is not None:
            raise ValueError("give either template or form")
        own = [key for key in ("examples", "separator", "stop") if key in self.model_fields_set]
        if own and self.form is None:
            raise ValueError(
                f"{own[0]} belongs to a form of your own; add form" + (" or put it under sampling" if own[0] == "stop" else "")
            )
        return self

    @property
    def name(self) -> str:
        """The name for people and paths: the template's name, or `own`, followed by `-chat` in a chat."""
        return (self.template or "own") + ("-chat" if self.chat else "")


class Prompt(PromptChanges):
    """The prompt of generators and of untrained students; give either `template` or `form`."""

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.template is None and self.form is None:
            raise ValueError("give template, or form for one of your own")
        if self.system is not None and not self.chat:
            raise ValueError("a system message needs a chat; add chat: true, or leave system out")
        return self
