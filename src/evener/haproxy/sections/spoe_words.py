"""The sections of a SPOE engine's file: ``spoe-agent``, ``spoe-message``, ``spoe-group`` (doc/SPOE.txt).

They stand in a file of their own, which ``filter spoe`` names; ``sections.spoe`` reads it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import field
from typing import Any, Final

from evener.haproxy.acl import AclTest
from evener.haproxy.condition import Condition, parse_condition
from evener.haproxy.expression import Expr, read_expression
from evener.haproxy.sample import Place as Evaluated
from evener.haproxy.scope import Failure
from evener.haproxy.sections.forms import Form, tight
from evener.haproxy.sections.log_values import Log, LogArgument
from evener.haproxy.sections.reading import TIGHT, where_of
from evener.haproxy.sections.rule_words import (
    AclArgument,
    Reported,
    condition_words,
    line_of,
    scope_of,
)
from evener.haproxy.sections.values import LONGEST, Loose, read_time, time_words, warn_after
from evener.text.record import dataclass
from evener.text.span import Span
from evener.vocab.arguments import Argument, Cursor, Flag, Text, Words
from evener.vocab.blocks import Harmless, Known, Repeat, block, keyword, spans
from evener.vocab.registry import Status

EVENTS: Final = {
    "on-client-session": (Evaluated.FE_CONNECTION,),
    "on-frontend-tcp-request": (Evaluated.FE_CONTENT,),
    "on-frontend-http-request": (Evaluated.FE_REQUEST,),
    "on-backend-tcp-request": (Evaluated.FE_CONTENT, Evaluated.BE_CONTENT),
    "on-backend-http-request": (Evaluated.FE_REQUEST, Evaluated.BE_REQUEST),
    "on-server-session": (Evaluated.SERVER_SOURCE,),
    "on-tcp-response": (Evaluated.FE_RESPONSE_CONTENT, Evaluated.BE_RESPONSE_CONTENT),
    "on-http-response": (Evaluated.FE_RESPONSE, Evaluated.BE_RESPONSE),
}
"""When messages are sent, and where in a transaction that is."""
FRAMES: Final = (256, 16380)
_EXTRA: Final = "'option' cannot handle unexpected argument '{got}'."
_NOT: Final = "negation is not supported for option '{got}'."


def planned(argument: Argument[Any] | Harmless, doc: str, **facts: Any) -> Any:
    return keyword(argument, doc, status=Status.PLANNED, **facts)


def switch(name: str, doc: str, argument: Any = None) -> Any:
    return planned(
        argument or Flag(),
        doc,
        name=f"option {name}",
        ok=("{}", "no {}"),
        bad=("{} x",),
        negatable=True,
        extra=_EXTRA,
    )


def flag(name: str, doc: str) -> Any:
    return planned(
        Flag(),
        doc,
        name=f"option {name}",
        ok=("{}",),
        bad=("{} x", "no {}"),
        extra=_EXTRA,
        not_negatable=_NOT,
        default=False,
    )


class VariableName(Argument[str]):
    """A name, or the beginning of one."""

    usage = "<name>"

    def read(self, cursor: Cursor) -> str:
        if not cursor.more:
            cursor.index += 1
            raise tight(cursor, "missing-argument", f"'{cursor.name}' expects a value.")
        text = cursor.take()
        if re.search(r"[^A-Za-z0-9_.]", text):
            message = f"'{cursor.name}' only supports [a-zA-Z0-9_.] chars."
            raise tight(cursor, "bad-name", message)
        return text


def variable(name: str, doc: str, good: str) -> Any:
    return planned(
        VariableName(),
        doc,
        name=f"option {name}",
        ok=(f"{{}} {good}",),
        bad=("{}", "{} a/b", "{} a b", f"no {{}} {good}"),
        extra=_EXTRA,
        not_negatable=_NOT,
    )


class Processing(Argument[int]):
    """How long the agent may take, in milliseconds."""

    usage = "<time>"

    def read(self, cursor: Cursor) -> int:
        text = cursor.take("an integer value (in milliseconds)")
        found = read_time(text)
        if found.wrong:
            message = f"unexpected character '{found.wrong}' in '{cursor.name}'."
            raise cursor.bad("bad-time", message, whole=True)
        if found.milliseconds > LONGEST:
            message = (
                f"timer overflow in argument <{text}> to <{cursor.name}>, "
                "maximum value is 2147483647 ms (~24.8 days)."
            )
            raise tight(cursor, "bad-time", message)
        if found.after:
            warn_after(cursor, text, found.after)
        return found.milliseconds

    def words(self, value: int) -> list[str]:
        return [time_words(value)]


class Names(Argument[tuple[str, ...]]):
    """Names of messages or groups, each once."""

    usage = "<name> ..."

    def __init__(self, what: str) -> None:
        self.what = what

    def read(self, cursor: Cursor) -> tuple[str, ...]:
        names: list[str] = []
        while cursor.more:
            name = cursor.take()
            if (self.what, name) in cursor.context.seen:
                raise tight(cursor, "already-said", f"{self.what} '{name}' already used.")
            cursor.context.seen[self.what, name] = cursor.span()
            names.append(name)
        return tuple(names)

    def words(self, value: tuple[str, ...]) -> list[str]:
        return list(value)


def number(name: str, doc: str) -> Any:
    """Former limits: a word must follow, and nothing comes of it."""
    return keyword(
        Harmless(Words(1, None, "<number>")),
        doc,
        name=name,
        ok=("{} 5",),
        bad=("{}",),
        missing="'{name}' expects an integer argument.",
    )


def former(name: str) -> Any:
    return keyword(
        Harmless(Words(0, 1, "<time>")),
        "A former timeout, without meaning now.",
        name=f"timeout {name}",
        ok=("{} 10s",),
        bad=("{} 10s 20s",),
    )


@block("spoe-agent line")
@dataclass(frozen=True, slots=True)
class SpoeAgent:
    name: str = ""
    use_backend: str | None = planned(
        Text("<backend>"),
        "The backend whose servers are the agents. Must be said.",
        ok=("{} agents",),
        bad=("{}", "{} a b"),
        missing="'use-backend' expects a backend name.",
    )
    messages: tuple[tuple[str, ...], ...] = planned(
        Names("spoe-message"),
        "The messages that are sent when their events happen.",
        ok=("{} m",),
        bad=("{} m m",),
        repeat=Repeat.COLLECT,
    )
    groups: tuple[tuple[str, ...], ...] = planned(
        Names("spoe-group"),
        "The groups of messages that rules may send (``send-spoe-group``).",
        ok=("{} g",),
        bad=("{} g g",),
        repeat=Repeat.COLLECT,
    )
    timeout_processing: int | None = planned(
        Processing(),
        "How long an answer is waited for before the stream goes on without it.",
        name="timeout processing",
        ok=("{} 10ms",),
        bad=("{}", "{} x", "{} 25d", "{} 1s 2s"),
        missing="'timeout processing' expects an integer value (in milliseconds).",
        extra="'timeout' cannot handle unexpected argument '{got}'.",
    )
    timeout_hello: tuple[str, ...] | None = former("hello")
    timeout_idle: tuple[str, ...] | None = former("idle")
    pipelining: bool | None = switch("pipelining", "Send messages before earlier ones are answered; on.")
    dontlog_normal: bool | None = switch("dontlog-normal", "Log only what went wrong.")
    async_: bool | None = switch("async", "A former option, without meaning now.", Harmless(Flag()))
    send_frag_payload: bool | None = switch(
        "send-frag-payload", "A former option, without meaning now.", Harmless(Flag())
    )
    var_prefix: str | None = variable(
        "var-prefix",
        "What the names of the agent's variables begin with; the agent's name unless said.",
        "pfx",
    )
    force_set_var: bool = flag("force-set-var", "Variables may have names that nobody reads.")
    continue_on_error: bool = flag("continue-on-error", "Later messages are sent after one that failed.")
    set_on_error: str | None = variable(
        "set-on-error", "A variable that gets the number of the error, when there was one.", "error"
    )
    set_process_time: str | None = variable(
        "set-process-time", "A variable that gets the time of one event's messages, in milliseconds.", "time"
    )
    set_total_time: str | None = variable(
        "set-total-time", "A variable that gets the time of all messages so far, in milliseconds.", "total"
    )
    max_frame_size: int | None = planned(
        Loose(*FRAMES),
        "Largest frame, in bytes.",
        ok=("{} 4096",),
        bad=("{}", "{} 5", "{} x", "{} 500 600"),
        missing="'{name}' expects an integer argument.",
        wrong="'{name}' expects a positive integer argument in the range [256, 16380].",
    )
    max_waiting_frames: tuple[str, ...] | None = keyword(
        Harmless(Words(1, None, "<number>")),
        "A former limit, without meaning now.",
        ok=("{} 5",),
        bad=("{}",),
        missing="'{name}' expects an integer argument.",
    )
    maxconnrate: tuple[str, ...] | None = number("maxconnrate", "A former limit, without meaning now.")
    maxerrrate: tuple[str, ...] | None = number("maxerrrate", "A former limit, without meaning now.")
    register_var_names: tuple[tuple[str, ...], ...] = planned(
        Words(1, None, "<name> ..."),
        "Variables that the agent may set although nobody reads them.",
        ok=("{} a b",),
        bad=("{}",),
        missing="'{name}' expects one or more variable names.",
        repeat=Repeat.COLLECT,
    )
    log: tuple[Log, ...] = planned(
        LogArgument(False),
        "Where what was sent and answered is logged.",
        ok=("log global",),
        bad=("log", "log 127.0.0.1 nowhere"),
        repeat=Repeat.COLLECT,
        negatable=True,
    )
    span: Span | None = field(default=None, compare=False)
    spans: Mapping[str, Span] = spans()
    known: tuple[Known, ...] = ()


@dataclass(frozen=True, slots=True)
class SpoeArgument:
    """A value that is sent, with or without a name."""

    name: str
    expr: Expr


class ArgsArgument(Argument[tuple[SpoeArgument, ...]]):
    usage = "[ [<name>=]<sample> ]..."

    def read(self, cursor: Cursor) -> tuple[SpoeArgument, ...]:
        made: list[SpoeArgument] = []
        while cursor.more:
            name, equals, text = cursor.take().partition("=")
            name, text = (name, text) if equals else ("", name)
            result = read_expression(text) if text else None
            if result is None or isinstance(result, Failure):
                what = "missing fetch method" if result is None else result.message
                raise cursor.bad("bad-expression", f"'args': {what}.", whole=True)
            made.append(SpoeArgument(name, result))
        return tuple(made)

    def words(self, value: tuple[SpoeArgument, ...]) -> list[str]:
        return [f"{sent.name}={sent.expr}" if sent.name else str(sent.expr) for sent in value]


@dataclass(frozen=True, slots=True)
class Event:
    name: str
    condition: Condition | None = None
    span: Span | None = field(default=None, compare=False)


class EventArgument(Argument[Event]):
    usage = "<event> [ { if | unless } <condition> ]"

    def read(self, cursor: Cursor) -> Event:
        if not cursor.more:
            raise cursor.bad("missing-argument", "missing event name.", whole=True)
        name, condition = cursor.take(), None
        if name not in EVENTS:
            raise cursor.bad("unknown-event", f"unknown event '{name}'.", whole=True)
        if cursor.peek() in ("if", "unless"):
            context = f"error detected while parsing an 'event {name}' condition : {{}}."
            bits = sum(place.bit for place in EVENTS[name])
            condition = parse_condition(line_of(cursor), cursor.index, scope_of(cursor).within(context, bits))
            cursor.rest()
            if condition is None:
                raise Reported
        elif cursor.more:
            what = "expects either 'if' or 'unless' followed by a condition but found"
            message = f"'event {name}' {what} '{cursor.take()}'."
            raise tight(cursor, "unexpected-argument", message)
        return Event(name, condition, where_of(line_of(cursor)))

    def words(self, value: Event) -> list[str]:
        return [value.name, *(condition_words(value.condition) if value.condition is not None else [])]


@block("spoe-message line")
@dataclass(frozen=True, slots=True)
class SpoeMessage:
    name: str = ""
    acl: tuple[AclTest, ...] = planned(
        AclArgument(),
        "A named test for the condition of the event.",
        ok=("acl local src 127.0.0.1",),
        bad=("acl a", "acl a/b src 127.0.0.1", "acl or src 127.0.0.1"),
        repeat=Repeat.COLLECT,
    )
    args: tuple[tuple[SpoeArgument, ...], ...] = planned(
        ArgsArgument(),
        "What is sent: samples, each with a name if that is wanted.",
        ok=("args ip=src path",),
        bad=("args no-such-fetch", "args a="),
        repeat=Repeat.COLLECT,
    )
    event: Event | None = planned(
        EventArgument(),
        "When the message is sent, and perhaps on what condition.",
        ok=(*(f"event {name}" for name in EVENTS), "event on-client-session if { src 127.0.0.1 }"),
        bad=("event", "event on-nothing", "event on-client-session then"),
    )
    span: Span | None = field(default=None, compare=False)
    spans: Mapping[str, Span] = spans()
    known: tuple[Known, ...] = ()


@block("spoe-group line")
@dataclass(frozen=True, slots=True)
class SpoeGroup:
    name: str = ""
    messages: tuple[tuple[str, ...], ...] = planned(
        Names("spoe-message"),
        "The messages of the group.",
        ok=("messages m",),
        bad=("messages m m",),
        repeat=Repeat.COLLECT,
    )
    span: Span | None = field(default=None, compare=False)
    spans: Mapping[str, Span] = spans()
    known: tuple[Known, ...] = ()


_TIMEOUT: Final = "'timeout' expects 'hello', 'idle' and 'processing'."
FORMS: Final = {
    "spoe-agent": Form(
        SpoeAgent,
        missing="missing name for spoe-agent section.",
        twice="another spoe-agent section previously defined.",
        twice_lead=None,
        single=True,
        ends=frozenset({"name", "extra", "twice"}),
        unknown="unknown keyword '{got}' in spoe-agent section.",
        groups={
            "option": ("'option' expects an option name.", "option '{got}' is not supported."),
            "timeout": (_TIMEOUT, "'timeout' supports 'processing' (got {got})."),
        },
        group_leads={"option": (TIGHT, TIGHT)},
    ),
    "spoe-message": Form(
        SpoeMessage,
        missing="missing name for spoe-message section.",
        twice="spoe-message section '{name}' has the same name as another one declared at {at}.",
        twice_lead=TIGHT,
        ends=frozenset({"name", "extra"}),
        ignores=True,
    ),
    "spoe-group": Form(
        SpoeGroup,
        missing="missing name for spoe-group section.",
        twice="spoe-group section '{name}' has the same name as another one declared at {at}.",
        twice_lead=TIGHT,
        ends=frozenset({"name", "extra"}),
        unknown="unknown keyword '{got}' in spoe-group section.",
    ),
}
