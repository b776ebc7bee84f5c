"""Fetches of raw buffer contents (manual section 7.3.5), TLS hellos included.

In content rules they look at what the current side has sent so far and raise ``Incomplete`` while more
bytes could change the answer. Elsewhere they look at the body that is buffered.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final

from evener.haproxy import tls_hello
from evener.haproxy.arguments import ArgumentError
from evener.haproxy.cast import to_bytes
from evener.haproxy.notes import notes, peek
from evener.haproxy.sample import Incomplete, Source, Type, fetch
from evener.haproxy.scope import CompileEnv

Run = Callable[[Any], Any]
_REQUEST: Final = Source.REQUEST_BUFFER
_RESPONSE: Final = Source.RESPONSE_BUFFER
_BOTH: Final = _REQUEST | _RESPONSE


def buffered(env: CompileEnv) -> Run:
    """What can be looked at where the rule stands."""
    return (lambda txn: txn.peek()) if env.waits else (lambda txn: txn.body())


def settling(env: CompileEnv) -> Run:
    """The question whether nothing more will come that rules may wait for."""
    if not env.waits:
        return lambda txn: txn.body_complete()

    def over(txn: Any) -> bool:
        found = peek(txn)
        return found is not None and found.final

    return over


def _message_size(message: Any) -> int:
    """What a head takes up, roughly as it came: names, values and their separators."""
    return sum(len(name) + len(value) + 4 for name, value in message.items()) if message else 0


def _length(env: CompileEnv) -> Run:
    if not env.waits:
        response = env.response
        return lambda txn: _message_size(txn.res if response else txn.req) + len(txn.body())
    read, over = buffered(env), settling(env)

    def run(txn: Any) -> int:
        if not over(txn):
            notes(txn).changing = True
        return len(read(txn))

    return run


@fetch("req.len", Type.SINT, _REQUEST, aliases=["req_len"], partial=True)
def req_len(*, env: CompileEnv) -> Run:
    """How many bytes of the request are in the buffer."""
    return _length(env)


@fetch("res.len", Type.SINT, _RESPONSE, partial=True)
def res_len(*, env: CompileEnv) -> Run:
    """How many bytes of the response are in the buffer."""
    return _length(env)


def _in_http(txn: Any) -> bool:
    """Messages of HTTP are no bytes in a buffer; checks have no real frontend."""
    return bool(txn.frontend.http and txn.frontend.plan is not None)


def _payload(offset: int, length: int, env: CompileEnv) -> Run:
    waits = env.waits
    read, over = buffered(env), settling(env)

    def run(txn: Any) -> bytes | None:
        if offset < 0 or (not waits and _in_http(txn)):
            return None
        data = read(txn)
        part: bytes = data[offset : offset + length] if length else data[offset:]
        if (length and len(part) < length) or not part:
            if over(txn):
                return None
            raise Incomplete
        if not length and waits and not over(txn):
            notes(txn).changing = True
        return part

    return run


def _check_payload_lv(offset1: int, length: int, offset2: str = "") -> None:
    if offset2 and not re.match(r"[+-]?[0-9]+\Z", offset2):
        raise ArgumentError("payload offset2 is not a number")


def _payload_lv(offset1: int, length: int, offset2: str, env: CompileEnv) -> Run:
    waits = env.waits
    read, over = buffered(env), settling(env)
    relative = offset2.startswith(("+", "-"))
    start = offset1 + length + int(offset2) if relative else int(offset2) if offset2 else offset1 + length

    def run(txn: Any) -> bytes | None:
        if not waits and _in_http(txn):
            return None
        data = read(txn)
        prefix = data[offset1 : offset1 + length]
        size = int.from_bytes(prefix, "big")
        part: bytes = data[start : start + size]
        if len(prefix) < length or len(part) < size:
            if over(txn):
                return None
            raise Incomplete
        return part or None

    return run


def _declare(prefix: str, source: Source) -> None:
    @fetch(
        f"{prefix}payload",
        Type.BIN,
        source,
        ok=[f"{prefix}payload(0,4)"],
        bad=[f"{prefix}payload(0)"],
        partial=True,
    )
    def payload(offset: int, length: int, *, env: CompileEnv) -> Run:
        """Bytes from an offset, that many, or with length 0 all there are; nothing in HTTP."""
        return _payload(offset, length, env)

    @fetch(
        f"{prefix}payload_lv",
        Type.BIN,
        source,
        ok=[f"{prefix}payload_lv(0,2)", f"{prefix}payload_lv(43,1,+2)"],
        bad=[f"{prefix}payload_lv(0,2,x)"],
        check=_check_payload_lv,
        partial=True,
    )
    def payload_lv(offset1: int, length: int, offset2: str = "", *, env: CompileEnv) -> Run:
        """Bytes whose number stands in the buffer: ``length`` bytes at ``offset1``, big-endian.

        They follow it, or begin at ``offset2``, counted from there when it has a sign.
        """
        return _payload_lv(offset1, length, offset2, env)


_declare("req.", _REQUEST)
_declare("res.", _RESPONSE)
_declare("", _BOTH)


# -- TLS hellos -----------------------------------------------------------------------------------------


def _hello(read: Callable[[tls_hello.ClientHello], Any], env: CompileEnv) -> Run:
    look, over = buffered(env), settling(env)

    def run(txn: Any) -> Any:
        try:
            hello = tls_hello.parse(look(txn))
        except tls_hello.NeedMore:
            if over(txn):
                return None
            raise Incomplete from None
        return None if hello is None else read(hello)

    return run


def _hello_fetch(
    names: tuple[str, ...],
    out: Type,
    doc: str,
    read: Callable[[tls_hello.ClientHello], Any],
    source: Source = _REQUEST,
) -> None:
    def of_hello(*, env: CompileEnv) -> Run:
        return _hello(read, env)

    of_hello.__doc__ = doc
    fetch(names[0], out, source, aliases=names[1:], partial=True)(of_hello)


_CONNECTION: Final = (
    Source.REQUEST_BUFFER | Source.CLIENT_ADDRESS | Source.CLIENT_CONNECTION | Source.FRONTEND
)
_hello_fetch(
    ("req.ssl_sni", "req_ssl_sni"), Type.STR, "The server name in a TLS client hello.", tls_hello.server_name
)
_hello_fetch(
    ("req.ssl_alpn",), Type.STR, "The first protocol offered in a TLS client hello.", tls_hello.first_alpn
)
_hello_fetch(
    ("req.ssl_ver", "req_ssl_ver"),
    Type.SINT,
    "The version in a TLS client hello: major * 65536 + minor.",
    lambda hello: (hello.version >> 8) << 16 | hello.version & 0xFF,
)
_hello_fetch(
    ("req.ssl_ec_ext",),
    Type.BOOL,
    "Whether a TLS client hello lists elliptic curves.",
    lambda hello: tls_hello.GROUPS in hello.extensions,
)
_hello_fetch(
    ("req.ssl_st_ext",),
    Type.SINT,
    "Session ticket in a TLS client hello: 0 none, 1 empty, 2 with a ticket.",
    lambda hello: 0 if (t := hello.extensions.get(tls_hello.TICKET)) is None else 2 if t else 1,
)
_hello_fetch(
    ("req.ssl_cipherlist",),
    Type.BIN,
    "The cipher suites of a TLS client hello, two bytes each.",
    lambda hello: hello.ciphers or None,
    _CONNECTION,
)
_hello_fetch(
    ("req.ssl_supported_groups",),
    Type.BIN,
    "The groups of a TLS client hello, two bytes each.",
    lambda hello: tls_hello.listed(hello, tls_hello.GROUPS),
    _CONNECTION,
)
_hello_fetch(
    ("req.ssl_sigalgs",),
    Type.BIN,
    "The signature algorithms of a TLS client hello, two bytes each.",
    lambda hello: tls_hello.listed(hello, tls_hello.SIGNATURES),
    _CONNECTION,
)
_hello_fetch(
    ("req.ssl_keyshare_groups",),
    Type.BIN,
    "The groups of the key shares of a TLS client hello, two bytes each.",
    tls_hello.key_share_groups,
    _CONNECTION,
)


def _hello_type(env: CompileEnv) -> Run:
    look, over = buffered(env), settling(env)

    def run(txn: Any) -> int | None:
        try:
            return tls_hello.hello_type(look(txn))
        except tls_hello.NeedMore:
            if over(txn):
                return None
            raise Incomplete from None

    return run


@fetch("req.ssl_hello_type", Type.SINT, _REQUEST, aliases=["req_ssl_hello_type"], partial=True)
def req_ssl_hello_type(*, env: CompileEnv) -> Run:
    """1 when the client begins with a TLS client hello."""
    return _hello_type(env)


@fetch("res.ssl_hello_type", Type.SINT, _RESPONSE, aliases=["rep_ssl_hello_type"], partial=True)
def res_ssl_hello_type(*, env: CompileEnv) -> Run:
    """2 when the server begins with a TLS server hello."""
    return _hello_type(env)


# -- RDP ------------------------------------------------------------------------------------------------

_RDP: Final = re.compile(rb"\A\x03\x00..(?:.\xe0.{5})Cookie: ([^=\r\n]+)=([^\r\n]*)\r\n", re.DOTALL)


def _rdp(name: str, env: CompileEnv) -> Run:
    look, over, wanted = buffered(env), settling(env), to_bytes(name).lower()

    def run(txn: Any) -> bytes | None:
        data = look(txn)
        match = _RDP.match(data)
        if match is None:
            if over(txn) or b"\r\n" in data or (data and data[0] != 3):
                return None
            raise Incomplete
        return match[2] if not wanted or match[1].lower() == wanted else None

    return run


for _prefix in ("req.", ""):

    @fetch(f"{_prefix}rdp_cookie", Type.STR, _REQUEST, ok=[f"{_prefix}rdp_cookie(mstshash)"], partial=True)
    def rdp_cookie(name: str = "", *, env: CompileEnv) -> Run:
        """The value of the cookie with which an RDP client begins."""
        return _rdp(name, env)

    @fetch(
        f"{_prefix}rdp_cookie_cnt",
        Type.SINT,
        _REQUEST,
        ok=[f"{_prefix}rdp_cookie_cnt(mstshash)"],
        partial=True,
    )
    def rdp_cookie_cnt(name: str = "", *, env: CompileEnv) -> Run:
        """1 when an RDP client begins with that cookie, else 0."""
        read = _rdp(name, env)
        return lambda txn: 0 if read(txn) is None else 1


@fetch(
    "req.proto_http", Type.BOOL, Source.REQUEST, aliases=["req_proto_http"], partial=True,
)  # fmt: skip
def req_proto_http(*, env: CompileEnv) -> Run:
    """Whether a complete request has been seen; in TCP content rules, whether what came begins with one."""
    over = settling(env)
    if env.log_after or env.response:
        return lambda txn: None  # it has gone

    def run(txn: Any) -> bool:
        if txn.req and txn.req.method:
            return True
        if over(txn) or not txn.head_missing():
            return False
        raise Incomplete

    return run
