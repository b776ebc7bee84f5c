"""What the compiler and the control plane may ask of the native engine.

Objects are made in the parent before the workers are forked; ``Engine.run`` is called in each worker.
Times are milliseconds, 0 = no limit, unless said otherwise. Policy callbacks take the stream (a
``evener.haproxy.txn.Txn``) and return a verdict of that module.
"""

import socket
from collections.abc import Callable, Sequence
from typing import Any

Policy = Callable[[Any], int]
Reply = tuple[int, bytes, list[tuple[bytes, bytes]], bytes]

class Segment:
    """Rows of 64 signed 64-bit cells in one anonymous MAP_SHARED mapping; every operation is atomic.

    One row per frontend, backend, server, listener and one for the process; what each column means is
    given by the constants of ``evener.engine.columns`` (names, one enum per kind of row).
    """

    rows: int
    def __init__(self, rows: int) -> None: ...
    def get(self, row: int, column: int) -> int: ...
    def set(self, row: int, column: int, value: int) -> None: ...
    def add(self, row: int, column: int, delta: int) -> int: ...
    def clear(self, row: int) -> None: ...
    def raise_to(self, row: int, column: int, value: int) -> None: ...
    def rate(self, row: int, column: int, count: int = 0) -> int:
        """Events per second counted in the three cells from ``column`` (sliding over 1 s); adds ``count``."""

class Listener:
    frontend: Frontend
    row: int
    name: str
    plan: Any
    accept_proxy: bool
    netscaler: int  #: magic of the client IP header that comes first, 0 none
    def __init__(self, fd: int, frontend: Frontend, row: int) -> None: ...

class Frontend:
    index: int
    row: int
    name: bytes
    plan: Any
    http: bool
    maxconn: int
    timeout_client: int
    timeout_http_request: int
    timeout_http_keep_alive: int
    timeout_client_fin: int
    keep_alive: int  #: 0 keep-alive, 1 http-server-close, 2 httpclose
    default_backend: int  #: index, -1 none
    errors: dict[
        int, tuple[int, bytes, list[tuple[bytes, bytes]], bytes] | Policy
    ]  #: status -> reply, or what replies
    log_null: bool  #: False with option dontlognull
    unsafe: bool  #: accept-unsafe-violations-in-http-request
    glitches: int  #: violations after which a client's connection is killed, 0 none are
    glitch_load: int  #: percent of load from which on they are
    own_max: int  #: server connections kept for one client alone
    reset: bool  #: option nolinger
    patient: bool  #: idle connections outlive a soft stop until their next request
    cased: bool  #: header names to clients as ``http1.adjust_case`` said
    session_rate: int  #: new sessions per second, 0 any number
    tells_side: bool  #: a log line shows from where servers were connected to
    persists: bool  #: a listen whose logs show what became of its cookie
    ignore_probes: bool  #: option http-ignore-probes
    on_connection: Policy | None  #: tcp-request connection (session-less: src, dst only)
    on_session: Policy | None
    on_content: Policy | None  #: tcp-request content; PENDING until inspect-delay
    on_request: Policy | None  #: http-request rules of the frontend, then switching rules
    on_response: Policy | None
    on_refused: Callable[[Any, str], None] | None
    on_after_response: Policy | None  #: also for local replies
    on_connect: Policy | None  #: a server connection is there; the verdict is ignored
    on_log: Policy | None  #: at the end of each transaction; the verdict is ignored
    def __init__(self, name: bytes, row: int) -> None: ...

class Server:
    index: int
    row: int
    name: bytes
    plan: Any
    maxconn: int
    minconn: int  #: the limit while the backend is idle, 0: it is maxconn
    maxqueue: int  #: 0 not limited
    redirect: bytes | None  #: where GET and HEAD are redirected to instead
    preface: Callable[[Any], bytes] | None  #: the bytes that begin a connection: a PROXY header
    aim: Callable[[Any], tuple[Any, Any, bytes | None]] | None  #: as ``aims`` says
    options: list[tuple[int, int, bytes]] | None  #: of the socket: level, name, value
    pool_low: int  #: idle connections kept beyond what is thought to be needed
    pool_max: int  #: idle connections kept, -1 unlimited
    def __init__(self, name: bytes, row: int) -> None: ...
    interface: str | None
    socket_options: list[tuple[int, int, int]] | None
    idle_life: int  #: ms an unused connection is kept
    reset: bool  #: option nolinger
    strict: bool  #: maxconn counts connections, idle ones too
    namespace: int  #: descriptor of the network namespace that connections are made in, -1 ours
    home: int  #: and of ours
    def set_source(self, family: int, address: bytes, low: int, high: int) -> None:
        """Connections come from that address, and from one of these ports (0: any)."""
    def set_address(self, family: int, address: bytes, port: int) -> None:
        """AF_INET/AF_INET6 with a packed address, or AF_UNIX with a path (leading NUL: abstract)."""

