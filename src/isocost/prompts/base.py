"""Prompt templates: worked examples, the form of a question, and the end of a reply."""

from __future__ import annotations

from dataclasses import dataclass

CHAT_TOKENS = 256  # generous upper bound on the tokens that a chat format adds to its messages


def most_prompt_tokens(prompt: str, system: str | None = None, *, chat: bool) -> int:
    """Return an upper bound on the tokens of a prompt: its bytes, as no token is shorter than one, and those of a chat format.

    Args:
        prompt: The text to continue, or the user's message.
        system: The system message; only a chat has one.
        chat: True if it is sent in a chat format.
    """
    # Model output may contain lone surrogates, which strict UTF-8 refuses. One more for a token that marks the beginning of the text.
    bound = len(prompt.encode("utf-8", "surrogatepass")) + 1
    return bound + len((system or "").encode("utf-8", "surrogatepass")) + CHAT_TOKENS if chat else bound


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """The text around a question, for a model that completes text.

    Attributes:
        form: One question, with `{question}` in the place of its text. The model's reply follows directly.
        examples: (question, solution) pairs before it, none for the plain form.
        separator: Text between examples.
        stop: Strings that end a reply, because a base model continues with a next question.
        chat: True if `render` is the user's message in a chat. The plain form never is, because a finetuned model continues text.
        system: The system message of the chat.
        chat_stop: Strings that end a reply in a chat. Usually none: a chat model ends its turn itself, and may use blank lines before.
    """

    form: str
    examples: tuple[tuple[str, str], ...] = ()
    separator: str = "\n\n"
    stop: tuple[str, ...] = ()
    chat: bool = False
    system: str | None = None
    chat_stop: tuple[str, ...] = ()

    @property
    def reply_stop(self) -> tuple[str, ...]:
        """The strings that end a reply to `render`. A reply to `plain` ends at `stop`."""
        return self.chat_stop if self.chat else self.stop

    def render(self, question: str) -> str:
        """Return the whole prompt: the examples, then the question."""
        shots = [self.plain(asked) + solution for asked, solution in self.examples]
        return self.separator.join([*shots, self.plain(question)])

    def most_tokens(self, question: str) -> int:
        """Return an upper bound on the tokens of the prompt, as `most_prompt_tokens`."""
        return most_prompt_tokens(self.render(question), self.system, chat=self.chat)

    def plain(self, question: str) -> str:
        """Return the question alone, in the form that finetuned models see."""
        # Not str.format: a question may contain braces.
        return self.form.replace("{question}", question)
