"""The status socket: metrics and the JSON document over HTTP, for probes and for Prometheus.

It lives in the VRRP process and must not delay it: nothing waits, few connections are open at a time, a
request has to arrive in one packet, and the answer is handed to the kernel in one piece.
"""

from __future__ import annotations

import os
import socket
import stat
from collections.abc import Callable
from contextlib import suppress

MOST_CLIENTS = 16
REQUEST_BYTES = 4096
SO_SNDBUFFORCE = 32
SPARE_BYTES = 1 << 16

Answer = Callable[[str], tuple[str, str] | None]
"""From a path to content type and text; None: there is no such thing."""


def listen(where: str) -> socket.socket:
    """``/a/path``, ``PORT`` or ``HOST:PORT``. Raises OSError and ValueError."""
    if where.startswith("/"):
        with suppress(FileNotFoundError):
            if stat.S_ISSOCK(os.lstat(where).st_mode):
                os.unlink(where)
        made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        address: str | tuple[str, int] = where
    else:
        host, _, port = where.rpartition(":")
        host = host.strip("[]")
        if not (port.isascii() and port.isdecimal()):
            raise ValueError(f"no port in '{where}'")
        made = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        address = (host or "127.0.0.1", int(port))
    try:
        made.bind(address)
        made.listen(MOST_CLIENTS)
    except BaseException:
        made.close()
        raise
    made.setblocking(False)
    return made


def opened(
    where: str | None,
    answer: Answer,
    watch: Callable[[int, Callable[[], None]], None],
    unwatch: Callable[[int], None],
    log: Callable[[str], None],
) -> StatusSocket | None:
    """None where there is none, or none can be: that is said."""
    if where is None:
        return None
    try:
        return StatusSocket(where, answer, watch, unwatch)
    except (OSError, ValueError) as error:
        log(f"cannot open the status socket {where}: {error}")
        return None


class StatusSocket:
    """``watch`` and ``unwatch`` are the loop's."""

    def __init__(
        self,
        where: str,
        answer: Answer,
        watch: Callable[[int, Callable[[], None]], None],
        unwatch: Callable[[int], None],
    ) -> None:
        self._where, self._answer, self._watch, self._unwatch = where, answer, watch, unwatch
        self._clients: dict[int, socket.socket] = {}
        self._listener = listen(where)
        watch(self._listener.fileno(), self._accept)

    def close(self) -> None:
        for client in list(self._clients.values()):
            self._drop(client)
        self._unwatch(self._listener.fileno())
        self._listener.close()
        if self._where.startswith("/"):
            with suppress(OSError):
                os.unlink(self._where)

    def _accept(self) -> None:
        try:
            client, _ = self._listener.accept()
        except OSError:
            return
        if len(self._clients) >= MOST_CLIENTS:
            self._drop(next(iter(self._clients.values())))  # who has waited longest
        client.setblocking(False)
        self._clients[client.fileno()] = client
        self._watch(client.fileno(), lambda: self._serve(client))

    def _serve(self, client: socket.socket) -> None:
        try:
            request = client.recv(REQUEST_BYTES)
            if request:
                answer = respond(request, self._answer)
                with suppress(OSError):
                    client.setsockopt(socket.SOL_SOCKET, SO_SNDBUFFORCE, len(answer) + SPARE_BYTES)
                client.send(answer)
        except OSError:
            pass
        self._drop(client)

    def _drop(self, client: socket.socket) -> None:
        if self._clients.pop(client.fileno(), None) is not None:
            self._unwatch(client.fileno())
            with suppress(OSError):
                client.shutdown(socket.SHUT_WR)
            client.close()


def respond(request: bytes, answer: Answer) -> bytes:
    """The whole response to the first line of a request."""
    words = request.split(b"\r\n", 1)[0].split(b" ")
    if len(words) < 2 or words[0] not in (b"GET", b"HEAD"):
        return _response("405 Method Not Allowed", "text/plain", "GET only\n", True)
    found = answer(words[1].decode("ascii", "replace").partition("?")[0])
    if found is None:
        return _response("404 Not Found", "text/plain", "/metrics, /status\n", True)
    return _response("200 OK", *found, words[0] == b"GET")


def _response(status: str, kind: str, text: str, body: bool) -> bytes:
    content = text.encode("utf-8", "surrogateescape")
    head = f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(content)}\r\n"
    return f"{head}Connection: close\r\n\r\n".encode() + (content if body else b"")
