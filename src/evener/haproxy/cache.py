"""What may be cached, for how long, and whom it may be given to: RFC 9111 as ``cache`` keeps it (manual, 6).

Pure decisions on heads; where objects are kept is not known here. A request is looked at once
(``enquiry``): its key, whether the cache may answer it, and what a varying answer depends on. A response
gets a ``Description``, which is stored with it and says whom it fits; encodings are compared as sets, so that
``gzip, br`` and ``br,gzip`` are alike.
"""

from __future__ import annotations

import hashlib
import re
import struct
from collections.abc import Iterable, Sequence
from typing import Any, Final

from evener.haproxy.compression import elements, quality
from evener.haproxy.dates import parse_http_date
from evener.haproxy.messages import path_and_query
from evener.text.record import dataclass

LONGEST: Final = 2147483647  #: seconds
_KNOWN: Final = (
    b"identity", b"gzip", b"x-gzip", b"deflate", b"compress", b"x-compress", b"br", b"aes128gcm", b"exi",
    b"pack200-gzip", b"zstd",
)  # fmt: skip
ENCODINGS: Final = {name: 1 << bit for bit, name in enumerate(_KNOWN)}
ENCODINGS[b"x-gzip"] = ENCODINGS[b"gzip"]
ENCODINGS[b"x-compress"] = ENCODINGS[b"compress"]
IDENTITY: Final = ENCODINGS[b"identity"]
OTHER: Final = 1 << 30
ANY: Final = sum(set(ENCODINGS.values())) | OTHER
MOST_ENCODINGS: Final = 16
LONGEST_HINT: Final = 1024  #: bytes of one link
VARY_ENCODING, VARY_REFERER, VARY_ORIGIN = 1, 2, 4
_VARIES: Final = {b"accept-encoding": VARY_ENCODING, b"referer": VARY_REFERER, b"origin": VARY_ORIGIN}
_SAFE: Final = frozenset({b"GET", b"HEAD", b"OPTIONS", b"TRACE"})
_HINTED: Final = frozenset({b"preload", b"preconnect", b"dns-prefetch", b"modulepreload", b"prefetch"})


@dataclass(frozen=True, slots=True)
class Enquiry:
    """``usable``: the cache may answer; ``storable``: the answer may be kept. ``encodings`` is None when
    there are more than can be compared."""

    key: bytes
    usable: bool
    storable: bool
    invalidates: bool
    encodings: int | None = ANY
    referer: int = 0
    origin: int = 0


_FORM: Final = struct.Struct("<BIQQqqq")


@dataclass(frozen=True, slots=True)
class Description:
    """What is remembered of a stored response; times are seconds since the epoch."""

    varies: int  #: VARY_*
    encodings: int
    referer: int
    origin: int
    stored: int
    age: int  #: that it had when it came
    modified: int  #: 0: not known
    etag: bytes

    def pack(self) -> bytes:
        head = _FORM.pack(
            self.varies, self.encodings, self.referer, self.origin, self.stored, self.age, self.modified
        )
        return head + self.etag

    @classmethod
    def unpack(cls, data: bytes) -> Description:
        varies, encodings, referer, origin, stored, age, modified = _FORM.unpack_from(data)
        return cls(varies, encodings, referer, origin, stored, age, modified, data[_FORM.size :])

    @property
    def variant(self) -> int:
        """Tells the answers of one key apart; 0 for the only one."""
        if not self.varies:
            return 0
        text = struct.pack("<BIQQ", self.varies, self.encodings, self.referer, self.origin)
        return int.from_bytes(hashlib.sha1(text).digest()[:8], "little") | 1

    def fits(self, enquiry: Enquiry) -> bool:
        if self.varies & VARY_ENCODING and not acceptable(self.encodings, enquiry.encodings):
            return False
        if self.varies & VARY_REFERER and self.referer != enquiry.referer:
            return False
        return not self.varies & VARY_ORIGIN or self.origin == enquiry.origin


def acceptable(used: int, accepted: int | None) -> bool:
    return accepted is not None and used & accepted == used


def digest(value: bytes | None) -> int:
    """A short stand-in for a header value; 0 when there is none."""
    if value is None:
        return 0
    return int.from_bytes(hashlib.sha1(value).digest()[:8], "little") | 1


