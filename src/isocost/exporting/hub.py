"""Push a folder to the Hugging Face hub: checked before anything is written, one commit, and nothing left behind if it fails."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from types import ModuleType
from typing import Any, Literal

from isocost.errors import InputError, MissingExtraError, Option, RunError
from isocost.tables.source import first_line

Kind = Literal["dataset", "model"]
_MESSAGES: Mapping[Kind, str] = {"dataset": "Data set by isocost export", "model": "Model by isocost export"}


def kind_of(folder: Path) -> Kind:
    """Return what an exported folder holds: the configuration of a model makes it one.

    Raises:
        InputError: There is no such folder, or nothing that `export` writes is in it.
    """
    if not (folder / "README.md").is_file():
        raise InputError(
            f"{folder}: is no folder that isocost export has written", advice="write it first: isocost export RUN --arm ARM -o DIR"
        )
    return "model" if (folder / "config.json").exists() else "dataset"


class Hub:
    """A new data set or model on the hub.

    Args:
        name: Its name, `owner/name`.
        kind: A data set or a model.

    Raises:
        InputError: There is no token, the hub refuses it, or the name is invalid or taken.
        RunError: The hub cannot be reached.
        MissingExtraError: huggingface_hub is not installed.
    """

    def __init__(self, name: str, kind: Kind = "dataset") -> None:
        library = _library()
        self.name, self._kind = name, kind
        # HTTPError is that of the library's HTTP client, which passes it on where the hub cannot be reached.
        self._errors: tuple[type[Exception], ...] = (library.errors.HTTPError, library.errors.HFValidationError, OSError)
        token = library.get_token()
        if token is None:
            raise InputError("there is no token of the Hugging Face hub", advice="log in: hf auth login; or set HF_TOKEN", option=_option())
        # The address is read anew: the library reads it once, when it is imported.
        self._api: Any = library.HfApi(endpoint=os.environ.get("HF_ENDPOINT") or None, token=token)
        try:
            self._api.whoami()
            taken = self._api.repo_exists(name, repo_type=self._kind)
        except self._errors as error:
            raise self._translated(error) from error
        if taken:
            raise self._exists()

    def push(self, folder: Path) -> str:
        """Create the data set or model, private, with the folder's files as one commit, and return its address.

        Raises:
            InputError: The hub refuses it.
            RunError: The hub cannot be reached, or fails. What was created is removed again.
        """
        try:
            address = str(self._api.create_repo(self.name, repo_type=self._kind, private=True, exist_ok=False))
        except self._errors as error:
            raise self._translated(error) from error
        try:
            self._api.upload_folder(repo_id=self.name, folder_path=folder, repo_type=self._kind, commit_message=_MESSAGES[self._kind])
        except BaseException as error:  # Ctrl-C too: raised again after the empty repository is removed
            with suppress(*self._errors):
                self._api.delete_repo(self.name, repo_type=self._kind, missing_ok=True)
            if isinstance(error, self._errors):
                raise self._translated(error) from error
            raise
        return address

    def _translated(self, error: BaseException) -> InputError | RunError:
        status = getattr(getattr(error, "response", None), "status_code", None)
        option = _option(self.name[:100])
        if status in (401, 403):
            what = "the hub refuses the token" if status == 401 else "the token may not write there"
            return InputError(what, advice="log in with a token that may write: hf auth login; nothing was pushed", option=option)
        if status == 409:
            return self._exists()
        if isinstance(error, ValueError) or status == 400:
            return InputError(first_line(error), advice="a name is owner/name; nothing was pushed", option=option)
        return RunError(f"the hub fails: {first_line(error)}", advice="try again later; nothing was pushed", option=option)

    def _exists(self) -> InputError:
        return InputError("exists already", advice="choose another name; nothing was pushed", option=_option(self.name[:100]))


def _option(value: str = "") -> Option:
    return Option(name="push-to-hub", value=value, argument="name")


def _library() -> ModuleType:
    try:
        import huggingface_hub
        import huggingface_hub.errors
    except ImportError as error:
        raise MissingExtraError("huggingface_hub", "hub") from error
    module: ModuleType = huggingface_hub
    return module
