"""``fcgi-app``: what servers that speak FastCGI are told about a request (section 10.1)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import field, replace
from typing import TYPE_CHECKING, Any, Final

from evener.haproxy.acl import AclTest
from evener.haproxy.condition import Condition
from evener.haproxy.logformat import Format, parse_logformat
from evener.haproxy.sample import Place as Evaluated
from evener.haproxy.sections.connections import Strict
from evener.haproxy.sections.forms import Form
from evener.haproxy.sections.log_values import Log, LogArgument
from evener.haproxy.sections.reading import BARE, TIGHT, where_of
from evener.haproxy.sections.rule_words import (
    AclArgument,
    Guard,
    Reported,
    condition_words,
    line_of,
    scope_of,
)
from evener.haproxy.sections.values import loose_number
from evener.text.diagnostic import Diagnostics
from evener.text.record import dataclass
from evener.text.span import Span
from evener.vocab.arguments import Argument, BadArgument, Cursor, Flag, Text
from evener.vocab.blocks import Known, Repeat, block, keyword, spans
from evener.vocab.registry import Status

if TYPE_CHECKING:
    from evener.haproxy.ir import Configuration


@dataclass(frozen=True, slots=True)
class Parameter:
    """``value`` is a log format that is evaluated for each request; None: the header passes as it is."""

    name: str
    value: Format | None = None
    condition: Condition | None = None
    span: Span | None = field(default=None, compare=False)


class ParameterArgument(Argument[Parameter]):
    """``set-param`` with a value, ``pass-header`` without one."""

    def __init__(self, valued: bool) -> None:
        self.valued = valued
        self.usage = ("<name> <fmt>" if valued else "<name>") + " [ { if | unless } <condition> ]"

    def read(self, cursor: Cursor) -> Parameter:
        if len(cursor.words) < cursor.index + 1 + self.valued:
            what = "<name> and <value>" if self.valued else "<name>"
            message = f"'{cursor.name}' expects {what} as arguments."
            raise cursor.bad("missing-argument", message, whole=True)
        name, value, condition = cursor.take(), None, None
        if self.valued:
            # What is wrong with the format is found out when the application is used.
            scope = scope_of(cursor).within(f"'{name}' : {{}}.", Evaluated.BE_REQUEST.bit)
            value = parse_logformat(cursor.take(), cursor.span(), replace(scope, diagnostics=Diagnostics()))
        if cursor.peek() in ("if", "unless"):
            condition = Guard(f"'{name}' : {{}}.", Evaluated.BE_REQUEST).read(cursor)
        elif cursor.more:
            got = cursor.take()
            message = f"'{name}' : expects 'if' or 'unless' followed by a condition, not '{got}'."
            raise cursor.bad("unexpected-argument", message, whole=True)
        if self.valued and value is None:
            raise Reported
        return Parameter(name, value, condition, where_of(line_of(cursor)))

    def words(self, value: Parameter) -> list[str]:
        words = [value.name] + ([value.value.text] if value.value is not None else [])
        return words + (condition_words(value.condition) if value.condition is not None else [])


class Pattern(Text):
    """A regular expression."""

    def read(self, cursor: Cursor) -> str:
        text = super().read(cursor)
        try:
            re.compile(text)
        except (re.error, OverflowError, RecursionError) as error:
            where = getattr(error, "pos", 0) or 0
            what = f"regex '{text}' is invalid (error={error}, erroffset={where})"
            raise cursor.bad("bad-regex", f"'{text}' : {what}.", whole=True) from None
        return text


class Requests(Strict):
    """How many requests a connection may carry at once."""

    def __init__(self) -> None:
        super().__init__("option 'max-reqs' expects an integer argument.", 1)

    def read(self, cursor: Cursor) -> int:
        value = loose_number(cursor.take()) if cursor.more else 0
        if value <= 0:
            strictly = "a strictly positive" if cursor.index > 2 else "an"
            message = f"option 'max-reqs' expects {strictly} integer argument."
            cursor.context.diagnostics.alert("out-of-range", message, cursor.span(), lead=TIGHT)
            raise Reported
        return value


class ErrorLog(LogArgument):
    """Where the application's error stream is logged; complaints begin with the keyword."""

    def read(self, cursor: Cursor) -> Log:
        try:
            return super().read(cursor)
        except BadArgument as error:
            error.message = f"{cursor.name}{error.message.removeprefix('log')}"
            raise


