"""The balancing algorithms: how a backend without persistence picks a server.

An algorithm is reduced to what the engine can do without asking: a *rotation* (the order in which
servers are taken, laid out by their weights), an optional *key* whose hash indexes that rotation, or
*least* connections. ``algorithm`` declares what executes the word of a ``balance`` line; the line
itself is read in ``sections.balancing``. Weighted order is the smooth one: a server of weight 2 among
three is never taken twice in a row.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from evener.haproxy.balance.hashing import HashType
from evener.haproxy.txn import Txn
from evener.text.record import dataclass
from evener.vocab.registry import load_package

Key = Callable[[Txn], int | None]


class Asked(Protocol):
    """What a ``balance`` line says (``sections.balancing.Balance``)."""

    @property
    def algorithm(self) -> str: ...
    @property
    def argument(self) -> str | None: ...
    @property
    def length(self) -> int: ...
    @property
    def depth(self) -> int: ...
    @property
    def whole(self) -> bool: ...
    @property
    def path_only(self) -> bool: ...


@dataclass(frozen=True, slots=True)
class Method:
    """How servers are chosen. ``key`` None and not ``least``: the next one in the rotation."""

    key: Key | None = None
    least: bool = False


Factory = Callable[[Asked, HashType], Method]
_METHODS: dict[str, Factory] = {}


def algorithm(name: str) -> Callable[[Factory], Factory]:
    """Declare what executes ``balance <name>``."""

    def declare(factory: Factory) -> Factory:
        _METHODS[name] = factory
        return factory

    return declare


def method(asked: Asked, hash_type: HashType) -> Method:
    """What executes a ``balance`` line; an algorithm without one takes servers in turn."""
    load_package("evener.haproxy.balance")
    return _METHODS.get(asked.algorithm, _METHODS["roundrobin"])(asked, hash_type)


def executed() -> tuple[str, ...]:
    """The algorithms that are executed."""
    load_package("evener.haproxy.balance")
    return tuple(_METHODS)
