"""``log-profile``, ``ring`` and ``log-forward``: how lines are made, where they are kept, what is passed on.

Each section is a block of its own; what names a section that does not exist is found when all are read.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field, replace
from typing import Any, Final

from evener.haproxy.addresses import Address, Allow, BadAddress, parse_addresses
from evener.haproxy.line import Line
from evener.haproxy.logformat import Format, parse_logformat
from evener.haproxy.sample import Place as Evaluated
from evener.haproxy.sections.bind import Bind, BindLine, read_bind_options
from evener.haproxy.sections.forms import PARSING
from evener.haproxy.sections.log_values import FORMATS, Log, LogArgument
from evener.haproxy.sections.reading import SERVER_LEAD, Place, where_of
from evener.haproxy.sections.rule_words import Reported, scope_of
from evener.haproxy.sections.servers import Server, ServerArgument
from evener.haproxy.sections.values import Loose, OneOf, Sentence, Time, read_size
from evener.text.diagnostic import Diagnostics
from evener.text.record import dataclass
from evener.text.span import Span
from evener.vocab.arguments import Argument, Cursor, Flag, Text
from evener.vocab.blocks import Known, Repeat, block, keyword, spans

# -- log-profile ----------------------------------------------------------------------------------

STEPS: Final = ("accept", "request", "connect", "response", "close", "error", "any")
EXTRA_STEPS: Final = (
    "http-req", "http-res", "http-after-res", "tcp-req-conn", "tcp-req-sess", "tcp-req-cont", "tcp-res-cont",
)  # fmt: skip
_TIGHT: Final = "config : parsing [{place}]: "


@dataclass(frozen=True, slots=True)
class Step:
    """What is logged at one step: nothing (``drop``), or other formats than the proxy's."""

    name: str
    drop: bool = False
    format: Format | None = None
    sd: Format | None = None
    span: Span | None = field(default=None, compare=False)


class StepArgument(Argument[Step]):
    usage = "<step> [drop] [format <fmt>] [sd <sd_fmt>]"

    def read(self, cursor: Cursor) -> Step:
        name = cursor.peek() or ""
        if name not in STEPS and name not in EXTRA_STEPS:
            known = ", ".join(f"'{step}'" for step in STEPS[:-1])
            extra = ", ".join(f"'{step}'" for step in EXTRA_STEPS)
            message = (
                f"'on' expects a log step.\nexpected values are: {known} or 'any'.\n"
                f"Or one of the additional log steps: {extra}."
            )
            cursor.context.diagnostics.alert("unknown-step", message, cursor.span(), lead=_TIGHT)
            raise Reported
        cursor.index += 1
        if cursor.peek() not in ("drop", "format", "sd"):
            raise cursor.bad("missing-argument", f"'on {name}' expects 'drop', 'format' or 'sd'.", whole=True)
        drop, formats = False, {}
        while (word := cursor.peek()) in ("drop", "format", "sd"):
            cursor.index += 1
            if word == "drop":
                drop = True
            else:
                formats[word] = self.format(f"on {name} {word}", cursor)
        line: Line = cursor.line  # type: ignore[assignment]
        return Step(name, drop, formats.get("format"), formats.get("sd"), where_of(line))

    def format(self, what: str, cursor: Cursor) -> Format:
        if not cursor.more:
            raise cursor.bad("missing-argument", f"'{what}' expects a logformat string.", whole=True)
        found = Diagnostics()
        scope = scope_of(cursor).within("failed to parse logformat: {}.", Evaluated.LOG.bit)
        scope.diagnostics = found
        made = parse_logformat(cursor.take(), cursor.span(), scope)
        for diagnostic in found:
            cursor.context.diagnostics.add(replace(diagnostic, lead=PARSING))
        if made is None:
            raise Reported
        return made

    def words(self, value: Step) -> list[str]:
        words = [value.name] + ["drop"] * value.drop
        for word, made in (("format", value.format), ("sd", value.sd)):
            words += [word, made.text] if made is not None else []
        return words


