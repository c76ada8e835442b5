"""Marks of fields that digests of a record leave out."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

OMIT_DEFAULT, OMIT = "omit_default", "omit"

# Metadata of a field: `field(default=None, metadata=ADDED_LATER)`. A digest leaves the field out while it has its default. Draws that an
# earlier version bought under that digest are thus still found.
ADDED_LATER: Mapping[str, bool] = MappingProxyType({OMIT_DEFAULT: True})

# Of a field that says where a record comes from, not what it is: a file that moves is the same data.
NOT_DIGESTED: Mapping[str, bool] = MappingProxyType({OMIT: True})
