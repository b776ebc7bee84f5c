"""A proxy: ``defaults``, ``frontend``, ``backend`` and ``listen`` are the same block seen from two sides.

Values are the effective ones: what a proxy inherits from its defaults is in its own fields, and printing
leaves out what the defaults say already.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from enum import Enum
from typing import Final

from evener.haproxy.sections.balancing import Balancing
from evener.haproxy.sections.bind import Bind, BindLine
from evener.haproxy.sections.check_rules import CheckRules
from evener.haproxy.sections.compression import Compression
from evener.haproxy.sections.connections import Connections
from evener.haproxy.sections.email_alerts import EmailAlerts
from evener.haproxy.sections.errors import Errors
from evener.haproxy.sections.filters import Filters
from evener.haproxy.sections.logs import Logging
from evener.haproxy.sections.options import Options
from evener.haproxy.sections.persistence import Persistence
from evener.haproxy.sections.proxy_table import TABLE
from evener.haproxy.sections.rules import Rules, SwitchingRules
from evener.haproxy.sections.server import ServerOptions
from evener.haproxy.sections.server_values import Guid
from evener.haproxy.sections.servers import (
    DefaultServerArgument,
    Server,
    ServerArgument,
    ServerTemplate,
    TemplateArgument,
)
from evener.haproxy.sections.sides import ANY, ANY_PROXY, BACK, BACK_PROXY, FRONT_PROXY
from evener.haproxy.sections.stats import Stats
from evener.haproxy.sections.timeouts import Timeouts
from evener.haproxy.sections.values import Sentence, loose_number
from evener.text.record import dataclass
from evener.text.span import Span
from evener.vocab.arguments import Argument, Cursor, Flag
from evener.vocab.blocks import Known, Repeat, block, group, keyword, part, spans, vocabulary

_SERVER_LEAD: Final = "config : [{place}] : "
_NO_SERVERS: Final = (
    "parsing [{place}] : '{first}' not allowed because {kind} '{name}' has no backend capability."
)
_TIGHT: Final = "config : parsing [{place}]: "


class Kind(Enum):
    DEFAULTS = "defaults"
    FRONTEND = "frontend"
    BACKEND = "backend"
    LISTEN = "listen"

    @property
    def front(self) -> bool:
        return self in (Kind.FRONTEND, Kind.LISTEN)

    @property
    def back(self) -> bool:
        return self in (Kind.BACKEND, Kind.LISTEN)


class ModeArgument(Argument[str]):
    usage = "{ tcp | http | log | spop }"

    def read(self, cursor: Cursor) -> str:
        mode = cursor.peek() or ""
        cursor.index += 1
        if cursor.more:
            message = f"'mode' cannot handle unexpected argument '{cursor.take()}'."
            raise cursor.bad("unexpected-argument", message, whole=True)
        if mode == "health":
            message = (
                "'mode health' doesn't exist anymore. Please use 'http-request return status 200' instead."
            )
            raise cursor.bad("removed-keyword", message, whole=True)
        if mode not in ("tcp", "http", "log", "spop", "haterm"):
            raise cursor.bad("unknown-value", f"unknown proxy mode '{mode}'.", whole=True)
        if mode not in ("tcp", "http", "log"):
            cursor.context.not_executed(f"mode {mode}", cursor.span())
        return mode


class ProxyId(Argument[int]):
    usage = "<value>"

    def read(self, cursor: Cursor) -> int:
        if not cursor.more:
            raise cursor.bad("missing-argument", "'id' expects an integer argument.", whole=True)
        value = loose_number(cursor.take())
        if value <= 0:
            raise cursor.bad("out-of-range", "custom id has to be > 0.", whole=True)
        return value


@block("proxy keyword", TABLE)
@dataclass(frozen=True, slots=True)
class Proxy:
    """``origin`` is the defaults section it inherits from (None: none); ``origin_named``: by ``from``."""

    kind: Kind = Kind.LISTEN
    name: str = ""
    origin: Proxy | None = field(default=None, compare=False, repr=False)
    origin_named: bool = field(default=False, compare=False)
    named_servers: Mapping[str, ServerOptions] = field(default_factory=dict, compare=False, repr=False)
    span: Span | None = field(default=None, compare=False)

    mode: str = keyword(
        ModeArgument(), "What the proxy speaks.", ok=("mode http",), bad=("mode", "mode foo", "mode http x"),
        contexts=ANY, default="tcp",
    )  # fmt: skip
    disabled: bool = keyword(
        Flag(), "The proxy is not started.", ok=("disabled",), bad=("disabled x",), contexts=ANY,
        default=False,
        undo="enabled",
    )  # fmt: skip
    id: int | None = keyword(
        ProxyId(), "A number for the proxy, unique.", ok=("id 5000",), bad=("id", "id 0", "id x"),
        contexts=ANY_PROXY, lead=_TIGHT, counted=1,
    )  # fmt: skip
    guid: str | None = keyword(
        Guid(), "An identifier that stays the same across reloads.", ok=("guid p1",),
        bad=("guid", "guid a/b"), contexts=ANY_PROXY, loose=True, missing="'guid' : expects an argument",
    )  # fmt: skip
    description: str | None = keyword(
        Sentence(), "What people should know about the proxy.", ok=("description a text",),
        bad=("description",), contexts=ANY_PROXY, lead=_TIGHT,
        missing="'description' expects a string argument.", ends=True,
    )  # fmt: skip
    bind: tuple[Bind, ...] = keyword(
        BindLine(), "Listen there.", ok=("bind :80", "bind 127.0.0.1:80,:81 name web"),
        bad=("bind", "bind 127.0.0.1", "bind :0", "bind :80 foo"), contexts=FRONT_PROXY,
        repeat=Repeat.COLLECT,
    )  # fmt: skip
    default_server: ServerOptions | None = keyword(
        DefaultServerArgument(), "Options for the servers that follow.", ok=("default-server inter 5s",),
        bad=("default-server foo",), contexts=BACK, lead=_SERVER_LEAD,
        wrong_side=_NO_SERVERS,
    )  # fmt: skip
    server: tuple[Server, ...] = keyword(
        ServerArgument(), "A server.", ok=("server s1 127.0.0.1:80 check",),
        bad=("server", "server s1", "server s1 127.0.0.1:80 foo", "server s/1 127.0.0.1"),
        contexts=BACK_PROXY,
        repeat=Repeat.COLLECT, lead=_SERVER_LEAD,
        wrong_side=_NO_SERVERS,
    )  # fmt: skip
    server_template: tuple[ServerTemplate, ...] = keyword(
        TemplateArgument(), "Several servers that only differ in their number.",
        ok=("server-template s 3 127.0.0.1:80",), bad=("server-template", "server-template s 0 127.0.0.1:80"),
        contexts=BACK_PROXY, repeat=Repeat.COLLECT, lead=_SERVER_LEAD,
        wrong_side=_NO_SERVERS,
    )  # fmt: skip

    timeout: Timeouts = group("timeout", Timeouts)
    option: Options = group("option", Options)
    stats: Stats = group("stats", Stats)
    compression: Compression = group("compression", Compression)
    connections: Connections = part(Connections)
    filters: Filters = part(Filters)
    rules: Rules = part(Rules)
    balancing: Balancing = part(Balancing)
    switching: SwitchingRules = part(SwitchingRules)
    persistence: Persistence = part(Persistence)
    checks: CheckRules = part(CheckRules)
    logging: Logging = part(Logging)
    alerts: EmailAlerts = group("email-alert", EmailAlerts)
    errors: Errors = part(Errors)

    known: tuple[Known, ...] = ()
    spans: Mapping[str, Span] = spans()

    @property
    def http(self) -> bool:
        return self.mode == "http"

    @property
    def word(self) -> str:
        """What messages call it: a listen section is simply a proxy."""
        return "proxy" if self.kind is Kind.LISTEN else self.kind.value


VOCABULARY = vocabulary(Proxy)
