"""`with` blocks of the tests on objects of the program: a program cannot suppress a check that fails in them."""

from __future__ import annotations

import dis
from typing import Any, Protocol

_RAISE = dis.opmap["RAISE_VARARGS"]


class Asking(Protocol):
    """The part of a peer that a block needs."""

    tests: bool
    asked: int

    def ask(self, action: str, target: object, /, *arguments: object, **named: object) -> Any:
        """Return the result of an action on an object of the other side."""

    def is_check(self, line: int, column: int) -> bool:
        """Return True if the tests raise an exception at this place on a condition."""

    def is_assertion(self, line: int) -> bool:
        """Return True if an assertion of the tests stands on this line."""


_entered: dict[int, int] = {}  # by object: requests when the block of it began


def enter(link: Asking, thing: object, number: int | None) -> Any:
    """Enter a block."""
    result = link.ask("special", thing, "__enter__")
    _begin(link, number)
    return result


async def enter_async(link: Asking, thing: object, number: int | None) -> Any:
    """Enter an `async with` block."""
    result = await link.ask("special", thing, "__aenter__")
    _begin(link, number)
    return result


def leave(link: Asking, thing: object, number: int | None, error: tuple[Any, Any, Any]) -> Any:
    """Leave a block; return a true value where the exception in it is suppressed."""
    is_check = _fails(link, number, error)
    try:
        return link.ask("special", thing, "__exit__", *error) and not is_check
    except Exception:
        if is_check:  # another exception in its place might be one that the tests expect
            return False
        raise


async def leave_async(link: Asking, thing: object, number: int | None, error: tuple[Any, Any, Any]) -> Any:
    """Leave an `async with` block."""
    is_check = _fails(link, number, error)
    try:
        return await link.ask("special", thing, "__aexit__", *error) and not is_check
    except Exception:
        if is_check:
            return False
        raise


def _begin(link: Asking, number: int | None) -> None:
    if number is not None:
        _entered.setdefault(number, link.asked)


def _fails(link: Asking, number: int | None, error: tuple[Any, Any, Any]) -> bool:
    before = _entered.pop(number, 0) if number is not None else 0
    return link.tests and _is_check(link, error[1], error[2], has_asked=link.asked > before)


def _is_check(link: Asking, error: object, traceback: Any, *, has_asked: bool) -> bool:
    """Return True if an exception is a check that failed in this process.

    That is an assertion. After the program was asked for something in the block, it is also an exit, an exception that the tests raise on a
    condition, and any exception in an assertion: `assert f(2) < 5`, where f returns None. `with ignored(ValueError): raise ValueError` is
    none: it tests that the program suppresses the exception.
    """
    if traceback is None:
        return False
    if has_asked and _is_in_assertion(link, traceback):
        return True
    while traceback.tb_next is not None:
        traceback = traceback.tb_next
    code = traceback.tb_frame.f_code
    if code is getattr(getattr(link.ask, "__func__", None), "__code__", None):  # it raises the other side's exceptions
        return False
    if isinstance(error, AssertionError) or not has_asked:
        return isinstance(error, AssertionError)
    if isinstance(error, SystemExit):
        return True
    if code.co_code[traceback.tb_lasti] != _RAISE or type(type(error)).__name__ == "Mirror":
        return False
    line, _, column, _ = [*code.co_positions()][traceback.tb_lasti // 2]
    return code.co_filename == "tests" and link.is_check(line or 0, column or 0)


def _is_in_assertion(link: Asking, traceback: Any) -> bool:
    """Return True if an exception came out of an assertion of the tests, below or in it."""
    while traceback is not None:
        if traceback.tb_frame.f_code.co_filename == "tests" and link.is_assertion(traceback.tb_lineno):
            return True
        traceback = traceback.tb_next
    return False
