"""``traces``: what is traced, how much of it, and where to (section 3.13).

The lines are those of the runtime command ``trace``; ``trace_names`` knows what each source has.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Final

from evener.haproxy.sections.forms import Form
from evener.haproxy.sections.reading import Place, where_of
from evener.haproxy.sections.rule_words import Reported, line_of
from evener.haproxy.sections.trace_names import events, locks, verbosities
from evener.text.record import dataclass
from evener.text.span import Span
from evener.vocab.arguments import Argument, BadArgument, Cursor
from evener.vocab.blocks import Known, Repeat, block, keyword, spans
from evener.vocab.registry import Status

SOURCES: Final = {
    "h2": "HTTP/2 multiplexer",
    "fcgi": "FastCGI multiplexer",
    "spop": "SPOP multiplexer",
    "acme": "ACME",
    "ssl": "SSL xprt",
    "h1": "HTTP/1 multiplexer",
    "stream": "Applicative stream",
    "peers": "Peers protocol",
    "check": "Health-check",
    "applet": "Applet endpoint",
    "pt": "Passthrough multiplexer",
    "session": "client session management",
    "haterm": "haterm",
}
LEVELS: Final = {
    "error": "report errors",
    "user": "also information useful to the end user",
    "proto": "also protocol-level updates",
    "state": "also report internal state changes",
    "data": "also report data transfers",
    "developer": "also report information useful only to the developer",
}
COMMANDS: Final = {
    "event": "list/enable/disable source-specific event reporting",
    "level": "list/set trace reporting level",
    "lock": "automatic lock on thread/connection/stream/...",
    "follow": "passively follow another source's locked pointer (e.g. session)",
    "pause": "pause and automatically restart after a specific event",
    "sink": "list/set event sinks",
    "start": "start immediately or after a specific event",
    "stop": "stop immediately or after a specific event",
    "verbosity": "list/set trace output verbosity",
}
LISTED: Final = {
    "event": "Supported events for source {} (+=enabled, -=disabled):",
    "level": "Supported trace levels for source {}:",
    "lock": "Supported lock-on criteria for source {}:",
    "follow": "Not currently following any other source.",
    "pause": "Supported events for source {} (+=enabled, -=disabled):",
    "sink": "Supported sinks for source {} (*=current):",
    "start": "Supported events for source {} (+=enabled, -=disabled):",
    "stop": "Supported events for source {} (+=enabled, -=disabled):",
    "verbosity": "Supported trace verbosities for source {}:",
}


UNKNOWN: Final = {
    "event": "No such trace event '{0}'",
    "start": "No such trace event '{0}'",
    "stop": "No such trace event '{0}'",
    "pause": "No such trace event '{0}'",
    "lock": "Unsupported lock-on criterion '{0}'",
    "verbosity": "No such verbosity level '{0}'. Supported trace verbosities for source {1}:",
}


@dataclass(frozen=True, slots=True)
class Trace:
    """``source`` is one, ``all`` or ``0`` (stop everything); ``settings`` are (command, value)."""

    source: str
    settings: tuple[tuple[str, str], ...] = ()
    span: Span | None = field(default=None, compare=False)


SINKS: Final = {
    "none": "no sink",
    "stdout": "standard output (fd#1)",
    "stderr": "standard output (fd#2)",
    "buf0": "in-memory ring buffer",
    "dpapi": "DPAPI ring buffer",
}
META: Final = {
    "0": "not a source, will immediately stop all traces",
    "all": "all sources below, only for 'sink', 'level' and 'follow'",
}
_OTHER: Final = "Please specify another source to follow, among the following ones:"


def listing(words: Mapping[str, str], current: str = "") -> str:
    return "".join(f"\n  {'*' if name == current else ' '} {name:<10} : {doc}" for name, doc in words.items())


def sources(first: Mapping[str, str]) -> str:
    """Nothing is traced while files are read: all of them are stopped."""
    return "".join(f"\n [.] {name:<10} : {doc}" for name, doc in {**first, **SOURCES}.items())


def listed(command: str, source: str) -> str:
    """What a command without its value is answered: what may be said."""
    told = LISTED[command].format(source)
    if command == "level":
        return told + listing(LEVELS, "" if source == "all" else "user")
    if command == "sink":
        return f"{told}{listing(SINKS, 'none')}\n(forward-declared sinks are not displayed here!)"
    if command == "follow":
        begin = "" if source == "all" else f"{told}\n"
        return begin + _OTHER + sources({"none": "follow no other source"})
    return told


class TraceArgument(Argument[Trace]):
    usage = "<source> [ <command> <value> ]..."

    def read(self, cursor: Cursor) -> Trace:
        if not cursor.more:
            told = "Supported trace sources and states (.=stopped, w=waiting, R=running) :"
            raise self.told(cursor, told + sources(META))
        source = cursor.take()
        if source not in SOURCES and source not in ("all", "0"):
            raise bad(cursor, "unknown-source", f"No such trace source '{source}'")
        if source == "0":
            span = cursor.line.span(0)
            cursor.context.diagnostics.notice("traces-stopped", "'trace': All traces now stopped", span)
            return Trace(source, (), where_of(line_of(cursor)))
        if cursor.peek() is None:
            rows = "".join(f"\n  {name:<9} : {doc}" for name, doc in COMMANDS.items())
            raise self.told(cursor, "Supported commands:" + rows)
        settings: list[tuple[str, str]] = []
        while cursor.peek() is not None:
            command = cursor.take()
            if command not in COMMANDS:
                raise bad(cursor, "unknown-keyword", f"Unknown trace keyword '{command}'")
            if source == "all" and command not in ("sink", "level", "follow"):
                raise bad(cursor, "unknown-keyword", f"'{command}' not applicable to meta-source 'all'")
            if cursor.peek() is None:
                raise self.told(cursor, listed(command, source))
            settings.append((command, self.value(command, source, cursor)))
        return Trace(source, tuple(settings), where_of(line_of(cursor)))

    def value(self, command: str, source: str, cursor: Cursor) -> str:
        value = cursor.take()
        if command == "level" and value not in LEVELS:
            text = f"No such trace level '{value}'. Supported trace levels for source {source}:"
            raise bad(cursor, "unknown-level", text + listing(LEVELS, "" if source == "all" else "user"))
        known = self.names(command, source)
        name = value.lstrip("+-!") if command == "event" else value
        if known is not None and name not in known:
            raise bad(cursor, "unknown-name", UNKNOWN[command].format(name, source))
        if command == "follow" and value not in (*SOURCES, "none"):
            raise bad(cursor, "unknown-source", f"No such trace source '{value}'")
        return value

    def names(self, command: str, source: str) -> tuple[str, ...] | None:
        """What may stand behind a command; None: anything."""
        if command == "event":
            return events(source)
        if command in ("start", "stop", "pause"):
            return ("now", *events(source))
        if command == "lock":
            return locks(source)
        return verbosities(source) if command == "verbosity" else None

    def told(self, cursor: Cursor, text: str) -> Reported:
        """A question rather than a statement: the original answers it in a warning."""
        place: Place = cursor.context
        place.warning("trace-lists", f"'trace': {text}", cursor.line.span(0))
        return Reported()

    def words(self, value: Trace) -> list[str]:
        return [value.source, *(word for setting in value.settings for word in setting)]


def bad(cursor: Cursor, code: str, message: str) -> BadArgument:
    return cursor.bad(code, message, whole=True)


@block("traces line")
@dataclass(frozen=True, slots=True)
class Traces:
    name: str = ""
    trace: tuple[Trace, ...] = keyword(
        TraceArgument(),
        "Settings of a source of traces: what it tells (``event``, ``level``, ``verbosity``), "
        "where to (``sink``), and when (``start``, ``stop``, ``pause``, ``lock``, ``follow``).",
        ok=("trace h1 sink stderr level developer verbosity complete start now", "trace all sink stderr"),
        bad=(
            "trace nowhere",
            "trace h1 colour red",
            "trace h1 level loud",
            "trace h1 event +x",
            "trace h1 lock x",
            "trace h1 start x",
            "trace h1 verbosity loud",
        ),
        repeat=Repeat.COLLECT,
        status=Status.PLANNED,
    )
    span: Span | None = field(default=None, compare=False)
    spans: Mapping[str, Span] = spans()
    known: tuple[Known, ...] = ()


FORM: Final = Form(
    Traces, plain=False, most=0, guesses=True, unknown="unknown keyword '{got}' in 'global' section"
)
