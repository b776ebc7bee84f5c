"""Fetches of the request line and the status line (manual section 7.3.6)."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any, Final

from evener.haproxy.aliases import AT_END, line_kept
from evener.haproxy.arguments import ArgumentError
from evener.haproxy.balance.hashing import avalanche, sdbm
from evener.haproxy.cast import small_int
from evener.haproxy.messages import KNOWN_METHODS, parameters, path_and_query
from evener.haproxy.notes import of_stream, peek, unique_id_of
from evener.haproxy.sample import Many, Source, Type, fetch
from evener.haproxy.scope import CompileEnv

Run = Callable[[Any], Any]
_HEADERS: Final = Source.REQUEST_HEADERS


@fetch("method", Type.METH, Source.REQUEST)
def method(*, env: CompileEnv) -> Run:
    """The method of the request, e.g. ``GET``. One of the well-known ones stays what it was when it came."""
    over = env.log_after  # of the others nothing is left then

    def run(txn: Any) -> bytes | None:
        request = txn.req
        if not request:
            return None
        method: bytes = request.method
        came: bytes = request.received[0]
        if came in KNOWN_METHODS:
            return came
        return None if over else method

    return run


@fetch("url", Type.STR, _HEADERS)
def url() -> Run:
    """The request target as the client sent it, or as rules have rewritten it."""
    return lambda txn: txn.req.uri


@fetch("path", Type.STR, _HEADERS)
def path() -> Run:
    """The path of the request target, from the first slash up to the question mark."""
    return lambda txn: txn.req.path or None


@fetch("pathq", Type.STR, _HEADERS)
def pathq() -> Run:
    """The path of the request target with its query string."""
    return lambda txn: path_and_query(txn.req.uri) or None


def _check_query(options: str) -> None:
    if options not in ("", "with_qm"):
        raise ArgumentError("supported options are: 'with_qm'")


@fetch("query", Type.STR, _HEADERS, check=_check_query, ok=["query", "query(with_qm)"], bad=["query(nope)"])
def query(options: str = "") -> Run:
    """The query string, after the question mark; with ``with_qm`` including it if there is something."""
    if options != "with_qm":
        return lambda txn: txn.req.uri.partition(b"?")[2] if b"?" in txn.req.uri else None

    def run(txn: Any) -> bytes | None:
        _, mark, after = txn.req.uri.partition(b"?")
        return (mark + after if after else b"") if mark else None

    return run


def _host(txn: Any) -> bytes:
    return txn.req.get(b"host") or b""


@fetch("base", Type.STR, _HEADERS)
def base() -> Run:
    """The host header followed by the path, what most caches use as a key."""
    return lambda txn: _host(txn) + txn.req.path


@fetch("baseq", Type.STR, _HEADERS)
def baseq() -> Run:
    """The host header followed by the path and the query string."""
    return lambda txn: _host(txn) + path_and_query(txn.req.uri)


def _base32(txn: Any) -> int:
    return avalanche(sdbm(_host(txn) + txn.req.path))


def _url32(txn: Any) -> int:
    return avalanche(sdbm(_host(txn) + path_and_query(txn.req.uri)))


@fetch("base32", Type.SINT, _HEADERS)
def base32() -> Run:
    """A 32-bit hash of what ``base`` gives."""
    return _base32


@fetch("url32", Type.SINT, _HEADERS)
def url32() -> Run:
    """A 32-bit hash of the host header, the path and the query string."""
    return _url32


@fetch("base32+src", Type.BIN, _HEADERS)
def base32_src() -> Run:
    """The hash of ``base32`` followed by the client's address, 8 or 20 bytes."""
    return lambda txn: _base32(txn).to_bytes(4, "big") + txn.src_ip


@fetch("url32+src", Type.BIN, _HEADERS)
def url32_src() -> Run:
    """The hash of ``url32`` followed by the client's address, 8 or 20 bytes."""
    return lambda txn: _url32(txn).to_bytes(4, "big") + txn.src_ip


