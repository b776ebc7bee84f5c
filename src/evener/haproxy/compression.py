"""Which messages are compressed and how: the conditions of ``compression`` (manual, section 4.2).

Pure decisions on heads, and the stage that compresses. Which algorithm a client wants is decided when its
request is complete; whether the response can be compressed when its head is. It does not know how bodies are
framed: the engine sends in chunks what changes its length.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

from evener.haproxy.filters.flow import Stage
from evener.text.record import dataclass


@dataclass(frozen=True, slots=True)
class Algorithm:
    """``token`` is what Accept-Encoding and Content-Encoding call it; ``bits`` zlib's window and wrapper."""

    name: str
    token: bytes
    bits: int | None


ALGORITHMS: Final = {
    made.name: made
    for made in (
        Algorithm("identity", b"identity", None),
        Algorithm("deflate", b"deflate", 15),
        Algorithm("raw-deflate", b"deflate", -15),
        Algorithm("gzip", b"gzip", 31),
    )
}
IDENTITY: Final = ALGORITHMS["identity"]
STATUSES: Final = frozenset({200, 201, 202, 203})
_OLD_BROWSER: Final = b"Mozilla/4"
_HEAD: Final = 10  #: bytes that gzip begins with
_ETAG: Final = re.compile(rb'(?:W/)?"[^"]*"')


def elements(values: Sequence[bytes]) -> Iterator[bytes]:
    """The members of a comma-separated list over all its lines, without blanks around them."""
    for value in values:
        for member in value.split(b","):
            yield member.strip(b" \t")


def quality(parameters: bytes) -> int:
    """The weight in ``;q=0.750`` as thousandths; without one, or with one that is none, 1000."""
    for parameter in parameters.split(b";"):
        name, equals, text = parameter.partition(b"=")
        if equals and name.strip(b" \t").lower() == b"q":
            whole, _, part = text.strip(b" \t").partition(b".")
            digits = (part + b"000")[:3]
            if whole.isdigit() and digits.isdigit():
                return min(1000, int(whole[:1]) * 1000 + int(digits))
    return 1000


def modern(agent: bytes) -> bool:
    """Whether a browser can be trusted with compressed content: of those that say ``Mozilla/4``, only MSIE 6
    on XP SP2 (``SV1``) and MSIE 7 or later."""
    if not agent.startswith(_OLD_BROWSER):
        return True
    version = agent[25:33]
    if len(agent) < 31 or agent[25:30] != b"MSIE ":
        return False
    if not b"6" <= version[5:6] <= b"9":
        return False
    return version[5:6] != b"6" or b" SV1" in agent[33:]


def wanted(request: Any, algorithms: Sequence[Algorithm]) -> Algorithm | None:
    """The algorithm the request asks for with the greatest weight; some browsers get none at all."""
    if not modern(request.get(b"user-agent") or b""):
        return None
    best, found = 0, None
    for member in elements(request.all(b"accept-encoding")):
        token, _, parameters = member.partition(b";")
        token = token.strip(b" \t").lower()
        weight = quality(parameters)
        if weight <= best:
            continue
        match = next((a for a in algorithms if token in (b"*", a.token)), None)
        if match is not None:
            best, found = weight, match
    return found or (IDENTITY if IDENTITY in algorithms else None)


def asked_for(request: Any, found: Algorithm) -> bool:
    """Whether ``found`` is what the client wants, not what is left when it wants nothing that we have."""
    tokens = (
        member.partition(b";")[0].strip(b" \t").lower()
        for member in elements(request.all(b"accept-encoding"))
    )
    return found is not IDENTITY or bool({IDENTITY.token, b"*"} & set(tokens))


def right_type(message: Any, types: Sequence[bytes]) -> bool:
    """Whether the content type is among ``types``, all but multipart when there are none."""
    kind = message.get(b"content-type")
    if kind is None:
        return not types
    kind = kind.lower()
    if kind.startswith(b"multipart"):
        return False
    return not types or kind.startswith(tuple(types))


def announced(message: Any) -> int | None:
    """Content-Length; None for a body in chunks."""
    length = message.get(b"content-length")
    return int(length[:18]) if length is not None and length.isdigit() else None


def long_enough(message: Any, least: int) -> bool:
    """Whether there is a body of ``least`` bytes, as far as the head can tell."""
    length = announced(message)
    if length is None:
        return message.get(b"transfer-encoding") is not None
    return length > 0 and length >= least


def valid_etag(message: Any) -> bool:
    tags = message.all(b"etag")
    return not tags or (len(tags) == 1 and _ETAG.fullmatch(tags[0]) is not None)


def compressible(request: Any, response: Any, types: Sequence[bytes], least: int) -> bool:
    """Whether a response may be compressed."""
    return (
        response.status in STATUSES
        and response.minor > 0
        and request.minor > 0
        and request.method != b"HEAD"
        and response.get(b"content-encoding") is None
        and b"no-transform" not in [m.lower() for m in elements(response.all(b"cache-control"))]
        and valid_etag(response)
        and long_enough(response, least)
        and right_type(response, types)
    )


def compressible_request(request: Any, types: Sequence[bytes], least: int) -> bool:
    """Whether the body of a request may be compressed."""
    return (
        request.minor > 0
        and request.method not in (b"CONNECT", b"HEAD")
        and request.get(b"content-encoding") is None
        and long_enough(request, least)
        and right_type(request, types)
    )


def mark(response: Any, algorithm: Algorithm) -> None:
    """Say in the head what becomes of the body: its coding, that others get another, that tags are weak."""
    tag = response.get(b"etag")
    if tag is not None and not tag.startswith(b"W/"):
        response.rewrite(b"etag", [b"W/" + tag])
    if response.get(b"transfer-encoding") is None:
        response.add(b"transfer-encoding", b"chunked")  # this is its place, where the body is to be in chunks
    lines = response.all(b"vary")
    if not {b"accept-encoding", b"*"} & {member.lower() for member in elements(lines)}:
        if lines:
            *others, last = lines
            response.rewrite(b"vary", [*others, last + b"," * bool(last) + b"Accept-Encoding"])
        else:
            response.add(b"vary", b"Accept-Encoding")
    if algorithm is not IDENTITY:
        response.set(b"content-encoding", algorithm.token)


class Compress(Stage):
    """Compresses a body; ``count(received, given)`` is told after each step."""

    changes = True

    def __init__(self, algorithm: Algorithm, level: int, count: Callable[[int, int], None]) -> None:
        self.coder = (
            None if algorithm.bits is None else zlib.compressobj(level, zlib.DEFLATED, algorithm.bits, 8)
        )
        self.count = count
        self.inside = False
        self.head = b""  # what the coder says before it has seen anything: goes with what comes next

    def push(self, data: bytes, last: bool, now: int) -> bytes:
        del now
        coder = self.coder
        if coder is None:
            given = data
        else:
            given = coder.compress(data) if data else b""
            self.inside = self.inside or bool(data)
            if last:
                given, self.head = self.head + given + coder.flush(), b""
                self.inside = False
            elif len(given) <= _HEAD:
                given, self.head = b"", self.head + given
            elif self.head:
                given, self.head = self.head + given, b""
        self.count(len(data), len(given))
        return given

    def flush(self, now: int) -> bytes:
        """A reader that waits for what was said so far must not wait for what comes next."""
        del now
        if self.coder is None or not self.inside:
            return b""
        self.inside = False
        given, self.head = self.head + self.coder.flush(zlib.Z_SYNC_FLUSH), b""
        self.count(0, len(given))
        return given
