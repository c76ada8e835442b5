"""A tiny base model, a few rows, and settings for tests of finetuning."""

from __future__ import annotations

import hashlib
from pathlib import Path

from isocost.finetuning import TrainingSettings

QUICK = TrainingSettings(steps=3, batch_size=2, learning_rates=(1e-3,), checkpoints=1)
ROWS = [
    {"prompt": "Q: Ada has 3 shells and finds 4 more.\nA:\n", "completion": "3 + 4 = 7\n#### 7", "model": "weak"},
    {"prompt": "Q: Ben has 9 shells and loses 4.\nA:\n", "completion": "9 - 4 = 5\n#### 5", "model": "weak"},
    {"prompt": "Q: Eva buys 2 boxes of 6 eggs.\nA:\n", "completion": "2 * 6 = 12\n#### 12", "model": "strong"},
]


def weights(folder: Path) -> str:
    return hashlib.sha256((folder / "model.safetensors").read_bytes()).hexdigest()
