"""Datasets of the Hugging Face hub by name, or folders of data files that the datasets library reads."""

from __future__ import annotations

import contextlib
import os
import re
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from isocost.errors import MissingExtraError, ProblemsError
from isocost.paths import from_home
from isocost.problems.rows import to_problem
from isocost.records import Problem

_SPECIAL = re.compile(r"[^\w /.=+,@%#~'&;(){}-]|::")  # in a path: signs of patterns, chained URLs, control characters
_PATIENCE = 3.0  # seconds; the libraries themselves retry for half a minute before they report that there is no network


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
    """Yield the rows of one split. Ids that no field gives are `<dataset>-<split>-00012`.

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
        ProblemsError: the dataset cannot be loaded, or a row lacks question or answer.
    """
    folder = from_home(base, dataset)
    rows = _folder_rows(folder.absolute(), name, split) if folder.is_dir() else hub_rows(dataset, name, split)
    for index, (where, row) in enumerate(rows):
        default = f"{Path(dataset).name}-{split}-{index:05d}"
        yield to_problem(row, where, default_id=default, id_field=id_field, question_field=question_field, answer_field=answer_field)


def _folder_rows(folder: Path, name: str | None, split: str) -> Iterator[tuple[str, Mapping[str, object]]]:
    """Yield (where, row) of every row of a folder of data files.

    datasets reads the folder's path as a pattern. A path with special characters is replaced by a folder of links to its files.
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
        # The library's cache is keyed by path, so an entry for this temporary path would never be used again.
        yield from hub_rows(str(links), name, split, shown=str(folder), cache_dir=str(Path(temporary) / "cache"))


def hub_rows(
    dataset: str, name: str | None, split: str, *, shown: str | None = None, cache_dir: str | None = None
) -> Iterator[tuple[str, Mapping[str, object]]]:
    """Yield (where, row) of every row of a dataset.

    Args:
        dataset: Its name on the hub, or the path of a folder.
        name: The dataset's configuration, if it has several.
        split: The split.
        shown: The dataset's name in messages; by default its name.
        cache_dir: The library's cache folder; by default its own.

    Raises:
        MissingExtraError: datasets is not installed.
        ProblemsError: the dataset cannot be loaded.
    """
    try:
        from datasets import load_dataset
    except ImportError as error:
        raise MissingExtraError("datasets", "hub") from error
    shown = shown or dataset
    # Asked first, because without a network the library retries for half a minute.
    out_of_reach = not Path(dataset).is_dir() and not _answers(dataset)
    try:
        with _offline() if out_of_reach else contextlib.nullcontext():
            rows = load_dataset(dataset, name, split=split, cache_dir=cache_dir)
    except Exception as error:  # the library passes on whatever its network and file layers raise
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
        if out_of_reach:
            reason = "not on this machine, and the hub cannot be reached\n  fetch it where there is a network, or give a file of problems"
        raise ProblemsError(f'dataset "{shown}" (split {split}) cannot be loaded: {reason}') from error
    for index, row in enumerate(rows):
        yield f"{shown}/{split} row {index}", row


def _answers(dataset: str) -> bool:
    """Return True if the hub can be reached. Its answer, even an error, is left to the library."""
    from huggingface_hub import HfApi
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError

    try:
        HfApi().dataset_info(dataset, timeout=_PATIENCE)
    except (HfHubHTTPError, HFValidationError):
        return True
    except Exception:  # noqa: BLE001 - the hub's HTTP library, and with it the class of connection errors, changes between versions
        return False
    return True


@contextlib.contextmanager
def _offline() -> Iterator[None]:
    """Use only files of the hub that are on this machine, without trying to reach it."""
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
