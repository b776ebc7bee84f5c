"""What a proxy logs and how: targets, formats, captured headers, unique identifiers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Final

from evener.haproxy.logformat import Format
from evener.haproxy.sample import Place as Evaluated
from evener.haproxy.sections.log_values import Log, LogArgument
from evener.haproxy.sections.options import LOGS
from evener.haproxy.sections.reading import where_of
from evener.haproxy.sections.rule_words import FormatArgument, line_of
from evener.haproxy.sections.sides import ANY, FRONT, FRONT_PROXY
from evener.haproxy.sections.values import loose_number
from evener.text.record import dataclass
from evener.text.span import Span
from evener.vocab.arguments import Argument, Cursor, Text
from evener.vocab.blocks import Repeat, block, keyword, spans

IN_BACKEND: Final = "backend '{name}' : '{word}' directive is ignored in backends."


@dataclass(frozen=True, slots=True)
class Capture:
    """A header or cookie of which ``length`` characters are kept for the log; no name: a slot for rules."""

    name: str
    length: int
    span: Span | None = field(default=None, compare=False)


class CaptureArgument(Argument[Capture]):
    usage = "<name> len <length>"

    def __init__(self, wrong: str) -> None:
        self.wrong = wrong

    def read(self, cursor: Cursor) -> Capture:
        words = cursor.rest()
        if len(words) < 3 or words[1] != "len":
            raise cursor.bad("missing-argument", self.wrong, whole=True)
        if len(words) > 3:
            raise cursor.bad(
                "unexpected-argument",
                f"'capture' cannot handle unexpected argument '{words[3]}'.",
                whole=True,
            )
        return Capture(words[0], loose_number(words[2]), where_of(line_of(cursor)))

    def words(self, value: Capture) -> list[str]:
        return [value.name, "len", str(value.length)]


STEPS: Final = (
    "accept", "request", "connect", "response", "close", "http-req", "http-res", "http-after-res",
    "tcp-req-conn", "tcp-req-sess", "tcp-req-cont", "tcp-res-cont",
)  # fmt: skip


class StepsArgument(Argument[tuple[str, ...]]):
    usage = "<step>[,<step>]*"

    def read(self, cursor: Cursor) -> tuple[str, ...]:
        steps = tuple(cursor.take("steps").split(","))
        for step in steps:
            if step not in STEPS and step != "all":
                known = ", ".join(STEPS)
                message = f"invalid log step name ({step}). Expected values are: {known}"
                raise cursor.bad("unknown-value", message, whole=True)
        return steps

    def words(self, value: tuple[str, ...]) -> list[str]:
        return [",".join(value)]


class Length(Argument[Capture]):
    usage = "len <length>"

    def read(self, cursor: Cursor) -> Capture:
        if not cursor.accept("len"):
            message = "'declare capture' requires a capture length ('len')"
            raise cursor.bad("missing-argument", message, whole=True)
        return Capture("", loose_number(cursor.take("a length")), where_of(line_of(cursor)))

    def words(self, value: Capture) -> list[str]:
        return ["len", str(value.length)]


_HEADER = "'capture {}' expects 'header' <header_name> 'len' <len>."


@block("log keyword")
@dataclass(frozen=True, slots=True)
class Logging:
    log: tuple[Log, ...] = keyword(
        LogArgument(False), "Send log lines there; ``global`` stands for the global section's targets.",
        ok=("log 127.0.0.1:514 local0", "log global", "log stdout format raw daemon info"),
        bad=("log", "log 127.0.0.1", "log 127.0.0.1 nowhere", "log 127.0.0.1 local0 loud"),
        contexts=ANY, repeat=Repeat.COLLECT, negatable=True,
    )  # fmt: skip
    log_format: Format | None = keyword(
        FormatArgument(Evaluated.LOG), "The form of a log line.", ok=("log-format %ci:%cp",),
        bad=("log-format", "log-format a b", "log-format %nosuch"), contexts=ANY, in_backend=IN_BACKEND,
        clears=LOGS, overrides=LOGS,
    )  # fmt: skip
    log_format_sd: Format | None = keyword(
        FormatArgument(Evaluated.LOG), "The structured data of an RFC 5424 line.",
        ok=("log-format-sd x",), bad=("log-format-sd",), contexts=ANY, in_backend=IN_BACKEND,
    )  # fmt: skip
    error_log_format: Format | None = keyword(
        FormatArgument(Evaluated.LOG), "The form of a line about a connection that failed early.",
        ok=("error-log-format x",), bad=("error-log-format",), contexts=ANY, in_backend=IN_BACKEND,
        overrides=("error-log-format",),
    )  # fmt: skip
    log_steps: tuple[str, ...] | None = keyword(
        StepsArgument(), "At which steps of a transaction a line is logged.",
        ok=("log-steps accept,close",), bad=("log-steps any", "log-steps"), contexts=FRONT,
        unread=True,
        ignored="{word} will be ignored because {kind} '{name}' has no {capability} capability",
    )  # fmt: skip
    log_tag: str | None = keyword(
        Text("<string>"), "The tag field of syslog lines.", ok=("log-tag x",), bad=("log-tag",), contexts=ANY,
        loose=True, missing="'log-tag' expects a tag for use in syslog.",
    )  # fmt: skip
    unique_id_format: Format | None = keyword(
        FormatArgument(Evaluated.FE_REQUEST, Evaluated.BE_REQUEST),
        "How the unique identifier of a request is made.",
        ok=("unique-id-format %{+X}o%ci:%cp",), bad=("unique-id-format", "unique-id-format a b"),
        contexts=ANY,
    )  # fmt: skip
    unique_id_header: str | None = keyword(
        Text("<name>"), "Header that carries the identifier to the server.", ok=("unique-id-header X-Id",),
        bad=("unique-id-header",), contexts=ANY, loose=True, missing="unique-id-header expects an argument.",
    )  # fmt: skip
    capture_cookie: Capture | None = keyword(
        CaptureArgument("'capture cookie' expects 'cookie' <cookie_name> 'len' <len>."), "Log a cookie.",
        ok=("{} SID len 10",), bad=("{} SID",), contexts=FRONT_PROXY, name="capture cookie",
        in_defaults="'{word}' not allowed in 'defaults' section.",
    )  # fmt: skip
    capture_request_header: tuple[Capture, ...] = keyword(
        CaptureArgument(_HEADER.format("request")), "Log a request header.",
        ok=("{} Host len 10",), bad=("{} Host", "{}"), contexts=FRONT_PROXY, name="capture request header",
        repeat=Repeat.COLLECT, in_defaults="'capture request' not allowed in 'defaults' section.",
    )  # fmt: skip
    capture_response_header: tuple[Capture, ...] = keyword(
        CaptureArgument(_HEADER.format("response")), "Log a response header.",
        ok=("{} Server len 10",), bad=("{} Server", "{}"), contexts=FRONT_PROXY,
        name="capture response header", repeat=Repeat.COLLECT,
        in_defaults="'capture response' not allowed in 'defaults' section.",
    )  # fmt: skip
    declare_capture_request: tuple[Capture, ...] = keyword(
        Length(), "Reserve a slot that rules may fill with something of the request.",
        ok=("{} len 10",), bad=("{}",), contexts=FRONT_PROXY, name="declare capture request",
        repeat=Repeat.COLLECT, in_defaults="'declare' not available in default section",
        wrong_side="'declare' only available in frontend or listen section",
    )  # fmt: skip
    declare_capture_response: tuple[Capture, ...] = keyword(
        Length(), "Reserve a slot that rules may fill with something of the response.",
        ok=("{} len 10",), bad=("{}",), contexts=FRONT_PROXY, name="declare capture response",
        repeat=Repeat.COLLECT, in_defaults="'declare' not available in default section",
        wrong_side="'declare' only available in frontend or listen section",
    )  # fmt: skip
    spans: Mapping[str, Span] = spans()
