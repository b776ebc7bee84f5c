"""The caches of a configuration: where ``cache-use`` finds and ``cache-store`` puts responses.

Decides what is looked up, stored and forgotten; ``cache`` says what may be. Memory is an arena (see
``Objects``) that all workers share. A response is collected in private memory while it passes and put in the
arena in one step when its last byte has passed: what was cut short is never stored.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final, Protocol

from evener.haproxy import cache
from evener.haproxy.cache import Description, Enquiry
from evener.haproxy.columns import Column
from evener.haproxy.compression import announced
from evener.haproxy.filters.flow import Stage
from evener.haproxy.filters.state import filter_state, known_state
from evener.haproxy.ir import Configuration
from evener.haproxy.sections.cache import CacheSettings, settings_of

NAME: Final = b"<CACHE>"  #: in logs, in the place of a server
SMALL: Final = 1 << 16  #: bytes of a body that is sent in one piece
_CHUNKED: Final = b"transfer-encoding: chunked\r\n"
_HOP: Final = frozenset({b"age", b"content-length", b"transfer-encoding", b"connection"})


class Objects(Protocol):
    """The shared memory: see the engine's ``Arena``."""

    @property
    def blocks(self) -> int: ...

    def store(
        self, key: bytes, variant: int, expire: int, meta: bytes, hints: bytes, parts: Sequence[bytes], /
    ) -> bool: ...
    def find(self, key: bytes, /) -> list[tuple[int, int, int, int, bool, bytes]]: ...
    def hints(self, place: int, generation: int, /) -> bytes: ...
    def open(self, place: int, generation: int, /) -> Any: ...
    def drop(self, key: bytes, variant: int | None = None, /) -> int: ...
    def forget(self, place: int, generation: int, keep_hints: bool = False, /) -> None: ...
    def dump(self) -> list[tuple[int, bytes, int, int, int, int, int, bool]]: ...


Make = Callable[[CacheSettings], Objects]


def caches(configuration: Configuration, make: Make | None) -> dict[str, Cache]:
    """Those of the configuration by name; without ``make`` there is nowhere to keep anything."""
    if make is None:
        return {}
    sections = [settings_of(other) for other in configuration.other if other.kind == "cache"]
    return {settings.name: Cache(settings, make(settings)) for settings in sections}


class Collect(Stage):
    """Keeps a body as it passes, as long as it is not too large, and hands it over at its end."""

    def __init__(self, room: int, store: Callable[[list[bytes]], None]) -> None:
        self.room = room
        self.store: Callable[[list[bytes]], None] | None = store
        self.parts: list[bytes] = []

    def push(self, data: bytes, last: bool, now: int) -> bytes:
        del now
        if self.store is None:
            return data
        self.room -= len(data)
        if self.room < 0:
            self.close()
            return data
        if data:
            self.parts.append(data)
        if last:
            self.store(self.parts)
            self.close()
        return data

    def close(self) -> None:
        self.store = None
        self.parts = []


