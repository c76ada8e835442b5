"""Model weights in a folder or on the Hugging Face hub: locating, identifying, measuring and loading them."""

from __future__ import annotations

import hashlib
import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from huggingface_hub import HfApi, try_to_load_from_cache
from huggingface_hub.errors import HfHubHTTPError, HFValidationError, RepositoryNotFoundError, RevisionNotFoundError
from huggingface_hub.utils import logging as hub_logging
from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer
from transformers.utils import logging as transformers_logging

from isocost.engines.base import ModelSize
from isocost.engines.checkpoints.sizes import count_parameters
from isocost.engines.checkpoints.weights import check_gguf, check_weights
from isocost.errors import ModelError
from isocost.paths import from_home

_PATIENCE = 3.0  # seconds; the hub's own downloads retry for half a minute before they report that there is no network
_HUB_NAME = re.compile(r"[A-Za-z0-9][\w.-]*(/[\w.-]+)?")
_COMMIT = re.compile(r"[0-9a-f]{40}")
_WEIGHTS = ("*.safetensors", "*.bin", "*.gguf")
# The other files that change a draw. A README or an optimizer state must not change the identity.
_OTHER = (
    "config.json",
    "generation_config.json",
    "chat_template*",
    "token*",
    "vocab*",
    "merges.txt",
    "special_tokens_map.json",
    "added_tokens.json",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """The location of a model: a folder, or a name on the hub where `folder` is None.

    Attributes:
        name: The name in the study.
        folder: The folder, or None.
        revision: Branch, tag or commit on the hub.
        gguf_file: The file of weights in GGUF format.
        snapshot: This machine's copy of the hub's files, if they are read from it without contacting the hub.
    """

    name: str
    folder: Path | None
    revision: str | None = None
    gguf_file: str | None = None
    snapshot: Path | None = None

    @property
    def place(self) -> str:
        """The folder or the name, for messages."""
        return str(self.folder or self.name)

    @property
    def files(self) -> Path | None:
        """The folder that everything is read from; None where the hub is contacted."""
        return self.folder or self.snapshot

    @property
    def offline(self) -> bool:
        """True if the hub is not contacted."""
        return self.files is not None

    @property
    def _first_file(self) -> str:
        """The file that the configuration is read from."""
        return self.gguf_file or "config.json"

    @property
    def _where(self) -> dict[str, Any]:
        # Never the network for a folder, never code from a checkpoint.
        where = {"revision": None if self.offline else self.revision, "gguf_file": self.gguf_file, "local_files_only": self.offline}
        return {
            "pretrained_model_name_or_path": str(self.files or self.name),
            "trust_remote_code": False,
            **{k: v for k, v in where.items() if v is not None},
        }

    def opened(self) -> tuple[Checkpoint, Any]:
        """Return the checkpoint at one commit, so that all files are read from the same one, and its configuration. Loads no weights.

        Raises:
            ModelError: there is none, its weights are incomplete, or the hub is unreachable and this machine has no copy.
            MissingExtraError: the package that reads GGUF files is not installed.
        """
        found = self if self.folder else self._on_hub()
        if found.files and found.gguf_file:
            check_gguf(found.files / found.gguf_file)
        config = found.config()
        if found.files and not found.gguf_file:
            check_weights(found.files)
        return found, config

    def _on_hub(self) -> Checkpoint:
        try:
            return replace(self, revision=commit_of(self.name, self.revision) or self._downloaded_commit())
        except _HubOutOfReachError as error:
            # A run may be resumed offline with an earlier download. Its folder is named for the commit, so the identity stays exact.
            kept = snapshot(self.name, self.revision, self._first_file)
            if kept is None:
                raise ModelError(
                    f"{self.name}: not on this machine, and the hub cannot be reached\n"
                    "  download it where there is a network, or name the folder that holds it"
                ) from error
            return replace(self, snapshot=kept, revision=kept.name)

    def _downloaded_commit(self) -> str:
        """Return the commit of the configuration as it is downloaded, for a hub that does not tell the commit of a name.

        Raises:
            ModelError: it cannot be downloaded, or its commit is not known: draws of two models could then be taken for those of one.
        """
        if _COMMIT.fullmatch(self.revision or ""):
            return str(self.revision)
        self.config()
        # The hub's library keeps the commit of what it downloads, and which branch it was of.
        downloaded = snapshot(self.name, self.revision, self._first_file)
        if downloaded is None:
            raise ModelError(
                f"{self.name}: the hub does not tell the commit of {self.revision or 'main'}",
                advice="run the same command again later, or set revision to a commit",
            )
        return downloaded.name

    def config(self) -> Any:
        """Return the model's configuration; reads no weights.

        Raises:
            ModelError: it cannot be read.
        """
        with self._explained(), _quiet():
            return AutoConfig.from_pretrained(**self._where)

    def identity(self) -> str:
        """Return a hash of the folder's weights, configuration and tokenizer; for the hub, its name and commit."""
        if self.folder is None:
            return f"{self.name}@{self.revision}"
        weights = (self.gguf_file,) if self.gguf_file else _WEIGHTS
        files = {path for pattern in (*weights, *_OTHER) for path in self.folder.glob(pattern) if path.is_file()}
        total = hashlib.sha256()
        for path in sorted(files):  # names without folders, so that a moved folder is the same model
            with path.open("rb") as stream:
                total.update(f"{path.name}\0{hashlib.file_digest(stream, 'sha256').hexdigest()}\n".encode())
        return f"sha256:{total.hexdigest()}"

    def size(self, config: Any) -> ModelSize:
        """Count the parameters, from the configuration alone.

        Raises:
            ModelError: the model cannot be built from it.
        """
        with self._explained(), torch.device("meta"):  # tensors without memory
            return count_parameters(AutoModelForCausalLM.from_config(config))

    def tokenizer(self) -> Any:
        """Return the model's tokenizer; reads no weights.

        Raises:
            ModelError: it cannot be read.
        """
        with self._explained(), _quiet():
            return AutoTokenizer.from_pretrained(**self._where)

    def load(self, device: str, dtype: torch.dtype | str) -> Any:
        """Return the model in evaluation mode.

        Raises:
            ModelError: the weights cannot be read, or do not contain the whole model.
        """
        with self._explained(), _quiet():
            model, report = AutoModelForCausalLM.from_pretrained(**self._where, dtype=dtype, output_loading_info=True)
            model = model.to(device).eval()
        # transformers initialises missing tensors at random, and only logs a warning.
        if lacking := sorted(report["missing_keys"]):
            raise ModelError(
                f"{self.place}: the weights lack {len(lacking)} tensors, such as {lacking[0]}; save or download the model again"
            )
        return model

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except torch.OutOfMemoryError as error:
            raise ModelError(
                f"{self.place}: the model does not fit into the device's memory; use a smaller dtype or device: cpu"
            ) from error
        except Exception as error:  # with a broken checkpoint transformers raises nearly any exception; the message names the checkpoint
            first = str(error).strip().partition("\n")[0] or type(error).__name__
            raise ModelError(f"{self.place}: cannot be loaded as a causal language model of transformers: {first}") from error


def locate(name: str, base: Path, revision: str | None, gguf_file: str | None) -> Checkpoint:
    """Return the checkpoint of a folder or a hub name. A folder takes precedence; a name that can be meant as a path is never a hub name.

    Args:
        name: The folder or the name.
        base: The folder that a relative path starts from.
        revision: Branch, tag or commit on the hub.
        gguf_file: The file of weights in GGUF format.

    Raises:
        ModelError: a path without a model.
    """
    folder = from_home(base, name)
    # With an existing parent folder, "models/nam" is a mistyped path: it must not be asked of the hub, where anybody may own the name.
    may_be_hub_name = _HUB_NAME.fullmatch(name) and ("/" not in name or not folder.parent.is_dir())
    if may_be_hub_name and not folder.exists():
        return Checkpoint(name=name, folder=None, revision=revision, gguf_file=gguf_file)
    if not folder.is_dir():
        raise ModelError(f"{folder}: no such folder; model is a folder with config.json and weights, or a name on the hub")
    needed = gguf_file or "config.json"
    if not (folder / needed).is_file():
        raise ModelError(f"{folder}: no {needed} in this folder; save a model there with save_pretrained, or name another folder")
    return Checkpoint(name=name, folder=folder, gguf_file=gguf_file)


@contextmanager
def _quiet() -> Iterator[None]:
    """Switch off transformers' progress bars and the hub's messages about retries: isocost prints one line per stage and per error."""
    shown, hub_level = transformers_logging.is_progress_bar_enabled(), hub_logging.get_verbosity()
    transformers_logging.disable_progress_bar()
    hub_logging.set_verbosity(logging.ERROR)
    try:
        yield
    finally:
        hub_logging.set_verbosity(hub_level)
        if shown:
            transformers_logging.enable_progress_bar()


class _HubOutOfReachError(Exception):
    """Raised where there is no network, or none that leads to the hub."""


def commit_of(name: str, revision: str | None) -> str | None:
    """Return the current commit of a branch, tag or commit of a model; None where the hub answers without one.

    Raises:
        ModelError: there is no such model or revision, or it may not be read.
        _HubOutOfReachError: the hub cannot be reached.
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
        raise _HubOutOfReachError(str(error)) from error


def snapshot(name: str, revision: str | None, file: str) -> Path | None:
    """Return this machine's folder of a model, named for the commit; None where it has no copy of `file`."""
    found = try_to_load_from_cache(name, file, revision=revision)
    return Path(found).parent if isinstance(found, str) else None
