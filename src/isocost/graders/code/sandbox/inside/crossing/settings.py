"""Settings of the interpreter that tests change by ordinary means before a call: a program finds them changed too."""

from __future__ import annotations

import contextlib
import decimal
import os
import sys
from collections.abc import Callable
from typing import Any

from .decoding import Decoder
from .encoding import Encoder

_FOLDER = "/tmp"  # where both processes start
_DIGITS = sys.get_int_max_str_digits()


def _environment() -> dict[Any, Any]:
    found: Any = os.environ  # tests may replace it
    return dict(getattr(found, "_data", found))  # as bytes: decoding them for each message would take long


def _decimals() -> tuple[int, str]:
    context = decimal.getcontext()
    return context.prec, context.rounding


_READS: dict[str, Callable[[], Any]] = {
    "folder": os.getcwd,
    "arguments": lambda: (*sys.argv,),
    "digits": sys.get_int_max_str_digits,
    "decimals": _decimals,
    "environment": _environment,
}


class TestSettings:
    """The tests' side: sends what has changed."""

    __test__ = False  # pytest collects classes of such names

    def __init__(self) -> None:
        self._known: dict[str, Any] = {name: read() for name, read in _READS.items()} | {"folder": _FOLDER}

    def outgoing(self, message: dict[str, Any], encoder: Encoder) -> None:
        """Add the settings that have changed since the last message."""
        changed: dict[str, Any] = {}
        for name, read in _READS.items():
            try:
                value = read()
            except (OSError, TypeError, ValueError):  # a folder that is gone, or what is no list or dict
                continue
            if value != self._known[name]:
                self._known[name] = value
                changed[name] = encoder.item(_text_of(value) if name == "environment" else value)
        if changed:
            message["settings"] = changed

    def incoming(self, message: dict[str, Any]) -> None:
        """Let the tests write the long integers that the program can write. It never lowers their limit."""
        digits = message.get("digits")
        if type(digits) is int and (digits == 0 or digits > sys.get_int_max_str_digits() > 0):
            sys.set_int_max_str_digits(digits)
            self._known["digits"] = digits


def _text_of(environment: dict[Any, Any]) -> tuple[str, ...]:
    """Return names and values in turn."""
    parts = [part for pair in environment.items() for part in pair]
    return tuple(map(os.fsdecode, parts)) if all(isinstance(part, str | bytes) for part in parts) else ()


class ProgramSettings:
    """The program's side: applies what the tests have changed."""

    def __init__(self) -> None:
        self._environment = dict(os.environ)
        self._digits = _DIGITS

    def incoming(self, message: dict[str, Any], decoder: Decoder) -> None:
        """Apply the settings that the tests have changed."""
        for name, item in message.get("settings", {}).items():
            with contextlib.suppress(OSError, TypeError, ValueError):  # a folder that the program has removed
                self._apply(name, decoder.item(item))

    def _apply(self, name: str, value: Any) -> None:
        if name == "folder":
            os.chdir(value)
        elif name == "arguments":
            sys.argv = [*value]
        elif name == "digits":
            self._digits = value
            sys.set_int_max_str_digits(value)
        elif name == "decimals":
            context = decimal.getcontext()
            context.prec, context.rounding = value
        elif name == "environment":
            self._change_environment(dict(zip(value[::2], value[1::2], strict=True)))

    def _change_environment(self, new: dict[str, str]) -> None:
        """Change what the tests have changed, and leave what the program has set."""
        old, self._environment = self._environment, new
        for name in old.keys() - new.keys():
            os.environ.pop(name, None)
        os.environ.update({name: value for name, value in new.items() if old.get(name) != value})

    def outgoing(self, message: dict[str, Any]) -> None:
        """Add the limit of the digits of an integer, if the program has changed it."""
        if sys.get_int_max_str_digits() != self._digits:
            self._digits = message["digits"] = sys.get_int_max_str_digits()
