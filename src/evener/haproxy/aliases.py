"""The aliases of log formats (``%ci``, ``%ST``...), manual section 8.2.6: one declaration each.

Decides what each alias shows and how it is written under the flags in force (``Style``). Knows nothing
about how a format is read or put together. Each declaration gives the value for a transaction; the
*kind* of the alias decides how flags apply: text may be quoted, addresses and some numbers may be
written in hexadecimal.
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache
from itertools import count
from typing import Any, Final

from evener.haproxy.cast import address_to_text
from evener.haproxy.dates import clf_local, clf_utc, log_local
from evener.haproxy.identity import IDENTITY
from evener.haproxy.log_style import Style, Value, Write, encode_header, encode_url
from evener.haproxy.messages import path_of
from evener.haproxy.notes import backend_plan, peek, unique_id_of
from evener.haproxy.scope import CompileEnv, slots_of
from evener.text.record import dataclass


@dataclass(frozen=True, slots=True)
class Alias:
    """``build(style, env)`` gives the writer; None when the alias never shows anything."""

    name: str
    doc: str
    http: bool
    build: Callable[[Style, CompileEnv], Write | None]
    number: bool = False  #: shows a number: encodings keep it one

    @property
    def ok(self) -> tuple[str, ...]:
        return (f'log-format "%{self.name}"', f'log-format "%{{+Q}}{self.name}"')

    @property
    def bad(self) -> tuple[str, ...]:
        return (f'log-format "%{{+Q{self.name}"',)


ALIASES: Final[dict[str, Alias]] = {}


def _declare(
    name: str,
    doc: str,
    build: Callable[[Style, CompileEnv], Write | None],
    http: bool = False,
    number: bool = False,
) -> None:
    assert name not in ALIASES, name
    ALIASES[name] = Alias(name, doc, http, build, number)


def _text(name: str, doc: str, value: Value, http: bool = False) -> None:
    _declare(name, doc, lambda style, env: style.text(value), http)


#: What still grows when a line is written before the end (``option logasap``): marked with a plus sign.
EARLY: Final = frozenset({"B", "Ta", "Tt", "Tu"})
#: With one of these the line is written at the end, when nothing is left of the messages.
AT_END: Final = frozenset(
    ("B", "U", "ID", "Ta", "Tc", "Td", "Th", "Ti", "Tq", "TR", "Tr", "Tt", "Tu", "Tw", "ac", "bc", "bq", "fc",
     "rc", "sc", "sq", "ts")
)  # fmt: skip


def _number(name: str, doc: str, value: Value, http: bool = False, hexadecimal: bytes | None = None) -> None:
    def build(style: Style, env: CompileEnv) -> Write:
        if style.hexadecimal and hexadecimal is not None:
            return lambda txn: hexadecimal % value(txn)
        if env.log_early and name in EARLY:
            return lambda txn: b"+%d" % value(txn)
        return lambda txn: b"%d" % value(txn)

    _declare(name, doc, build, http, number=True)


def _address(name: str, doc: str, value: Value) -> None:
    def build(style: Style, env: CompileEnv) -> Write:
        if style.hexadecimal:
            return lambda txn: (value(txn) or b"").hex().upper().encode()
        return style.text(lambda txn: printable(value(txn)))

    _declare(name, doc, build)


def _port(name: str, doc: str, port: Value, address: Value) -> None:
    """A port has no meaning beside a unix socket; nothing is shown for an unknown address."""

    def build(style: Style, env: CompileEnv) -> Write:
        form = b"%04X" if style.hexadecimal else b"%d"
        missing = style.missing
        return lambda txn: form % port(txn) if address(txn) is not None else missing

    _declare(name, doc, build, number=True)


@lru_cache(maxsize=4096)
def printable(address: bytes | None) -> bytes | None:
    """An address as logs show it: ``unix`` for a client without one, None for no address at all."""
    if address is None:
        return None
    return address_to_text(address) or b"unix"


# -- names and addresses ------------------------------------------------------------------------------

_HOSTNAME: Final = socket.gethostname().encode("utf-8", "surrogateescape")


def server_address(txn: Any) -> bytes | None:
    """The packed address of the chosen server, None without one."""
    server = txn.server
    plan = None if server is None else server.plan
    if plan is None:
        return None
    try:
        return socket.inet_pton(plan.family, plan.address)
    except (OSError, ValueError, AttributeError):
        return b""


def server_port(txn: Any) -> int:
    server = txn.server
    return 0 if server is None or server.plan is None else server.plan.port


def backend_source(txn: Any) -> bytes | None:
    return txn.bc_src_ip  # type: ignore[no-any-return]


def backend_source_port(txn: Any) -> int:
    return txn.bc_src_port  # type: ignore[no-any-return]


def backend_name(txn: Any) -> bytes:
    """The backend's name, the frontend's while there is none."""
    return (txn.backend or txn.frontend).name  # type: ignore[no-any-return]


def server_name(txn: Any) -> bytes:
    if txn.server is not None:
        return txn.server.name  # type: ignore[no-any-return]
    found = peek(txn)
    return txn.applet or (found and found.meant) or b"<NOSRV>"


_address("ci", "client_ip: the accepted address", lambda txn: txn.src_ip)
_port("cp", "client_port", lambda txn: txn.src_port, lambda txn: txn.src_ip)
_address("fi", "frontend_ip: the accepting address", lambda txn: txn.dst_ip)
_port("fp", "frontend_port", lambda txn: txn.dst_port, lambda txn: txn.dst_ip)
_address("bi", "backend_source_ip: the connecting address", backend_source)
_port("bp", "backend_source_port", backend_source_port, backend_source)
_address("si", "server_IP: the target address", server_address)
_port("sp", "server_port: the target port", server_port, server_address)
_text("f", "frontend_name", lambda txn: txn.frontend.name)
_text("ft", "frontend_name_transport: with a tilde for TLS", lambda txn: txn.frontend.name)
_text("b", "backend_name", backend_name)
_text("s", "server_name", server_name)
_text("H", "hostname", lambda txn: _HOSTNAME)
_number("pid", "process id", lambda txn: IDENTITY.pid, hexadecimal=b"%04X")

# -- dates --------------------------------------------------------------------------------------------


def _date(name: str, doc: str, value: Value, http: bool = False) -> None:
    _declare(name, doc, lambda style, env: value, http)


_date("T", "Accept date UTC + timezone", lambda txn: clf_utc(int(txn.session.accepted)))
_date("Tl", "Accept date local + timezone", lambda txn: clf_local(int(txn.session.accepted)))
_date("t", "Accept date local with milliseconds", lambda txn: log_local(txn.session.accepted))
_date("tr", "Request date local with milliseconds", lambda txn: log_local(txn.started), True)
_date("trg", "Request date UTC + timezone", lambda txn: clf_utc(int(txn.started)), True)
_date("trl", "Request date local + timezone", lambda txn: clf_local(int(txn.started)), True)
_number("Ts", "Accept date as a UNIX timestamp", lambda txn: int(txn.session.accepted), hexadecimal=b"%04X")
_declare(
    "ms",
    "Accept date milliseconds",
    lambda style, env: lambda txn: b"%03d" % int(txn.session.accepted * 1000 % 1000),
    number=True,
)

# -- timers (manual section 8.4) ----------------------------------------------------------------------


def total_before_queue(txn: Any) -> int:
    """Tq = Th + Ti + TR, -1 before the request is complete."""
    if txn.t_request < 0:
        return -1
    before: int = max(txn.t_handshake, 0) + max(txn.t_idle, 0) + txn.t_request
    return before


def data_time(txn: Any) -> int:
    """Td = Tt - (Tq + Tw + Tc + Tr), -1 when the response never came."""
    if txn.t_response < 0:
        return -1
    spent: int = (
        max(total_before_queue(txn), 0) + max(txn.t_queue, 0) + max(txn.t_connect, 0) + txn.t_response
    )
    left: int = txn.t_total - spent
    return max(left, 0)


def user_time(txn: Any) -> int:
    """Tu: what the user sees, Tt without the idle time."""
    seen: int = txn.t_total - max(txn.t_idle, 0)
    return seen


_number("Th", "connection handshake time", lambda txn: txn.t_handshake)
_number("Ti", "idle time before the request", lambda txn: txn.t_idle, True)
_number("TR", "time to receive the request", lambda txn: txn.t_request, True)
_number("Tq", "Th + Ti + TR", total_before_queue, True)
_number("Tw", "time in queues", lambda txn: txn.t_queue)
_number("Tc", "time to connect to the server", lambda txn: txn.t_connect)
_number("Tr", "response time", lambda txn: txn.t_response, True)
_number("Ta", "active time of the request", lambda txn: txn.t_active, True)
_number("Td", "data transfer time", data_time)
_number("Tt", "total time", lambda txn: txn.t_total)
_number("Tu", "total time as seen by the user", user_time)

# -- requests and responses ---------------------------------------------------------------------------


class Kept:
    """How many bytes of a request line are kept for logs (``tune.http.logurilen``)."""

    longest = 1023


def keep(bytes_: int | None) -> None:
    Kept.longest = 1023 if bytes_ is None else max(0, bytes_)


def kept(request: Any) -> bytes:
    """The request line as received, as far as it is kept."""
    line: bytes = b"%b %b %b" % (*request.received, request.version)
    return line[: Kept.longest]


def _parts(request: Any) -> tuple[bytes, bytes, bytes]:
    """Method, URI and version as the kept part of the line tells them; no method when even that was cut."""
    method, uri = request.received
    if len(method) + len(uri) + 2 + len(request.version) <= Kept.longest:
        return method, uri, request.version
    method, blank, rest = kept(request).partition(b" ")
    if not blank:
        return b"", b"", b"<BADREQ>"
    uri, _, version = rest.partition(b" ")
    return method, uri, version or b"HTTP/0.9"


def request_line(txn: Any) -> bytes:
    """As received; ``<BADREQ>`` when no request could be read."""
    request = txn.req
    if request is None or not request.method:
        return b"<BADREQ>"
    return encode_url(kept(request))


def status(txn: Any) -> int:
    """The status sent, or of the reply that is being written; -1 for none."""
    response = txn.res
    if response is not None:
        return int(response.status)
    found = peek(txn)
    return -1 if found is None else found.replying


def version(txn: Any) -> bytes:
    return _parts(txn.req)[2] if txn.req and txn.req.method else b"<BADREQ>"


def _part(read: Callable[[bytes, bytes], bytes]) -> Value:
    """A part of the request line as it was received, encoded; ``<BADREQ>`` without one."""

    def write(txn: Any) -> bytes:
        parts = _parts(txn.req) if txn.req and txn.req.method else (b"", b"<BADREQ>", b"")
        return encode_url(read(*parts[:2])) if parts[0] else b"<BADREQ>"

    return write


def line_kept(txn: Any) -> bool:
    """Whether the first line of the request is kept: only where the frontend's log shows something of it."""
    return getattr(txn.frontend.plan, "keeps_line", True)


