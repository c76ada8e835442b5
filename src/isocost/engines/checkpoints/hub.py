"""Ask the Hugging Face hub for the commit of a model, once and with a short timeout."""

from __future__ import annotations

from pathlib import Path

from huggingface_hub import HfApi, try_to_load_from_cache
from huggingface_hub.errors import HfHubHTTPError, HFValidationError, RepositoryNotFoundError, RevisionNotFoundError

from isocost.errors import ModelError

_PATIENCE = 3.0  # seconds; the hub's own downloads retry for half a minute before they report that there is no network


class HubOutOfReachError(Exception):
    """Raised where there is no network, or none that leads to the hub."""


def commit_of(name: str, revision: str | None) -> str | None:
    """Return the current commit of a branch, tag or commit of a model; None where the hub answers without one.

    Raises:
        ModelError: there is no such model or revision, or it may not be read.
        HubOutOfReachError: the hub cannot be reached.
    """
    try:
        return HfApi().model_info(name, revision=revision, timeout=_PATIENCE).sha
    except RepositoryNotFoundError as error:
        raise ModelError(f"{name}: not on the hub, or not public; check the name, or log in: hf auth login") from error
    except RevisionNotFoundError as error:
        raise ModelError(f"{name}: no revision {revision!r} on the hub; name a branch, tag or commit of it") from error
    except HFValidationError as error:
        raise ModelError(f"{name}: not a name on the hub: {str(error).partition(chr(10))[0]}") from error
    except HfHubHTTPError:  # the hub is there but fails: the download itself will report it, or work
        return None
    except Exception as error:  # the hub's HTTP library, and with it the errors of a connection, changes between its versions
        raise HubOutOfReachError(str(error)) from error


def snapshot(name: str, revision: str | None, file: str) -> Path | None:
    """Return this machine's folder of a model, named for the commit; None where it has no copy of `file`."""
    found = try_to_load_from_cache(name, file, revision=revision)
    return Path(found).parent if isinstance(found, str) else None