def accepted_encodings(lines: Sequence[bytes]) -> int | None:
    """The encodings of Accept-Encoding as bits. Nothing said: any; an empty line: identity only."""
    if not lines:
        return ANY
    accepted, refused, rest, count = 0, 0, None, 0
    for member in elements(lines):
        if not member:
            continue
        count += 1
        if count > MOST_ENCODINGS:
            return None
        token, _, parameters = member.partition(b";")
        token = token.strip(b" \t").lower()
        wanted = quality(parameters) > 0
        if token == b"*":
            rest = wanted
            continue
        bit = ENCODINGS.get(token, OTHER)
        if wanted:
            accepted |= bit
        elif bit != OTHER:
            refused |= bit
    if not count:
        return IDENTITY
    if rest:
        accepted |= ANY & ~refused
    elif rest is None and not refused & IDENTITY:
        accepted |= IDENTITY
    return accepted & ~(refused & ~accepted)


def used_encodings(lines: Sequence[bytes]) -> int | None:
    """The encodings of Content-Encoding; None when there is one we cannot compare."""
    used = 0
    for member in elements(lines):
        if member:
            bit = ENCODINGS.get(member.lower())
            if bit is None:
                return None
            used |= bit
    return used or IDENTITY


def directives(lines: Iterable[bytes]) -> dict[bytes, bytes]:
    """The directives of Cache-Control, lower case; the first of each counts."""
    found: dict[bytes, bytes] = {}
    for member in _split(b",".join(lines)):
        name, _, value = member.partition(b"=")
        name = name.strip(b" \t").lower()
        if name:
            found.setdefault(name, value.strip(b' \t"'))
    return found


def _split(text: bytes, separator: int = 0x2C) -> list[bytes]:
    """At separators (commas) outside of quoted strings."""
    parts, start, quoted, skip = [], 0, False, False
    for at, byte in enumerate(text):
        if skip:
            skip = False
        elif quoted and byte == 0x5C:
            skip = True
        elif byte == 0x22:
            quoted = not quoted
        elif byte == separator and not quoted:
            parts.append(text[start:at])
            start = at + 1
    parts.append(text[start:])
    return parts


def seconds(text: bytes | None) -> int | None:
    """A delta-seconds value; None when it is none."""
    if text is None or not text or not text.isdigit():
        return None
    return min(LONGEST, int(text[:10]) if len(text) <= 10 else LONGEST)


# -- requests -----------------------------------------------------------------------------------------


def key_of(request: Any) -> bytes:
    """20 bytes for host and path with its query."""
    host = (request.get(b"host") or b"").lower()
    return hashlib.sha1(host + path_and_query(request.uri)).digest()


def enquiry(request: Any, vary: bool) -> Enquiry:
    """What a cache has to know about a request."""
    method = request.method
    control = directives(request.all(b"cache-control"))
    private = request.get(b"authorization") is not None or request.minor < 1
    fresh = b"no-cache" in control or seconds(control.get(b"max-age")) == 0
    if not control and b"no-cache" in (request.get(b"pragma") or b"").lower():
        fresh = True
    readable = method in (b"GET", b"HEAD") and not private
    encodings: int | None = ANY
    referer = origin = 0
    if vary:
        encodings = accepted_encodings(request.all(b"accept-encoding"))
        referer, origin = digest(request.get(b"referer")), digest(request.get(b"origin"))
    kept = method == b"GET" and not private and b"no-store" not in control
    return Enquiry(
        key_of(request), readable and not fresh, kept, method not in _SAFE, encodings, referer, origin,
    )  # fmt: skip


# -- responses ----------------------------------------------------------------------------------------


def lifetime(response: Any, longest: int, now: int) -> int:
    """Seconds a response is fresh, from its birth: s-maxage, max-age, Expires, else ``longest``."""
    control = directives(response.all(b"cache-control"))
    for name in (b"s-maxage", b"max-age"):
        if name in control:
            return seconds(control[name]) or 0
    expires = response.get(b"expires")
    if expires is not None:
        at = parse_http_date(expires)
        return max(0, at - now) if at is not None else 0
    return longest