@block("log-profile keyword")
@dataclass(frozen=True, slots=True)
class LogProfile:
    name: str = ""
    log_tag: str | None = keyword(
        Text("<string>"), "The tag of the lines made by this profile.", ok=("log-tag x",), bad=("log-tag",),
        missing="'log-tag' expects a tag for use in syslog.", loose=True,
    )  # fmt: skip
    on: tuple[Step, ...] = keyword(
        StepArgument(), "What is logged at a step.", ok=("on close format %ci", "on any drop"),
        bad=("on", "on nowhere drop", "on close", "on close format", "on close format %nosuch"),
        repeat=Repeat.COLLECT,
    )  # fmt: skip
    span: Span | None = field(default=None, compare=False)
    spans: Mapping[str, Span] = spans()

    def step(self, *names: str) -> Step | None:
        """What the last line about the first of these steps that has one says."""
        return next((step for name in names for step in reversed(self.on) if step.name == name), None)


# -- ring -----------------------------------------------------------------------------------------


BACKING: Final = "backing-file"


class SinkSize(Argument[int]):
    usage = "<size>"

    def read(self, cursor: Cursor) -> int:
        text = cursor.peek() or ""
        cursor.index += 1
        value = read_size(text)[0]
        if not value:
            raise cursor.bad("bad-size", f"invalid size '{text}' for new sink buffer.", whole=True)
        if cursor.name == "size" and (BACKING, "") in cursor.context.seen:
            late = "cannot resize an already mapped file, please specify 'size' before 'backing-file'."
            raise cursor.bad("too-late", late, whole=True)
        return value

    def words(self, value: int) -> list[str]:
        return [str(value)]


class BackingFile(Text):
    """The file gets its size when it is named."""

    def read(self, cursor: Cursor) -> str:
        path = super().read(cursor)
        cursor.context.seen[BACKING, ""] = cursor.line.span(0)
        return path


_RING_TIME: Final = "unexpected character '{char}' in argument to <{name}>."


@block("ring keyword")
@dataclass(frozen=True, slots=True)
class Ring:
    name: str = ""
    description: str | None = keyword(
        Sentence(), "What the ring is for.", ok=("description my ring",), bad=("description",),
        missing="missing ring description text.",
    )  # fmt: skip
    format: str | None = keyword(
        OneOf(*FORMATS), "The form of its messages where a log line says none.", ok=("format rfc5424",),
        bad=("format", "format x"), wrong="unknown format '{got}'.",
    )  # fmt: skip
    maxlen: int = keyword(
        SinkSize(),
        "How long a message may be.",
        ok=("maxlen 1200",),
        bad=("maxlen", "maxlen x"),
        default=1024,
        loose=True,
    )
    size: int = keyword(
        SinkSize(), "How many bytes of messages are kept.", ok=("size 32k",), bad=("size", "size x"),
        default=16384, loose=True,
    )  # fmt: skip
    backing_file: str | None = keyword(
        BackingFile("<path>"), "A file that shows the ring's messages after the process has ended.",
        ok=("backing-file /x",), bad=("backing-file",), loose=True,
    )  # fmt: skip
    timeout_connect: int | None = keyword(
        Time(_RING_TIME), "How long connecting to a server may take.", ok=("timeout connect 5s",),
        bad=("timeout connect", "timeout connect x"), name="timeout connect", lead=_TIGHT,
    )  # fmt: skip
    timeout_server: int | None = keyword(
        Time(_RING_TIME), "How long a server may take no data.", ok=("timeout server 5s",),
        bad=("timeout server", "timeout server x"), name="timeout server", lead=_TIGHT,
    )  # fmt: skip
    server: tuple[Server, ...] = keyword(
        ServerArgument(), "A log server that gets all messages over a connection.",
        ok=("server s1 127.0.0.1:514", "server s1 127.0.0.1:514 log-proto octet-count"),
        bad=("server", "server s1", "server s1 127.0.0.1:514 foo"), repeat=Repeat.COLLECT, lead=SERVER_LEAD,
    )  # fmt: skip
    span: Span | None = field(default=None, compare=False)
    spans: Mapping[str, Span] = spans()


# -- log-forward ----------------------------------------------------------------------------------

