"""Virtual servers that are like another one, as they are kept: which one, and other names.

There may be very many, and few are ever looked at as a block: the compiler only asks for names. A ``Twin``
knows the ``Pattern`` it is like; ``VirtualServers`` makes blocks of twins for whoever looks at them. Who is
like whom is found out in ``alike``.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import fields
from typing import Any, NamedTuple, overload

from evener.keepalived.blocks.server_names import ServerId
from evener.keepalived.blocks.virtual_server import RealServer, VirtualServer
from evener.keepalived.declare import Block
from evener.text.record import dataclass
from evener.text.slots import copied
from evener.text.span import Source, Span


@dataclass(frozen=True, slots=True, eq=False)
class Pattern:
    """A block that was read, and what has to be so for others like it."""

    server: VirtualServer
    number: int
    words: tuple[str, ...]
    """Addresses and ports by turns, as they are written."""
    sixes: tuple[bool, ...]
    """Which addresses are of IPv6; the virtual server's is the first."""
    same_port: bool
    """Whether real servers must have the port of the virtual one."""


class Twin(NamedTuple):
    """A block that is made of a pattern. There may be very many, and few are ever looked at as a block."""

    pattern: Pattern
    source: Source
    number: int
    """Of its first line."""
    text: str
    """Its addresses and ports by turns; the first two are the virtual server's."""

    def words(self) -> list[str]:
        return self.text.split(" ")

    def block(self) -> VirtualServer:
        pattern, made = self.pattern, self.pattern.server
        assert made.at is not None and made.end is not None
        address, port = self.words()[:2]
        at, end = made.at, made.end
        wider = len(address) + len(port) - len(pattern.words[0]) - len(pattern.words[1])
        twin = copied(made)
        _set(twin, "name", ServerId(ipaddress.ip_address(address), int(port)))
        _set(twin, "at", Span(self.source, self.number, at.start, at.end + wider))
        _set(twin, "end", Span(self.source, end.line + self.number - pattern.number, end.start, end.end))
        _set(twin, "spans", Spans(self))
        _set(twin, "real_server", Twins(self))
        return twin


class VirtualServers(Sequence[VirtualServer]):
    """All virtual servers of a configuration; those that are twins are made whenever one looks at them."""

    __slots__ = ("entries",)

    def __init__(self, entries: Iterable[VirtualServer | Twin]) -> None:
        self.entries = tuple(entries)

    def __len__(self) -> int:
        return len(self.entries)

    @overload
    def __getitem__(self, index: int) -> VirtualServer: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[VirtualServer]: ...
    def __getitem__(self, index: int | slice) -> VirtualServer | Sequence[VirtualServer]:
        return tuple(self)[index] if isinstance(index, slice) else _whole(self.entries[index])

    def __iter__(self) -> Iterator[VirtualServer]:
        return map(_whole, self.entries)

    def __eq__(self, other: object) -> bool:
        return tuple(self) == tuple(other) if isinstance(other, (tuple, VirtualServers)) else NotImplemented

    __hash__ = None  # type: ignore[assignment]


def _whole(entry: VirtualServer | Twin) -> VirtualServer:
    return entry.block() if isinstance(entry, Twin) else entry


def entries(servers: Sequence[VirtualServer]) -> Iterable[VirtualServer | Twin]:
    """Those of a configuration, for somebody who knows what to do with a twin."""
    return servers.entries if isinstance(servers, VirtualServers) else servers


class Twins(Sequence[RealServer]):
    """The real servers of a twin."""

    __slots__ = ("_twin",)

    def __init__(self, twin: Twin) -> None:
        self._twin = twin

    def __len__(self) -> int:
        return len(self._twin.pattern.server.real_server)

    @overload
    def __getitem__(self, index: int) -> RealServer: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[RealServer]: ...
    def __getitem__(self, index: int | slice) -> RealServer | Sequence[RealServer]:
        return tuple(self)[index] if isinstance(index, slice) else self._made(range(len(self))[index])

    def __iter__(self) -> Iterator[RealServer]:
        return map(self._made, range(len(self)))

    def _made(self, place: int) -> RealServer:
        twin, pattern = self._twin, self._twin.pattern
        shift = Shift(twin.source, twin.number - pattern.number)
        real, at = pattern.server.real_server[place], 2 * place + 2
        address, port = twin.words()[at : at + 2]
        wider = len(address) + len(port) - sum(map(len, pattern.words[at : at + 2]))
        made: RealServer = shift.block(real)
        assert real.at is not None
        _set(made, "name", (ipaddress.ip_address(address), int(port)))
        _set(made, "at", shift.span(real.at)._replace(end=real.at.end + wider))
        return made

    def __eq__(self, other: object) -> bool:
        return tuple(self) == tuple(other) if isinstance(other, (tuple, Twins)) else NotImplemented

    __hash__ = None  # type: ignore[assignment]


def _set(made: object, name: str, value: Any) -> None:
    object.__setattr__(made, name, value)


class Shift:
    """The same block further down, perhaps in another file."""

    def __init__(self, source: Source, lines: int) -> None:
        self._source, self._lines = source, lines

    def span(self, span: Span) -> Span:
        return Span(self._source, span.line + self._lines, span.start, span.end)

    def block(self, made: Any) -> Any:
        """A copy whose spans, and those of the blocks in it, are the new ones."""
        copy = copied(made)
        for entry in fields(made):
            value = getattr(made, entry.name)
            if isinstance(value, Span):
                _set(copy, entry.name, self.span(value))
            elif isinstance(value, tuple) and value and isinstance(value[0], Block):
                _set(copy, entry.name, tuple(map(self.block, value)))
        _set(copy, "spans", {name: self.span(span) for name, span in made.spans.items()})
        return copy


class Spans(Mapping[str, Span]):
    """Those of a pattern, at the place of a twin."""

    __slots__ = ("_twin",)

    def __init__(self, twin: Twin) -> None:
        self._twin = twin

    def __getitem__(self, name: str) -> Span:
        twin, pattern = self._twin, self._twin.pattern
        return Shift(twin.source, twin.number - pattern.number).span(pattern.server.spans[name])

    def __iter__(self) -> Iterator[str]:
        return iter(self._twin.pattern.server.spans)

    def __len__(self) -> int:
        return len(self._twin.pattern.server.spans)


def collection(found: Iterable[VirtualServer | Twin]) -> Sequence[VirtualServer]:
    """What a configuration keeps: a plain tuple where there are no twins."""
    made = VirtualServers(found)
    return made if any(isinstance(entry, Twin) for entry in made.entries) else tuple(made)


def unlike(servers: Sequence[VirtualServer]) -> Iterator[VirtualServer]:
    """Those that were read one by one: only they can have scripts, files and sessions."""
    return (entry for entry in entries(servers) if not isinstance(entry, Twin))
