"""A prompt template: worked examples, the form of a question, and where a reply ends."""

from __future__ import annotations

from dataclasses import dataclass

CHAT_TOKENS = 256  # what a chat format may add to the tokens of its messages, generously


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """How a question is put to a model that completes text.

    Attributes:
        form: One question, with `{question}` where its text goes; the model's reply follows it directly.
        examples: (question, solution) pairs put before it, none for the plain form.
        separator: Between examples.
        stop: Strings that end a reply, because a base model goes on with a next question.
        chat: Whether `render` is what the user says in a chat. The plain form never is: a finetuned model goes on from text.
        system: The system message of the chat.
        chat_stop: Strings that end a reply in a chat. None as a rule: a chat model ends its turn itself, and may use blank lines before.
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
        """What ends a reply to `render`; one to `plain` ends at `stop`."""
        return self.chat_stop if self.chat else self.stop

    def render(self, question: str) -> str:
        """The whole prompt: the examples, then the question."""
        shots = [self.plain(asked) + solution for asked, solution in self.examples]
        return self.separator.join([*shots, self.plain(question)])

    def most_tokens(self, question: str) -> int:
        """A bound on the tokens of the whole prompt: its bytes, since no token is shorter than one, and what a chat format may add."""
        bound = len(self.render(question).encode("utf-8", "surrogatepass")) + 1
        return bound + len((self.system or "").encode("utf-8", "surrogatepass")) + CHAT_TOKENS if self.chat else bound

    def plain(self, question: str) -> str:
        """The question alone, in the form that finetuned models see."""
        # Not str.format: a question may have braces of its own.
        return self.form.replace("{question}", question)
