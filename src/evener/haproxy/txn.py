"""The seam between policy and what moves bytes: what a rule, a fetch or a log format may see and do.

Policy is closures over a ``Txn``. In production the Txn *is* the engine's native stream; in tests,
``trace`` and ``replay`` it is ``TextTxn`` below, filled from text. Policy never touches a socket and
never blocks: a callback returns a verdict, and one of them, PENDING, means "call me again when what I
asked for (more body, a timer, a resolver's answer) has happened".

Conventions: everything from the wire is ``bytes``; header names are lower case; addresses are packed
(4 or 16 bytes, empty for a unix socket); durations are milliseconds, -1 when the event did not
happen; wall-clock times are seconds since the epoch as float.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final, Protocol

# Verdicts. Plain ints, because a native caller compares them on every request.
CONTINUE: Final = 0  #: nothing to say: go on with the next phase
PENDING: Final = 1  #: call the same callback again after what was asked for
REPLIED: Final = 2  #: ``txn.reply`` was called: send that and end the transaction
CLOSED: Final = 3  #: close the connection without another byte (reject, silent-drop)
ACCEPTED: Final = 4  #: of a single rule: no further rule of this ruleset, go on with the next phase
UNDECIDED: Final = 5  #: of a single rule: its condition needs more bytes, with which the ruleset begins anew

Headers = Iterable[tuple[bytes, bytes]]


class Message(Protocol):
    """A message head. Names given and returned are lower case; values have no surrounding blanks."""

    minor: int  #: 0 for HTTP/1.0, 1 for HTTP/1.1

    def get(self, name: bytes, /) -> bytes | None:
        """The value of the first line called ``name``, or None."""

    def all(self, name: bytes, /) -> list[bytes]:
        """The values of all lines called ``name``, in order, not split at commas."""

    def items(self) -> list[tuple[bytes, bytes]]:
        """Every header line in order."""

    def add(self, name: bytes, value: bytes, /) -> None:
        """Append one line."""

    def set(self, name: bytes, value: bytes, /) -> None:
        """Replace all lines called ``name`` by one."""

    def remove(self, name: bytes, /) -> int:
        """Delete all lines called ``name``; returns how many there were."""

    def rewrite(self, name: bytes, values: Iterable[bytes | None], /) -> None:
        """Give the lines called ``name``, in order, these values where they stand; None takes one away."""

    def replace(self, items: Headers, /) -> None:
        """Make these the header lines, in this order."""


class Request(Message, Protocol):
    method: bytes
    uri: bytes  #: the request target as received or last set (origin, absolute, authority or asterisk form)

    @property
    def received(self) -> tuple[bytes, bytes]:
        """Method and target as they were before any rule."""

    @property
    def version(self) -> bytes:
        """The version of the request line as it was received."""

    @property
    def path(self) -> bytes:
        """The path of the target, without query and without authority; empty for authority form."""

    @property
    def query(self) -> bytes:
        """What follows the first ``?``; empty when there is none."""


class Response(Message, Protocol):
    status: int
    reason: bytes


class Session(Protocol):
    """What lives as long as the client connection."""

    vars: dict[str, Any]  #: ``sess.*`` variables, by full name
    tracked: list[Any] | None  #: stick table entries by the number of ``track-sc``, None where there is none
    data: Any  #: policy's own
    id: int
    accepted: float  #: wall clock of accept


class Txn(Protocol):
    """One transaction: an HTTP request and its response, or a whole TCP connection."""

    req: Request
    res: Response | None  #: None until a response head exists
    session: Session
    vars: dict[str, Any]  #: ``txn.* req.* res.*`` variables, by full name
    data: Any  #: policy's own, None at the start of each transaction
    id: int  #: unique in this process for the life of the worker
    tracked: list[Any] | None  #: as the session's, which they come before

    fc: tuple[bytes, int, bytes, int]  #: source and destination of the connection, whatever rules say
    number: int  #: of this request on its client connection, from 1

    src_ip: bytes
    src_port: int
    dst_ip: bytes
    dst_port: int

    frontend: Any  #: the engine's Frontend; its ``plan`` attribute is the compiled proxy
    backend: Any  #: the engine's Backend, None before switching
    server: Any  #: the engine's Server, None before balancing
    listener: Any

    pp_fields: tuple[tuple[int, bytes], ...] | None
    """The fields of the client's PROXY header; None without one."""

    # -- what the log and the fetches of times and counters read ---------------------------------
    started: float  #: wall clock of the first byte of the request (accept for TCP)
    t_handshake: int  #: Th
    t_idle: int  #: Ti
    t_request: int  #: TR
    t_queue: int  #: Tw
    t_connect: int  #: Tc
    t_response: int  #: Tr
    t_active: int  #: Ta
    t_total: int  #: Tt
    bytes_in: int
    bytes_out: int
    retries: int
    redispatched: bool
    termination: bytes  #: two bytes, the cause and the state: b"--", b"PR", b"sH" ...
    srv_queue: int
    be_queue: int
    conns: tuple[int, int, int, int]  #: %ac %fc %bc %sc as they stand
    applet: bytes | None  #: what answered in the place of a server
    reused: bool  #: the server connection served an earlier request
    max_retries: int  #: instead of the backend's; -1: as the backend says
    no_retry: bool  #: a request that was sent is not sent again
    priority: int  #: in queues the lowest goes first; milliseconds, with 1 << 40 for each class

    def reply(self, status: int, reason: bytes, headers: Headers, body: bytes, /) -> int:
        """Answer here instead of forwarding; returns REPLIED so that a closure can return it.

        ``content-length`` is the engine's to add. In a response phase it replaces the server's
        response, whose connection is then closed or drained.
        """

    def blame(self, who: bytes | None, status: int, /) -> None:
        """Have the log say that ``who`` answered (None: nobody), and with that status, whatever was sent."""
        ...

    def serve(self, head: bytes, body: Any, who: bytes, /) -> None:
        """Answer once the rules of this phase are through, as a server would: rules of responses and filters
        apply. ``head`` is a whole response head; ``body`` bytes, or an object with ``read(most) -> bytes``;
        ``who`` stands for the server in logs.
        """

    def invite(self) -> None:
        """Have the client send a body that it announced (100-continue); the server is not told of that."""

    def inform(self, head: bytes, /) -> None:
        """Send an interim response, a whole head, at once."""

    @property
    def own_reply(self) -> bool:
        """Whether the response was made by a rule or is an error page: no filter sees its body."""

    bc_src_ip: bytes | None  #: from where the server was connected to, None for no connection
    bc_src_port: int

    def filter_body(self, response: bool, flow: Any, /) -> None:
        """Have the body of the request or of the response go through a ``filters.flow.Flow``."""

    def tally(self, column: int, delta: int, /) -> None:
        """Count in the frontend's and the backend's row of the shared segment."""

    def tick(self, column: int, count: int, /) -> int:
        """Count in a rate of the process; returns it."""

    def set_backend(self, index: int, /) -> None:
        """Switch to the backend of that index; without it the frontend's default is used."""

    def set_server(self, index: int, anyway: bool = False, /) -> None:
        """Force a server of the chosen backend (use-server, persistence); ``anyway``: even if down."""

    client_fault: int  #: errno that broke the client's connection, 0 none; negative: ``connection_errors``
    server_fault: int | None  #: the same of the server's connection, None when there was none
    calls: int  #: how often the stream was looked at
    cpu_ns: int  #: what that cost, 0 while ``profiling.tasks`` is off
    lat_ns: int  #: and how long it was waited for
    worker_load: int  #: percent of the last half second that this worker was computing

    server_forced: bool  #: whether ``set_server`` was called

    def facts(self, server: bool, /) -> tuple[int, int, int, int, int, int] | None:
        """Of a connection, for developers: descriptor, generation, flags, fault, bytes held and unsent."""

    ends: tuple[int, int, int, bool]
    """Flags of the client's connection as in ``facts``, and of the server's when it was closed for this
    stream (else 0); whose side of a tunnel ended first, as the character c or s, 0 while neither has; whether
    all is over."""
    denied: bool  #: a rule named the termination state
    keeps: bool  #: the client's connection outlives the stream

    def glitches(self, server: bool, /) -> int:
        """How often a side violated the protocol on its connection."""
        ...

    def count_error(self) -> None:
        """Count an error of the client in the table entries that are tracked."""

    def tracking(self, number: int, /) -> Any:
        """The entry tracked under a number by this transaction, else by its session, else None."""

    def server_lives(self, index: int, /) -> bool:
        """Whether a server of the chosen backend takes persistent traffic (up, or draining)."""

    def set_timeout(self, kind: str, milliseconds: int, /) -> None:
        """Another ``client``, ``server``, ``tunnel``, ``connect`` or ``queue`` timeout for this stream."""

    def get_timeout(self, kind: str, /) -> int:
        """What ``set_timeout`` set, else -1."""

    def get_option(self, server: bool, level: int, name: int, size: int, /) -> bytes | None:
        """A socket option of the connection with the server or the client; None when there is none."""

    def set_option(self, server: bool, level: int, name: int, value: int, /) -> None:
        """Set an option of the client's socket, or of the one yet to be opened to the server."""

    def vanish(self, ttl: int, /) -> None:
        """Close the client's connection, when it comes to that, without a word to the client."""

    def count_failed_rewrite(self) -> None:
        """A rule could not change a message."""

    def switch_mode(self) -> None:
        """Content rules: the connection goes on as HTTP, if it is not yet."""

    def expect_header(self, magic: int, /) -> None:
        """Connection rules: a PROXY header (0) or a NetScaler header with that magic must come first."""

    def body(self) -> bytes:
        """What is buffered of the message body now (request phase: request; response: response)."""

    def body_complete(self) -> bool:
        """Whether ``body`` is the whole of it."""

    def head_missing(self) -> bool:
        """TCP content phases: what came may begin a request, of whose head more is to come."""

    def peek(self) -> bytes:
        """TCP content phases: what the current side has sent and nobody has consumed."""

    def peer_closed(self) -> bool:
        """TCP content phases: the current side will send no more."""

    def wait(self, milliseconds: int, /) -> int:
        """Ask to be called again when more data arrives or after that time; returns PENDING."""

    def resume(self) -> None:
        """Call the pending callback again at the next turn of the loop."""
