"""A transaction filled from text: policy's seam in pure Python, for tests, ``trace`` and ``replay``.

``TextTxn.from_text`` reads an HTTP request head (and body) and optionally a response. It does what the
seam promises and nothing else: headers are kept as a list of lines, a reply is remembered in ``replied``.
Not for production: the engine's native stream is the fast one.
"""

from __future__ import annotations

import re
import socket
from collections.abc import Iterable
from typing import Any, Final

from evener.haproxy.columns import Event
from evener.haproxy.messages import path_of
from evener.haproxy.txn import PENDING, REPLIED, Headers


class TextMessage:
    """Header lines; names are lower case, values without surrounding blanks."""

    def __init__(self, lines: list[tuple[bytes, bytes]], minor: int = 1) -> None:
        self.minor = minor
        self._lines = lines

    def get(self, name: bytes, /) -> bytes | None:
        return next((value for key, value in self._lines if key == name), None)

    def all(self, name: bytes, /) -> list[bytes]:
        return [value for key, value in self._lines if key == name]

    def items(self) -> list[tuple[bytes, bytes]]:
        return list(self._lines)

    def add(self, name: bytes, value: bytes, /) -> None:
        self._lines.append((name, value))

    def set(self, name: bytes, value: bytes, /) -> None:
        self.remove(name)
        self._lines.append((name, value))

    def remove(self, name: bytes, /) -> int:
        before = len(self._lines)
        self._lines = [line for line in self._lines if line[0] != name]
        return before - len(self._lines)

    def rewrite(self, name: bytes, values: Iterable[bytes | None], /) -> None:
        following = iter(values)
        lines = [(key, next(following, value) if key == name else value) for key, value in self._lines]
        self._lines = [(key, value) for key, value in lines if value is not None]

    def replace(self, items: Headers, /) -> None:
        self._lines = list(items)


class TextRequest(TextMessage):
    def __init__(self, method: bytes, uri: bytes, lines: list[tuple[bytes, bytes]], minor: int = 1) -> None:
        super().__init__(lines, minor)
        self.method = method
        self.uri = uri
        self.received = (method, uri)

    @property
    def version(self) -> bytes:
        return b"HTTP/1.%d" % self.minor

    @property
    def path(self) -> bytes:
        return path_of(self.uri)

    @property
    def query(self) -> bytes:
        return self.uri.partition(b"?")[2]


class TextResponse(TextMessage):
    def __init__(self, status: int, reason: bytes, lines: list[tuple[bytes, bytes]], minor: int = 1) -> None:
        super().__init__(lines, minor)
        self.status = status
        self.reason = reason


class TextSession:
    def __init__(self) -> None:
        self.vars: dict[str, Any] = {}
        self.data: Any = None
        self.tracked: list[Any] | None = None
        self.id = 1
        self.accepted = 1_400_000_000.5


class Named:
    """Stands for the engine's frontend, backend, server or listener."""

    def __init__(self, name: bytes, plan: Any = None, row: int = 0) -> None:
        self.name = name
        self.plan = plan
        self.row = row
        self.index = 0
        self.http = True


