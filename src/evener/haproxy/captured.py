"""Messages that were none, for ``show errors``: a frontend's last request, a backend's last response."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import field
from typing import Final

from evener.haproxy.plan import BackendPlan, FrontendPlan, Plan
from evener.text.record import dataclass

WIDTH: Final = 70  #: of a line of the dump
_ESCAPED: Final = {9: "\\t", 10: "\\n", 13: "\\r", 27: "\\e", 92: "\\\\"}


@dataclass(frozen=True, slots=True)
class Invalid:
    """Indexes of frontend and backend, the id and name of the server; without one it was a request."""

    number: int
    when: float
    frontend: int
    backend: int
    server: tuple[int, str] | None
    source: tuple[str, int]
    data: bytes
    position: int


@dataclass(slots=True)
class Captured:
    total: int = 0
    _last: dict[tuple[bool, int], Invalid] = field(default_factory=dict)

    def keep(
        self, when: float, frontend: int, backend: int, server: tuple[int, str] | None,
        source: tuple[str, int], data: bytes, position: int,
    ) -> None:  # fmt: skip
        found = Invalid(self.total, when, frontend, backend, server, source, data, position)
        response = server is not None
        self._last[response, backend if response else frontend] = found
        self.total += 1

    def show(self, plan: Plan, name: str, kinds: tuple[bool, ...], size: int) -> Iterator[str]:
        """Those of one proxy, or of all; ``kinds`` says whether requests (False) and responses (True)."""
        sides: list[tuple[bool, FrontendPlan | BackendPlan]] = [(False, each) for each in plan.frontends]
        sides += [(True, each) for each in plan.backends]
        for response, proxy in sorted(sides, key=lambda side: (side[1].id, side[0])):
            found = self._last.get((response, proxy.index))
            if found is not None and response in kinds and name in ("", proxy.name, f"#{proxy.id}"):
                yield from described(found, plan, size)


def stamp(when: float) -> str:
    return f"{time.strftime('%d/%b/%Y:%H:%M:%S', time.localtime(when))}.{int(when * 1000) % 1000:03d}"


def described(found: Invalid, plan: Plan, size: int) -> Iterator[str]:
    front = plan.frontends[found.frontend]
    yield f" \n[{stamp(found.when)}] "
    if found.server is None:
        yield f"frontend {front.name} (#{front.id}): invalid request\n"
        yield "  backend <NONE> (#-1), server <NONE> (#-1)"
    else:
        back = plan.backends[found.backend]
        yield f"backend {back.name} (#{back.id}): invalid response\n"
        yield f"  frontend {front.name} (#{front.id}), server {found.server[1]} (#{found.server[0]})"
    yield f", event #{found.number}, src {found.source[0]}:{found.source[1]}\n"
    yield f"  buffer starts at 0 (including 0 out), {max(0, size - len(found.data))} free,\n"
    yield f"  len {len(found.data)}, wraps at {size}, error at position {found.position} :\n  \n"
    yield from dumped(found.data)


def dumped(data: bytes) -> Iterator[str]:
    """A line of text each, with the offset before it; ``+`` where a long line goes on."""
    start, text, going = 0, "", " "
    for at, byte in enumerate(data):
        shown = _ESCAPED.get(byte) or (chr(byte) if 32 <= byte < 127 else f"\\x{byte:02x}")
        if len(text) + len(shown) > WIDTH:
            yield f"  {start:05d}{going} {text}\n"
            start, text, going = at, "", "+"
        text += shown
        if byte == 10:
            yield f"  {start:05d}{going} {text}\n"
            start, text, going = at + 1, "", " "
    if text:
        yield f"  {start:05d}{going} {text}\n"
