"""``namespace_list``: network namespaces that are opened at start, for those that enter them later."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import field
from typing import Final

from evener.haproxy.sections.forms import Form, tight
from evener.text.record import dataclass
from evener.text.span import Span
from evener.vocab.arguments import Argument, Cursor
from evener.vocab.blocks import Known, Repeat, block, keyword, spans
from evener.vocab.registry import Status

FOLDER: Final = "/var/run/netns"


class NamespaceArgument(Argument[str]):
    usage = "<name>"

    def read(self, cursor: Cursor) -> str:
        name = cursor.take() if cursor.more else ""
        if name and not os.path.exists(f"{FOLDER}/{name}"):
            raise tight(cursor, "no-namespace", f"Cannot open namespace '{name}'.")
        return name

    def words(self, value: str) -> list[str]:
        return [value] if value else []


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
        status=Status.PLANNED,
        loose=True,
    )
    span: Span | None = field(default=None, compare=False)
    spans: Mapping[str, Span] = spans()
    known: tuple[Known, ...] = ()


FORM: Final = Form(Namespaces, plain=False, most=None, ignores=True)
