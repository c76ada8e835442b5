"""Content-based identity: digests as names, and seeds derived from them. Stable across processes, machines and versions."""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Iterable
from dataclasses import MISSING, Field, fields, is_dataclass
from typing import Any

from isocost.records import OMIT, OMIT_DEFAULT


def text_hash(text: str) -> int:
    """Return the CRC-32 of a text in UTF-8. It tells apart the texts that one sample id has had: a draw may be bought again."""
    return zlib.crc32(text.encode())


def digest(*parts: object, length: int = 16) -> str:
    """Return a hex digest of the parts: JSON values and dataclasses, in canonical JSON."""
    # Canonical: the digest must not depend on the order of keys, on spaces or on escapes.
    text = _CANONICAL.encode(parts)
    # surrogatepass: model text can contain lone surrogates, which UTF-8 refuses.
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:length]


def seed_of(*parts: object) -> int:
    """Return a seed from 0 to 2**63 - 1 that depends on all parts and on nothing else."""
    # 63 bits, so that the seed fits a signed 64-bit integer.
    return int(digest(*parts), 16) >> 1


def seeded_choice(purpose: str, seed: int, ids: Iterable[str], number: int) -> list[str]:
    """Return some of the ids, sorted: a choice that depends on the purpose and the seed.

    Each id has a seed of its own, so that an id added later displaces at most one of the chosen.
    """
    return sorted(sorted(ids, key=lambda each: seed_of(purpose, seed, each))[:number])


def digested(record: object) -> dict[str, Any]:
    """Return the fields of a dataclass that its digest covers, by name.

    A field marked `records.ADDED_LATER` is left out while it has its default, so a new setting does not change earlier digests;
    one marked `records.NOT_DIGESTED` is always left out.
    """
    return {f.name: getattr(record, f.name) for f in fields(record) if not _is_omitted(f, getattr(record, f.name))}  # type: ignore[arg-type]


def _is_omitted(field: Field[Any], value: object) -> bool:
    default = field.default_factory() if field.default_factory is not MISSING else field.default
    return bool(field.metadata.get(OMIT)) or (bool(field.metadata.get(OMIT_DEFAULT)) and value == default)


def _plain(value: object) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return digested(value)
    raise TypeError(f"{type(value).__name__} has no canonical JSON")


# Made once: a run makes digests by the million.
_CANONICAL = json.JSONEncoder(default=_plain, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