class Backend:
    index: int
    row: int
    name: bytes
    plan: Any
    http: bool
    servers: list[Server]
    timeout_connect: int
    timeout_server: int
    timeout_queue: int
    timeout_tunnel: int
    timeout_server_fin: int
    keep_alive: int
    retries: int
    redispatch: int  #: 0 never, -1 last retry, N every N retries
    table: bool  #: servers take turns in a fixed order, which stays when all of them are full
    turns: bool  #: no key of the request chooses, so that it does not matter which server serves
    retry_on: int  #: bit set of columns.RETRY_*
    reuse: int  #: 0 never, 1 safe, 2 aggressive, 3 always
    abort_on_close: bool
    unsafe: bool  #: accept-unsafe-violations-in-http-response
    glitches: int  #: violations after which a server's connection is not used again, 0 it always is
    pretend: bool  #: option http-pretend-keepalive
    cased: bool  #: header names to servers as ``http1.adjust_case`` said
    name_header: bytes | None  #: tells the server its name
    prefer_last: bool  #: the server of the client's own last connection
    last_queue: int  #: longest queue of that server with which it is preferred, -1 any
    errors: dict[int, Reply | Policy]
    key: Callable[[Any], int | None] | None  #: hash of the balancing key; None = take the next in rotation
    least: bool  #: least connections instead of rotation
    first: bool  #: the first of the rotation that has room
    draws: int  #: servers drawn at random, the best of which is taken; 0 none
    fullconn: int  #: load at which the limits of servers have grown from minconn to maxconn
    balance_factor: int  #: percent of the average load that a server on a ring may have; 0 any
    affinity: int  #: what sends a request on along the ring: 0 nothing, 1 a full server, 2 a full queue
    twin: Frontend | None  #: the other half of a ``listen``: its streams do not run our callbacks again
    rebuild: Callable[[Backend], None] | None  #: called in a worker when the backend's EPOCH cell moved
    on_content: Policy | None
    on_connected: Policy | None  #: mode tcp: the server is there; the verdict is ignored
    on_request: Policy | None  #: http-request rules of the backend, after switching
    on_response: Policy | None
    on_tcp_response: Policy | None  #: tcp-response content, in mode tcp; PENDING until inspect-delay
    on_persist: Policy | None  #: after all response rules, for responses of servers only
    persists: bool  #: logs show what became of its cookie
    on_after_response: Policy | None
    def __init__(self, name: bytes, row: int) -> None: ...
    def add_server(self, server: Server) -> None: ...
    def put_server(self, index: int, server: Server) -> None:
        """In a worker: put a server that came later at that index, or at the end."""
    def set_rotation(self, indexes: Sequence[int], lead: int = 0, since: int = 0) -> None:
        """The order in which servers are taken; a hash key indexes it modulo its length; empty = none.

        It begins at turn ``since`` of the backend's ROTATION cell; the first ``lead`` ones are not repeated.
        """
    def set_ring(self, ring: Sequence[tuple[int, int]]) -> None:
        """(point, server index) in order: a hash key finds the nearest point."""

class Engine:
    frontends: list[Frontend]
    backends: list[Backend]
    listeners: list[Listener]
    segment: Segment
    worker: int
    maxconn: int  #: of the whole process, 0 = not limited
    spread: int  #: ms over which connections end in a soft stop; 0: at once, -1: by themselves
    restless: bool  #: the worker never sleeps (busy-polling)
    clients: int  #: client connections of this worker
    on_exception: Callable[[Exception], None] | None  #: told of what a callback raised; None = stderr
    def __init__(self, segment: Segment) -> None: ...
    def add_frontend(self, frontend: Frontend) -> None: ...
    def add_backend(self, backend: Backend) -> None: ...
    def put_backend(self, index: int, backend: Backend) -> None:
        """In a worker: put a backend that came later at that index, or at the end."""
    def add_listener(self, listener: Listener) -> None: ...
    def drop_server(self, server: Server, row: int) -> None:
        """In a worker: close what is idle to a server that nobody uses any more; its cells are now those of
        ``row``."""
    def run(self) -> None:
        """Serve until ``stop``, or until the last client left after ``soft_stop``; call it in the worker."""
    def hear_invalid(self, hook: Callable[..., None]) -> None:
        """Be told of messages that are none: (frontend, backend, server, source, received, position of the
        error); without a server it was a request."""
    def hear_unbound(self, hook: Callable[[int, bool], object]) -> None:
        """Be told of a backend (its index) from whose source address no server could be connected to, and
        whether only the ports had run out."""
    def hear_blocked(self, patience: int, hook: Callable[[int], None]) -> None:
        """Be told how long a turn of the loop took, when that was more than ``patience`` ms; 0: never."""
    def streams(self) -> list[tuple[Any, ...]]:
        """(number, source address, port, frontend, backend, server, age in ms, bytes in, out) of each."""
    def descriptors(self) -> list[tuple[Any, ...]]:
        """What is open: (listener, front, back or pipe; (descriptor, generation, flags, fault, bytes held,
        unsent); frontend, server, address family, our port, theirs, requests)."""
    def end_stream(self, number: int) -> bool:
        """Whether there was one of that number."""
    def stop(self) -> None: ...
    def soft_stop(self) -> None:
        """Close the listeners, answer what is in flight with ``connection: close``, then return from run."""
    def hard_stop(self) -> None:
        """End whatever goes on, and log it as killed; then return from run."""
    def pause(self) -> None: ...
    def resume(self) -> None: ...
    def watch(self, fd: int, callback: Callable[[], None]) -> None:
        """Call back whenever ``fd`` is readable (control pipe, resolver socket)."""
    def unwatch(self, fd: int) -> None: ...
    def later(self, milliseconds: int, callback: Callable[[], None]) -> None: ...
    def exchange(self, inboxes: list[tuple[socket.socket, socket.socket]]) -> None:
        """Idle server connections come from other workers and go to them; called in the worker."""
