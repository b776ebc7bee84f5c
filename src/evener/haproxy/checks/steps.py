"""The steps of a health check: connect, send, expect.

``option httpchk``, ``option tcp-check`` and the plain connection check are all one list of steps; how
they are run is ``checks.run``'s affair. A value that depends on the server (the ``-lf`` forms) is a
function of the check's ``Scene``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from enum import Enum
from typing import Any

from evener.haproxy.checks.external import External
from evener.haproxy.checks.outcome import CheckStatus
from evener.text.record import dataclass


@dataclass(frozen=True, slots=True)
class Scene:
    """What a step may ask about whom it checks. ``header`` is ``http-check send-state``'s value."""

    backend: str = ""
    server: str = ""
    address: str = ""
    port: int = 0
    state: str = ""
    connections: int = 0
    stopped: bool = False  #: it is down at the moment
    plan: Any = None  #: the server's, for fetches that look at it
    txn: Any = None  #: what expressions are evaluated on, when the script has any


Value = bytes | Callable[[Scene], bytes]
Number = Callable[[Scene], int | None]


def value_of(value: Value, scene: Scene) -> bytes:
    return value if isinstance(value, bytes) else value(scene)


def hexed(value: Value) -> Value:
    """The bytes that the text of a value writes in hexadecimal; what is no such text is nothing."""
    return _unhex(value) if isinstance(value, bytes) else lambda scene: _unhex(value(scene))


def _unhex(text: bytes) -> bytes:
    try:
        return bytes.fromhex(text.decode("ascii"))
    except ValueError:
        return b""


class Match(Enum):
    """What ``expect`` looks at, and how the pattern is told in messages."""

    STRING = "string"
    BINARY = "binary"
    RSTRING = "rstring"
    RBINARY = "rbinary"
    STATUS = "status"
    RSTATUS = "rstatus"
    BODY = "body string"
    RBODY = "body rstring"
    HEADER = "hdr"
    FULL_HEADER = "fhdr"
    SPEECH = "speech"  #: a function decides (the canned protocols)


@dataclass(frozen=True, slots=True)
class Connect:
    """Open a connection, closing the one before. ``port`` and ``address`` override the server's."""

    port: int | Number | None = None
    address: str | None = None
    send_proxy: bool = False
    socks4: bool = False
    default: bool = False  #: as the server's own line says: its PROXY header, its SOCKS4 proxy
    linger: bool = False
    comment: str = ""

    def told(self) -> str:
        """As timeouts and failures tell it: ``connect port 1``."""
        port = "(expr)" if callable(self.port) else self.port
        if port is not None and self.address is not None:
            return f"connect {self.address}:{port}"
        if self.address is not None:
            return f"connect addr {self.address}"
        return "connect" if port is None else f"connect port {port}"


@dataclass(frozen=True, slots=True)
class Send:
    data: Value
    comment: str = ""

    def told(self) -> str:
        return "send"


_BODILESS = (b"OPTIONS", b"GET", b"HEAD", b"DELETE")
_COUNTED = (b"content-length", b"transfer-encoding")  #: a body is counted, whatever the rule says


@dataclass(frozen=True, slots=True)
class SendHttp:
    """``http-check send``. The empty fields are those of ``option httpchk``."""

    method: bytes = b"OPTIONS"
    uri: Value = b"/"
    version: bytes = b"HTTP/1.0"
    headers: tuple[tuple[bytes, Value], ...] = ()
    body: Value = b""
    send_state: bool = False
    comment: str = ""

    def told(self) -> str:
        return "send"

    def render(self, scene: Scene) -> bytes:
        """The request. A check uses a connection once, which HTTP/1.1 has to be told."""
        body = value_of(self.body, scene)
        lines = [b"%b %b %b" % (self.method, value_of(self.uri, scene) or b"/", self.version)]
        wishes: list[bytes] | None = None
        for name, value in self.headers:
            made = value_of(value, scene)
            if name.lower() == b"connection":
                tokens = [token.strip() for token in made.split(b",")]
                wishes = [*(wishes or []), *(token.lower() for token in tokens)]
                others = [token for token in tokens if token.lower() not in (b"close", b"keep-alive")]
                lines += [b"connection: " + b", ".join(others)] if others else []
            elif name.lower() not in _COUNTED:
                lines.append(b"%b: %b" % (name.lower(), made))
        if self.send_state and scene.state:
            lines.append(b"x-haproxy-server-state: " + scene.state.encode())
        if body or self.method not in _BODILESS:
            lines.append(b"content-length: %d" % len(body))
        if self.version == b"HTTP/1.0":
            lines += [b"connection: keep-alive"] if b"keep-alive" in (wishes or ()) else []
        elif wishes is None or b"close" in wishes:
            lines.append(b"connection: close")
        return b"\r\n".join(lines) + b"\r\n\r\n" + body


