"""The balancing algorithms: how a backend without persistence picks a server.

An algorithm is reduced to what the engine can do without asking: a *rotation* (the order in which
servers are taken, laid out by their weights), an optional *key* whose hash indexes that rotation, or
*least* connections. ``algorithm`` declares one; ``parse`` turns the words of a ``balance`` line into
its ``Balance``. Weighted order is the smooth one: a server of weight 2 among three is never taken
twice in a row.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from evener.haproxy.balance.hashing import HashType
from evener.haproxy.txn import Txn
from evener.vocab.registry import Declaration, Registry, Status, load_package

Key = Callable[[Txn], int | None]


@dataclass(frozen=True, slots=True)
class Balance:
    """What a ``balance`` line asks for. ``key`` is None for algorithms that take the next server."""

    name: str
    key: Callable[[HashType], Key] | None = None
    least: bool = False


class BadBalance(Exception):
    """The words after ``balance`` are not accepted; the message is the sentence for the operator."""


Factory = Callable[[Sequence[str]], Balance]
ALGORITHMS: Registry[Declaration] = Registry("balance algorithm")


def algorithm(
    name: str, signature: str, *, ok: str, bad: str, status: Status = Status.WORKING
) -> Callable[[Factory], Factory]:
    """Declare the factory of an algorithm; its docstring is the manual text."""

    def declare(factory: Factory) -> Factory:
        ALGORITHMS.declare(
            Declaration(name, signature, factory.__doc__ or "", (ok,), (bad,), status, factory)
        )
        return factory

    return declare


def load() -> None:
    """Register every algorithm; idempotent."""
    load_package("evener.haproxy.balance")


def parse(words: Sequence[str]) -> Balance:
    """The algorithm named by ``words`` (what follows ``balance``); raises BadBalance."""
    load()
    name, argument = words[0], None
    if "(" in name and name.endswith(")"):
        name, argument = name[:-1].split("(", 1)
    declared = ALGORITHMS.get(name)
    if declared is None or declared.factory is None:
        known = ", ".join(f"'{word}'" for word in ALGORITHMS.names())
        raise BadBalance(f"only supports {known} options.")
    rest = words[1:] if argument is None else (argument, *words[1:])
    balance: Balance = declared.factory(rest)
    return balance