_DATAGRAM: Final = Allow.RANGE | Allow.DESCRIPTOR | Allow.DATAGRAM | Allow.DATAGRAM_FIRST


class DatagramBind(Argument[Bind]):
    usage = "<addr> [param*]"

    def read(self, cursor: Cursor) -> Bind:
        place: Place = cursor.context
        line: Line = cursor.line  # type: ignore[assignment]
        if not cursor.more:
            raise cursor.bad("missing-argument", "'dgram-bind' expects an address.", whole=True)
        text = cursor.take()
        try:
            addresses: list[Address] = list(parse_addresses(text, _DATAGRAM, place.resolve))
        except BadAddress as error:
            raise cursor.bad("bad-address", f"'dgram-bind {text}' : {error}", whole=True) from None
        options = read_bind_options(
            line, cursor.index, place, f"'dgram-bind {text}' in section '{place.kind}'"
        )
        cursor.rest()
        return Bind(text, tuple(addresses), options, where_of(line))

    def words(self, value: Bind) -> list[str]:
        return value.words()


def _number(doc: str, ok: str, default: Any) -> Any:
    return keyword(
        Loose(), doc, ok=(ok,), bad=("{}",), default=default, missing="'{name}' expects an integer argument."
    )


def _flag(name: str, doc: str) -> Any:
    return keyword(Flag(), doc, ok=("{}",), bad=("{} x",), name=f"option {name}", default=False)


@block("log-forward keyword")
@dataclass(frozen=True, slots=True)
class LogForward:
    name: str = ""
    bind: tuple[Bind, ...] = keyword(
        BindLine(), "Take messages from connections there.", ok=("bind 127.0.0.1:1514",),
        bad=("bind", "bind 127.0.0.1", "bind :80 foo"), repeat=Repeat.COLLECT,
    )  # fmt: skip
    dgram_bind: tuple[Bind, ...] = keyword(
        DatagramBind(), "Take messages from datagrams there.", ok=("dgram-bind 127.0.0.1:1514",),
        bad=("dgram-bind", "dgram-bind 127.0.0.1", "dgram-bind :80 foo"), repeat=Repeat.COLLECT,
    )  # fmt: skip
    log: tuple[Log, ...] = keyword(
        LogArgument(False), "Pass messages on to there.", ok=("log global", "log 127.0.0.1:514 local0"),
        bad=("log", "log 127.0.0.1"), repeat=Repeat.COLLECT,
    )  # fmt: skip
    maxconn: int = _number("How many connections there may be.", "maxconn 20", 10)
    backlog: int = _number("How many connections may wait.", "backlog 20", 0)
    timeout_client: int | None = keyword(
        Time("timeout : unexpected character '{char}' in '{name}'"), "How long a client may say nothing.",
        ok=("timeout client 10s",), bad=("timeout client", "timeout client x"), name="timeout client",
        missing="missing timeout client value.",
    )  # fmt: skip
    framed: bool = _flag("assume-rfc6587-ntf", "Messages on connections always end with a new line.")
    unparsed: bool = _flag("dont-parse-log", "Pass messages on as they are.")
    host: str = keyword(
        OneOf("replace", "fill", "keep", "append"), "What becomes of a message's host name.",
        ok=("option host keep",), bad=("option host", "option host x"), name="option host", default="fill",
        wrong="option 'host' expects {replace|fill|keep|append}.",
    )  # fmt: skip
    span: Span | None = field(default=None, compare=False)
    spans: Mapping[str, Span] = spans()


LogSection = LogProfile | Ring | LogForward
BLOCKS: Final[dict[str, type[LogSection]]] = {
    "log-profile": LogProfile,
    "ring": Ring,
    "log-forward": LogForward,
}

#: What a word that a section does not know is called.
UNKNOWN: Final = {
    "log-profile": "unknown keyword '{got}' in log-profile section.",
    "ring": "unknown statement '{got}'.",
    "log-forward": "unknown keyword '{got}' in log-forward section.",
}
__all__ = ["BLOCKS", "UNKNOWN", "Known", "LogForward", "LogProfile", "LogSection", "Ring", "Step"]
