"""The recipes of the embedded models: their shapes and lengths of training."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from isocost.lab.tokenizer import VOCABULARY

_WARMUP, _RESTART_WARMUP = 100, 20  # steps
SEQUENCE = 384  # tokens per training sequence; fits a two-shot prompt with the longest problem and its solution


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """The recipe of one embedded model: a Llama of `layers` x `hidden`, trained on batches of `batch` sequences of 384 tokens.

    Hidden matrices are trained with Muon, embeddings and norms with AdamW. Both rates rise over 100 steps and fall linearly to 0 over
    `steps`. Then they rise again, over 20 steps, and stay at `restart_rate` of their peak to the end of `restart_steps`. A model that is
    left at a constant rate has not settled, and verified solutions teach it more than they teach one that has (docs/embedded-models.md).
    """

    hidden: int
    layers: int
    feed_forward: int
    steps: int
    restart_steps: int = 0
    restart_rate: float = 0.0
    batch: int = 16
    head: int = 32
    muon_lr: float = 0.02
    adam_lr: float = 4e-3
    seed: int = 0

    @property
    def all_steps(self) -> int:
        """Number of steps, those after the restart among them."""
        return self.steps + self.restart_steps

    def rate_at(self, step: int) -> float:
        """Return the share of the peak rates at a step, counted from 0."""
        again = step - self.steps
        if again < 0:
            return min((step + 1) / _WARMUP, 1.0) * (1 - step / self.steps)
        return self.restart_rate * min((again + 1) / _RESTART_WARMUP, 1.0)

    @property
    def tokens(self) -> int:
        """Number of training tokens."""
        return self.all_steps * self.batch * SEQUENCE

    @property
    def parameters(self) -> int:
        """Number of parameters: the tied embeddings; per layer the attention, the feed-forward part and two norms; the last norm."""
        layer = 4 * self.hidden**2 + 3 * self.hidden * self.feed_forward + 2 * self.hidden
        return VOCABULARY * self.hidden + self.layers * layer + self.hidden

    @property
    def attention(self) -> int:
        """Layers times attention width; heads and the size of a head make up the hidden size."""
        return self.layers * self.hidden


RECIPES: dict[str, Recipe] = {
    "tiny": Recipe(hidden=64, layers=2, feed_forward=160, steps=900, seed=1),
    "weak": Recipe(hidden=96, layers=3, feed_forward=256, steps=1050, restart_steps=40, restart_rate=0.5, seed=2),
    "student": Recipe(hidden=96, layers=2, feed_forward=256, steps=1200, restart_steps=40, restart_rate=0.5, seed=3),
    "strong": Recipe(hidden=160, layers=4, feed_forward=448, steps=780, restart_steps=25, restart_rate=0.3, seed=4),
}


def build(recipe: Recipe, tokenizer: Any) -> Any:
    """Return an untrained `LlamaForCausalLM` of the recipe's shape, with tied input and output embeddings."""
    from transformers import LlamaConfig, LlamaForCausalLM

    heads = recipe.hidden // recipe.head
    config = LlamaConfig(
        vocab_size=VOCABULARY,
        hidden_size=recipe.hidden,
        intermediate_size=recipe.feed_forward,
        num_hidden_layers=recipe.layers,
        num_attention_heads=heads,
        num_key_value_heads=heads,
        max_position_embeddings=1024,
        tie_word_embeddings=True,
        bos_token_id=None,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    return LlamaForCausalLM(config)
