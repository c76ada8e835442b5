"""The mark of fields that a record gained after its digests were in use."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

OMIT_DEFAULT = "omit_default"

# Metadata of a field: `field(default=None, metadata=ADDED_LATER)`. A digest leaves the field out while it has its default. Draws that an
# earlier version bought under that digest are thus still found.
ADDED_LATER: Mapping[str, bool] = MappingProxyType({OMIT_DEFAULT: True})