class TextTxn:
    """All attributes of the seam, with the values of a quiet request; set what the test is about."""

    def __init__(self, req: TextRequest, res: TextResponse | None = None) -> None:
        self.req = req
        self.res = res
        self.session = TextSession()
        self.vars: dict[str, Any] = {}
        self.data: Any = None
        self.tracked: list[Any] | None = None
        self.id = self.number = 1
        self.src_ip, self.src_port = socket.inet_aton("192.0.2.10"), 50000
        self.dst_ip, self.dst_port = socket.inet_aton("192.0.2.1"), 80
        self.frontend: Any = Named(b"fe")
        self.backend: Any = None
        self.server: Any = None
        self.listener: Any = None
        self.started = self.session.accepted
        self.t_handshake = self.t_idle = self.t_request = 0
        self.t_queue = self.t_connect = self.t_response = -1
        self.t_active = self.t_total = 0
        self.bytes_in = self.bytes_out = self.retries = 0
        self.redispatched = self.reused = False
        self.termination = b"--"
        self.srv_queue = self.be_queue = 0
        self.conns = (1, 1, 0, 0)
        self.client_fault, self.server_fault = 0, None
        self.ends = (3, 0, 0, True)
        self.keeps = True
        self.denied = False
        self.calls, self.cpu_ns, self.lat_ns, self.worker_load = 1, 0, 0, 0
        self.pp_fields: tuple[tuple[int, bytes], ...] | None = None
        self.request_body = b""
        self.response_body = b""
        self.complete = True
        self.content = b""
        self.closed = False
        self.max_retries = -1
        self.no_retry = False
        self.priority = 0
        self.timeouts: dict[str, int] = {}
        self.options: dict[tuple[bool, int, int], bytes] = {}
        self.vanished: int | None = None
        self.waited: int | None = None
        self.replied: tuple[int, bytes, list[tuple[bytes, bytes]], bytes] | None = None
        self.chosen_backend: int | None = None
        self.chosen_server: int | None = None
        self.server_forced = False
        self.applet: bytes | None = None
        self.own_reply = False
        self.bc_src_ip: bytes | None = None
        self.bc_src_port = 0
        self.invited = False
        self.served: tuple[bytes, Any, bytes] | None = None
        self.informed: list[bytes] = []
        self.flows: dict[bool, Any] = {}
        self.tallied: dict[int, int] = {}
        self.ticks = 0

    @classmethod
    def from_text(cls, request: bytes | str, response: bytes | str | None = None) -> TextTxn:
        """From the text of a request and a response; line ends may be LF."""
        head, lines, body = _message(request)
        method, _, rest = head.partition(b" ")
        uri, _, version = rest.rpartition(b" ") if b" HTTP/" in rest else (rest, b"", b"HTTP/1.1")
        txn = cls(TextRequest(method, uri, lines, int(version[-1:] or b"1")))
        txn.request_body = body
        if response is not None:
            head, lines, body = _message(response)
            version, _, rest = head.partition(b" ")
            status, _, reason = rest.partition(b" ")
            txn.res = TextResponse(int(status), reason, lines, int(version[-1:] or b"1"))
            txn.response_body = body
        return txn

    @property
    def fc(self) -> tuple[bytes, int, bytes, int]:
        return self.src_ip, self.src_port, self.dst_ip, self.dst_port

    def reply(self, status: int, reason: bytes, headers: Headers, body: bytes, /) -> int:
        self.replied = (status, reason, list(headers), body)
        return REPLIED

    def blame(self, who: bytes | None, status: int, /) -> None:
        if who is not None:
            self.applet = who

    def serve(self, head: bytes, body: Any, who: bytes, /) -> None:
        self.served = (head, body, who)

    def invite(self) -> None:
        self.invited = True

    def inform(self, head: bytes, /) -> None:
        self.informed.append(head)

    def filter_body(self, response: bool, flow: Any, /) -> None:
        self.flows[response] = flow

    def tally(self, column: int, delta: int, /) -> None:
        self.tallied[column] = self.tallied.get(column, 0) + delta

    def tick(self, column: int, count: int, /) -> int:
        del column
        self.ticks += count
        return self.ticks

    def set_backend(self, index: int, /) -> None:
        self.chosen_backend = index

    def set_server(self, index: int, anyway: bool = False, /) -> None:
        self.chosen_server, self.server_forced = index, True

    def set_timeout(self, kind: str, milliseconds: int, /) -> None:
        self.timeouts[kind] = milliseconds

    def get_timeout(self, kind: str, /) -> int:
        return self.timeouts.get(kind, -1)

    def get_option(self, server: bool, level: int, name: int, size: int, /) -> bytes | None:
        return self.options.get((server, level, name))

    def vanish(self, ttl: int, /) -> None:
        self.vanished = ttl

    def set_option(self, server: bool, level: int, name: int, value: int, /) -> None:
        self.options[server, level, name] = value.to_bytes(4, "little", signed=True)

    def facts(self, server: bool, /) -> tuple[int, int, int, int, int, int] | None:
        return None if server and self.server is None else (7, 1, 3, 0, 0, 0)

    def glitches(self, server: bool, /) -> int:
        return 0

    def count_error(self) -> None:
        for entry in (*(self.tracked or ()), *(self.session.tracked or ())):
            if entry is not None:
                entry.tell_event(Event.ERROR)

    def tracking(self, number: int, /) -> Any:
        for slots in (self.tracked, self.session.tracked):
            if slots is not None and number < len(slots) and slots[number] is not None:
                return slots[number]
        return None

    def body(self) -> bytes:
        return self.request_body if self.res is None else self.response_body

    def body_complete(self) -> bool:
        return self.complete

    def head_missing(self) -> bool:
        return bool(_BEGINNING.match(self.content))

    def peek(self) -> bytes:
        return self.content

    def peer_closed(self) -> bool:
        return self.closed

    def wait(self, milliseconds: int, /) -> int:
        self.waited = milliseconds
        return PENDING

    def resume(self) -> None:
        self.waited = None


_BEGINNING: Final = re.compile(rb"(?:\r?\n)*\r?(?:[!#$%&'*+.^_`|~0-9A-Za-z-]+(?:[ \t][!-~ \t]*\r?)?)?\Z")


def _message(text: bytes | str) -> tuple[bytes, list[tuple[bytes, bytes]], bytes]:
    """The first line, the header lines and the body of a message."""
    raw = text.encode("utf-8", "surrogateescape") if isinstance(text, str) else text
    normal = raw.replace(b"\r\n", b"\n")
    head, _, body = normal.partition(b"\n\n")
    first, *rest = head.split(b"\n")
    lines: list[tuple[bytes, bytes]] = []
    for line in rest:
        name, colon, value = line.partition(b":")
        if colon:
            lines.append((name.strip().lower(), value.strip(b" \t")))
    return first.strip(), lines, body