def word(argument: Argument[Any], doc: str, **facts: Any) -> Any:
    return keyword(argument, doc, status=Status.PLANNED, **facts)


def option(name: str, doc: str) -> Any:
    return word(
        Flag(),
        doc,
        name=f"option {name}",
        ok=("{}", "no {}"),
        bad=("{} x",),
        negatable=True,
    )


def path(argument: Text, what: str, doc: str, good: str, *bad: str) -> Any:
    return word(
        argument,
        doc,
        ok=(f"{{}} {good}",),
        bad=("{}", "{} a b", *bad),
        missing=f"'{{name}}' expects {what} as argument.",
        extra="'{name} {value}' cannot handle unexpected argument '{got}'.",
    )


@block("fcgi-app line")
@dataclass(frozen=True, slots=True)
class FcgiApp:
    name: str = ""
    docroot: str | None = path(
        Text("<path>"),
        "<path>",
        "Where the application's scripts are, on its machine. Must be said.",
        "/var/www/html",
    )
    index: str | None = path(
        Text("<name>"), "<filename>", "The script that a path ending with a slash means.", "index.php"
    )
    path_info: str | None = path(
        Pattern("<regex>"),
        "<regex>",
        "Splits a path: the first group is the script, the second (if there is "
        "one) what the script is told as PATH_INFO.",
        "^(/.+\\.php)(/.*)?$",
        "{} (",
    )
    acl: tuple[AclTest, ...] = word(
        AclArgument(),
        "A named test for the conditions of the section.",
        ok=("acl local src 127.0.0.1",),
        bad=("acl a", "acl a/b path /", "acl or path /", "acl a no-such-fetch x"),
        repeat=Repeat.COLLECT,
    )
    set_param: tuple[Parameter, ...] = word(
        ParameterArgument(True),
        "Give the application a parameter, or another value for one of its own. The value is a log format.",
        ok=("set-param REQUEST_METHOD GET", "set-param HOME %[path] if { src 127.0.0.1 }"),
        bad=("set-param", "set-param A", "set-param A x and"),
        repeat=Repeat.COLLECT,
    )
    pass_header: tuple[Parameter, ...] = word(
        ParameterArgument(False),
        "Give the application a request header that it usually is not told "
        "(Authorization, Proxy, hop-by-hop ones).",
        ok=("pass-header Authorization",),
        bad=("pass-header", "pass-header X and"),
        repeat=Repeat.COLLECT,
    )
    keep_conn: bool = option("keep-conn", "Ask the application to leave connections open. On unless said.")
    get_values: bool = option("get-values", "Ask the application for its limits when a connection opens.")
    mpxs_conns: bool = option("mpxs-conns", "Send several requests over one connection at the same time.")
    max_reqs: int | None = word(
        Requests(),
        "How many requests a connection carries at the same time at most; 1 unless said.",
        name="option max-reqs",
        ok=("{} 10",),
        bad=("{}", "{} 0", "{} x", "{} 1 2", "no {} 5"),
        extra="'option max-reqs' cannot handle unexpected argument '{got}'.",
    )
    log_stderr: tuple[Log, ...] = word(
        ErrorLog(False),
        "Where what the application writes to its error stream is logged.",
        ok=("log-stderr global", "log-stderr 127.0.0.1 local0"),
        bad=("log-stderr", "log-stderr 127.0.0.1 nowhere"),
        repeat=Repeat.COLLECT,
    )
    span: Span | None = field(default=None, compare=False)
    spans: Mapping[str, Span] = spans()
    known: tuple[Known, ...] = ()


def verify(section: FcgiApp, configuration: Configuration, diagnostics: Diagnostics) -> None:
    if section.docroot is None:
        message = f"fcgi-app '{section.name}': no docroot configured."
        diagnostics.alert("no-docroot", message, section.span, lead=BARE)


FORM: Final = Form(
    FcgiApp,
    missing="'fcgi-app' expects <name> as argument.",
    lead=TIGHT,
    twice="fcgi-app section '{name}' has the same name as another one declared at {at}.",
    unknown_lead=TIGHT,
    groups={"option": ("'option' expects an option name.", "unknown option '{got}'.")},
    group_leads={"option": (TIGHT, None)},
    verify=verify,
)
