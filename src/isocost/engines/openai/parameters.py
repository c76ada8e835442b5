"""The parameters of a request by the study keys that change or leave them out, for endpoints that refuse one."""

from __future__ import annotations

import re

from isocost.engines.openai.troubles import Trouble

_TOO_LARGE = re.compile(r"at most|too (large|big|high|many)|less than|maximum|must be|range|between|greater|exceed|limit of", re.I)
# A bound with its number is about the value, whatever else is said: "this model supports at most 32 completion tokens".
_BOUND = re.compile(
    r"(at most|at least|less than|more than|greater than|lower than|up to|above|below|between|maximum|range|exceeds?|limit)\b[^.;]{0,40}\d|"
    r"too (large|big|high|many|long)",
    re.I,
)
_UNKNOWN = re.compile(r"support|unknown|unrecogni|unexpected|extra|allowed", re.I)
_GENERATED = re.compile(r"\b(completion|output|generated|new) tokens\b", re.I)
_LIMITS = ("max_completion_tokens", "max_tokens")
_SENT = ("temperature", "top_p", "top_k", "seed", "stop", "n")
_NULL = "sampling.{0}: null leaves it out (models.NAME.sampling for one model)"


def advice_on(trouble: Trouble) -> str:
    """Return the study key that leaves out or renames the parameter that an error names, "" if it names none that is sent."""
    if trouble.status not in (400, 422):
        return ""
    name = _named(trouble)
    is_about_the_value = _BOUND.search(trouble.message) is not None or (
        _TOO_LARGE.search(trouble.message) is not None and _UNKNOWN.search(trouble.text) is None
    )
    if name in _LIMITS:
        if is_about_the_value:
            return "lower sampling.max_tokens (of a judge grader.max_tokens or audit.max_tokens)"
        others = [each for each in _LIMITS if each != name]
        return f"set max_tokens_field: {others[0]} in the model's section, or null to leave it out"
    if name in ("temperature", "top_p", "top_k"):
        return f"{_NULL.format(name)}" + (", or give a value that it takes" if is_about_the_value else "")
    return {
        "seed": "set seeds: false in the model's section",
        "stop": "give fewer stop strings: sampling.stop: [] leaves out the study's, and a prompt's form has its own",
        "n": "set n: 1 in the model's section, or fewer than now",
    }.get(name, "")


def _named(trouble: Trouble) -> str:
    """Return the parameter that an error is about: as it says, else the first in quotes, else the first that stands as a word.

    An error that names none may be about the limit on generated tokens in words of its own.
    """
    param = trouble.param.rpartition(".")[2]
    if param in (*_LIMITS, *_SENT):
        return param
    names = "|".join((*_LIMITS, *_SENT))
    quoted = re.search(rf"['\"`]({names})['\"`]", trouble.message)
    plain = re.search(rf"(?<![\w.])({'|'.join((*_LIMITS, *_SENT[:4]))})(?![\w])", trouble.message)
    found = quoted or plain
    if found is None and _BOUND.search(trouble.message) and _GENERATED.search(trouble.message):
        return _LIMITS[0]
    return found[1] if found else ""
