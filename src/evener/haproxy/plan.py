"""The plan: a configuration with everything resolved that does not depend on the traffic.

The compiler makes it from the IR, ``cli.assemble`` turns it into engine objects, the control plane
(checks, runtime API, statistics) reads it. Rows are those of the shared segment (see ``columns``).
Times are milliseconds, 0 = not limited.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import field
from enum import Enum
from typing import TYPE_CHECKING, Any

from evener.haproxy.pattern_lists import Lists
from evener.haproxy.stick_table import Table
from evener.haproxy.txn import Txn
from evener.text.record import dataclass

if TYPE_CHECKING:
    from evener.haproxy.caches import Cache

Policy = Callable[[Txn], int]
Reply = tuple[int, bytes, list[tuple[bytes, bytes]], bytes]
"""Status, reason, headers (without content-length), body. Status 0: no answer, the connection is closed."""
Page = Reply | Policy
"""What answers an error: a fixed reply, or a closure that calls ``txn.reply``."""


@dataclass(slots=True)
class BindPlan:
    """One listening address. ``fd`` is set for inherited sockets (``fd@``)."""

    name: str
    family: int
    address: str  #: printable IP, or unix path (leading NUL = abstract)
    port: int
    row: int
    fd: int | None = None
    options: Any = None  #: the IR's bind options
    backlog: int = 0
    maxconn: int = 0
    id: int = 0  #: within its frontend


@dataclass(slots=True)
class ServerPlan:
    index: int
    id: int
    name: str
    row: int
    family: int
    address: str
    port: int
    weight: int
    maxconn: int
    backup: bool
    disabled: bool
    ir: Any
    backend: BackendPlan
    dynamic: bool = False  #: made at run time
    gone: bool = False  #: deleted: only its place is left
    preface: Callable[[Txn], bytes] | None = None  #: what connections begin with
    redirect: bytes | None = None  #: where GET and HEAD are redirected to instead
    aim: Callable[[Txn], Any] | None = None  #: where they go to and come from, as ``aims`` says


@dataclass(slots=True)
class FrontendPlan:
    index: int
    id: int
    name: str
    row: int
    http: bool
    ir: Any
    binds: list[BindPlan] = field(default_factory=list)
    default_backend: int = -1
    maxconn: int = 0
    request_log: Any = None  #: a ``request_log.RequestLog``: the log lines of this frontend
    unique_id: Callable[[Txn], bytes] | None = None
    cookie: tuple[bytes, int] | None = None  #: what ``capture cookie`` looks for, and how much it keeps
    errors: dict[int, Page] = field(default_factory=dict)
    on_connection: Policy | None = None
    on_session: Policy | None = None
    on_content: Policy | None = None
    on_request: Policy | None = None
    on_response: Policy | None = None
    on_after_response: Policy | None = None
    on_connect: Policy | None = None
    on_log: Policy | None = None
    keeps_line: bool = True  #: a log line shows the request; else rules do not get its first line
    slots: tuple[Sequence[int], Sequence[int]] = ((), ())  #: the most bytes of each capture, of both messages
    tells_side: bool = False  #: a log line shows from where a server was connected to
    on_refused: Callable[[Txn, str], None] | None = None  #: logs connections without the header they need
    own: BackendPlan | None = None  #: of a listen: its other half


class Layout(Enum):
    """How weights become the order in which servers are taken (``balance.rotation``, ``balance.ring``)."""

    TURNS = "turns"
    ONCE = "once"  #: each server once, by its id
    TABLE = "table"
    RING = "ring"


@dataclass(slots=True)
class BackendPlan:
    index: int
    id: int
    name: str
    row: int
    http: bool
    ir: Any
    servers: list[ServerPlan] = field(default_factory=list)
    errors: dict[int, Page] = field(default_factory=dict)
    cookies: list[bytes | None] = field(default_factory=list)
    """By server: the value of the persistence cookie. ``cookie_of`` makes it for one that comes later."""
    cookie_of: Callable[[ServerPlan], bytes | None] | None = None
    gone: bool = False  #: deleted: only its place is left
    socket_options: tuple[tuple[int, int, int], ...] = ()  #: of connections to its servers
    full_load: int = 0  #: connections with which limits of servers are at their highest; 0: not known yet
    balance: str = "roundrobin"
    key: Callable[[Txn], int | None] | None = None
    least: bool = False
    first: bool = False
    draws: int = 0
    layout: Layout = Layout.TURNS
    on_content: Policy | None = None
    on_request: Policy | None = None
    on_response: Policy | None = None
    on_persist: Policy | None = None
    read_cookies: Policy | None = None  #: a part of ``on_request``
    shows_cookie: bool = False  #: logs show what became of the persistence cookie
    on_tcp_response: Policy | None = None
    on_after_response: Policy | None = None
    on_connected: Policy | None = None  #: mode tcp


@dataclass(slots=True)
class CellsOf:
    """The shared segment as far as compiled closures look at it; without one everything is 0. Set when
    the segment is made, which is after the closures."""

    get: Callable[[int, int], int] = lambda row, column: 0
    rate: Callable[[int, int], int] = lambda row, column: 0


@dataclass(slots=True)
class Plan:
    """Proxies in configuration order; a ``listen`` is one frontend and one backend with the same id."""

    configuration: Any
    frontends: list[FrontendPlan]
    backends: list[BackendPlan]
    rows: int
    workers: int
    names: dict[str, int] = field(default_factory=dict)  #: backend name -> index
    hidden: dict[str, int] = field(default_factory=dict)  #: those that are not published
    cells: CellsOf = field(default_factory=CellsOf)
    lists: Lists = field(default_factory=Lists)
    variables: dict[str, int] = field(default_factory=dict)  #: rows of process variables that rules name
    caches: dict[str, Cache] = field(default_factory=dict)
    tables: dict[str, Table] = field(default_factory=dict)  #: stick tables, in order of declaration
    enquiries: Any = None  #: a ``services.enquiry.Enquiries``: how workers ask the control process
    named: set[tuple[str, str]] = field(default_factory=set)
    """(backend, server) named by expressions; the server may be empty."""
