"""Fetches and converters that are known and not executed yet, declared by lines of a table."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from evener.haproxy.arguments import NOTHING, Argument, ArgumentKind
from evener.haproxy.sample import CONVERTERS, FETCHES, Converter, Fetch, Source, Type, write_signature
from evener.vocab.registry import DeclarationError, Status


def declare_planned_fetches(rows: str, source: Source, doc: str) -> None:
    """Declare known but not executed fetches from lines of ``name(kinds[,kinds]): out``.

    A bar and documentation may follow, also on lines of their own; ``doc`` is that of the others."""
    for name, arguments, out, own in _rows(rows):
        good, wrong = _planned_examples(name, arguments)
        FETCHES.declare(
            Fetch(
                name,
                write_signature(name, arguments),
                own or doc,
                good,
                wrong,
                Status.PLANNED,
                arguments=arguments,
                out=Type(out),
                source=source,
            )
        )


def declare_planned_converters(rows: str, takes: Type, doc: str) -> None:
    """Declare known but not executed converters from lines of ``name(kinds[,kinds]): out``."""
    for name, arguments, out, own in _rows(rows):
        good, wrong = _planned_examples(name, arguments)
        CONVERTERS.declare(
            Converter(
                name,
                write_signature(name, arguments),
                own or doc,
                good,
                wrong,
                Status.PLANNED,
                arguments=arguments,
                takes=takes,
                out=Type(out),
            )
        )


def _rows(rows: str) -> list[tuple[str, tuple[Argument, ...], str, str]]:
    found: list[tuple[str, tuple[Argument, ...], str, str]] = []
    for line in re.sub(r"\n\s*\|", " |", rows).split("\n"):
        if not line.strip():
            continue
        row, *said = line.split("|")
        head, colon, out = row.strip().rpartition(": ")
        if not colon:
            raise DeclarationError(f"row {line!r} has no output type")
        name, _, inside = head.partition("(")
        found.append(
            (
                name,
                tuple(_row_arguments(inside.removesuffix(")"))),
                out,
                " ".join(part.strip() for part in said),
            )
        )
    return found


def _row_arguments(inside: str) -> list[Argument]:
    must, _, may = inside.partition("[")
    arguments = [Argument("arg", ArgumentKind(k), NOTHING) for k in must.split(",") if k]
    return arguments + [Argument("arg", ArgumentKind(k), None) for k in may.rstrip("]").split(",") if k]


_SPECIMEN: Final = {
    ArgumentKind.INTEGER: "1",
    ArgumentKind.IPV4: "192.0.2.1",
    ArgumentKind.IPV6: "2001:db8::1",
    ArgumentKind.MASK4: "24",
    ArgumentKind.MASK6: "64",
    ArgumentKind.FIELDS: "1.2",
}


def _planned_examples(name: str, arguments: Sequence[Argument]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    must = [_SPECIMEN.get(a.kind, "x") for a in arguments if a.required]
    return (f"{name}({','.join(must)})" if must else name,), (
        f"{name}({','.join(_SPECIMEN.get(a.kind, 'x') for a in arguments)},1)" if arguments else f"{name}(1)",
    )
