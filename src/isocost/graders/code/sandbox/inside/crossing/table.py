"""Objects that both sides know by number."""

from __future__ import annotations

import itertools
import sys
import weakref
from typing import Any

from .mirrors import Mirror, number_of
from .plain import CONTAINERS, KINDS, Container, root_of, same

_HELD = 3  # references to an object in use: the table's, getrefcount's argument, and at least one other
_LOOKS = 64  # lent objects that are looked at for each message


class TamperedError(Exception):
    """Raised where the other side sent what no peer sends."""


class Numbered:
    """An object of the other side that has no proxy here."""

    def __init__(self, number: int) -> None:
        self.number = number


class Proxies(weakref.WeakValueDictionary[int, Any]):
    """The proxies by number, while anything refers to them."""

    def __contains__(self, number: object) -> bool:
        """Return True if a proxy is still in use. One that is being finalized has given up its number, though it is still found."""
        found = super().get(number)  # type: ignore[call-overload]  # any object
        return found is not None and number_of(found) == number


class Table:
    """Objects by number: the tests give even numbers, the program odd ones, so neither waits for the other to give one.

    objects    objects of this side that the other side can name, and the containers that both sides hold
    held       the contents of each shared container when the sides last agreed; a changed container is sent again
    proxies    proxies for objects of the other side, while anything here refers to them
    kept       on the program's side: the proxies of objects that the tests still hold, so that `id` and weak references work as on these
    lent       on the tests' side: the numbers of the objects whose proxies the program keeps
    released   numbers of proxies that no longer exist, for the other side to forget
    """

    def __init__(self, *, tests: bool) -> None:
        self.tests = tests
        self.objects: dict[int, Any] = {}
        self.held: dict[int, list[Any]] = {}
        self.proxies = Proxies()
        self.kept: dict[int, Any] = {}
        self.lent: dict[int, None] = {}
        self.released: set[int] = set()
        self.classes: dict[type, int] = {}
        self._numbers: dict[int, int] = {}
        self._next = itertools.count(2 if tests else 1, 2)

    def number(self, thing: object) -> int | None:
        """Return the number by which the other side knows an object, of this side or of its own; None without one."""
        known = self._numbers.get(id(thing))
        if known is not None:
            return known
        kind = type(thing)
        if kind is Mirror or type(kind) is Mirror:
            return number_of(thing) or None  # `Function` has none
        return None

    def export(self, thing: object) -> int:
        """Return the number of an object of this side, and give it one on first use."""
        known = self._numbers.get(id(thing))
        if known is None:
            known = next(self._next)
            self.adopt(known, thing)
        return known

    def adopt(self, number: int, thing: object) -> None:
        """Hold an object under a number."""
        self.objects[number] = thing
        self._numbers[id(thing)] = number

    def lend(self, thing: object) -> int:
        """Return the number of an object for which the other side makes a proxy."""
        number = self.export(thing)
        if self.tests:
            self.lent[number] = None
        return number

    def forget(self, number: int) -> None:
        """Drop an object that the other side has dropped, or a proxy that is kept for an object that it no longer holds."""
        if self.kept.pop(number, None) is not None:
            return
        self.lent.pop(number, None)
        thing = self.objects.pop(number, None)
        self._numbers.pop(id(thing), None)
        self.held.pop(number, None)

    def check_new(self, number: object) -> int:
        """Return the number of an object that the other side made.

        Raises:
            TamperedError: it is not a number, or one of this side.
        """
        if type(number) is not int or number < 1 or (number % 2 == 0) == self.tests:
            raise TamperedError("a number that is not its own")
        return number

    def find(self, number: object) -> Any:
        """Return the object with a number.

        Raises:
            TamperedError: no object has it.
        """
        found = self.objects.get(number, self) if type(number) is int else self
        if found is self:
            found = self.proxies.get(number, self) if type(number) is int else self
        if found is self:
            raise TamperedError("a number of nothing")
        return found

    def is_mine(self, nodes: list[Any], item: Any) -> bool:
        """Return True if an item of a message names an object of this side, not a value or an object that the message makes."""
        node = nodes[item[0]] if isinstance(item, list) else None
        if not isinstance(node, list) or node[0] != "known":
            return False
        return (node[1] % 2 == 0) == self.tests and node[1] in self.objects

    def changed(self) -> list[int]:
        """Return the numbers of the shared containers whose contents the other side no longer has."""
        things = ((number, self.objects[number], held) for number, held in self.held.items())
        return [number for number, thing, held in things if not same(container_of(thing), thing, held)]

    def drop_unused(self) -> list[int]:
        """Forget the shared containers that only this table still holds, outer ones before inner ones.

        Return their numbers, and those of the lent objects that only this table holds: these remain until the program releases them.
        """
        dropped: list[int] = []
        while True:
            before = len(dropped)
            for number in [*self.held]:
                if sys.getrefcount(self.objects[number]) < _HELD:
                    self.forget(number)
                    dropped.append(number)
            if len(dropped) == before:  # a dropped container may have held the last reference to another
                return dropped + self._no_longer_lent()

    def _no_longer_lent(self) -> list[int]:
        """Return the numbers of lent objects that only this table holds.

        Few are looked at, in turn, so that no message takes long; more of them while some are found.
        """
        found: list[int] = []
        while True:
            looked = [*itertools.islice(self.lent, _LOOKS)]
            unused = {number for number in looked if sys.getrefcount(self.objects[number]) < _HELD}
            for number in looked:
                del self.lent[number]
                if number not in unused:
                    self.lent[number] = None
            found += unused
            if not unused:
                return found


def container_of(thing: object) -> Container:
    """Return the functions that read and fill a container, or an instance of a class that extends one."""
    kind = type(thing)
    return CONTAINERS[KINDS.get(kind) or KINDS[root_of(kind) or kind]]