#: An address stands where a host does, as far as it goes; what follows it does not matter.
_PLACE: Final = re.compile(
    rb"(?i)http(s?)://([0-9]{1,9})\.([0-9]{1,9})\.([0-9]{1,9})\.([0-9]{1,9})(?![0-9.])(:[0-9]*)?"
)


def _place(uri: bytes) -> tuple[bytes, int] | None:
    found = _PLACE.match(uri)
    if found is None:
        return None
    octets = [int(found[number]) for number in range(2, 6)]
    if max(octets) > 255:
        return None
    port = (443 if found[1] else 80) if found[6] is None else small_int(found[6][1:]) & 0xFFFF
    return bytes(octets), port


@fetch("url_ip", Type.IPV4, _HEADERS)
def url_ip() -> Run:
    """The IPv4 address in an http or https request target, when it is an address."""

    def run(txn: Any) -> bytes | None:
        found = _place(txn.req.uri)
        return None if found is None else found[0]

    return run


@fetch("url_port", Type.SINT, _HEADERS)
def url_port() -> Run:
    """The port behind an address in a request target, 80 or 443 when it names none; nothing without one."""

    def run(txn: Any) -> int | None:
        found = _place(txn.req.uri)
        return None if found is None else found[1]

    return run


def _named(name: str, ignore_case: bool) -> Callable[[bytes], bool]:
    wanted = name.encode("utf-8", "surrogateescape")
    if not ignore_case:
        return wanted.__eq__
    folded = wanted.lower()
    return lambda found: found.lower() == folded


def _parameter(name: str, delimiters: str, options: str) -> Many:
    """Parameters after the first delimiter (``?`` unless given), then separated by ``&``, ``;`` or by it."""
    first = delimiters.encode("utf-8", "surrogateescape") or b"?"
    between = b"&;" + first
    wanted = _named(name, "i" in options) if name else None

    def each(txn: Any) -> Sequence[bytes]:
        _, _, text = txn.req.uri.partition(first)
        found = parameters(text, between)
        return [value for key, value in found if wanted is None or wanted(key)]

    return Many(lambda txn: next(iter(each(txn)), None), each)


_URL_PARAMETER_EXAMPLES: Final = ["url_param(name)", "url_param(name,;)", "url_param(name,;,i)"]


@fetch("url_param", Type.STR, _HEADERS, ok=_URL_PARAMETER_EXAMPLES, bad=["url_param(a,b,c,d)"])
def url_param(name: str = "", delim: str = "", i: str = "") -> Many:
    """The first parameter of that name in the query string (after ``delim`` if given), undecoded.

    With ``i`` the case of the name does not matter. ACLs look at every such parameter.
    """
    return _parameter(name, delim, i)


@fetch("urlp", Type.STR, _HEADERS, ok=["urlp(name)"], bad=["urlp(a,b,c,d)"])
def urlp(name: str = "", delim: str = "", i: str = "") -> Many:
    """Short for ``url_param``."""
    return _parameter(name, delim, i)


@fetch("urlp_val", Type.SINT, _HEADERS, ok=["urlp_val(name)"], bad=["urlp_val(a,b,c,d)"])
def urlp_val(name: str = "", delim: str = "", i: str = "") -> Many:
    """As ``url_param``, the value as an integer."""
    inner = _parameter(name, delim, i)

    def run(txn: Any) -> int | None:
        value = inner.run(txn)
        return None if value is None else small_int(value)

    return Many(run, lambda txn: [small_int(v) for v in inner.each(txn)])


@fetch("req.ver", Type.STR, Source.REQUEST, aliases=["req_ver"])
def req_ver(*, env: CompileEnv) -> Run:
    """The version of the request, as ``1.1``."""

    def read(txn: Any) -> Any:
        return b"1.%d" % txn.req.minor if txn.req else None

    return of_stream(read) if env.log_after else read


@fetch("res.ver", Type.STR, Source.RESPONSE, aliases=["resp_ver"])
def res_ver(*, env: CompileEnv) -> Run:
    """The version of the response, as ``1.1``."""

    def read(txn: Any) -> Any:
        return b"1.%d" % txn.res.minor if txn.res else None

    return of_stream(read) if env.log_after else read


