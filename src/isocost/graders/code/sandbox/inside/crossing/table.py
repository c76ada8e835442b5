"""Objects that both sides know by number."""

from __future__ import annotations

import itertools
import sys
import weakref
from typing import Any

from .mirrors import Mirror, number_of
from .plain import CONTAINERS, KINDS, Container, root_of, same

_HELD = 3  # references to a container that nobody but the table, the loop and getrefcount itself has


class TamperedError(Exception):
    """The other side said something that no peer says."""


class Numbered:
    """An object of the other side that no proxy stands for."""

    def __init__(self, number: int) -> None:
        self.number = number


class Table:
    """Objects by number: even ones were made by the tests, odd ones by the program.

    objects    what lives here and the other side can name, and the containers that both sides hold
    held       what each shared container held when the sides last agreed: sent along when it has changed
    proxies    what stands here for objects of the other side, while somebody holds it
    released   numbers of proxies that nobody holds any more, for the other side to forget
    """

    def __init__(self, *, tests: bool) -> None:
        self.tests = tests
        self.objects: dict[int, Any] = {}
        self.held: dict[int, list[Any]] = {}
        self.proxies: weakref.WeakValueDictionary[int, Any] = weakref.WeakValueDictionary()
        self.released: set[int] = set()
        self.classes: dict[type, int] = {}
        self._numbers: dict[int, int] = {}
        self._next = itertools.count(2 if tests else 1, 2)

    def number(self, thing: object) -> int | None:
        """The number by which the other side knows something: an object or container of here, or one of its own."""
        known = self._numbers.get(id(thing))
        if known is not None:
            return known
        kind = type(thing)
        if kind is Mirror or type(kind) is Mirror:
            return number_of(thing) or None  # `Function` has none
        return None

    def export(self, thing: object) -> int:
        """Give an object of here a number."""
        known = self._numbers.get(id(thing))
        if known is None:
            known = next(self._next)
            self.adopt(known, thing)
        return known

    def adopt(self, number: int, thing: object) -> None:
        """Hold an object under a number."""
        self.objects[number] = thing
        self._numbers[id(thing)] = number

    def forget(self, number: int) -> None:
        """Drop an object; the other side has."""
        thing = self.objects.pop(number, None)
        self._numbers.pop(id(thing), None)
        self.held.pop(number, None)

    def check_new(self, number: object) -> int:
        """The number of something that the other side made.

        Raises:
            TamperedError: it is not one, or of this side.
        """
        if type(number) is not int or number < 1 or (number % 2 == 0) == self.tests:
            raise TamperedError("a number that is not its own")
        return number

    def find(self, number: object) -> Any:
        """Return what a number names.

        Raises:
            TamperedError: nothing.
        """
        found = self.objects.get(number, self) if type(number) is int else self
        if found is self:
            found = self.proxies.get(number, self) if type(number) is int else self
        if found is self:
            raise TamperedError("a number of nothing")
        return found

    def is_mine(self, nodes: list[Any], item: Any) -> bool:
        """Tell whether an item of a message names an object of this side, rather than a value or an object that the message makes."""
        node = nodes[item[0]] if isinstance(item, list) else None
        if not isinstance(node, list) or node[0] != "known":
            return False
        return (node[1] % 2 == 0) == self.tests and node[1] in self.objects

    def changed(self) -> list[int]:
        """The shared containers that no longer hold what the other side thinks."""
        things = ((number, self.objects[number], held) for number, held in self.held.items())
        return [number for number, thing, held in things if not same(container_of(thing), thing, held)]

    def drop_unused(self) -> list[int]:
        """Forget the shared containers that only this table still holds, and return their numbers; inner ones after outer ones."""
        dropped: list[int] = []
        while True:
            before = len(dropped)
            for number in [*self.held]:
                if sys.getrefcount(self.objects[number]) < _HELD:
                    self.forget(number)
                    dropped.append(number)
            if len(dropped) == before:
                return dropped


def container_of(thing: object) -> Container:
    """Return how a container, or an instance of a class that extends one, is read and filled."""
    kind = type(thing)
    return CONTAINERS[KINDS.get(kind) or KINDS[root_of(kind) or kind]]
