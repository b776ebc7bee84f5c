"""What surrounds a rule while it is read (``Scope``) and while it is compiled (``CompileEnv``).

A ``Scope`` is made per proxy by whoever reads sections; ``within`` gives the same scope with another
sentence around its diagnostics and other places, for one directive. A ``CompileEnv`` answers the
questions a closure's factory may ask: which ACLs a proxy declares, where a backend stands, what reply an
error code has.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import field
from typing import TYPE_CHECKING, Any

from evener.haproxy.enquiries import Enquiries
from evener.haproxy.experiments import Experiments
from evener.haproxy.pattern_lists import Lists
from evener.haproxy.sample import EVERYWHERE
from evener.haproxy.scripts import Scripts
from evener.text.diagnostic import Diagnostic, Diagnostics, Severity
from evener.text.record import dataclass
from evener.text.slots import copied
from evener.text.span import Span

if TYPE_CHECKING:
    from evener.haproxy.acl import AclTest
    from evener.haproxy.caches import Cache
    from evener.haproxy.fold import Fold
    from evener.haproxy.plan import BackendPlan, FrontendPlan, Page, Reply
    from evener.haproxy.stick_table import Table


@dataclass(frozen=True, slots=True)
class Failure:
    """Why something could not be read, without the sentence its directive puts around it."""

    code: str
    message: str
    hint: str | None = None


@dataclass(slots=True)
class Scope:
    """``context`` is a sentence with one ``{}``, e.g. ``error detected while parsing ACL 'a' : {}.``.

    ``section`` is the section keyword (``frontend``, ``backend``, ``listen``, ``defaults``...);
    ``places`` the places (see ``sample.Place``) at which what is read now will be evaluated; ``acls``
    the ACLs declared so far in this proxy, by name, in order.
    """

    diagnostics: Diagnostics
    section: str = "listen"
    proxy: str = ""
    http: bool = True
    places: int = EVERYWHERE
    context: str = "{}."
    acls: dict[str, list[AclTest]] = field(default_factory=dict)
    stick_counters: int | None = None  #: ``tune.stick-counters``, if said
    experiments: Experiments = field(default_factory=lambda: Experiments(allowed=True))
    scripts: Scripts = field(default_factory=lambda: Scripts(complete=False))

    @property
    def is_frontend(self) -> bool:
        return self.section in ("frontend", "listen", "defaults")

    @property
    def is_backend(self) -> bool:
        return self.section in ("backend", "listen", "defaults")

    @property
    def whose(self) -> str:
        """How diagnostics call the proxy: ``frontend 'f'``; a ``listen`` is simply a proxy."""
        kind = "proxy" if self.section == "listen" else self.section
        return f"{kind} '{self.proxy}'"

    def within(self, context: str | None = None, places: int | None = None) -> Scope:
        """The same scope for one directive; the declared ACLs are shared."""
        inner = copied(self)
        if context is not None:
            inner.context = context
        if places is not None:
            inner.places = places
        return inner

    def fail(self, failure: Failure, span: Span | None) -> None:
        message = self.context.replace("{}", failure.message)
        self.diagnostics.add(Diagnostic(failure.code, Severity.ALERT, message, span, failure.hint))

    def alert(self, code: str, message: str, span: Span | None, hint: str | None = None) -> None:
        self.fail(Failure(code, message, hint), span)

    def warning(self, code: str, message: str, span: Span | None, hint: str | None = None) -> None:
        """A warning stands alone, without the context's sentence."""
        self.diagnostics.add(Diagnostic(code, Severity.WARNING, message, span, hint))

    def planned(self, family: str, name: str, span: Span | None) -> None:
        """Never ignore silently: say that a word is known and not executed."""
        message = f"{family} '{name}' is known but not executed yet."
        self.diagnostics.notice("not-executed-yet", message, span)


def _no_backend(name: str) -> int | None:
    del name
    return None


@dataclass(slots=True)
class Slots:
    """Capture slots of one side: lengths, the headers that fill some, those of rules by ``id(expr)``."""

    lengths: list[int] = field(default_factory=list)
    headers: list[tuple[int, bytes]] = field(default_factory=list)
    rules: dict[int, int] = field(default_factory=dict)


def slots_of(txn: Any) -> tuple[Sequence[int], Sequence[int]]:
    """How long the captures of the frontend in use may be, of requests and of responses."""
    return getattr(txn.frontend.plan, "slots", ((), ()))


@dataclass(slots=True)
class CompileEnv:
    """What compiling needs to know about the rest of the configuration.

    ``acls`` are those of the proxy whose rules are compiled; ``backend_index``, ``backend``,
    ``frontend`` and ``table`` find things by name (an empty name is the current proxy); ``error_reply``
    gives the reply of a status in the proxy (error files included), ``http_errors`` that of a named
    http-errors section; ``count`` reads a cell of the shared segment by row and column; ``rate`` a rate;
    ``lists`` are those of the whole configuration.
    """

    proxy: str = ""
    acls: Mapping[str, list[AclTest]] = field(default_factory=dict)
    plain: bool = False  #: mode tcp: whether there is a request is for content rules to see
    waits: bool = False  #: content rules: a fetch may still say that more bytes are needed
    response: bool = False  #: the message at hand is the response (``hdr``, ``cookie``, ``payload``)
    places: int = 0  #: http-response rules: tests of what is not available at these never match
    backend_index: Callable[[str], int | None] = _no_backend
    hidden_index: Callable[[str], int | None] = _no_backend  #: as ``backend_index``, of unpublished ones
    backend: Callable[[str], BackendPlan | None] = _no_backend  # type: ignore[assignment]
    frontend: Callable[[str], FrontendPlan | None] = _no_backend  # type: ignore[assignment]
    table: Callable[[str | None], Table | None] = _no_backend  # type: ignore[assignment]
    cache: Callable[[str], Cache | None] = _no_backend  # type: ignore[assignment]
    error_reply: Callable[[int], Page | None] = _no_backend  # type: ignore[assignment]
    http_errors: Callable[[str, int], Reply | None] = lambda section, status: None
    lists: Lists = field(default_factory=Lists)
    userlists: Mapping[str, Any] = field(default_factory=dict)
    server_named: Callable[[str, str], None] = lambda backend, server: None
    """Told of every server that an expression names: it cannot be deleted then."""
    count: Callable[[int, int], int] = lambda row, column: 0
    rate: Callable[[int, int], int] = lambda row, column: 0
    stopping: Callable[[], bool] = lambda: False
    proxied: bool = False  #: option http-use-proxy-header
    tarpit: int = 0  #: milliseconds of ``timeout tarpit`` (or connect) of the proxy
    request_slots: Slots = field(default_factory=Slots)  #: for captures
    response_slots: Slots = field(default_factory=Slots)
    fold: Fold | None = None  #: takes closures the engine can run without Python
    log_origin: list[bytes] = field(default_factory=lambda: [b"unspec"])  #: ``%OG`` of the line being written
    early: bool = False  #: what is compiled is a rule for requests: no response is there yet
    log_after: bool = False  #: what is compiled is for a log line: the messages have gone by then
    shown: set[str] = field(default_factory=set)  #: aliases in any format of the proxy, ``[`` for samples
    log_side: bool = False  #: a log line tells from where a server is connected to
    log_early: bool = False  #: lines are written before the end of a transaction
    enquiries: Enquiries = field(default_factory=Enquiries)  #: to the control process
    compiled: dict[Any, Any] = field(default_factory=dict)  #: what was compiled once and may be shared
