"""What policy remembers about a transaction, in ``txn.data``: captures, log level, waiting, marks.

The engine never looks in here; rules write it, fetches and log formats read it. It is made the first
time something must be remembered, so a transaction without such rules pays nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from evener.haproxy.filters.state import FilterState


class Notes:
    """``final`` is True when the inspection period of content rules is over: what is there is all."""

    __slots__ = (
        "changing",
        "cookie_flags",
        "early_hints",
        "filters",
        "final",
        "last_rule",
        "log_level",
        "logged",
        "marks",
        "meant",
        "paused",
        "persisted",
        "refused",
        "replying",
        "request_captures",
        "request_cookie",
        "response_captures",
        "response_cookie",
        "stores",
        "strict",
        "tarpitted",
        "timeouts",
        "unique_id",
        "waited_for",
        "waiting_since",
    )

    def __init__(self) -> None:
        self.final = False
        self.changing = False  #: what was just looked at may be another value when more bytes come
        self.request_captures: list[bytes | None] = []
        self.response_captures: list[bytes | None] = []
        self.request_cookie: bytes | None = None  #: ``capture cookie``: name=value seen in the request
        self.response_cookie: bytes | None = None
        self.persisted: Any = None  #: a ``persistence.Persisted``
        self.cookie_flags: bytes | None = None  #: third and fourth characters of %tsc, None as of no cookie
        self.meant: bytes | None = None  #: the server that the cookie of a refused request names
        self.log_level: int | None = None  #: 0..7, -1 silent, None not set
        self.last_rule: tuple[str, int] | None = None  #: file and line of the rule that ended a ruleset
        self.waited_for: str | None = None  #: ``waiting_entity``
        self.refused = 0  #: number of the error (``connection_errors``) of a connection without its header
        self.replying = -1  #: the status of the reply whose body is being written
        self.marks: dict[str, int] = {}  #: nice, mark, tos ... as last set
        self.timeouts: dict[str, int] = {}  #: set-timeout: name -> milliseconds
        self.early_hints: list[tuple[bytes, bytes]] = []
        self.filters: FilterState | None = None
        self.strict = True  #: strict-mode
        self.tarpitted = 0  # the status that is waited for
        self.paused = False
        self.unique_id: bytes | None = None
        self.stores: list[tuple[Any, bytes]] = []  #: stick rules: table and key to write with the server
        self.logged = False  #: the line of this transaction was written before its end
        self.waiting_since: float | None = None  #: when a rule first asked to wait


def notes(txn: Any) -> Notes:
    """The notes of a transaction, made on first use."""
    found = txn.data
    if found is None:
        found = txn.data = Notes()
    return found  # type: ignore[no-any-return]


def unique_id_of(txn: Any) -> bytes | None:
    """The identifier of ``unique-id-format``, made when first asked for; what is no request has none."""
    found = peek(txn)
    if found is not None and found.unique_id is not None:
        return found.unique_id
    make = getattr(txn.frontend.plan, "unique_id", None)
    if make is None or (txn.frontend.http and not (txn.req and txn.req.method)):
        return None
    found = notes(txn)
    found.unique_id = make(txn)
    return found.unique_id


def backend_plan(txn: Any) -> Any:
    """The plan of the backend in use; a ``listen`` is its own from the beginning. None: there is none yet."""
    backend = txn.backend
    return getattr(txn.frontend.plan, "own", None) if backend is None else getattr(backend, "plan", None)


def of_stream(read: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """A value that belongs to a stream: nothing in the log line of what was no request."""

    def run(txn: Any) -> Any:
        if txn.res is not None and txn.frontend.http and not txn.req.method:
            return None
        return read(txn)

    return run


def peek(txn: Any) -> Notes | None:
    """The notes, if there are any."""
    return txn.data  # type: ignore[no-any-return]
