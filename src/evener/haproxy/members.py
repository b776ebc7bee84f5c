"""The servers of a backend: those that have lines of their own, and those that templates stand for.

It decides their order and what messages call them; what they are asked is not known here.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from evener.haproxy.sections.proxy import Proxy
from evener.haproxy.sections.servers import Server, ServerTemplate
from evener.text.diagnostic import Diagnostics
from evener.text.record import dataclass

ENOUGH: Final = 100
"""Of so many servers of a template the same is told at most."""


@dataclass(frozen=True, slots=True)
class FirstOfTemplate(Server):
    """The server that the original makes of the line itself; the others are copies of it."""

    prefix: str = ""


def called(proxy: Proxy, server: Server) -> str:
    """What a message about a server begins with."""
    if isinstance(server, FirstOfTemplate):
        return f"'server-template {proxy.name}/{server.prefix}'"
    return f"'server {proxy.name}/{server.name}'"


def lines_of(proxy: Proxy) -> list[Server | ServerTemplate]:
    """In the order of the file."""
    if not proxy.server_template:
        return list(proxy.server)
    lines: list[Server | ServerTemplate] = [*proxy.server, *proxy.server_template]
    lines.sort(key=lambda line: line.span.line if line.span is not None else 0)
    return lines


def multiplied(template: ServerTemplate) -> Iterator[Server]:
    """The servers that a template stands for."""
    for number in range(template.low, template.high + 1):
        name = f"{template.prefix}{number}"
        same = (name, template.address, template.options, template.base, template.span)
        yield FirstOfTemplate(*same, template.prefix) if number == template.low else Server(*same)


def stands_for(template: ServerTemplate, name: str) -> bool:
    number = name.removeprefix(template.prefix)
    plain = number != name and number.isdecimal() and (number == "0" or number[0] != "0")
    return plain and template.low <= int(number) <= template.high


def first_twin(
    line: Server | ServerTemplate, before: Sequence[Server | ServerTemplate]
) -> tuple[str, Server | ServerTemplate] | None:
    """The first name of a line that one of those before has, and which."""
    found: list[tuple[int, str, Server | ServerTemplate]] = []
    for other in before:
        if isinstance(line, Server):
            if isinstance(other, ServerTemplate) and stands_for(other, line.name):
                return line.name, other
        elif isinstance(other, Server):
            if stands_for(line, other.name):
                found.append((int(other.name.removeprefix(line.prefix)), other.name, other))
        elif other.prefix == line.prefix and max(other.low, line.low) <= min(other.high, line.high):
            number = max(other.low, line.low)
            found.append((number, f"{line.prefix}{number}", other))
    return min(found, key=lambda one: one[0])[1:] if found else None


def servers_of(proxy: Proxy) -> Iterator[Server]:
    """All of them."""
    for line in lines_of(proxy):
        if isinstance(line, Server):
            yield line
        else:
            yield from multiplied(line)


def distinct(proxy: Proxy) -> Iterator[Server]:
    """Those that differ in more than the name."""
    for line in lines_of(proxy):
        yield line if isinstance(line, Server) else next(multiplied(line))


def asked(proxy: Proxy, found: Diagnostics) -> Iterator[Server]:
    """Those to ask something: when something is said of the first server of a template, the others follow."""
    for line in lines_of(proxy) if proxy.kind.back else ():
        if isinstance(line, Server):
            yield line
            continue
        before = len(found)
        for count, server in enumerate(multiplied(line)):
            if count and (len(found) == before or count == ENOUGH):
                break
            yield server
