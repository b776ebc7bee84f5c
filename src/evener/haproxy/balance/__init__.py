"""The balancing algorithms: how a backend without persistence picks a server.

An algorithm is reduced to what the engine can do without asking: a *rotation* (the order in which
servers are taken, laid out by their weights), an optional *key* whose hash finds a place in it (or on a
*ring*), *least* connections, the *first* that has room, or the best of some *draws*. ``algorithm``
declares what executes the word of a ``balance`` line; the line itself is read in ``sections.balancing``.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Protocol

from evener.haproxy.balance.hashing import HashType
from evener.haproxy.scope import CompileEnv
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
    @property
    def other(self) -> tuple[str, ...]: ...


@dataclass(frozen=True, slots=True)
class Method:
    """How servers are chosen. Without any of these: the next one in the rotation.

    ``key`` gives a hash, or None for the next one. ``table``: the rotation is the hash table of
    ``ring.table``. ``body``: the key may be in the body of a POST, which has to be awaited.
    """

    key: Key | None = None
    least: bool = False
    first: bool = False
    draws: int = 0
    table: bool = False
    body: bool = False


Factory = Callable[[Asked, HashType, CompileEnv], Method]
_METHODS: dict[str, Factory] = {}


def algorithm(name: str) -> Callable[[Factory], Factory]:
    """Declare what executes ``balance <name>``."""

    def declare(factory: Factory) -> Factory:
        _METHODS[name] = factory
        return factory

    return declare


@cache
def _load() -> None:
    """Looking for the modules of a package takes longer than all that is done with them."""
    load_package("evener.haproxy.balance")


def method(asked: Asked, hash_type: HashType, env: CompileEnv | None = None) -> Method:
    """What executes a ``balance`` line; an algorithm without one takes servers in turn."""
    _load()
    return _METHODS.get(asked.algorithm, _METHODS["roundrobin"])(asked, hash_type, env or CompileEnv())


def executed() -> tuple[str, ...]:
    """The algorithms that are executed."""
    _load()
    return tuple(_METHODS)
