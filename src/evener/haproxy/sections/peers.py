"""``peers``: nodes that tables are shared with, where this one listens for them, and tables (section 12.1).

The tables are used here; other nodes are not spoken to yet.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Any, Final

from evener.haproxy.addresses import SERVER, Address, Allow, BadAddress, Resolve, parse_address
from evener.haproxy.sections.bind import Bind, BindLine, BindOptions, option_words, read_bind_options
from evener.haproxy.sections.forms import Form, seen
from evener.haproxy.sections.log_values import Log, LogArgument
from evener.haproxy.sections.reading import BAD_NAME, SERVER_LEAD, Place, unknown, where_of
from evener.haproxy.sections.rule_words import Reported, line_of
from evener.haproxy.sections.server import OPTIONS, ServerOptions
from evener.haproxy.sections.servers import (
    DefaultServerArgument,
    agent_port,
    difference,
    place_base,
    read_server_options,
)
from evener.haproxy.sections.stick_values import StickTable, StickTableArgument
from evener.text.record import dataclass
from evener.text.span import Span
from evener.vocab.arguments import Argument, BadArgument, Cursor, Flag, decimal
from evener.vocab.blocks import Known, Repeat, block, keyword, spans
from evener.vocab.registry import Status

_PARSING: Final = "config : parsing [{place}] : "
_MIXED: Final = 'mixing "peer" and "bind" line is forbidden'
_ONE: Final = 'One listener per "peers" section is authorized'
_ONLY: Final = (
    'Only one listener per "peers" section is authorized. Multiple listening addresses or port range are not '
    "supported."
)
_ADDRESS: Final = SERVER & ~(Allow.NO_PORT | Allow.OFFSET)


@dataclass(frozen=True, slots=True)
class Peer:
    """A node. Without ``address`` it is this one, which listens where ``bind`` says."""

    name: str
    address: Address | None = None
    options: ServerOptions = field(default_factory=ServerOptions)
    base: ServerOptions = field(default_factory=ServerOptions, compare=False)
    span: Span | None = field(default=None, compare=False)


class PeerArgument(Argument[Peer]):
    """``peer`` and ``server``: they differ in what is said when the address is missing."""

    usage = "<name> [<address>:<port> [param*]]"

    def read(self, cursor: Cursor) -> Peer:
        place: Place = cursor.context
        name = cursor.take() if cursor.more else ""
        where = f"'server (null)/{name}'"
        wrong = BAD_NAME.search(name)
        if wrong is not None:
            message = f"character '{wrong[0]}' is not permitted in {cursor.name} name '{name}'."
            place.diagnostics.alert("bad-name", message, cursor.span(), lead=SERVER_LEAD)
            return self.here(name, cursor)
        if cursor.name == "peer" and (":bind", "") in place.seen:
            place.diagnostics.alert("mixed-lines", _MIXED, cursor.span(), lead=_PARSING)
            raise Reported
        local = bool(name) and name == local_peer(place)
        if local and (before := seen(place, ":local", "", cursor)):
            message = f"'{cursor.name} {name}' : local peer name already referenced at {before}. {name}"
            place.diagnostics.alert("duplicate-name", message, cursor.span(), lead=_PARSING)
            raise Reported
        if cursor.name == "peer":
            place.seen.setdefault((":peer", ""), cursor.line.span(0))
        if not cursor.more:
            return self.here(name, cursor)
        if local and cursor.name == "server":
            return self.listening(name, cursor)
        if before := seen(place, "peer", name, cursor):
            number = before.split(":")[-2 if before.count(":") > 1 else -1]
            message = (
                f"{where} : another server named '{name}' was already defined at line {number}, "
                "please use a distinct name."
            )
            place.diagnostics.alert("duplicate-name", message, cursor.span(), lead=SERVER_LEAD)
            raise Reported
        try:
            address = parse_address(cursor.take(), _ADDRESS, place.resolve)
        except BadAddress as error:
            message = f"{where} : {error}"
            place.diagnostics.alert("bad-address", message, cursor.span(), lead=SERVER_LEAD)
            raise Reported from None
        base = place_base(place)
        line = line_of(cursor)
        options = read_server_options(line, cursor.index, place, base, where)
        cursor.rest()
        if options is None:
            raise Reported
        agent_port(options, name, where, line, place)
        words = {known.words[0] for known in options.known}
        if options.init_addr or "resolvers" in words or options.check or options.agent_check:
            message = f"'{cursor.name} {name}' : init_addr, resolvers, check and agent are ignored for peers."
            place.diagnostics.warning("ignored-for-peers", message, line.span(0), lead=_PARSING)
        return Peer(name, address, options, base, where_of(line))

    def listening(self, name: str, cursor: Cursor) -> Peer:
        """This node's line as a server: it listens where ``bind`` says, so that only options follow."""
        place: Place = cursor.context
        word = cursor.peek() or ""
        if word not in OPTIONS.words:
            meant = unknown(word, OPTIONS.words) or "."
            where = f"'server {name}/{name}' : "
            message = f"{where}unknown keyword '{word}'{meant} Hint: no address was expected for this server."
            place.diagnostics.alert("unknown-keyword", message, cursor.span(), lead=SERVER_LEAD)
            raise Reported
        line, base = line_of(cursor), place_base(place)
        options = read_server_options(line, cursor.index, place, base, f"'server {name}/{name}'")
        cursor.rest()
        if options is None:
            raise Reported
        return Peer(name, None, options, base, where_of(line))

    def here(self, name: str, cursor: Cursor) -> Peer:
        """Only ``server`` lines may go without an address, and mean this node."""
        place: Place = cursor.context
        if cursor.name == "peer":
            message = f"'peer {name}' : ignoring invalid peer definition (missing address:port)"
            place.warning("bad-peer", message, cursor.line.span(0))
            raise Reported
        return Peer(name, span=where_of(line_of(cursor)))

    def words(self, value: Peer) -> list[str]:
        if value.address is None:
            return [value.name, *difference(value.options, value.base)]
        return [value.name, value.address.text, *difference(value.options, value.base)]


