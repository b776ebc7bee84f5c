"""Servers that behave, and that fail on purpose; one port can change from one to another."""

from __future__ import annotations

import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from lab import inside

CERTIFICATE = Path(__file__).parents[2] / "fixtures" / "tls" / "server.pem"
PAGE = b"HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello"
MISSING = b"HTTP/1.0 404 Not Found\r\nContent-Length: 2\r\n\r\nno"
OTHER = PAGE.replace(b"5", b"8").replace(b"hello", b"good bye")
LONG_S = 3.0
WAIT_S = 20.0


class Gone(Exception):
    """The connection was ended on purpose."""


def told(answer: bytes) -> Callable[[socket.socket], None]:
    def talk(made: socket.socket) -> None:
        made.recv(4096)
        made.sendall(answer)

    return talk


def hangs(made: socket.socket) -> None:
    time.sleep(LONG_S)


def resets(made: socket.socket) -> None:
    made.recv(4096)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def drips(made: socket.socket) -> None:
    made.recv(4096)
    for byte in PAGE[:30]:
        made.sendall(bytes([byte]))
        time.sleep(0.25)


def mail(greeting: bytes = b"220 here", helo: bytes = b"250 fine") -> Callable[[socket.socket], None]:
    def talk(made: socket.socket) -> None:
        made.sendall(greeting + b"\r\n")
        while data := made.recv(4096):
            made.sendall((helo if data[:4] == b"HELO" else b"221 bye") + b"\r\n")

    return talk


def secured(talk: Callable[[socket.socket], None], polite: bool = True) -> Callable[[socket.socket], None]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATE)

    def wrapped(made: socket.socket) -> None:
        over = context.wrap_socket(made, server_side=True)
        try:
            talk(over)
            if polite:
                with suppress(OSError):
                    over.unwrap()
        finally:
            over.close()

    return wrapped


STREAMS: dict[str, Callable[[socket.socket], None]] = {
    "page": told(PAGE),
    "missing": told(MISSING),
    "other": told(OTHER),
    "moved": told(b"HTTP/1.1 302 Found\r\nLocation: /b\r\n\r\n"),
    "garbage": told(b"what is that\r\n"),
    "short": told(PAGE[:-2]),
    "empty": lambda made: made.recv(4096) and None,
    "closes": lambda made: None,
    "hangs": hangs,
    "resets": resets,
    "drips": drips,
    "mail": mail(),
    "mail-554": mail(greeting=b"554 no"),
    "mail-500": mail(helo=b"500 what"),
    "mail-lines": mail(greeting=b"220-one\r\n220 two"),
    "mail-hangs": hangs,
    "tls-page": secured(told(PAGE)),
    "tls-missing": secured(told(MISSING)),
    "tls-other": secured(told(OTHER)),
    "tls-hangs": secured(hangs),
    "tls-cut": secured(told(PAGE), polite=False),
}


def dns(code: int = 0, number: int = 0, answer: int = 0x80) -> Callable[[bytes], bytes]:
    def made(question: bytes) -> bytes:
        wrong = bytes([question[0] ^ number, question[1]])
        return wrong + bytes([answer | question[2], code]) + question[4:]

    return made


DATAGRAMS: dict[str, Callable[[bytes], bytes]] = {
    "dns": dns(),
    "dns-servfail": dns(2),
    "dns-nxdomain": dns(3),
    "dns-refused": dns(5),
    "dns-number": dns(number=1),
    "dns-query": dns(answer=0),
    "dns-short": lambda question: question[:7],
    "silent": lambda question: b"",
    "hello": lambda question: b"hello",
    "other-udp": lambda question: b"world",
    "long-udp": lambda question: b"hello world",
    "short-udp": lambda question: b"hell",
}


class Target:
    """A port of a namespace; ``turn`` gives it another behaviour, ``closed`` among them."""

    def __init__(self, namespace: str, port: int, datagrams: bool) -> None:
        self._namespace, self._port, self._datagrams = namespace, port, datagrams
        self._socket: socket.socket | None = None
        self._behaviour = ""

    def turn(self, behaviour: str) -> None:
        if behaviour.startswith("closed"):
            self.close()
            return
        self._behaviour = behaviour
        if self._socket is None:
            self._socket = made = inside(self._namespace, self._open)
            threading.Thread(target=self._serve, args=(made,), daemon=True).start()

    def _open(self) -> socket.socket:
        if not self._datagrams:
            return socket.create_server(("127.0.0.1", self._port), backlog=32)
        made = socket.socket(type=socket.SOCK_DGRAM)
        made.bind(("127.0.0.1", self._port))
        return made

    def close(self) -> None:
        if self._socket is not None:
            with suppress(OSError):
                self._socket.shutdown(socket.SHUT_RDWR)  # the thread that waits there wakes up
            self._socket.close()
            self._socket = None

    def _serve(self, made: socket.socket) -> None:
        with suppress(OSError):
            while True:
                if self._datagrams:
                    data, where = made.recvfrom(4096)
                    if not data:
                        return
                    answer = DATAGRAMS[self._behaviour](data)
                    if answer:
                        made.sendto(answer, where)
                else:
                    self._serve_one(made.accept()[0])

    def _serve_one(self, connection: socket.socket) -> None:
        talk = STREAMS[self._behaviour]

        def run() -> None:
            connection.settimeout(WAIT_S)
            with connection, suppress(OSError):
                talk(connection)

        threading.Thread(target=run, daemon=True).start()
