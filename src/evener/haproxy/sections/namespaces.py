"""``namespace_list``: network namespaces that are opened at start, for those that enter them later."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import field
from typing import Final

from evener.haproxy.sections.forms import Form, tight
from evener.haproxy.sections.reading import Place
from evener.text.record import dataclass
from evener.text.span import Span
from evener.vocab.arguments import Argument, Cursor
from evener.vocab.blocks import Known, Repeat, block, keyword, spans

FOLDER: Final = "/var/run/netns"


class NamespaceArgument(Argument[str]):
    usage = "<name>"

    def read(self, cursor: Cursor) -> str:
        name = cursor.take() if cursor.more else ""
        if name and not exists(name):
            raise tight(cursor, "no-namespace", f"Cannot open namespace '{name}'.")
        return name

    def words(self, value: str) -> list[str]:
        return [value] if value else []


def path_of(name: str) -> str:
    return os.path.normpath(f"{FOLDER}/{name}")


def exists(name: str) -> bool:
    return bool(name) and "\0" not in name and os.path.isfile(path_of(name))


class BindNamespace(Argument[str]):
    usage = "<name>"

    def read(self, cursor: Cursor) -> str:
        if not cursor.more:
            raise cursor.bad("missing-argument", f"'{cursor.name}' : missing namespace id", whole=True)
        name = cursor.take()
        if not exists(name):
            place: Place = cursor.context
            told = f"Cannot open namespace '{name}'."
            place.diagnostics.alert("no-namespace", told, cursor.span(), lead="config : ")
            raise cursor.bad(
                "no-namespace", f"error encountered while processing '{cursor.name}'.", whole=True
            )
        return name


class ServerNamespace(Argument[str]):
    usage = "<name>"

    def read(self, cursor: Cursor) -> str:
        if not cursor.more:
            raise cursor.bad("missing-argument", f"'{cursor.name}' : expects <name> as argument", whole=True)
        name = cursor.take()
        if name == "*":
            cursor.context.not_executed("namespace *", cursor.span())
        elif not exists(name):
            raise cursor.bad("no-namespace", f"Cannot open namespace '{name}'", whole=True)
        return name


@block("namespace_list line")
@dataclass(frozen=True, slots=True)
class Namespaces:
    name: str = ""
    namespace: tuple[str, ...] = keyword(
        NamespaceArgument(),
        "A network namespace that must be there, by the name that ``ip netns`` gave it.",
        ok=("namespace",),
        bad=("namespace no-such-namespace",),
        repeat=Repeat.COLLECT,
        loose=True,
    )
    span: Span | None = field(default=None, compare=False)
    spans: Mapping[str, Span] = spans()
    known: tuple[Known, ...] = ()


FORM: Final = Form(Namespaces, plain=False, most=None, ignores=True)
