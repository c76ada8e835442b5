"""The tokenizer of the embedded models: byte-level BPE with 1,024 entries. Every digit is a token of its own."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

VOCABULARY = 1024  # small, because embeddings are a large part of models of this size
END, PAD = "<|end|>", "<|pad|>"
# A word includes the space after it (otherwise " 12" would cost a token for the space), and an operator both of its spaces.
_PIECES = r" ?[A-Za-z]+ ?|\d| ?[^\sA-Za-z0-9]+ ?|\s+"


def train_tokenizer(texts: Iterable[str]) -> Any:
    """Return a `PreTrainedTokenizerFast` trained on `texts`. It can encode any text, because all single bytes are in the alphabet."""
    from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Split(Regex(_PIECES), "isolated"), pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY,
        special_tokens=[END, PAD],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, eos_token=END, pad_token=PAD, clean_up_tokenization_spaces=False, padding_side="left"
    )