class Cache:
    def __init__(
        self, settings: CacheSettings, objects: Objects, wall: Callable[[], float] = time.time
    ) -> None:
        self.settings = settings
        self.objects = objects
        self.wall = wall
        self.hints_only = settings.hints == "only"
        self.hinted = settings.hints != "off"

    # -- http-request cache-use ---------------------------------------------------------------------

    def use(self, txn: Any, hint: bool) -> None:
        """Answer from the cache if possible; remember the request for ``store`` otherwise."""
        asked = cache.enquiry(txn.req, self.settings.vary)
        state = filter_state(txn)
        state.looked_up[self.settings.name] = asked
        if not asked.usable:
            return
        tally(txn, Column.CACHE_LOOKUPS)
        now = int(self.wall())
        stale: tuple[int, int] | None = None
        for place, generation, _, expire, stripped, meta in self.objects.find(asked.key):
            found = Description.unpack(meta)
            if not found.fits(asked):
                continue
            if not stripped and expire > now and self.answer(txn, place, generation, found, now):
                state.hit = self.settings.name
                tally(txn, Column.CACHE_HITS)
                return
            if expire > now or not stripped:
                stale = stale or (place, generation)
            if expire <= now:
                self.objects.forget(place, generation, self.hinted)
        if stale is not None and hint and self.hinted:
            self.give_hints(txn, *stale)

    def answer(self, txn: Any, place: int, generation: int, found: Description, now: int) -> bool:
        reading = self.objects.open(place, generation)
        if reading is None:
            return False
        head = reading.read(int.from_bytes(reading.read(4), "little"))
        age = min(cache.LONGEST, found.age + max(0, now - found.stored))
        small = len(reading) <= SMALL
        chunked, length = head.endswith(_CHUNKED), b"content-length: %d\r\n" % len(reading)
        if chunked and (not small or txn.req.minor == 0):
            head, chunked = head.removesuffix(_CHUNKED), False
        lines = b"%bage: %d\r\n\r\n" % (b"" if chunked else length, age)
        if cache.not_modified(txn.req, found):
            _, _, rest = head.partition(b"\r\n")
            txn.serve(b"HTTP/1.1 304 Not Modified\r\n" + rest + lines, b"", NAME)
        else:
            txn.serve(head + lines, reading.read(SMALL) if small else reading, NAME)
        return True

    def give_hints(self, txn: Any, place: int, generation: int) -> None:
        hints = self.objects.hints(place, generation)
        if hints:
            txn.inform(b"HTTP/1.1 103 Early Hints\r\n" + hints + b"\r\n")
            tally(txn, Column.CACHE_HINT_HITS)

    # -- http-response cache-store ------------------------------------------------------------------

    def store(self, txn: Any) -> None:
        """Have the response kept as it passes, if it may be."""
        state = known_state(txn)
        asked = None if state is None else state.looked_up.get(self.settings.name)
        if state is None or asked is None or state.hit:
            return
        if cache.invalidates(asked, txn.res):
            self.objects.drop(asked.key)
            return
        settings, response, now = self.settings, txn.res, int(self.wall())
        made = cache.describe(asked, response, settings.vary, settings.max_age, now)
        if made is None:
            return
        length = announced(response)
        if length is None and response.get(b"transfer-encoding") is None:
            return  # the end of such a body cannot be told from a failure
        hints = b"".join(b"link: %b\r\n" % line for line in cache.hints_of(response)) if self.hinted else b""
        if self.hints_only:
            self.keep_hints(asked, made, hints)
            return
        head = self.head(response)
        room = settings.largest - len(head) - len(hints)
        if room < (length or 0) or not self.few_enough(asked, made[0], now):
            return
        if length == 0:
            self.put(asked, made, hints, head, [], 0)  # there is no body that would pass
            return
        stage = Collect(room, lambda parts: self.put(asked, made, hints, head, parts, length))
        state.store = settings.name, stage

    def few_enough(self, asked: Enquiry, found: Description, now: int) -> bool:
        """Whether one more answer may be kept for the key (``max-secondary-entries``)."""
        if not found.varies:
            return True
        others = [
            variant
            for _, _, variant, expire, stripped, _ in self.objects.find(asked.key)
            if expire > now and not stripped and variant != found.variant
        ]
        return len(others) < self.settings.secondary

    @staticmethod
    def head(response: Any) -> bytes:
        """The head as it is now, behind its length: nothing of how it is sent but that it comes in chunks."""
        lines = [b"HTTP/1.1 %d %b\r\n" % (response.status, response.reason)]
        lines += [b"%b: %b\r\n" % line for line in response.items() if line[0] not in _HOP]
        lines += [_CHUNKED] if announced(response) is None else []
        head = b"".join(lines)
        return len(head).to_bytes(4, "little") + head

    def put(
        self, asked: Enquiry, made: tuple[Description, int], hints: bytes, head: bytes,
        parts: list[bytes], length: int | None,
    ) -> None:  # fmt: skip
        """The body has passed as a whole."""
        if length is not None and sum(map(len, parts)) != length:
            return
        found, expire = made
        self.objects.drop(asked.key, found.variant)
        self.objects.store(asked.key, found.variant, expire, found.pack(), hints, [head, *parts])

    def keep_hints(self, asked: Enquiry, made: tuple[Description, int], hints: bytes) -> None:
        found, expire = made
        self.objects.drop(asked.key, found.variant)
        if hints:
            self.objects.store(asked.key, found.variant, expire, found.pack(), hints, [])

    # -- show cache ---------------------------------------------------------------------------------

    def lines(self, address: int) -> Iterator[str]:
        """As the runtime API shows it; ``address`` stands for where the cache lies."""
        entries = self.objects.dump()
        read = sum(blocks for _, _, _, _, blocks, pins, _, _ in entries if pins)
        yield (
            f"{address + 0x80:#x}: {self.settings.name} (shctx:{address:#x}, "
            f"available blocks:{self.objects.blocks - read})\n"
        )
        now = int(self.wall())
        for place, key, variant, size, blocks, pins, expire, stripped in entries:
            yield (
                f"{address + place * 1024:#x} hash:{int.from_bytes(key[:4], 'little')} vary:0x{variant:040x} "
                f"type:{'hints' if stripped else 'full'} size:{size} ({blocks} blocks), refcount:{pins}, "
                f"expire:{expire - now}\n"
            )


def tally(txn: Any, column: Column) -> None:
    txn.tally(column, 1)
