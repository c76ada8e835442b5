"""Reading of a study file: YAML, `--set`, and all mistakes at once, each with its line and the nearest valid key."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from copy import deepcopy
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from isocost.coercion import coerce_texts
from isocost.config import Study
from isocost.config.fields import fields_at
from isocost.errors import Option, Place, StudyError, StudyMistake
from isocost.hints import nearest
from isocost.paths import from_home
from isocost.settings import apply_settings
from isocost.settings import set_by as keys_set_by
from isocost.studynames import Known, Mistake, engine_mistakes, mapping, references, short
from isocost.studyrounds import round_mistakes
from isocost.yamlfile import Keys, YamlFile, read_yaml

_SET = Option(name="set", argument="settings")


def load_study(path: Path, settings: Sequence[str], known: Known) -> Study:
    """Read a study file and apply `--set a.b=c` settings.

    Raises:
        StudyError: the file is missing, is not YAML, or has mistakes: one line for each.
    """
    file = read_yaml(path, str(path), "study file")
    raw = file.data
    if not isinstance(raw, dict):
        raise StudyError([f"{path}: a study file is a mapping with keys such as name, problems, models, arms"])
    unclear = [
        StudyMistake(what=f"{_dotted(keys)}: {why}", place=(path, file.plain[keys].line))
        for keys, why in coerce_texts(raw, file.plain, Study)
    ]
    # The file without --set, to tell later which mistakes the settings brought.
    alone = deepcopy(raw)
    apply_settings(raw, settings)
    set_by = keys_set_by(settings)

    @cache  # called for a study with mistakes only
    def before() -> list[Mistake]:
        return _checked(alone, known)[1] if settings else []

    def where(keys: Keys, message: str) -> Place:
        own = not settings or _was_before(keys, message, before(), set_by)
        return _place(path, file, keys, set_by, own=own)

    twice = unclear + [
        StudyMistake(what=f"{_dotted(keys)}: occurs twice, first in line {first}; keep one", place=(path, again))
        for keys, first, again in file.repeated
    ]
    try:
        study = check_study(raw, known, where=where, line=file.line_of)
    except StudyError as error:
        prices = mapping(raw.get("costs")).get("prices")
        priced = known.price_mistakes(from_home(path.parent, prices), prices) if isinstance(prices, str) else ()
        raise StudyError([*twice, *error.found, *priced]) from None
    if twice:
        raise StudyError(twice)
    return study


def check_study(
    raw: dict[str, Any],
    known: Known,
    *,
    where: Callable[[Keys, str], Place | None] = lambda keys, message: None,
    line: Callable[[Keys], int] = lambda keys: 0,
) -> Study:
    """Validate a study given as plain data.

    Args:
        raw: The study.
        known: The names of parts that it may use.
        where: Returns the place of a mistake, from its keys and its message.
        line: Returns the line of keys.

    Raises:
        StudyError: all mistakes found, in the order of the file.
    """
    study, found = _checked(raw, known)
    if study is None:
        found.sort(key=lambda mistake: line(mistake[0]))
        located = ((keys, message, where(keys, message)) for keys, message in found)
        raise StudyError(list(dict.fromkeys(_located(keys, message, place) for keys, message, place in located)))
    return study


def _located(keys: Keys, message: str, place: Place | None) -> StudyMistake:
    """Return a mistake; one that concerns the whole study is named by its place alone."""
    name = _dotted(keys) or ("" if place else "study")
    return StudyMistake(what=f"{name}: {message}" if name else message, place=place)


def _dotted(keys: Keys) -> str:
    return ".".join(map(str, keys))


def _checked(raw: dict[str, Any], known: Known) -> tuple[Study | None, list[Mistake]]:
    """Return the study, or the mistakes in it."""
    found: list[Mistake] = []
    study: Study | None = None
    try:
        study = Study.model_validate(raw)
    except ValidationError as error:
        found += [_mistake(e) for e in error.errors(include_url=False)]
    already = {keys for keys, _ in found}
    # One message per key, pydantic's first: a value of the wrong type is not also an unknown name.
    found += [(keys, message) for keys, message in references(raw, known) if keys not in already]
    # Rounds are checked on the whole study, so only where all of it can be read.
    found += round_mistakes(study, known.trainable) if study is not None and not found else []
    # Importing an engine can take seconds, so its options are checked only for a study with other mistakes.
    if found or study is None:
        return None, [*found, *engine_mistakes(raw, known, {keys for keys, _ in found})]
    return study, found


def placed(path: Path, settings: Sequence[str], mistakes: Iterable[str]) -> list[StudyMistake]:
    """Return mistakes that were found after reading, each with the place of the setting that it begins with, as `models.weak.n: ...`.

    Args:
        path: The study file.
        settings: The `--set` settings.
        mistakes: Their messages.
    """
    file = read_yaml(path, str(path), "study file")
    set_by = keys_set_by(settings)
    sections = {words[:n] for words in set_by for n in range(1, len(words))}
    known: dict[str, Keys] = {".".join(map(str, keys)): keys for keys in (*sections, *set_by, *file.lines)}
    found = []
    for mistake in mistakes:
        # The longest known path at the start of the message, because names may contain dots.
        ends = [end for end, sign in enumerate(f"{mistake} ") if sign in ".: " and mistake[:end] in known]
        place = _place(path, file, known[mistake[: ends[-1]]], set_by, own=True) if ends else None
        found.append(StudyMistake(what=mistake, place=place))
    return found


def _mistake(error: Any) -> Mistake:
    keys: Keys = tuple(error["loc"])
    if error["type"] == "extra_forbidden":
        return keys, f'unknown key "{keys[-1]}"; {nearest(keys[-1], fields_at(keys[:-1]))}'
    if error["type"] == "missing":
        return keys, f'"{keys[-1]}" is missing'
    if error["type"] == "string_pattern_mismatch":
        return tuple(
            k for k in keys if k != "[key]"
        ), f"a name has letters, digits, dots, dashes and underscores only, got {error['input']!r}"
    if error["type"] in ("dict_type", "model_type", "model_attributes_type"):
        fields = ", ".join(fields_at(keys)[:4])
        return keys, f"must be a section{f' with keys such as {fields}' if fields else ' of names'}, got {short(error['input'])}"
    message = str(error["msg"]).removeprefix("Value error, ").replace("valid tuple", "list")
    message = message[0].lower() + message[1:]
    given = error.get("input")
    return keys, f"{message}, got {short(given)}" if isinstance(given, str | int | float) else message


def _was_before(keys: Keys, message: str, before: Sequence[Mistake], set_by: Collection[tuple[str, ...]]) -> bool:
    """Return True if the file has the mistake without `--set`. Messages about names may differ, because they list other valid names."""
    words = tuple(map(str, keys))
    if (keys, message) in before:
        return True
    touched = any(given[: len(words)] == words or words[: len(given)] == given for given in set_by)
    return not touched and any(keys == other for other, _ in before)


def _place(path: Path, file: YamlFile, keys: Keys, set_by: Collection[tuple[str, ...]], *, own: bool) -> Place:
    """Return `study.yaml:12`, or `--set` if the value comes from there. Values are never shown, because one may be a misplaced secret.

    Args:
        path: The study file.
        file: Its content.
        keys: The keys of the mistake: a value, a section whose values do not fit together, or one that lacks a key.
        set_by: The keys that `--set` gives values to.
        own: True if the file has the mistake without them, as far as is known.
    """
    words = tuple(map(str, keys))
    if not own or any(words[:n] in set_by for n in range(1, len(words) + 1)):
        return _SET
    for n in range(len(keys), 0, -1):
        if keys[:n] in file.lines:
            break
        if any(given[:n] == words[:n] for given in set_by):  # a section that the file does not have
            return _SET
    line = file.line_of(keys)
    return path, line or None