def _of_line(name: str, doc: str, value: Value, empty: bool = False) -> None:
    """Something of the first line of the request; ``empty``: nothing at all stands for nothing."""

    def build(style: Style, env: CompileEnv) -> Write:
        style = replace(style, missing=b"") if empty else style
        return style.text(
            value if env.log_after else lambda txn: value(txn) if line_kept(txn) else b"<BADREQ>"
        )

    REQUEST_LINE.add(name)
    _declare(name, doc, build, True)


#: Aliases that show something of the first line of the request.
REQUEST_LINE: Final[set[str]] = set()
_of_line("r", "http_request", request_line)
_of_line("HM", "HTTP method", _part(lambda method, uri: method))
_of_line("HP", "HTTP request URI without query string", _part(lambda method, uri: uri.partition(b"?")[0]))
_of_line("HPO", "HTTP path only", _part(lambda method, uri: path_of(uri)), True)
_of_line("HQ", "HTTP query string with its question mark", _part(lambda method, uri: _query(uri)), True)
_of_line("HU", "HTTP request URI", _part(lambda method, uri: uri))
_of_line("HV", "HTTP version", version)
_number("ST", "status_code", status, True)


def _query(uri: bytes) -> bytes:
    _, mark, query = uri.partition(b"?")
    return mark + query


