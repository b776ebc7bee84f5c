"""Limits and connections of a proxy: how many, how often tried again, reused, kept alive, from where."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from evener.haproxy.addresses import SOURCE, Allow
from evener.haproxy.sample import Place as Evaluated
from evener.haproxy.sections.rule_words import Conditional, OnlyIf
from evener.haproxy.sections.sides import BACK, FRONT, FRONT_PROXY
from evener.haproxy.sections.source import SourceAddress, SourceArgument
from evener.haproxy.sections.values import LONGEST, Loose, OneOf, Time
from evener.text.record import dataclass
from evener.text.span import Span
from evener.vocab.arguments import Argument, Cursor, Text, decimal, signed
from evener.vocab.blocks import Repeat, block, keyword, spans

_INTEGER: Final = "'{name}' expects an integer argument."
_SOURCE: Final = "'source' expects <addr>[:<port>], and optionally 'usesrc' <addr>, and 'interface' <name>."
RETRY_WORDS: Final = (
    "none", "conn-failure", "empty-response", "junk-response", "response-timeout", "0rtt-rejected",
    "all-retryable-errors",
)  # fmt: skip
RETRY_STATUSES: Final = ("401", "403", "404", "408", "421", "425", "429", "500", "501", "502", "503", "504")


class Strict(Argument[int]):
    """A number that is nothing else, with the original's complaint about the first wrong character."""

    usage = "<number>"

    def __init__(self, missing: str, low: int = 0) -> None:
        self.missing = missing
        self.low = low

    def read(self, cursor: Cursor) -> int:
        if not cursor.more:
            raise cursor.bad("missing-argument", self.missing.replace("{name}", cursor.name), whole=True)
        text = cursor.take()
        value = signed(text) if self.low < 0 else decimal(text)
        if value is None or value < self.low:
            wrong = next((c for c in text if not "0" <= c <= "9"), text[:1])
            message = f"'{cursor.name}' : unexpected character '{wrong}' in integer value '{text}'"
            raise cursor.bad("not-a-number", message, whole=True)
        return value


class StateFile(Argument[str]):
    """A file, or ``use-backend-name``, which is also meant where nothing is said."""

    usage = "[ use-backend-name | <file> ]"

    def read(self, cursor: Cursor) -> str:
        return cursor.take() if cursor.more else "use-backend-name"


class NameHeader(Text):
    """A header name, but none that the message itself depends on."""

    def read(self, cursor: Cursor) -> str:
        name = super().read(cursor)
        if name.lower() in ("connection", "content-length", "host", "transfer-encoding"):
            message = f"'{name}' cannot be used as header name for 'http-send-name-header' directive."
            raise cursor.bad("bad-header-name", message, whole=True)
        return name


class RetryOn(Argument[tuple[str, ...]]):
    usage = "[ none | conn-failure | empty-response | ... | <status> ]+"

    def read(self, cursor: Cursor) -> tuple[str, ...]:
        words = cursor.rest()
        if not words:
            message = "'retry-on' needs at least one keyword to specify when to retry"
            raise cursor.bad("missing-argument", message, whole=True)
        for word in words:
            if word not in RETRY_WORDS and word not in RETRY_STATUSES:
                raise cursor.bad("unknown-value", f"'retry-on': unknown keyword '{word}'", whole=True)
        return words

    def words(self, value: tuple[str, ...]) -> list[str]:
        return list(value)


_COUNT = "'{name}' expects an integer value"
_PAUSE = "unexpected character '{char}' in argument to <{name}>."
PROBES: Final = Strict(_COUNT, -LONGEST)
SECONDS: Final = Time(_PAUSE, unit=1000)


def keepalive(argument: Argument[int], doc: str, contexts: Sequence[str], good: str) -> Any:
    """``clitcpka-*`` and ``srvtcpka-*``: parameters of the kernel's keep-alive."""
    return keyword(
        argument, doc, ok=(f"{{}} {good}",), bad=("{} x", "{}"), contexts=contexts, loose=True,
        missing="'{name}' expects an integer value",
        ignored="{word} will be ignored because {kind} '{name}' has no {capability} capability",
    )  # fmt: skip