def local_peer(place: Place) -> str:
    """What this node is called, as far as it was said; reading knows the environment."""
    return named_local(place.resolve)


def named_local(resolve: Resolve) -> str:
    variable = getattr(resolve, "variable", None)
    return (variable("HAPROXY_LOCALPEER") if variable is not None else None) or ""


class PeerBind(BindLine):
    """``bind``; without an address it says nothing."""

    def read(self, cursor: Cursor) -> Bind:
        if not cursor.more:
            raise Reported
        place: Place = cursor.context
        if (":peer", "") in place.seen:
            raise cursor.bad("mixed-lines", _MIXED, whole=True)
        before = seen(place, ":bind", "", cursor)
        if before:
            message = f"{_ONE} but another is already configured at [{before}]."
            place.diagnostics.alert("second-listener", message, cursor.span(), lead=_PARSING)
        made = super().read(cursor)
        if before or len(made.addresses) > 1 or any(one.high > one.port for one in made.addresses):
            raise cursor.bad("second-listener", _ONLY, whole=True)
        return made

    def words(self, value: Bind) -> list[str]:
        return value.words()


class BindDefaults(Argument[BindOptions]):
    """Options of the ``bind`` lines that follow, and of a local peer's address."""

    usage = "[param*]"

    def read(self, cursor: Cursor) -> BindOptions:
        where = f"'{cursor.name} {cursor.peek() or ''}' in section 'peers'"
        options = read_bind_options(line_of(cursor), cursor.index, cursor.context, where)
        cursor.rest()
        return options

    def words(self, value: BindOptions) -> list[str]:
        return option_words(value)


class DefaultOptions(DefaultServerArgument):
    """What is said holds for the peers that follow."""

    def read(self, cursor: Cursor) -> ServerOptions:
        options = super().read(cursor)
        place: Place = cursor.context
        place.base = options
        return options


class TableArgument(Argument[tuple[str, StickTable]]):
    """A table's name, and what ``stick-table`` takes."""

    usage = "<name> type <type> [len <length>] size <size> [ expire <time> ] ..."

    def read(self, cursor: Cursor) -> tuple[str, StickTable]:
        name = cursor.take() if cursor.more else ""
        try:
            return name, StickTableArgument().read(cursor)
        except BadArgument as error:
            if error.message.startswith("stick-table"):
                error.message = error.message.removeprefix("stick-")
            raise

    def words(self, value: tuple[str, StickTable]) -> list[str]:
        return [value[0], *StickTableArgument().words(value[1])]


