"""Virtual servers that are written alike: one of them is read, of the others only the names.

``Alike.take`` is given the passages of a file (``passages``). Without the names behind ``virtual_server``
and ``real_server`` a passage is a *form*. The first block of a form is read like any other; when nothing was
found in it, it is the ``Pattern`` of those that follow, which are made of it with other names. What is looked
at beyond single words is looked at again for each: families, ports that have to agree, servers that stand
twice. Where that finds anything, the block is read line by line: all messages are those of the usual reading.

How such a block is kept is the business of ``twins``.
"""

from __future__ import annotations

import ipaddress
import re
import socket
from typing import Any

from evener.keepalived.blocks.virtual_server import VirtualServer
from evener.keepalived.complete_servers import completed, method_of
from evener.keepalived.passages import Passage
from evener.keepalived.reading import Reading
from evener.keepalived.twins import Pattern, Twin, collection
from evener.text.diagnostic import Diagnostics
from evener.vocab.blocks import Builder

NAMES = re.compile(
    r"^([ \t]*(?:virtual|real)_server[ \t]+)([0-9a-fA-F.:]+)([ \t]+)([1-9][0-9]{0,4})(?=[ \t]*\{)",
    re.MULTILINE,
)
COMMENT = re.compile(r"[ \t]*[#!].*")
MOST_PORT = 65535
MOST_FORMS = 512
"""Files with more of them are not written alike."""


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
        self._builder.append(_PATH, Twin(pattern, passage.source, passage.number, " ".join(words)))
        return True

    def learn(self) -> None:
        """An entry was read: if it is that of the passage, it is a pattern, or none."""
        if self._candidate is None:
            return
        (form, words, passage, findings), self._candidate = self._candidate, None
        servers = self._builder.get(_PATH)
        server = servers[-1] if servers else None
        quiet = len(self._reading.diagnostics) == findings
        if not quiet or server is None or server.at is None or server.at.line != passage.number:
            self._patterns[form] = None
            return
        self._patterns[form] = _pattern(self._reading, server, passage.number, words)

    def finish(self) -> None:
        """Everything was read."""
        found = self._builder.get(_PATH)
        if found:
            self._builder.set(_PATH, collection(found))


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
