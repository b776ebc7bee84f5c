"""The kinds of attempts that a check consists of: where they go, what is sent and what has to come back.

Everything that a configuration leaves out is resolved here (``compile_checks`` does it), so that two probes
are equal exactly when they ask the same of the same server; a reload compares them. Times are microseconds,
addresses are packed, texts that go over the wire are bytes.
"""

from __future__ import annotations

import socket

from evener.keepalived.arguments import SECOND
from evener.keepalived.lvs.check_plan import Probe
from evener.keepalived.vrrp.plan import Program
from evener.keepalived.vrrp.plan_tracked import TrackedFile
from evener.text.record import dataclass


@dataclass(frozen=True, slots=True)
class Route:
    """Where a probe goes, from where, and how long each of its steps may take."""

    address: bytes
    port: int
    source: bytes = b""
    source_port: int = 0
    interface: str = ""
    mark: int = 0
    timeout_us: int = 5 * SECOND

    @property
    def family(self) -> int:
        return socket.AF_INET if len(self.address) == 4 else socket.AF_INET6

    def __str__(self) -> str:
        return f"[{socket.inet_ntop(self.family, self.address)}]:{self.port}"


@dataclass(frozen=True, slots=True)
class TcpProbe(Probe):
    """A connection is made, and closed."""

    route: Route


@dataclass(frozen=True, slots=True)
class PingProbe(Probe):
    """An echo request is answered."""

    route: Route


USUAL_PAYLOAD = (b"keepalived check - " * 2)[:32]


@dataclass(frozen=True, slots=True)
class UdpProbe(Probe):
    """A packet does not come back as unreachable, or is answered."""

    route: Route
    payload: bytes
    require_reply: bool = False
    reply: bytes = b""
    mask: bytes = b""
    """Bits of ``reply`` that do not count; as long as it."""
    least: int = 0
    most: int = 255

    def accepts(self, answer: bytes) -> bool:
        """What the original looks at: without ``reply`` nothing, not even the length."""
        if not self.reply:
            return True
        bits = zip(answer, self.reply, self.mask, strict=False)
        return self.least <= len(answer) <= self.most and all((a ^ b) & ~m & 0xFF == 0 for a, b, m in bits)


@dataclass(frozen=True, slots=True)
class DnsProbe(Probe):
    """A name server answers a question without an error."""

    route: Route
    name: str
    type: str


@dataclass(frozen=True, slots=True)
class SmtpProbe(Probe):
    """A mail server greets, and answers HELO."""

    route: Route
    helo: bytes


@dataclass(frozen=True, slots=True)
class Regex:
    """A pattern in the body. ``first`` and ``last`` say where the match may begin."""

    pattern: str
    options: tuple[str, ...] = ()
    negated: bool = False
    first: int = 0
    last: int | None = None


@dataclass(frozen=True, slots=True)
class Url:
    """One request of an HTTP_GET or SSL_GET, and what has to come back."""

    path: str
    request: bytes
    statuses: tuple[tuple[int, int], ...] = ((200, 299),)
    digest: bytes | None = None
    regex: Regex | None = None
    virtualhost: str = ""
    """The url's own, for the log."""
    sni: str = ""
    """The name sent in the handshake; empty: none."""
    tls_compliant: bool = False


@dataclass(frozen=True, slots=True)
class Credentials:
    """The SSL block: files, and the password of the key."""

    certificate: str | None = None
    key: str | None = None
    password: str | None = None
    ca: str | None = None


@dataclass(frozen=True, slots=True)
class WebProbe(Probe):
    """HTTP_GET and SSL_GET: the urls are asked for one after the other, one in each attempt."""

    route: Route
    urls: tuple[Url, ...]
    tls: Credentials | None = None
    """None: plain HTTP."""
    fast_recovery: bool = False


@dataclass(frozen=True, slots=True)
class MiscProbe(Probe):
    """A program succeeds. ``dynamic``: its exit status is also a weight, plus two."""

    program: Program
    timeout_us: int
    dynamic: bool = False


@dataclass(frozen=True, slots=True)
class FileProbe(Probe):
    """The number in a tracked file, times ``weight``, is added to the server's weight.

    Weight 0: any number but 0 is a failure (``reverse``: 0 is).
    """

    file: TrackedFile
    weight: int = 1
    reverse: bool = False


@dataclass(frozen=True, slots=True)
class BfdProbe(Probe):
    """A BFD session is up; what runs the session says so."""

    name: str