class Shards(Argument[int]):
    usage = "<number>"

    def read(self, cursor: Cursor) -> int:
        if not cursor.more:
            raise cursor.bad("missing-argument", "'shards' : missing value", whole=True)
        text = cursor.take()
        value = decimal(text)
        if value is None:
            message = f"'shards' : expects an integer argument, found '{text}'"
            raise cursor.bad("not-a-number", message, whole=True)
        if value == 0:
            message = "'shards' : expects a strictly positive integer argument"
            raise cursor.bad("out-of-range", message, whole=True)
        return value


def node(doc: str) -> Any:
    return keyword(
        PeerArgument(),
        doc,
        ok=("{} a 127.0.0.1:10000", "{} a 127.0.0.1:10000 shard 1"),
        bad=("{} a/b 127.0.0.1:10000", "{} a 127.0.0.1", "{} a 127.0.0.1:10000 no-such-option"),
        repeat=Repeat.COLLECT,
        status=Status.PLANNED,
        lead=SERVER_LEAD,
    )


@block("peers line")
@dataclass(frozen=True, slots=True)
class Peers:
    name: str = ""
    peer: tuple[Peer, ...] = node(
        "A node that tables are shared with: its name there, and where it listens. One of the lines is about "
        "this node, and says where it listens itself."
    )
    server: tuple[Peer, ...] = node("The same; this node's may go without an address where ``bind`` says it.")
    bind: tuple[Bind, ...] = keyword(
        PeerBind(),
        "Where this node listens for the others.",
        ok=("bind 127.0.0.1:10000",),
        bad=("bind 127.0.0.1", "bind 127.0.0.1:10000 no-such-option"),
        repeat=Repeat.COLLECT,
        status=Status.PLANNED,
    )
    default_bind: BindOptions | None = keyword(
        BindDefaults(),
        "Options of the address on which this node listens.",
        ok=("default-bind maxconn 10",),
        bad=("default-bind no-such-option",),
        status=Status.PLANNED,
    )
    default_server: ServerOptions | None = keyword(
        DefaultOptions(),
        "Options of the nodes that follow.",
        ok=("default-server weight 10",),
        bad=("default-server no-such-option",),
        status=Status.PLANNED,
        lead=SERVER_LEAD,
    )
    log: tuple[Log, ...] = keyword(
        LogArgument(False),
        "Where connections between nodes are logged.",
        ok=("log global",),
        bad=("log", "log 127.0.0.1 nowhere"),
        repeat=Repeat.COLLECT,
        negatable=True,
        status=Status.PLANNED,
    )
    table: tuple[tuple[str, StickTable], ...] = keyword(
        TableArgument(),
        "A stick table, which rules and lines of proxies name by the section: ``peers/name``.",
        ok=("table t type ip size 10k expire 30s store http_req_rate(10s)",),
        bad=("table", "table t", "table t type", "table t type no-such-type size 10"),
        repeat=Repeat.COLLECT,
    )
    shards: int | None = keyword(
        Shards(),
        "Into how many parts the keys are divided; a node gets those of its ``shard``.",
        ok=("shards 3",),
        bad=("shards", "shards 0", "shards x"),
        status=Status.PLANNED,
        loose=True,
    )
    disabled: bool = keyword(
        Flag(),
        "The section is read and not used.",
        ok=("disabled",),
        bad=("no disabled",),
        default=False,
        status=Status.PLANNED,
        loose=True,
    )
    enabled: bool = keyword(
        Flag(),
        "The section is used after all.",
        ok=("enabled",),
        bad=("no enabled",),
        default=False,
        status=Status.PLANNED,
        loose=True,
    )
    span: Span | None = field(default=None, compare=False)
    spans: Mapping[str, Span] = spans()
    known: tuple[Known, ...] = ()


FORM: Final = Form(
    Peers,
    missing="missing name for peers section.",
    twice="peers section '{name}' has the same name as another peers section declared at {at}.",
    ends=frozenset({"name", "extra", "twice"}),
    ordered=True,
)
