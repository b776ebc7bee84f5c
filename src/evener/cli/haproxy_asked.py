"""What a worker answers when the control process asks it, and what it tells of messages that were none."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable, Sequence
from typing import Any, Final

from evener.engine.core import Engine
from evener.haproxy.plan import Plan
from evener.haproxy.runtime.streams import WORKER_BITS
from evener.host.workers import Channel

MANY: Final = 500  #: streams told at once
LONGEST: Final = 16384  #: of a message that is kept


def answer(engine: Engine, channel: Channel, number: int, question: Sequence[Any]) -> None:
    """``streams``, ``end-stream``, ``descriptors``, ``threads``; numbers of streams carry the worker's."""
    base = (engine.worker + 1) << WORKER_BITS
    if question[0] == "end-stream":
        wanted = question[1] - base
        done = 0 <= wanted < 1 << WORKER_BITS and engine.end_stream(wanted)
        channel.tell("answer", number, True, [done])
        return
    if question[0] == "threads":
        mine = [engine.worker, os.getpid(), engine.clients, time.process_time_ns()]
        channel.tell("answer", number, True, [mine])
        return
    if question[0] == "descriptors":
        rows = [described(engine.worker, row) for row in engine.descriptors()]
    else:
        rows = [shown(base, row) for row in engine.streams()]
    parts = [rows[at : at + MANY] for at in range(0, len(rows), MANY)] or [[]]
    for part in parts:
        channel.tell("answer", number, part is parts[-1], part)


def shown(base: int, row: tuple[Any, ...]) -> list[Any]:
    number, host, port, front, back, server, *rest = row
    names = [name.decode("utf-8", "surrogateescape") if name else "" for name in (front, back, server)]
    return [base + number, host.hex(), port, *names, *rest]


def described(worker: int, row: tuple[Any, ...]) -> list[Any]:
    kind, facts, front, server, *rest = row
    return [
        worker,
        kind,
        list(facts),
        *(name.decode("utf-8", "surrogateescape") for name in (front, server)),
        *rest,
    ]


def set_cookies(plan: Plan, backend: int, values: Sequence[tuple[int, str | None]]) -> None:
    cookies = plan.backends[backend].cookies
    for index, value in values:
        cookies.extend([None] * (index + 1 - len(cookies)))
        cookies[index] = value.encode() if value is not None else None


def invalid_teller(channel: Channel) -> Callable[..., None]:
    def tell(front: Any, back: Any, server: Any, source: tuple[bytes, int], data: bytes, at: int) -> None:
        family = {4: socket.AF_INET, 16: socket.AF_INET6}.get(len(source[0]))
        host = socket.inet_ntop(family, source[0]) if family is not None else "unix"
        named = None if server is None else (server.plan.id, server.plan.name)
        channel.tell(
            "invalid", front.index, -1 if back is None else back.index, named, host, source[1],
            data[:LONGEST].decode("latin-1"), at,
        )  # fmt: skip

    return tell