# -- captures -----------------------------------------------------------------------------------------


def _captures(side: str) -> Callable[[Any], list[bytes | None]]:
    attribute = f"{side}_captures"

    def read(txn: Any) -> list[bytes | None]:
        notes = peek(txn)
        return [] if notes is None else getattr(notes, attribute)

    return read


def _slots(side: str, env: CompileEnv) -> int | Callable[[Any], int]:
    """How many slots there are; what a backend writes is about those of the frontend in use."""
    count = len(getattr(env, f"{side}_slots").lengths)
    if count or env.frontend("") is not None or env.backend("") is None:
        return count
    index = ("request", "response").index(side)
    return lambda txn: len(slots_of(txn)[index])


def _braces(side: str) -> Callable[[Style, CompileEnv], Write | None]:
    """``{a|b}``: every slot the frontend declares, empty ones too; nothing when it declares none."""
    read = _captures(side)

    def build(style: Style, env: CompileEnv) -> Write | None:
        slots = _slots(side, env)
        if not slots:
            return None
        form = b'"{%b}"' if style.quote else b"{%b}"

        def write(txn: Any) -> bytes:
            count = slots if isinstance(slots, int) else slots(txn)
            if not count:
                return b""
            if txn.frontend.http and not txn.req.method and txn.res is not None:
                return b""  # there was no request, which was answered
            found = read(txn)
            shown = [encode_header(value or b"") for value in found] + [b""] * (count - len(found))
            return form % b"|".join(shown)

        return write

    return build


