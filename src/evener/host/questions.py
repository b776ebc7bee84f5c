"""Questions that workers put to the control process, and the answers: packets on one socket per worker.

A question is ``[number, subject, question]`` in JSON, one packet. An answer comes in as many packets as it
takes, each a number, a flag (1: the last one) and a piece of it. Neither end blocks: a worker whose question
cannot be sent at once has no answer, the control process keeps what a worker does not take yet and, above a
bound, answers with nothing.
"""

from __future__ import annotations

import json
import socket
import struct
from collections import deque
from collections.abc import Callable
from typing import Any, Final

from evener.host.reactor import READABLE, WRITABLE, Reactor

HEAD: Final = struct.Struct("!IB")
PIECE: Final = 32 << 10
LARGEST: Final = 64 << 20  #: an answer
BACKLOG: Final = 128 << 20  #: bytes kept for one worker
_BUFFER: Final = 256 << 10

Told = Callable[[bytes | None], None]
Answer = Callable[[str, list[Any]], bytes]


def question_pair() -> tuple[socket.socket, socket.socket]:
    """(control's end, worker's end)."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    for end in (ours, theirs):
        end.setblocking(False)
        end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _BUFFER)
    return ours, theirs


class Asking:
    """The worker's end; ``receive`` whenever ``fileno`` is readable."""

    def __init__(self, end: socket.socket) -> None:
        self._end = end
        self._next = 0
        self._told: dict[int, tuple[Told, list[bytes]]] = {}

    def fileno(self) -> int:
        return self._end.fileno()

    def ask(self, subject: str, question: list[Any], told: Told) -> None:
        self._next = (self._next + 1) & 0xFFFFFFFF
        number = self._next
        try:
            self._end.send(json.dumps([number, subject, question]).encode())
        except OSError:
            told(None)
            return
        self._told[number] = (told, [])

    def receive(self) -> None:
        while True:
            try:
                packet = self._end.recv(PIECE + HEAD.size)
            except OSError:
                return
            if len(packet) < HEAD.size:
                return
            number, last = HEAD.unpack_from(packet)
            waiting = self._told.get(number)
            if waiting is None:
                continue
            waiting[1].append(packet[HEAD.size :])
            if last:
                del self._told[number]
                waiting[0](b"".join(waiting[1]))


class Answering:
    """The control process's end for one worker."""

    def __init__(self, reactor: Reactor, end: socket.socket, answer: Answer) -> None:
        self._reactor = reactor
        self._end = end
        self._answer = answer
        self._sending: deque[bytes] = deque()
        self._kept = 0

    def start(self) -> None:
        self._watch()

    def _watch(self) -> None:
        wanted = READABLE | (WRITABLE if self._sending else 0)
        self._reactor.watch(self._end.fileno(), wanted, self._ready)

    def _ready(self, _events: int) -> None:
        self._send()
        try:
            packet = self._end.recv(1 << 20)
        except BlockingIOError:
            packet = None
        except OSError:
            packet = b""
        if packet == b"":  # the worker has gone
            self._reactor.unwatch(self._end.fileno())
            self._end.close()
            return
        if packet is not None:
            number, subject, question = json.loads(packet)
            self._queue(number, self._answer(subject, question))
            self._send()
        self._watch()

    def _queue(self, number: int, answer: bytes) -> None:
        if len(answer) > LARGEST or self._kept + len(answer) > BACKLOG:
            answer = b""
        self._kept += len(answer)
        for at in range(0, len(answer) or 1, PIECE):
            piece = answer[at : at + PIECE]
            self._sending.append(HEAD.pack(number, at + PIECE >= len(answer)) + piece)

    def _send(self) -> None:
        while self._sending:
            try:
                self._end.send(self._sending[0])
            except OSError:
                return
            self._kept -= len(self._sending.popleft()) - HEAD.size
