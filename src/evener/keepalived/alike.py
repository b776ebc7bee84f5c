"""Virtual servers that are written alike: one of them is read, of the others only the names.

``Alike.take`` is given the passages of a file (``passages``). Without the names behind ``virtual_server``
and ``real_server`` a passage is a *form*. The first block of a form is read like any other; when nothing was
found in it, it is the ``Pattern`` of those that follow, which are made of it with other names. What is looked
at beyond single words is looked at again for each: families, ports that have to agree, servers that stand
twice. Where that finds anything, the block is read line by line: all messages are those of the usual reading.

``Twins`` are the real servers of such a block. They are made when somebody wants to see them: the compiler
only asks for their names.
"""

from __future__ import annotations

import ipaddress
import re
import socket
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import fields
from typing import Any, overload

from evener.keepalived.blocks.server_names import ServerId
from evener.keepalived.blocks.virtual_server import RealServer, VirtualServer
from evener.keepalived.complete_servers import completed, method_of
from evener.keepalived.declare import Block
from evener.keepalived.passages import Passage
from evener.keepalived.reading import Reading
from evener.text.diagnostic import Diagnostics
from evener.text.record import dataclass, setters
from evener.text.slots import copied
from evener.text.span import Source, Span
from evener.vocab.blocks import Builder

NAMES = re.compile(
    r"^([ \t]*(?:virtual|real)_server[ \t]+)([0-9a-fA-F.:]+)([ \t]+)([1-9][0-9]{0,4})(?=[ \t]*\{)",
    re.MULTILINE,
)
COMMENT = re.compile(r"[ \t]*[#!].*")
MOST_PORT = 65535
MOST_FORMS = 512
"""Files with more of them are not written alike."""


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


class Twins(Sequence[RealServer]):
    """The real servers of a block that is made of a pattern. There may be very many: they keep one text."""

    __slots__ = ("_number", "_source", "_words", "pattern")

    def __init__(self, pattern: Pattern, passage: Passage, words: list[str]) -> None:
        self.pattern = pattern
        self._words = " ".join(words)
        self._source, self._number = passage.source, passage.number

    def __len__(self) -> int:
        return len(self.pattern.server.real_server)

    def words(self) -> list[str]:
        """The addresses and ports of the block by turns; the first two are the virtual server's."""
        return self._words.split(" ")

    @overload
    def __getitem__(self, index: int) -> RealServer: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[RealServer]: ...
    def __getitem__(self, index: int | slice) -> RealServer | Sequence[RealServer]:
        return tuple(self)[index] if isinstance(index, slice) else self._made(range(len(self))[index])

    def __iter__(self) -> Iterator[RealServer]:
        return map(self._made, range(len(self)))

    def _made(self, place: int) -> RealServer:
        shift = Shift(self._source, self._number - self.pattern.number)
        real, at = self.pattern.server.real_server[place], 2 * place + 2
        address, port = self.words()[at : at + 2]
        wider = len(address) + len(port) - sum(map(len, self.pattern.words[at : at + 2]))
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
    """Those of a pattern, at the place of another block."""

    __slots__ = ("_passage", "_pattern")

    def __init__(self, pattern: Pattern, passage: Passage) -> None:
        self._pattern = pattern
        self._passage = passage.source, passage.number

    def __getitem__(self, name: str) -> Span:
        source, number = self._passage
        return Shift(source, number - self._pattern.number).span(self._pattern.server.spans[name])

    def __iter__(self) -> Iterator[str]:
        return iter(self._pattern.server.spans)

    def __len__(self) -> int:
        return len(self._pattern.server.spans)


_PUT = setters(VirtualServer)
_NAME, _AT, _END, _SPANS, _REALS = (_PUT[name] for name in ("name", "at", "end", "spans", "real_server"))
_PATH = ("virtual_server",)


class Alike:
    """The forms of one configuration. ``take`` and, after each entry that was read, ``learn``."""

    def __init__(self, reading: Reading, builder: Builder[Any]) -> None:
        self._reading = reading
        self._builder = builder
        self._patterns: dict[tuple[str, ...], Pattern | None] = {}
        self._candidate: tuple[tuple[str, ...], list[str], Passage, int] | None = None

    def take(self, passage: Passage) -> bool:
        """Whether the block was read. If not, its lines have to be, and then ``learn`` be called."""
        form, words = taken_apart(passage.text)
        if form not in self._patterns:
            if len(words) >= 4 and len(self._patterns) < MOST_FORMS:
                self._candidate = form, words, passage, len(self._reading.diagnostics)
            return False
        pattern = self._patterns[form]
        if pattern is None or not _fit(pattern, words):
            return False
        self._builder.append(_PATH, _twin(pattern, passage, words))
        return True

    def learn(self) -> None:
        """An entry was read: if it is that of the passage, it is a pattern, or none."""
        if self._candidate is None:
            return
        (form, words, passage, findings), self._candidate = self._candidate, None
        servers = self._builder.get(("virtual_server",))
        server = servers[-1] if servers else None
        quiet = len(self._reading.diagnostics) == findings
        if not quiet or server is None or server.at is None or server.at.line != passage.number:
            self._patterns[form] = None
            return
        self._patterns[form] = _pattern(self._reading, server, passage.number, words)


