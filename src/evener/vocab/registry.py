"""Registries: the one place each keyword is declared, frozen once everything is loaded.

A registry refuses duplicates, missing documentation and missing examples at load time, so a
vocabulary that imports is a vocabulary that is complete. Loading is explicit: ``load_package`` imports
the modules of one package and nothing is registered by accident of import order.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import field
from enum import Enum
from types import MappingProxyType
from typing import Any, Generic, TypeVar

from evener.text.record import dataclass


class Status(Enum):
    """Whether a declared word is executed, or is only known and says so to the user."""

    WORKING = "working"
    PLANNED = "planned"


class DeclarationError(Exception):
    """A declaration breaks the rules of the vocabulary: our own bug, found at load."""


@dataclass(frozen=True, slots=True)
class Declaration:
    """One word of a language.

    ``signature`` is the form the manual shows (``field(<index>,<delimiters>[,<count>])``); ``ok`` and
    ``bad`` are examples that the tests run; ``factory`` builds what executes; ``facts`` holds what a
    family adds (types, contexts, ranges).
    """

    name: str
    signature: str
    doc: str
    ok: tuple[str, ...]
    bad: tuple[str, ...]
    status: Status = Status.WORKING
    factory: Callable[..., Any] | None = None
    facts: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def planned(self) -> bool:
        return self.status is Status.PLANNED


D = TypeVar("D", bound=Declaration)


class Registry(Generic[D]):
    """The declarations of one family (``converter``, ``sample fetch``, ``server option``...)."""

    def __init__(self, family: str) -> None:
        self.family = family
        self._words: dict[str, D] = {}
        self._frozen = False

    def declare(self, declaration: D) -> D:
        """Add a declaration; raises DeclarationError when it is incomplete, doubled or too late."""
        where = f"{self.family} {declaration.name!r}"
        if self._frozen:
            raise DeclarationError(f"{where} is declared after the registry was frozen")
        if declaration.name in self._words:
            raise DeclarationError(f"{where} is declared twice")
        if not declaration.doc.strip():
            raise DeclarationError(f"{where} has no documentation")
        if not declaration.ok or not declaration.bad:
            raise DeclarationError(f"{where} needs at least one good and one bad example")
        self._words[declaration.name] = declaration
        return declaration

    def freeze(self) -> None:
        self._frozen = True

    def get(self, name: str) -> D | None:
        return self._words.get(name)

    def __getitem__(self, name: str) -> D:
        return self._words[name]

    def __contains__(self, name: object) -> bool:
        return name in self._words

    def __iter__(self) -> Iterator[D]:
        return iter(self._words.values())

    def __len__(self) -> int:
        return len(self._words)

    def names(self) -> tuple[str, ...]:
        return tuple(self._words)

    def closest(self, name: str) -> str | None:
        """The declared word most like ``name``, for "did you mean"; None when nothing is close."""
        import difflib  # nobody has misspelt anything, most of the time

        match = difflib.get_close_matches(name, self._words, n=1, cutoff=0.6)
        return match[0] if match else None


def load_package(name: str) -> None:
    """Import every module of package ``name`` (not recursively) so that its declarations register."""
    import pkgutil

    package = importlib.import_module(name)
    for module in pkgutil.iter_modules(package.__path__):
        if not module.ispkg:
            importlib.import_module(f"{name}.{module.name}")
