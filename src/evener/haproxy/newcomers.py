"""Servers that come and go at run time, as every process sees them.

Theory. The engine's objects and the plan are made before the workers are forked, so a newcomer cannot be
handed over: it is *told*, and every process makes it for itself, with the same result, because what it
is made from is the same: the words of the command and the plan that all of them have.

    control process                              each worker
    ---------------                              -----------
    reads the words, refuses what is wrong
    gives it a row and a place                   (told: backend, place, row, words)
    ServerPlan, Server of the fleet, checks      ServerPlan, core.Server at that place

Rows are those of the shared segment that were left spare when it was made: memory that nobody has touched
costs nothing. A row is cleared when it is given away, and the one that was given back first is taken first,
so that whoever still holds an old one has had the most time to let go. A *place* is the index of a server
in its backend; because rules and rotations hold places, they never move: one that is free is taken by the
next newcomer, and is meanwhile held by a server that is gone: without a name, on a row where every
cell stays 0, so that nobody chooses or counts it.

A newcomer begins in maintenance; that it may be used is told by its cells, as for every other server. A
worker that sees the cells before it was told lays its rotation out again when it is.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Final

from evener.haproxy.line import Line
from evener.haproxy.plan import BackendPlan, ServerPlan
from evener.haproxy.sections.proxy import Proxy
from evener.haproxy.sections.reading import Place
from evener.haproxy.sections.server import ServerOptions
from evener.haproxy.sections.servers import Server, ServerArgument
from evener.text.diagnostic import Diagnostics, Severity
from evener.text.span import Source
from evener.vocab.arguments import BadArgument, Cursor
from evener.vocab.blocks import statements

SPARE: Final = 8192
"""Rows that are left over for newcomers: 768 bytes each, of memory that is only used when touched."""

_WORDS: Final = """\
allow-0rtt alpn ca-file check-alpn check-sni check-ssl ciphers ciphersuites client-sigalgs crl-file
curves crt force-sslv3 force-tlsv10 force-tlsv11 force-tlsv12 force-tlsv13 ktls no-check-sni-auto
no-renegotiate no-sni-auto no-ssl-reuse no-sslv3 no-tlsv10 no-tlsv11 no-tlsv12 no-tlsv13 no-tls-tickets
npn renegotiate send-proxy-v2-ssl send-proxy-v2-ssl-cn sigalgs sni ssl ssl-min-ver ssl-max-ver
tls-tickets verify verifyhost backup cookie disabled error-limit guid ws hash-key id idle-ping init-state
maxconn maxqueue minconn no-backup no-send-proxy no-send-proxy-v2 no-tfo observe on-error on-marked-down
on-marked-up pool-conn-name pool-low-conn pool-max-conn pool-purge-delay proto proxy-v2-options
send-proxy send-proxy-v2 set-proxy-v2-tlv-fmt shard slowstart source strict-maxconn tfo track usesrc
weight healthcheck addr agent-addr agent-check agent-inter agent-port agent-send check
check-pool-conn-name check-proto check-reuse-pool check-send-proxy check-via-socks4 rise fall inter
fastinter downinter port
"""
ACCEPTED: Final = frozenset(_WORDS.split())
"""The options that a server made at run time may have, as ``add server help`` lists them."""

_REFUSED: Final = frozenset({"enabled", "namespace", "no-check", "non-stick", "stick"})
"""Options of a configuration alone that leave no trace, or are refused for another reason before."""
_NAMES: Final = frozenset({"agent-send", "cookie", "guid", "redir", "track"})
"""Options whose argument may be any word."""

FIXED: Final = frozenset({"static-rr", "source", "uri", "url_param", "hdr", "rdp-cookie", "hash"})
"""Algorithms whose map of servers is made once, unless they hash consistently."""


class Refusal(Exception):
    """What the user reads instead of a server; ``where`` stands before it on the terminal."""

    def __init__(self, told: str, where: str = "") -> None:
        super().__init__(told)
        self.told = told
        self.where = where


class SpareRows:
    """The rows that nobody has. The first of them is never given away: servers that are gone are on it."""

    def __init__(self, first: int, clear: Callable[[int], None]) -> None:
        self.nowhere = first
        self._free = deque(range(first + 1, first + SPARE))
        self._clear = clear

    def take(self) -> int:
        if not self._free:
            raise Refusal("Cannot attach server : no room left for another one")
        row = self._free.popleft()
        self._clear(row)
        return row

    def give_back(self, row: int) -> None:
        """Rows of the configuration's own servers are as good as spare ones."""
        self._free.append(row)


