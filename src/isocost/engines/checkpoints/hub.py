"""Asks the Hugging Face hub which commit a model's name means, once and without waiting long."""

from __future__ import annotations

from pathlib import Path

from huggingface_hub import HfApi, try_to_load_from_cache
from huggingface_hub.errors import HfHubHTTPError, HFValidationError, RepositoryNotFoundError, RevisionNotFoundError

from isocost.errors import ModelError

_PATIENCE = 3.0  # seconds; the hub's own downloads try again for half a minute before they say that there is no network


class HubOutOfReachError(Exception):
    """There is no network, or none that leads to the hub."""


def commit_of(name: str, revision: str | None) -> str | None:
    """The commit that a branch, tag or commit of a model is now; None where the hub answers but does not say.

    Raises:
        ModelError: there is no such model or revision, or it may not be read.
        HubOutOfReachError: the hub cannot be asked.
    """
    try:
        return HfApi().model_info(name, revision=revision, timeout=_PATIENCE).sha
    except RepositoryNotFoundError as error:
        raise ModelError(f"{name}: not on the hub, or not public; check the name, or log in: hf auth login") from error
    except RevisionNotFoundError as error:
        raise ModelError(f"{name}: no revision {revision!r} on the hub; name a branch, tag or commit of it") from error
    except HFValidationError as error:
        raise ModelError(f"{name}: not a name on the hub: {str(error).partition(chr(10))[0]}") from error
    except HfHubHTTPError:
        return None
    except Exception as error:  # the hub's HTTP library, and with it the errors of a connection, changes between its versions
        raise HubOutOfReachError(str(error)) from error


def snapshot(name: str, revision: str | None, file: str) -> Path | None:
    """The folder, named for the commit, that holds what this machine has of a model; None where it does not have `file`."""
    found = try_to_load_from_cache(name, file, revision=revision)
    return Path(found).parent if isinstance(found, str) else None
