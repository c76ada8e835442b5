"""Errors of an endpoint in one form, whichever way they come: by an HTTP status, or by an error inside a reply with the status 200."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from math import isfinite
from typing import Any

import openai

# Where providers put their words, in this order: OpenAI, pydantic, FastAPI, Baidu, MiniMax, Google, Cloudflare.
_WORDS = ("message", "msg", "detail", "error_msg", "status_msg", "error_message", "description", "errors", "error", "reason")
_STATUSES = ("code", "status", "status_code", "http_status", "error_code")
_LISTED = 3  # entries of a list of errors that a message shows
_LONGEST_HEAD = 5000  # characters of a web page in which its title is looked for
_DEEPEST = 6  # levels of an error object that are looked into
_FINE = {"", "0", "200", "ok", "success", "none"}  # codes under which some providers report success beside each reply
# Names of errors, for replies that give no status: (in the code, the type or the message, the status that it stands for).
_UNPAID = re.compile(r"insufficient.(quota|balance|funds|credits?)|payment.required|(credit )?balance is too low|out of credits", re.I)
_NAMED = (
    (_UNPAID, 402),
    (re.compile(r"rate.?limit|too.many.requests|resource.?exhausted|throttl|slow.?down", re.I), 429),
    (re.compile(r"overloaded|unavailable|at capacity|no capacity|model (is )?(still )?(not )?load", re.I), 503),
    (re.compile(r"time.?out|timed.out", re.I), 504),
    (re.compile(r"(invalid|incorrect|missing).{0,10}api.?key|unauthori[sz]ed|authentication", re.I), 401),
)  # fmt: skip
_TOO_LONG = re.compile(
    r"context.?(length|size|window|limit)|maximum model length|string_above_max_length|"
    r"\b(input|prompt|message|text|sequence|content|request)s?\b[^.]{0,60}\b(too (long|large|big|many)|longer than|exceed|over the limit)|"
    r"too (many|much) (input|prompt|text|tokens)|too long|exceed[^.]{0,60}\b(input|prompt|sequence|context|token)|"
    r"(reduce|shorten|truncate)[^.]{0,30}(prompt|input|message|length)|does(n't| not) fit|"
    r"maximum[^.]{0,20} (input|prompt|sequence) (length|tokens)",
    re.I,
)
_FILTERED = re.compile(
    r"content.?filter|content.?(management.?)?polic|usage.?polic|policy.?violation|data_inspection|invalid_prompt|moderat|flagged|"
    r"safety|unsafe|inappropriate|prohibited|sensitive (content|word|information)|harmful",
    re.I,
)
_OF_THE_ACCOUNT = re.compile(r"\baccount|organi[sz]ation|api.?key|billing|country|region", re.I)
_OF_A_PROMPT = (400, 403, 413, 422, 451)


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """An error of an endpoint.

    Attributes:
        status: The HTTP status; that of the error object where the reply's own is 200. 0 if none is given.
        message: The endpoint's words, as they came.
        code: The error's code and type, as one text.
        param: The parameter that it names, "" if none.
        wait: Seconds that it asks to wait, or None.
    """

    status: int
    message: str
    code: str = ""
    param: str = ""
    wait: float | None = None

    @property
    def text(self) -> str:
        """All words of the error."""
        return f"{self.code} {self.message}"

    def is_too_long(self) -> bool:
        """Return True if the prompt does not fit: the limit on generated tokens alone does not make one too long."""
        if self.status == 413:  # the body is too large, whatever the message says
            return True
        if self.status not in (400, 422, 500):  # some servers fail with 500 on a prompt that is too long, and say why
            return False
        if re.search(r"quota|rate|per (minute|day|hour|second)|balance|credit", self.text, re.I):
            return False
        about_the_reply = self.param.startswith("max_") or re.match(r"\W*max_(completion_)?tokens\b", self.message)
        found = _TOO_LONG.search(self.text)
        if found is None or (self.status == 500 and not re.search(r"context|prompt|input", self.text, re.I)):
            return False
        return not about_the_reply or "context" in self.text.lower()

    def is_filtered(self) -> bool:
        """Return True if the endpoint refuses the content of a prompt, not the form of the request or the account."""
        if self.status not in _OF_A_PROMPT or _FILTERED.search(self.text) is None:
            return False
        return not _OF_THE_ACCOUNT.search(self.message) or _FILTERED.search(self.code) is not None

    def is_unpaid(self) -> bool:
        """Return True if the account has run out of money, which some say with 400, 403 or 429."""
        return self.status in (400, 403, 429) and _UNPAID.search(self.text) is not None

    def is_of_a_prompt(self) -> bool:
        """Return True if the status is one with which endpoints refuse single prompts."""
        return self.status in _OF_A_PROMPT


def page_title(text: str) -> str | None:
    """Return the title of a web page, "" if it has none; None for a text that is no web page."""
    begin = text[:_LONGEST_HEAD].lstrip("\ufeff \t\r\n")
    if not re.match(r"<(!doctype html|html|head|body|\?xml)", begin, re.I):
        return None
    found = re.search(r"<(title|h1)[^>]*>\s*([^<]*)", begin, re.I)
    return found[2].strip() if found else ""


def from_status(error: openai.APIStatusError) -> Trouble:
    """Return the trouble of a reply with a status that is not 200."""
    return from_body(error.status_code, error.body, retry_after(error.response.headers))


def from_body(status: int, body: Any, wait: float | None = None) -> Trouble:
    """Return the trouble of a status and the body beside it, as in a line of a batch."""
    inner = body.get("error", body) if isinstance(body, dict) else body
    code, param = _names(inner)
    return Trouble(status=status, message=words(inner if inner else body), code=code, param=param, wait=wait)


def in_reply(reply: Any) -> Trouble | None:
    """Return the error that a reply with the status 200 holds, at its top or in every one of its choices; None if it holds none."""
    found = _top_error(reply)
    if found is None and isinstance(reply, dict) and (choices := _dicts(reply.get("choices"))):
        errors = [choice.get("error") or _of_message(choice) for choice in choices]
        found = next(filter(None, errors), None) if all(map(_is_error, errors)) else None
    if found is None:
        return None
    code, param = _names(found)
    message = words(found)
    return Trouble(status=_status(found) or _named_status(f"{code} {message}"), message=message, code=code, param=param)


def has_error(choice: Any) -> bool:
    """Return True if a choice carries an error in place of a solution."""
    return isinstance(choice, dict) and _is_error(choice.get("error") or _of_message(choice))


def words(value: Any, depth: int = 0) -> str:
    """Return the text of an error: `message` or the like where endpoints put it, else the whole value."""
    if isinstance(value, str):
        title = page_title(value)
        return value if title is None else f"a web page, {json.dumps(title, ensure_ascii=False)}" if title else "a web page"
    if depth > _DEEPEST or value is None:
        return ""
    if isinstance(value, list):
        return "; ".join(filter(None, (words(each, depth + 1) for each in value[:_LISTED])))
    if not isinstance(value, dict):
        return str(value)
    said = next((text for key in _WORDS if (text := words(value.get(key), depth + 1))), "")
    location = value.get("loc")
    if said and isinstance(location, list):  # pydantic: the path of the field that is wrong
        said = f"{'.'.join(map(str, location[:4]))}: {said}"
    metadata = value.get("metadata")
    raw = metadata.get("raw") if isinstance(metadata, dict) else None  # a router's copy of its provider's words
    if said and isinstance(raw, str) and raw not in said:
        said = f"{said}: {raw}"
    return said if said or not value else json.dumps(value, default=str)


def _top_error(reply: Any) -> Any:
    """Return the error at the top of a reply, in whichever form; None if there is none."""
    if isinstance(reply, list) and reply:  # Google wraps errors in a list
        return _top_error(reply[0])
    if not isinstance(reply, dict):
        return None
    for key in ("error", "errors"):
        if _is_error(reply.get(key)):
            return reply[key]
    status = reply.get("base_resp")  # MiniMax, whose code 0 is success
    if isinstance(status, dict) and _is_error(status):
        return status
    if reply.get("object") == "error" or (not reply.get("choices") and _has_error_keys(reply)):
        return reply
    return None


def _has_error_keys(reply: Mapping[str, Any]) -> bool:
    return any(reply.get(key) for key in ("detail", "error_msg", "error_code", "message", "error_message")) or reply.get("success") is False


def _is_error(value: Any) -> bool:
    """Return False for what some providers put beside each reply: null, {}, an empty text, or code 0 with the message "success"."""
    if not value:
        return False
    if not isinstance(value, dict):
        return not isinstance(value, str) or value.strip().lower() not in _FINE
    codes = [str(value[key]).strip().lower() for key in _STATUSES if value.get(key) is not None]
    if codes:
        return any(code not in _FINE for code in codes)
    return bool(words({key: value[key] for key in value if key in _WORDS}).strip()) or bool(value.get("type"))


def _of_message(choice: Mapping[str, Any]) -> Any:
    message = choice.get("message")
    return message.get("error") if isinstance(message, dict) else None


def _dicts(value: Any) -> list[dict[str, Any]]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def _status(error: Any) -> int:
    """Return the HTTP status that an error object names under any of the usual keys, or 0."""
    if isinstance(error, list) and error:
        return _status(error[0])
    if not isinstance(error, dict):
        return 0
    for value in (error.get(key) for key in _STATUSES):
        number = int(value) if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) == 3 else value
        if isinstance(number, int) and not isinstance(number, bool) and 400 <= number < 600:
            return number
    return _status(error["error"]) if isinstance(error.get("error"), dict) else 0


def _named_status(text: str) -> int:
    return next((status for name, status in _NAMED if name.search(text)), 0)


def _names(error: Any) -> tuple[str, str]:
    """Return code and type of an error as one text, and the parameter that it names."""
    if isinstance(error, list) and error:
        return _names(error[0])
    if not isinstance(error, dict):
        return "", ""
    code = " ".join(str(error[key]) for key in ("code", "type", "status") if isinstance(error.get(key), str | int))
    param = error.get("param")
    return code, param if isinstance(param, str) else next(_located(error), "")


def _located(error: Any, depth: int = 0) -> Iterator[str]:
    """Yield the fields that a list of pydantic's errors names."""
    if depth > _DEEPEST:
        return
    if isinstance(error, list):
        for each in error[:_LISTED]:
            yield from _located(each, depth + 1)
    elif isinstance(error, dict):
        location = error.get("loc")
        if isinstance(location, list) and location and isinstance(location[-1], str):
            yield location[-1]
        for key in _WORDS:
            yield from _located(error.get(key), depth + 1)


def retry_after(headers: Mapping[str, str], now: float | None = None) -> float | None:
    """Return the seconds that a reply asks to wait.

    They are in `retry-after-ms`, or in `retry-after` as seconds or as a date by the endpoint's own clock. `now` is the time here, for
    replies that do not say when they were sent.
    """
    in_ms = _number(headers.get("retry-after-ms"))
    if in_ms is not None:
        return in_ms / 1000
    given = headers.get("retry-after")
    seconds = _number(given)
    if seconds is not None or given is None:
        return seconds
    until = _date(given)
    sent = _date(headers.get("date"))
    here = time.time() if now is None else now
    return None if until is None else max(until - (here if sent is None else sent), 0.0)


def _number(text: str | None) -> float | None:
    try:
        value = float(text or "")
    except ValueError:
        return None
    return value if isfinite(value) and value >= 0 else None


def _date(text: str | None) -> float | None:
    try:
        return parsedate_to_datetime(text or "").timestamp()
    except (ValueError, OverflowError, TypeError, IndexError):
        return None