def refuse_backend(backend: BackendPlan) -> None:
    """Some ways to balance cannot take newcomers."""
    proxy: Proxy = backend.ir
    hashing = proxy.balancing.hash_type
    consistent = hashing is not None and hashing.method == "consistent"
    if (backend.balance in FIXED and not consistent) or backend.balance == "static-rr":
        why = f"{proxy.word} '{backend.name}' uses a non dynamic load balancing method"
    elif proxy.mode == "log":
        why = f"{proxy.word} '{backend.name}' uses mode log"
    else:
        return
    raise Refusal(f"Backend does not support dynamic servers : {why}.")


def read_server(backend: BackendPlan, words: Sequence[str]) -> tuple[Server, list[str]]:
    """The server of the words ``<name> <address> [option]*``, and what is to be said about it."""
    proxy: Proxy = backend.ir
    found = Diagnostics()
    name = words[0] if words else ""
    where = f"'server {backend.name}/{name}' : "
    for before, word in pairwise(words[1:]):
        if word in _REFUSED and before not in _NAMES:
            raise Refusal(f"'{word}' option is not accepted for dynamic server", where)
    known = {server.name: server.options for server in proxy.server} | dict(proxy.named_servers)
    place = Place("backend", backend.name, found, base=ServerOptions(), servers=known)
    place.proxy_base = proxy.default_server
    line = Line(Source("CLI"), 0, ["server", *words])
    try:
        server = ServerArgument().read(Cursor(line, 1, place, "server"))
    except BadArgument as error:
        raise _refusal(found, error, where) from None
    if found.has_errors:
        raise _refusal(found, None, where)
    _suitable(backend, server, where)
    return replace(server, span=None), [entry.message for entry in found]


def _refusal(found: Diagnostics, error: BadArgument | None, where: str) -> Refusal:
    alerts = [entry.message for entry in found if entry.severity is Severity.ALERT]
    told = alerts[0] if alerts else str(error.message if error is not None else "")
    if told.startswith(where):
        return Refusal(told.removeprefix(where), where)
    bare = where.removesuffix(" : ") + " : "
    return Refusal(told.removeprefix(bare), where if alerts else "")


def _suitable(backend: BackendPlan, server: Server, where: str) -> None:
    """Options that only servers of a configuration have, and protocols that the backend does not speak."""
    options = server.options
    for statement in statements(options, server.base):
        if statement[0] not in ACCEPTED:
            raise Refusal(f"'{statement[0]}' option is not accepted for dynamic server", where)
    protocols = {"h1": True, "h2": True, "fcgi": True, "none": False}
    for known in options.known:
        if known.words[0] == "proto" and protocols.get(known.words[1], backend.http) is not backend.http:
            raise Refusal("MUX protocol is not usable for server.", where)
    for other in backend.servers:
        if options.id is not None and other.id == options.id and not other.gone:
            at = other.ir.span or "CLI"
            raise Refusal(
                f"'id' : custom id {options.id} already used at {at} ('server {other.name}').", where
            )


def free_place(backend: BackendPlan) -> int:
    """The index that the next newcomer gets."""
    return next((server.index for server in backend.servers if server.gone), len(backend.servers))


def settle(backend: BackendPlan, server: Server, place: int, row: int) -> ServerPlan:
    """Make the server's plan and put it into its place."""
    options, address = server.options, server.address
    taken = {other.id for other in backend.servers if not other.gone}
    number = options.id or next(n for n in range(1, len(taken) + 2) if n not in taken)
    made = ServerPlan(
        place, number, server.name, row, address.family if address.resolved else 0,
        address.host if address.resolved else "",
        address.port, options.weight, options.maxconn or 0, options.backup, True, server, backend,
        dynamic=True,
    )  # fmt: skip
    if place == len(backend.servers):
        backend.servers.append(made)
        backend.cookies.append(None)
    backend.servers[place] = made
    if backend.cookie_of is not None:
        backend.cookies[place] = backend.cookie_of(made)
    return made


def remove(backend: BackendPlan, place: int, nowhere: int) -> None:
    """What remains in the place of a server that was deleted."""
    gone = backend.servers[place]
    gone.name, gone.row, gone.gone = "", nowhere, True
    if backend.cookie_of is not None:
        backend.cookies[place] = None
