"""Any dataset of the Hugging Face hub, by its name, or a folder of data files that the datasets library reads."""

from __future__ import annotations

import contextlib
import os
import re
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from isocost.errors import MissingExtraError, ProblemsError
from isocost.problems.rows import to_problem
from isocost.records import Problem

_SPECIAL = re.compile(r"[^\w /.=+,@%#~'&;(){}-]|::")  # in a path: signs of patterns, chained URLs, control characters
_PATIENCE = 3.0  # seconds; the libraries themselves try for half a minute before they say that there is no network


def load(
    dataset: str,
    *,
    base: Path,
    name: str | None = None,
    split: str = "train",
    id_field: str | None = None,
    question_field: str | None = None,
    answer_field: str | None = None,
) -> Iterator[Problem]:
    """The rows of one split; ids that no field gives are `<dataset>-<split>-00012`.

    Args:
        dataset: A name on the hub, or a folder relative to the study file's; the folder wins.
        base: What a relative folder starts from.
        name: The dataset's configuration, if it has several.
        split: A split of the dataset.
        id_field: The field with the id; null means the usual names.
        question_field: The field with the question; null means the usual names.
        answer_field: The field with the reference answer; null means the usual names.

    Raises:
        MissingExtraError: datasets is not installed.
        ProblemsError: the dataset cannot be had, or a row lacks question or answer.
    """
    folder = base / dataset
    rows = _folder_rows(folder.absolute(), name, split) if folder.is_dir() else hub_rows(dataset, name, split)
    for index, (where, row) in enumerate(rows):
        default = f"{Path(dataset).name}-{split}-{index:05d}"
        yield to_problem(row, where, default_id=default, id_field=id_field, question_field=question_field, answer_field=answer_field)


def _folder_rows(folder: Path, name: str | None, split: str) -> Iterator[tuple[str, Mapping[str, object]]]:
    """Yield (where, row) of every row of a folder of data files.

    datasets reads the folder's path as a pattern. Where that has special characters, it is given links to the files in a folder without.
    """
    if not _SPECIAL.search(str(folder)):
        yield from hub_rows(str(folder), name, split)
        return
    with tempfile.TemporaryDirectory(prefix="isocost-") as temporary:
        links = Path(temporary) / "data"
        for root, _, files in os.walk(folder, followlinks=True):
            place = links / Path(root).relative_to(folder)
            place.mkdir(parents=True)
            for file in files:
                (place / file).symlink_to(Path(root) / file)
        # The library's cache goes by path: what it keeps of this one would never be found again.
        yield from hub_rows(str(links), name, split, shown=str(folder), cache_dir=str(Path(temporary) / "cache"))


def hub_rows(
    dataset: str, name: str | None, split: str, *, shown: str | None = None, cache_dir: str | None = None
) -> Iterator[tuple[str, Mapping[str, object]]]:
    """(where, row) of every row of a dataset.

    Args:
        dataset: Its name on the hub, or the path of a folder.
        name: The dataset's configuration, where it has several.
        split: Which part.
        shown: What messages call it; default its name.
        cache_dir: Where the library keeps what it read; default its own cache.

    Raises:
        MissingExtraError: datasets is not installed.
        ProblemsError: the dataset cannot be had.
    """
    try:
        from datasets import load_dataset
    except ImportError as error:
        raise MissingExtraError("datasets", "hub") from error
    shown = shown or dataset
    out_of_reach = not Path(dataset).is_dir() and not _answers(dataset)
    try:
        with _offline() if out_of_reach else contextlib.nullcontext():
            rows = load_dataset(dataset, name, split=split, cache_dir=cache_dir)
    except Exception as error:  # the library raises whatever its network and file layers raise
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
        if out_of_reach:
            reason = "not on this machine, and the hub cannot be reached\n  fetch it where there is a network, or give a file of problems"
        raise ProblemsError(f'dataset "{shown}" (split {split}) cannot be had: {reason}') from error
    for index, row in enumerate(rows):
        yield f"{shown}/{split} row {index}", row


def _answers(dataset: str) -> bool:
    """Whether the hub can be asked; what it answers is the library's business."""
    from huggingface_hub import HfApi
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError

    try:
        HfApi().dataset_info(dataset, timeout=_PATIENCE)
    except (HfHubHTTPError, HFValidationError):
        return True
    except Exception:  # noqa: BLE001 - the hub's HTTP library, and with it the errors of a connection, changes between its versions
        return False
    return True


@contextlib.contextmanager
def _offline() -> Iterator[None]:
    """What this machine has of the hub, and nothing else, without a try to reach it."""
    import datasets.config
    import huggingface_hub.constants

    places: tuple[Any, ...] = (datasets.config, huggingface_hub.constants)
    before = [place.HF_HUB_OFFLINE for place in places]
    try:
        for place in places:
            place.HF_HUB_OFFLINE = True
        yield
    finally:
        for place, was in zip(places, before, strict=True):
            place.HF_HUB_OFFLINE = was
