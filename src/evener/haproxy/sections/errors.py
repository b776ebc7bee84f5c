"""Error pages of a proxy: files, redirections, replies written in place, and named collections of files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Final

from evener.haproxy.action import RULESETS, ActionError, Words, wrong
from evener.haproxy.line import Line, word_bytes
from evener.haproxy.replies import ReplyWords, read_reply
from evener.haproxy.sample import Place as Evaluated
from evener.haproxy.sections.reading import where_of
from evener.haproxy.sections.rule_words import line_of, scope_of
from evener.haproxy.sections.sides import ANY
from evener.haproxy.sections.values import loose_number
from evener.text.record import dataclass
from evener.text.span import Span
from evener.vocab.arguments import Argument, Cursor
from evener.vocab.blocks import Repeat, block, keyword, spans

STATUSES: Final = (
    200, 400, 401, 403, 404, 405, 407, 408, 410, 413, 414, 421, 422, 425, 429, 431, 500, 501, 502, 503, 504,
)  # fmt: skip
"""The statuses for which the original keeps a page."""


@dataclass(frozen=True, slots=True)
class ErrorFile:
    """A whole response, head included, read when the configuration is; ``/dev/null`` means no response."""

    status: int
    path: str
    content: bytes = b""
    span: Span | None = field(default=None, compare=False)


class ErrorFileArgument(Argument[ErrorFile]):
    usage = "<code> <file>"

    def read(self, cursor: Cursor) -> ErrorFile:
        words = cursor.rest()
        if len(words) < 2:
            blank = "" if cursor.context.kind == "http-errors" else " "
            message = f"errorfile{blank}: expects <status_code> and <file> as arguments."
            raise cursor.bad("missing-argument", message, whole=True)
        if len(words) > 2 and cursor.context.kind != "http-errors":
            message = "errorfile : expects exactly two arguments.\n"
            raise cursor.bad("unexpected-argument", message, whole=True)
        status = loose_number(words[0])
        if status not in STATUSES:
            raise cursor.bad("bad-status", f"errorfile : status code '{status}' not handled.", whole=True)
        try:
            with open(word_bytes(words[1]), "rb") as file:
                content = file.read(1 << 20)
        except (OSError, ValueError):
            message = f"errorfile : error opening file '{words[1]}'."
            raise cursor.bad("unreadable-file", message, whole=True) from None
        line: Line = cursor.line  # type: ignore[assignment]
        return ErrorFile(status, words[1], content, where_of(line))

    def words(self, value: ErrorFile) -> list[str]:
        return [str(value.status), value.path]


@dataclass(frozen=True, slots=True)
class ErrorLocation:
    """Redirect instead of answering with an error. ``code`` is 302 or 303."""

    status: int
    url: str
    span: Span | None = field(default=None, compare=False)


class ErrorLocationArgument(Argument[ErrorLocation]):
    usage = "<code> <url>"

    def read(self, cursor: Cursor) -> ErrorLocation:
        words = cursor.rest()
        if len(words) < 2:
            message = f"{cursor.name} : expects <status_code> and <url> as arguments."
            raise cursor.bad("missing-argument", message, whole=True)
        status = loose_number(words[0])
        if status not in STATUSES:
            message = f"{cursor.name} : status code '{status}' not handled."
            raise cursor.bad("bad-status", message, whole=True)
        return ErrorLocation(status, words[1], where_of(line_of(cursor)))

    def words(self, value: ErrorLocation) -> list[str]:
        return [str(value.status), value.url]


@dataclass(frozen=True, slots=True)
class ErrorFiles:
    """The files of an http-errors section, all or only some statuses of it."""

    section: str
    statuses: tuple[int, ...] = ()
    span: Span | None = field(default=None, compare=False)


class ErrorFilesArgument(Argument[ErrorFiles]):
    usage = "<section> [<code> ...]"

    def read(self, cursor: Cursor) -> ErrorFiles:
        if not cursor.more:
            raise cursor.bad("missing-argument", "errorfiles : expects <name> as argument.", whole=True)
        section = cursor.take()
        statuses = tuple(loose_number(word) for word in cursor.rest())
        for status in statuses:
            if status not in STATUSES:
                message = f"errorfiles : status code '{status}' not handled."
                raise cursor.bad("bad-status", message, whole=True)
        line: Line = cursor.line  # type: ignore[assignment]
        return ErrorFiles(section, statuses, where_of(line))

    def words(self, value: ErrorFiles) -> list[str]:
        return [value.section, *map(str, value.statuses)]


@dataclass(frozen=True, slots=True)
class HttpError:
    """``http-error``: a reply written in place. ``text`` is what follows ``status <code>``."""

    status: int
    text: tuple[str, ...] = ()
    reply: ReplyWords | None = field(default=None, compare=False)
    span: Span | None = field(default=None, compare=False)


class HttpErrorArgument(Argument[HttpError]):
    usage = (
        "status <code> [content-type <type>] [ { file | errorfile | string ... } <arg> ] [hdr <name> <fmt>]*"
    )

    def read(self, cursor: Cursor) -> HttpError:
        text = cursor.words[cursor.index :]
        if text[:1] != ["status"] or len(text) < 2:
            cursor.rest()
            message = "http-error : expects at least a <status> as arguments."
            raise cursor.bad("missing-argument", message, whole=True)
        status = loose_number(text[1])
        if status not in STATUSES:
            cursor.rest()
            raise cursor.bad("bad-status", f"http-error : Unexpected status code '{status}'", whole=True)
        line = line_of(cursor)
        places = Evaluated.FE_REQUEST.bit | Evaluated.BE_REQUEST.bit
        scope = scope_of(cursor).within("http-error : {}.", places)
        words = Words(line, cursor.index, scope, RULESETS["http-after-response"], "http-error", None)
        cursor.rest()
        try:
            reply = read_reply(words, status, implied=False)
            if words.peek():
                wrong(f"unknown keyword '{words.peek()}'.")
        except ActionError as error:
            raise cursor.bad(error.failure.code, f"http-error : {error}", whole=True) from None
        return HttpError(status, tuple(text[2:]), reply, where_of(line))

    def words(self, value: HttpError) -> list[str]:
        return ["status", str(value.status), *value.text]


_LOCATION = "Answer errors of that status with a redirection."


@block("error page")
@dataclass(frozen=True, slots=True)
class Errors:
    errorfile: tuple[ErrorFile, ...] = keyword(
        ErrorFileArgument(), "Answer errors of that status with the content of a file.",
        ok=("errorfile 404 /dev/null",), bad=("{}", "{} 999 /dev/null", "{} 404 /no/such"), contexts=ANY,
        repeat=Repeat.COLLECT,
    )  # fmt: skip
    errorfiles: tuple[ErrorFiles, ...] = keyword(
        ErrorFilesArgument(), "Take the files of an http-errors section.",
        ok=("errorfiles pages 404",), bad=("errorfiles", "errorfiles pages 999"), contexts=ANY,
        repeat=Repeat.COLLECT, needs="http-errors pages",
    )  # fmt: skip
    errorloc: tuple[ErrorLocation, ...] = keyword(
        ErrorLocationArgument(), _LOCATION, ok=("{} 503 http://sorry/",), bad=("{} 503", "{} x /"),
        contexts=ANY, repeat=Repeat.COLLECT,
    )  # fmt: skip
    errorloc302: tuple[ErrorLocation, ...] = keyword(
        ErrorLocationArgument(), _LOCATION, ok=("{} 503 http://sorry/",), bad=("{} 503", "{} x /"),
        contexts=ANY, repeat=Repeat.COLLECT,
    )  # fmt: skip
    errorloc303: tuple[ErrorLocation, ...] = keyword(
        ErrorLocationArgument(), f"{_LOCATION} The client then uses GET.", ok=("{} 503 http://sorry/",),
        bad=("{} 503", "{} x /"), contexts=ANY, repeat=Repeat.COLLECT,
    )  # fmt: skip
    http_error: tuple[HttpError, ...] = keyword(
        HttpErrorArgument(), "Answer errors of that status with a reply written here.",
        ok=("http-error status 404 content-type text/plain string gone",),
        bad=("http-error", "http-error status x", "http-error status 404 file /no/such"), contexts=ANY,
        repeat=Repeat.COLLECT,
    )  # fmt: skip
    spans: Mapping[str, Span] = spans()