@block("connection keyword")
@dataclass(frozen=True, slots=True)
class Connections:
    backlog: int | None = keyword(
        Loose(), "How many connections the kernel keeps waiting for acceptance.", ok=("backlog 100",),
        bad=("backlog",), contexts=FRONT, missing="'backlog' expects an integer argument.",
    )  # fmt: skip
    maxconn: int | None = keyword(
        Loose(), "Most concurrent connections.", ok=("maxconn 100",), bad=("maxconn", "maxconn 1 2"),
        contexts=FRONT, missing="'maxconn' expects an integer argument.",
        advice=" Maybe you want 'fullconn' instead ?",
    )  # fmt: skip
    fullconn: int | None = keyword(
        Loose(), "Load at which servers' minconn has grown to maxconn.", ok=("fullconn 100",),
        bad=("fullconn",),
        contexts=BACK, missing="'fullconn' expects an integer argument.",
        advice=" Maybe you want 'maxconn' instead ?",
    )  # fmt: skip
    rate_limit_sessions: int | None = keyword(
        Strict("'{name}' expects expects an integer value (in sessions/second)"),
        "Most new sessions per second.", name="rate-limit sessions", ok=("{} 10",), bad=("{} x", "{}"),
        contexts=FRONT,
        ignored="{word} will be ignored because {kind} '{name}' has no {capability} capability",
    )  # fmt: skip
    retries: int | None = keyword(
        Loose(), "How often a connection is tried again.", ok=("retries 3",), bad=("retries", "retries 3 4"),
        contexts=BACK, missing="'retries' expects an integer argument (dispatch counts for one).",
    )  # fmt: skip
    retry_on: tuple[str, ...] | None = keyword(
        RetryOn(), "What makes a request be sent again.", ok=("retry-on conn-failure 503",),
        bad=("retry-on", "retry-on foo", "retry-on 405"), contexts=BACK,
        wrong_side="'retry-on' only available in backend or listen section",
    )  # fmt: skip
    http_reuse: str | None = keyword(
        OneOf("never", "safe", "aggressive", "always"), "How server connections are shared by clients.",
        ok=("http-reuse always",), bad=("http-reuse", "http-reuse foo", "http-reuse always x"), contexts=BACK,
        wrong="'http-reuse' only supports 'never', 'safe', 'aggressive', 'always'.",
        extra="'http-reuse always' cannot handle unexpected argument '{got}'.",
    )  # fmt: skip
    source: SourceAddress | None = keyword(
        SourceArgument(_SOURCE, "'source {got}' : {error}", SOURCE & ~Allow.RANGE),
        "Address that connections to servers come from.",
        ok=("source 127.0.0.1",), bad=("source",), contexts=BACK,
    )  # fmt: skip
    max_keep_alive_queue: int | None = keyword(
        Strict("'{name}' expects expects an integer value (or -1 to disable)", -1),
        "Queue of a server up to which a client's own connection to it is waited for; -1 any.",
        ok=("{} 5",), bad=("{} x", "{}"),
        contexts=BACK, loose=True,
        ignored="{word} will be ignored because {kind} '{name}' has no {capability} capability",
    )  # fmt: skip
    max_session_srv_conns: int | None = keyword(
        Loose(), "Most server connections that a client has for itself.", ok=("{} 5",), bad=("{}",),
        contexts=FRONT, loose=True,
        missing="'max-session-srv-conns' expects a number. Got no argument",
    )  # fmt: skip
    http_send_name_header: str | None = keyword(
        NameHeader("[<header>]"), "Header that tells the server its name.", ok=("{} X-Name",),
        bad=("{}",),
        contexts=BACK, loose=True,
        missing="'http-send-name-header' requires a header string.",
    )  # fmt: skip
    load_server_state_from_file: str | None = keyword(
        OneOf("global", "local", "none"), "Where the state of servers is read at start.", ok=("{} none",),
        bad=("{} foo", "{}"), contexts=BACK,
        wrong="'load-server-state-from-file' expects 'global', 'local' or 'none'. Got '{got}'",
    )  # fmt: skip
    server_state_file_name: str | None = keyword(
        StateFile(), "File of the state of servers; by default the name of the backend.",
        ok=("{} x", "{}", "{} use-backend-name"), bad=("{} x y",), contexts=BACK,
    )  # fmt: skip
    clitcpka_cnt: int | None = keepalive(PROBES, "Probes before a client counts as dead.", FRONT, "3")
    clitcpka_idle: int | None = keepalive(SECONDS, "Idle time before the first probe.", FRONT, "3s")
    clitcpka_intvl: int | None = keepalive(SECONDS, "Time between two probes.", FRONT, "3s")
    srvtcpka_cnt: int | None = keepalive(PROBES, "Probes before a server counts as dead.", BACK, "3")
    srvtcpka_idle: int | None = keepalive(SECONDS, "Idle time before the first probe.", BACK, "3s")
    srvtcpka_intvl: int | None = keepalive(SECONDS, "Time between two probes.", BACK, "3s")
    monitor_uri: str | None = keyword(
        Text("<uri>"), "Answer requests of that URI here, to say that the frontend lives.", ok=("{} /alive",),
        bad=("{}",), contexts=FRONT, missing="'monitor-uri' expects an URI.",
    )  # fmt: skip
    monitor_fail: tuple[Conditional, ...] = keyword(
        OnlyIf(Evaluated.FE_REQUEST), "When the answer of monitor-uri is a failure.",
        name="monitor fail", rules="monitor fail",
        ok=("monitor fail if { nbsrv(l2) lt 1 }",), bad=("monitor fail",), contexts=FRONT_PROXY,
        repeat=Repeat.COLLECT, needs="backend l2",
    )  # fmt: skip
    spans: Mapping[str, Span] = spans()
