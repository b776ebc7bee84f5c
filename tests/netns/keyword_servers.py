"""Servers that note who came to which address, from where, and with what; good or bad, as asked."""

from __future__ import annotations

import os
import socket
import ssl
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from lab import inside

CERTIFICATE = Path(__file__).parents[2] / "fixtures" / "tls" / "server.pem"
PAGE = b"HTTP/1.0 200 OK\r\nContent-Length: 11\r\n\r\nhello world"
MISSING = b"HTTP/1.0 404 No\r\nContent-Length: 0\r\n\r\n"
WAIT_S = 10.0


@dataclass
class Visit:
    """``at`` is the server, ``peer`` where the visitor came from, ``name`` what it called us (SNI)."""

    at: tuple[str, int]
    peer: tuple[str, int]
    heard: bytes = b""
    name: str | None = None
    closed: bool = False
    """TLS was closed as it should be."""


class Notes:
    """What all servers of a trial have noted, and how they behave."""

    def __init__(self, answer: bytes = PAGE) -> None:
        self.visits: list[Visit] = []
        self.good = True
        self.answer = answer

    @property
    def page(self) -> bytes:
        return self.answer if self.good else MISSING


def answers_the_end(over: ssl.SSLSocket) -> bool:
    """TLS is ended from here; does a word come back before the connection is closed?"""
    over.setblocking(False)
    with suppress(ssl.SSLError):
        over.unwrap()
    with socket.socket(fileno=os.dup(over.fileno())) as plain:
        plain.settimeout(WAIT_S)
        return plain.recv(1, socket.MSG_PEEK) != b""


class StreamServer:
    """Speaks as ``kind`` wants it; a TCP_CHECK meets a closed port when it is bad."""

    def __init__(self, notes: Notes, kind: str, namespace: str, at: tuple[str, int]) -> None:
        self._notes, self._at = notes, at
        self._talk: Callable[[socket.socket, Visit], None] = {
            "TCP_CHECK": lambda made, visit: None,
            "HTTP_GET": self._web,
            "SSL_GET": self._tls,
            "SMTP_CHECK": self._mail,
        }[kind]
        self._listening = inside(namespace, lambda: socket.create_server(at, backlog=16))
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def close(self) -> None:
        with suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)  # the thread wakes up
        self._listening.close()

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                made, peer = self._listening.accept()
                visit = Visit(self._at, peer)
                made.settimeout(WAIT_S)
                with suppress(OSError), made:
                    self._talk(made, visit)
                self._notes.visits.append(visit)

    def _web(self, made: socket.socket, visit: Visit) -> None:
        visit.heard = made.recv(4096)
        made.sendall(self._notes.page)
        made.shutdown(socket.SHUT_WR)
        made.recv(1)

    def _tls(self, made: socket.socket, visit: Visit) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(CERTIFICATE)

        def named(_made: object, name: str | None, _context: object) -> None:
            visit.name = name

        context.sni_callback = named  # type: ignore[assignment]
        with context.wrap_socket(made, server_side=True, suppress_ragged_eofs=False) as over:
            visit.heard = over.recv(4096)
            over.sendall(self._notes.page)
            visit.closed = answers_the_end(over)

    def _mail(self, made: socket.socket, visit: Visit) -> None:
        made.sendall(b"220 here\r\n" if self._notes.good else b"554 no\r\n")
        while data := made.recv(4096):
            visit.heard += data
            made.sendall(b"250 fine\r\n" if data.startswith(b"HELO") else b"221 bye\r\n")


class Datagrams:
    """Gives what comes to a socket to ``take``, in a thread, until it is closed."""

    def __init__(self, made: socket.socket, take: Callable[[bytes, tuple[str, int]], None]) -> None:
        self._socket, self._take = made, take
        self._socket.settimeout(0.01)
        self._ended = False
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._ended = True
        self._thread.join()
        self._socket.close()

    def _serve(self) -> None:
        while not self._ended:
            with suppress(TimeoutError):
                self._take(*self._socket.recvfrom(4096))


class PacketServer(Datagrams):
    """DNS_CHECK and UDP_CHECK; ``answer`` of the notes is what a UDP_CHECK gets back, nothing when bad."""

    def __init__(self, notes: Notes, kind: str, namespace: str, at: tuple[str, int]) -> None:
        self._notes, self._at, self._kind = notes, at, kind
        made = inside(namespace, lambda: socket.socket(type=socket.SOCK_DGRAM))
        made.bind(at)
        super().__init__(made, self._note)

    def _note(self, data: bytes, peer: tuple[str, int]) -> None:
        self._notes.visits.append(Visit(self._at, peer, data))
        answer = self._answer(data)
        if answer:
            self._socket.sendto(answer, peer)

    def _answer(self, data: bytes) -> bytes:
        if self._kind == "DNS_CHECK":
            return data[:2] + (b"\x81\x80" if self._notes.good else b"\x81\x82") + data[4:]
        return self._notes.answer if self._notes.good else b""


class PingServer(Datagrams):
    """The kernel answers; here is noted what it was asked. A port is the identifier of the request."""

    def __init__(self, notes: Notes, namespace: str) -> None:
        self._notes, self._namespace = notes, namespace
        raw = inside(namespace, lambda: socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP))
        super().__init__(raw, self._note)

    def _note(self, packet: bytes, peer: tuple[str, int]) -> None:
        body = packet[(packet[0] & 15) * 4 :]
        if body[0] == 8:
            number = int.from_bytes(body[4:6], "big")
            at = socket.inet_ntoa(packet[16:20])
            self._notes.visits.append(Visit((at, 0), (peer[0], number)))