def cacheable(response: Any) -> bool:
    """Whether the head allows a shared cache to keep the response: said explicitly, or with a validator."""
    if response.status != 200 or response.minor < 1:
        return False
    control = directives(response.all(b"cache-control"))
    if b"no-store" in control or b"private" in control:
        return False
    if b"no-cache" in control and not control[b"no-cache"]:
        return False
    ages = [name for name in control if name in (b"s-maxage", b"max-age")]
    if ages[-1:] == [b"max-age"] and seconds(control[b"max-age"]) == 0:
        return False  # also behind an s-maxage
    if b"no-cache" in control and response.get(b"set-cookie") is not None:
        return False
    if not control and b"no-cache" in (response.get(b"pragma") or b"").lower():
        return False
    explicit = b"s-maxage" in control or b"max-age" in control or response.get(b"expires") is not None
    return explicit or response.get(b"etag") is not None or response.get(b"last-modified") is not None


def varied_by(response: Any, allowed: bool) -> int | None:
    """What the response depends on, as VARY_* bits; None when it cannot be told apart."""
    found = 0
    for member in elements(response.all(b"vary")):
        if not member:
            continue
        bit = _VARIES.get(member.lower())
        if bit is None or not allowed:
            return None
        found |= bit
    return found


def describe(
    asked: Enquiry, response: Any, vary: bool, longest: int, now: int
) -> tuple[Description, int] | None:
    """What to remember of a response, and until when it is fresh; None when it is not to be stored."""
    if not asked.storable or not cacheable(response):
        return None
    varies = varied_by(response, vary)
    if varies is None:
        return None
    encodings = used_encodings(response.all(b"content-encoding"))
    if varies & VARY_ENCODING and (encodings is None or not acceptable(encodings, asked.encodings)):
        return None
    age = 0
    if response.get(b"age") is not None:
        found = seconds(response.get(b"age"))
        if found is None:
            return None
        age = found
    left = min(longest, lifetime(response, longest, now) - age)
    if left <= 0:
        return None
    modified = None
    for name in (b"last-modified", b"date"):
        if modified is None and (text := response.get(name)) is not None:
            modified = parse_http_date(text)
    etag = response.get(b"etag") or b""
    made = Description(
        varies, encodings or IDENTITY, asked.referer, asked.origin, now, age,
        now if modified is None else modified, etag if len(etag) < 1024 else b"",
    )  # fmt: skip
    return made, now + left


def invalidates(asked: Enquiry, response: Any) -> bool:
    """A method that is not safe, and that succeeded, makes what is stored untrue (RFC 9111 4.4)."""
    return asked.invalidates and 200 <= response.status < 400


def not_modified(request: Any, stored: Description) -> bool:
    """Whether the client has what is stored already (RFC 9110 13.2.2)."""
    tags = request.all(b"if-none-match")
    if tags:
        opaque = stored.etag.removeprefix(b"W/")
        for member in _split(b",".join(tags)):
            member = member.strip(b" \t")
            if member == b"*" or (opaque and member.removeprefix(b"W/") == opaque):
                return True
        return False
    since = request.get(b"if-modified-since")
    at = parse_http_date(since) if since is not None else None
    return at is not None and stored.modified <= at


# -- hints --------------------------------------------------------------------------------------------

_PARAMETER: Final = re.compile(
    rb"[ \t]*;[ \t]*(?:([!#$%&'*+.^_`|~0-9A-Za-z-]+)[ \t]*"
    rb'(?:=[ \t]*("(?:[^"\\]|\\.)*"|[^ \t;,"]+))?)?[ \t]*(?=;|\Z)'
)


def hints_of(response: Any) -> list[bytes]:
    """The Link lines that help before the response is there, without values that do not."""
    found = []
    for line in response.all(b"link"):
        kept = [value for part in _split(line) if is_hint(value := part.strip(b" \t"))]
        if kept:
            found.append(b", ".join(kept))
    return found


def is_hint(value: bytes) -> bool:
    """A link-value whose first ``rel`` names something to be fetched ahead (RFC 8288, 8297)."""
    close = value.find(b">")
    if not value.startswith(b"<") or close < 0 or len(value) > LONGEST_HINT:
        return False
    at = close + 1
    while at < len(value):
        match = _PARAMETER.match(value, at)
        if match is None or match.end() == at:
            return False
        at = match.end()
        if match[1] is not None and match[1].lower() == b"rel":
            text = (match[2] or b"").strip(b'"')
            return any(token.lower() in _HINTED for token in text.split())
    return False