def _listed(side: str) -> Callable[[Style, CompileEnv], Write | None]:
    """CLF style: one text per slot, separated by blanks."""
    read = _captures(side)

    def build(style: Style, env: CompileEnv) -> Write | None:
        slots = _slots(side, env)
        if not slots:
            return None
        form = b'"%b"' if style.quote else b"%b"
        missing = b"" if style.quote else b"-"

        def write(txn: Any) -> bytes:
            if txn.frontend.http and not txn.req.method and txn.res is not None:
                return b""  # there was no request, which was answered
            count = slots if isinstance(slots, int) else slots(txn)
            found = [*read(txn), *([None] * count)][:count]
            return b" ".join(form % (encode_header(value) if value else missing) for value in found)

        return write

    return build


def _cookie(attribute: str) -> Value:
    def read(txn: Any) -> bytes | None:
        notes = peek(txn)
        return None if notes is None else getattr(notes, attribute)

    return read


_declare("hr", "captured_request_headers default style", _braces("request"), True)
_declare("hrl", "captured_request_headers CLF style", _listed("request"), True)
_declare("hs", "captured_response_headers default style", _braces("response"), True)
_declare("hsl", "captured_response_headers CLF style", _listed("response"), True)
_text("CC", "captured_request_cookie", _cookie("request_cookie"), True)
_text("CS", "captured_response_cookie", _cookie("response_cookie"), True)

# -- counters and states ------------------------------------------------------------------------------


def retries(txn: Any) -> bytes:
    """Connection retries, with a plus sign when the request went to another server."""
    return b"+%d" % txn.retries if txn.redispatched else b"%d" % txn.retries


#: Aliases that flag Q does not quote.
UNQUOTED: Final = frozenset({"rc", "ts", "tsc"})


def _unquoted(style: Style) -> Style:
    return replace(style, quote=False)


def with_cookie_status(txn: Any) -> bytes:
    """Termination state, then what happened to the persistence cookie."""
    found = peek(txn)
    flags = None if found is None else found.cookie_flags
    if flags is None:
        back = backend_plan(txn)
        shown = back is not None and back.shows_cookie and (txn.res is None or txn.req.method)
        flags = b"NN" if shown else b"--"
    return txn.termination + flags  # type: ignore[no-any-return]


def _counted() -> Write:
    """How many lines were written before this one, by this worker."""
    numbers = count()
    return lambda txn: b"%d" % next(numbers)


_number("B", "bytes_read: from server to client", lambda txn: txn.bytes_out)
_number("U", "bytes_uploaded: from client to server", lambda txn: txn.bytes_in)
_number("ac", "actconn", lambda txn: txn.conns[0])
_number("fc", "feconn", lambda txn: txn.conns[1])
_number("bc", "beconn", lambda txn: txn.conns[2])
_number("sc", "srv_conn", lambda txn: txn.conns[3])
_number("sq", "srv_queue", lambda txn: txn.srv_queue)
_number("bq", "backend_queue", lambda txn: txn.be_queue)
_declare("lc", "frontend_log_counter", lambda style, env: _counted(), number=True)
_number("rt", "request_counter", lambda txn: txn.id, hexadecimal=b"%04X")
_declare("rc", "retries", lambda style, env: _unquoted(style).text(retries), number=True)
_declare("ts", "termination_state", lambda style, env: _unquoted(style).text(lambda txn: txn.termination))
_declare(
    "tsc",
    "termination_state with cookie status",
    lambda style, env: _unquoted(style).text(with_cookie_status),
    True,
)
_text("ID", "unique-id", unique_id_of)
_declare("OG", "human readable log origin", lambda style, env: style.text(lambda txn: env.log_origin[0]))
_text("sslc", "ssl_ciphers", lambda txn: None)
_text("sslv", "ssl_version", lambda txn: None)
_declare("o", "special: its flags hold for all following items", lambda style, env: None)
