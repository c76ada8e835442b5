"""Training of an embedded model from scratch: tokenizer, packed text, Muon, bf16 weights on disk."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from isocost.lab.corpus import documents
from isocost.lab.recipe import SEQUENCE, Recipe, build
from isocost.lab.tokenizer import train_tokenizer

if TYPE_CHECKING:
    import torch

TOKENIZER_DOCUMENTS = 20_000
TOKENIZER_SEED = 0  # one tokenizer for all embedded models: a student reads a generator's text token by token as it was written


def train(recipe: Recipe, out: Path, *, compiled: bool, progress: Callable[[str], None]) -> Path:
    """Train a model by its recipe and save it, ready for `AutoModelForCausalLM.from_pretrained`.

    Args:
        recipe: Shape, steps and seed.
        out: Folder to save to: bf16 safetensors, config and tokenizer.
        compiled: Use torch.compile (1.2 to 1.7 times faster on a CPU; needs a C++ compiler). The result differs by rounding.
        progress: Called with one line about every 50 steps.
    """
    import torch

    # Fixes the initial weights; the text has a generator of its own.
    torch.manual_seed(recipe.seed)
    tokenizer = train_tokenizer(itertools.islice(documents(TOKENIZER_SEED), TOKENIZER_DOCUMENTS))
    model = build(recipe, tokenizer)
    optimizers = _optimizers(model, recipe)
    rates = [(group, group["lr"]) for optimizer in optimizers for group in optimizer.param_groups]

    # On a processor without instructions for bf16 it is several times slower than float32.
    has_bf16 = any(torch.cpu.get_capabilities().get(name) for name in ("avx512_bf16", "amx_bf16"))

    def loss_of(batch: torch.Tensor) -> torch.Tensor:
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=has_bf16):
            logits = model(input_ids=batch, use_cache=False).logits
        return torch.nn.functional.cross_entropy(logits[:, :-1].float().flatten(0, 1), batch[:, 1:].flatten())

    compute = torch.compile(loss_of) if compiled else loss_of
    started, average = time.monotonic(), 0.0
    for step, batch in enumerate(itertools.islice(_batches(tokenizer, recipe), recipe.all_steps)):
        for group, rate in rates:
            group["lr"] = rate * recipe.rate_at(step)
        loss = compute(batch)
        loss.backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        for optimizer in optimizers:
            optimizer.step()
            optimizer.zero_grad()
        # An exponential average for display only: the loss of one batch is noisy.
        average = loss.item() if step == 0 else 0.98 * average + 0.02 * loss.item()
        if step % 50 == 49 or step + 1 == recipe.all_steps:
            speed = (step + 1) * recipe.batch * SEQUENCE / (time.monotonic() - started)
            progress(f"step {step + 1:,}/{recipe.all_steps:,}  loss {average:.3f}  {speed:,.0f} tokens/s")
    return _save(model, tokenizer, out)


def _batches(tokenizer: Any, recipe: Recipe) -> Iterator[torch.Tensor]:
    """Yield int64[batch, 384] without end: documents joined by the end token and cut."""
    import torch

    size = recipe.batch * SEQUENCE
    buffer: list[int] = []
    # Each recipe has a seed, and so a text, of its own.
    texts = documents(recipe.seed)
    while True:
        while len(buffer) < size:
            for ids in tokenizer(list(itertools.islice(texts, 64)))["input_ids"]:
                buffer += [*ids, tokenizer.eos_token_id]
        yield torch.tensor(buffer[:size]).view(recipe.batch, SEQUENCE)
        del buffer[:size]


def _optimizers(model: Any, recipe: Recipe) -> list[torch.optim.Optimizer]:
    import torch

    # Muon takes matrices only.
    hidden = [p for name, p in model.named_parameters() if p.ndim == 2 and "embed" not in name]
    other = [p for name, p in model.named_parameters() if p.ndim != 2 or "embed" in name]
    return [
        torch.optim.Muon(hidden, lr=recipe.muon_lr, weight_decay=0.01),
        torch.optim.AdamW(other, lr=recipe.adam_lr, betas=(0.9, 0.98), weight_decay=0.0),
    ]


def _save(model: Any, tokenizer: Any, out: Path) -> Path:
    import torch

    model.to(torch.bfloat16).save_pretrained(out)
    tokenizer.save_pretrained(out)
    return out