@fetch("status", Type.SINT, Source.RESPONSE)
def status(*, env: CompileEnv) -> Run:
    """The status of the response as it is now; in log lines only of one that came from a server, and only
    where the line shows nothing that is not known before the end."""
    if env.log_after:
        late = frozenset() if env.log_early else AT_END
        shown = env.shown
        return lambda txn: (
            None if not txn.res or txn.own_reply or not late.isdisjoint(shown) else txn.res.status
        )
    return lambda txn: txn.res.status if txn.res else None


@fetch("txn.status", Type.SINT, Source.RESPONSE)
def txn_status() -> Run:
    """The status of the response sent to the client, also when it was made here."""
    return lambda txn: txn.res.status if txn.res else None


@fetch("server_status", Type.SINT, Source.RESPONSE)
def server_status() -> Run:
    """The status the server answered with, before any rule changed it."""
    return lambda txn: txn.res.status if txn.res else None


@fetch("http_first_req", Type.BOOL, Source.REQUEST)
def http_first_req() -> Run:
    """Whether this is the first request of its connection."""
    return lambda txn: txn.number == 1


# -- captures: what was captured stays readable to the end -------------------------------------------


def _slot(side: str, index: int) -> Run:
    attribute = f"{side}_captures"

    def run(txn: Any) -> bytes | None:
        notes = peek(txn)
        if notes is None:
            return None
        slots = getattr(notes, attribute)
        return slots[index] if 0 <= index < len(slots) else None

    return run


@fetch(
    "capture.req.hdr",
    Type.STR,
    Source.REQUEST,
    ok=["capture.req.hdr(0)"],
    bad=["capture.req.hdr", "capture.req.hdr(x)"],
)
def capture_req_hdr(idx: int) -> Run:
    """What the request capture slot of that number (from 0) holds."""
    return _slot("request", idx)


@fetch(
    "capture.res.hdr",
    Type.STR,
    Source.RESPONSE,
    ok=["capture.res.hdr(0)"],
    bad=["capture.res.hdr", "capture.res.hdr(x)"],
)
def capture_res_hdr(idx: int) -> Run:
    """What the response capture slot of that number (from 0) holds."""
    return _slot("response", idx)


@fetch("capture.req.method", Type.STR, Source.REQUEST)
def capture_req_method() -> Run:
    """The method of the request as it came, also when logging."""
    return lambda txn: txn.req.received[0] or None if txn.req and line_kept(txn) else None


@fetch("capture.req.uri", Type.STR, Source.REQUEST)
def capture_req_uri() -> Run:
    """The target of the request as it came, without scheme and authority, also when logging."""

    def run(txn: Any) -> bytes | None:
        uri = txn.req.received[1] if txn.req and line_kept(txn) else b""
        return path_and_query(uri) or None

    return run


def _logged_version(txn: Any) -> bytes:
    return b"HTTP/1.%d" % (txn.req if txn.own_reply else txn.res).minor


@fetch("capture.req.ver", Type.STR, Source.REQUEST)
def capture_req_ver() -> Run:
    """``HTTP/1.0`` or ``HTTP/1.1``, of the request."""
    return lambda txn: b"HTTP/1.%d" % txn.req.minor if txn.req and txn.req.method else None


@fetch("capture.res.ver", Type.STR, Source.REQUEST)
def capture_res_ver(*, env: CompileEnv) -> Run:
    """``HTTP/1.0`` or ``HTTP/1.1``, of the response; of our own answers logs show that of the request."""
    if env.log_after:
        return lambda txn: _logged_version(txn) if txn.res and txn.req.method else None
    return lambda txn: b"HTTP/1.%d" % txn.res.minor if txn.res and txn.req.method else None


@fetch("unique-id", Type.STR, Source.CONSTANT)
def unique_id() -> Run:
    """The identifier made by ``unique-id-format``."""
    return unique_id_of