@dataclass(frozen=True, slots=True)
class HeaderPattern:
    """``hdr name -m beg "x-" value -m end "y"``; methods are str, beg, end, sub and reg."""

    name: Value
    name_method: str = "str"
    value: Value | None = None
    value_method: str = "str"
    full: bool = False


@dataclass(frozen=True, slots=True)
class Expect:
    match: Match
    pattern: Value = b""
    regex: re.Pattern[bytes] | None = None
    codes: tuple[tuple[int, int], ...] = ()
    header: HeaderPattern | None = None
    speech: Callable[[bytes, bool], tuple[CheckStatus, int, str] | None] | None = None
    negated: bool = False
    min_recv: int = -1
    ok: CheckStatus | None = None
    error: CheckStatus | None = None
    timeout: CheckStatus | None = None
    on_success: Value = b""
    on_error: Value = b""
    code: Number | None = None  #: the status code that is told
    comment: str = ""

    def told(self) -> str:
        kind = self.match.value
        if self.match in (Match.STRING, Match.BINARY):
            if not isinstance(self.pattern, bytes):
                return f"expect log-format {kind}"
            shown = self.pattern.hex().upper() if kind == "binary" else self.pattern.decode("latin-1")
            return f"expect {kind} '{shown}'"
        return f"expect {({Match.RSTRING: 'regex', Match.RBINARY: 'binary regex'}).get(self.match, kind)}"

    def quoted(self) -> str:
        """The pattern as messages show it."""
        if isinstance(self.pattern, bytes):
            return f" '{self.pattern.decode('latin-1')}'"
        return " (log-format string)"


@dataclass(frozen=True, slots=True)
class Act:
    """Do something to the check's variables."""

    run: Callable[[Scene], object]
    comment: str = ""

    def told(self) -> str:
        return "action"


@dataclass(frozen=True, slots=True)
class Remark:
    """A comment: it is counted as a step."""

    comment: str = ""

    def told(self) -> str:
        return "comment"


Step = Connect | Send | SendHttp | Expect | Act | Remark


def connects_first(steps: Sequence[Step]) -> bool:
    """Whether a script opens its connection itself."""
    first = next((step for step in steps if not isinstance(step, Act | Remark)), None)
    return isinstance(first, Connect)


@dataclass(frozen=True, slots=True)
class Script:
    """A whole check. ``numbered`` tells the steps of ``option tcp-check`` in messages; ``http`` parses
    what is received; ``soft_404`` is ``http-check disable-on-404``."""

    steps: tuple[Step, ...]
    http: bool = False
    numbered: bool = False
    soft_404: bool = False
    unique_id: Value | None = None  #: ``unique-id-format`` of the backend
    external: External | None = None  #: a command that is run instead of all steps

    @property
    def tells_state(self) -> bool:
        return any(isinstance(step, SendHttp) and step.send_state for step in self.steps)

    @property
    def lively(self) -> bool:
        """Whether anything in it is evaluated when the check runs."""
        return any(_is_lively(step) for step in self.steps)


def _is_lively(step: Step) -> bool:
    values: list[object] = []
    if isinstance(step, Act):
        return True
    if isinstance(step, Connect):
        values = [step.port]
    elif isinstance(step, Send):
        values = [step.data]
    elif isinstance(step, SendHttp):
        values = [step.uri, step.body, *(value for _, value in step.headers)]
    elif isinstance(step, Expect):
        values = [step.pattern, step.on_success, step.on_error, step.code]
        values += [step.header.name, step.header.value] if step.header else []
    return any(callable(value) for value in values)


CONNECT_ONLY = Script((Connect(default=True),))

SUCCESS = Expect(Match.STATUS, codes=((200, 399),))
"""The implicit last expectation of an HTTP check."""
