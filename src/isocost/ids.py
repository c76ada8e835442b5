"""Identity is content: digests that name things, and seeds derived from them. Stable across processes, machines and versions."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, is_dataclass
from typing import Any


def digest(*parts: object, length: int = 16) -> str:
    """A hex digest of the parts: JSON values and dataclasses, in canonical JSON."""
    text = json.dumps(parts, default=_plain, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:length]


def seed_of(*parts: object) -> int:
    """A seed from 0 to 2**63 - 1 that depends on all parts and nothing else."""
    return int(digest(*parts), 16) >> 1


def sample_id(pool: str, problem_id: str, asked: str, sample_index: int) -> str:
    """The id of one draw; `pool` stands for model, prompt and sampling setting, `asked` for the prompt's text."""
    return digest("sample", pool, problem_id, asked, sample_index)


def _plain(value: object) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    raise TypeError(f"{type(value).__name__} has no canonical JSON")