def taken_apart(text: str) -> tuple[tuple[str, ...], list[str]]:
    """The form of a block, and its addresses and ports by turns."""
    if "#" in text or "!" in text:
        text = COMMENT.sub("", text)
    parts = NAMES.split(text)
    words = parts[2::5]
    words = [word for pair in zip(words, parts[4::5], strict=True) for word in pair]
    del parts[4::5]
    del parts[2::4]
    return tuple(parts), words


def _pattern(reading: Reading, server: VirtualServer, number: int, words: list[str]) -> Pattern | None:
    """None for a block that does not only depend on its own text, or about which something is to be said."""
    reals = server.real_server
    if len(words) != 2 * len(reals) + 2 or server.name.address is None or _depends(server):
        return None
    scratch = Diagnostics()
    if completed(Reading(scratch, reading.surroundings), server) != server or len(scratch):
        return None
    pattern = Pattern(
        server,
        number,
        tuple(words),
        tuple(":" in word for word in words[::2]),
        any(method_of(server, real.lvs_method) != "NAT" for real in reals),
    )
    return pattern if _fit(pattern, words) else None


def _depends(server: VirtualServer) -> bool:
    """On programs, files and sessions: these are asked for by others, one by one; or on its sorry server."""
    return (
        bool(server.quorum_up or server.quorum_down)
        or _apologises(server)
        or any(
            real.notify_up or real.notify_down or real.misc_check or real.file_check or real.bfd_check
            for real in server.real_server
        )
    )


def _apologises(server: VirtualServer) -> bool:
    """Whether something may be said of the sorry server beside the names of the block."""
    if server.sorry_server is None:
        return False
    method = method_of(server, server.sorry_server_lvs_method)
    own, most = server.sorry_server_inhibit, server.inhibit_on_failure
    odd = any(
        (most if r.inhibit_on_failure is None else r.inhibit_on_failure) != own for r in server.real_server
    )
    return odd or (method != "NAT" and bool(server.sorry_server[1]))


def _fit(pattern: Pattern, words: list[str]) -> bool:
    """Whether nothing is to be said about the names in a block."""
    try:
        addresses = list(map(_packed, words[::2], pattern.sixes))
    except (OSError, ValueError):
        return False
    ports = words[1::2]
    if max(map(int, ports)) > MOST_PORT or (pattern.same_port and len(set(ports)) > 1):
        return False
    return len(set(zip(addresses[1:], ports[1:], strict=True))) == len(addresses) - 1


def _packed(text: str, six: bool) -> bytes:
    """Raises OSError or ValueError. The C library and ``ipaddress`` judge spellings of IPv6 differently."""
    return ipaddress.IPv6Address(text).packed if six else _aton(_INET, text)


_INET, _aton = socket.AF_INET, socket.inet_pton


def _twin(pattern: Pattern, passage: Passage, words: list[str]) -> VirtualServer:
    made = pattern.server
    assert made.at is not None and made.end is not None
    down = passage.number - pattern.number
    wider = len(words[0]) + len(words[1]) - len(pattern.words[0]) - len(pattern.words[1])
    twin = copied(made)
    at, end, source = made.at, made.end, passage.source
    _NAME(twin, ServerId(_address(words[0], pattern.sixes[0]), int(words[1])))
    _AT(twin, Span(source, passage.number, at.start, at.end + wider))
    _END(twin, Span(source, end.line + down, end.start, end.end))
    _SPANS(twin, Spans(pattern, passage))
    _REALS(twin, Twins(pattern, passage, words))
    return twin


def _address(text: str, six: bool) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    """The library takes long to read an IPv4 address."""
    if six:
        return ipaddress.IPv6Address(text)
    return ipaddress.IPv4Address(socket.inet_pton(socket.AF_INET, text))


def unlike(servers: Iterable[VirtualServer]) -> Iterator[VirtualServer]:
    """Those that were read one by one: only they can have scripts, files and sessions."""
    return (server for server in servers if not isinstance(server.real_server, Twins))
