"""Pin models to what they were when they were described, because every worker opens a model by itself, and some much later."""

from __future__ import annotations

import re
from dataclasses import replace

from isocost.engines import ENGINES
from isocost.executors.jobs import EngineSpec

_COMMIT = re.compile(r"[0-9a-f]{40}")


def pin(spec: EngineSpec, identity: str) -> EngineSpec:
    """Return the spec of an engine that runs weights, for the weights that an identity names.

    A name on the hub is opened at the commit that it meant when the model was described: a branch may move between two starts, or between
    two workers. A folder must have the same contents.

    Args:
        spec: The engine, with the options of the study file.
        identity: The identity of the engine as it was described.
    """
    entry = ENGINES.get(spec.name)
    if entry is None or "revision" not in entry.keys:
        return spec
    options = dict(spec.options)
    name, _, commit = identity.rpartition("@")
    if name == options.get("model"):
        # Earlier versions named no commit where the hub did not tell it. Their runs are resumed as they began.
        if not _COMMIT.fullmatch(commit):
            return spec
        options["revision"] = commit
    return replace(spec, options=tuple(sorted(options.items())), identity=identity)
