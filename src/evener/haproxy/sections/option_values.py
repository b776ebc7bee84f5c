"""The arguments of those options that have some: forwardfor, httpchk, redispatch and their like."""

from __future__ import annotations

import ipaddress

from evener.haproxy.expression import parse_expression
from evener.haproxy.logformat import parse_logformat
from evener.haproxy.sample import Place as Evaluated
from evener.haproxy.sections.reading import Place
from evener.haproxy.sections.rule_words import Reported, line_of, scope_of
from evener.haproxy.sections.values import loose_number
from evener.text.record import dataclass
from evener.vocab.arguments import Argument, BadArgument, Cursor, Words

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True, slots=True)
class ForwardFor:
    """``option forwardfor`` and ``option originalto``. ``header`` None: the option's usual one."""

    header: str | None = None
    except_: Network | None = None
    if_none: bool = False


def read_network(text: str) -> Network | None:
    """``address[/mask]``, the mask as a length or dotted; None when it is neither."""
    try:
        return ipaddress.ip_network(text, strict=False)
    except ValueError:
        return None


class ForwardForArgument(Argument[ForwardFor]):
    usage = "[except <network>] [header <name>] [if-none]"

    def __init__(self, if_none: bool) -> None:
        self.if_none = if_none
        self.supports = "'except', 'header' and 'if-none'" if if_none else "'except' and 'header'"

    def read(self, cursor: Cursor) -> ForwardFor:
        header: str | None = None
        network: Network | None = None
        if_none = False
        while cursor.more:
            word = cursor.take()
            if word == "except":
                network = read_network(cursor.peek() or "")
                cursor.index += 1
                if network is None:
                    message = f"'{cursor.name} except' expects <address>[/mask] as argument."
                    raise cursor.bad("bad-network", message, whole=True)
            elif word == "header":
                if cursor.peek() is None:
                    message = f"'{cursor.name} header' expects <header_name> as argument."
                    raise cursor.bad("missing-argument", message, whole=True)
                header = cursor.take()
            elif word == "if-none" and self.if_none:
                if_none = True
            else:
                message = f"'{cursor.name}' only supports optional values: {self.supports}."
                raise cursor.bad("unexpected-argument", message, whole=True)
        return ForwardFor(header, network, if_none)

    def words(self, value: ForwardFor) -> list[str]:
        words = [] if value.except_ is None else ["except", str(value.except_)]
        if value.header is not None:
            words += ["header", value.header]
        return [*words, "if-none"] if value.if_none else words


@dataclass(frozen=True, slots=True)
class Forwarded:
    """``option forwarded``: the parameters as written; empty means ``proto for``."""

    parameters: tuple[tuple[str, ...], ...] = ()


_FORWARDED = ("proto", "host", "by", "by_port", "for", "for_port")
_FORWARDED_EXPR = ("host-expr", "by-expr", "by_port-expr", "for-expr", "for_port-expr")


def lonely_ports(said: set[str], cursor: Cursor) -> None:
    """A port is only told beside the address it belongs to."""
    place: Place = cursor.context
    for name in ("by", "for"):
        if said & {f"{name}_port", f"{name}_port-expr"} and not said & {name, f"{name}-expr"}:
            message = (
                f"'option forwarded' : '{name}_port-expr' will be ignored because both '{name}' and "
                f"'{name}-expr' are unset"
            )
            place.diagnostics.warning("port-without-address", message, cursor.line.span(0))


class ForwardedArgument(Argument[Forwarded]):
    usage = "[ proto | host | host-expr <e> | by | by_port | for | for_port | ... ]*"

    def read(self, cursor: Cursor) -> Forwarded:
        parameters: list[tuple[str, ...]] = []
        while cursor.more:
            word = cursor.take()
            if word in _FORWARDED_EXPR:
                span, text = cursor.span(), cursor.take("an expression")
                scope = scope_of(cursor).within(
                    f"'option forwarded' : error while parsing {word} expression: {{}}."
                )
                if parse_expression(text, span, scope) is None:
                    raise Reported
                parameters.append((word, text))
            elif word in _FORWARDED:
                parameters.append((word,))
            else:
                message = (
                    "'option forwarded' only supports optional values: 'proto', 'host', 'host-expr', 'by', "
                    "'by-expr', 'by_port', 'by_port-expr', 'for', 'for-expr', 'for_port' and 'for_port-expr'."
                )
                raise cursor.bad("unexpected-argument", message, whole=True)
        lonely_ports({parameter[0] for parameter in parameters}, cursor)
        return Forwarded(tuple(parameters))

    def words(self, value: Forwarded) -> list[str]:
        return [word for parameter in value.parameters for word in parameter]


class Redispatch(Argument[int]):
    """After how many retries another server is taken: -1 at the last one, N every N, 0 never."""

    usage = "[<interval>]"

    def read(self, cursor: Cursor) -> int:
        return loose_number(cursor.take()) if cursor.more else -1

    def words(self, value: int) -> list[str]:
        return [] if value == -1 else [str(value)]


class HttpCheck(Words):
    """``option httpchk``: headers were once hidden behind the version; they have a directive of their own."""

    def __init__(self) -> None:
        super().__init__(0, 4, "[<method>] <uri> [<version> [<host>]]")

    def read(self, cursor: Cursor) -> tuple[str, ...]:
        start = cursor.index
        try:
            words = super().read(cursor)
        except BadArgument as error:
            message = f"'{cursor.name}' cannot handle unexpected argument '{cursor.words[error.index]}'."
            raise cursor.bad("unexpected-argument", message, whole=True) from None
        if len(words) > 2 and "\r\n" in words[2]:
            message = (
                f"'{cursor.name}' : hiding headers or body at the end of the version string is unsupported."
                "Use 'http-check send' directive instead.."
            )
            raise cursor.bad("hidden-headers", message, whole=True)
        if len(words) > 3 and "%" in words[3]:
            self.host(words[3], cursor, start + 3)
        return words

    def host(self, text: str, cursor: Cursor, index: int) -> None:
        scope = scope_of(cursor).within(f"'{cursor.name}' : {{}}.", Evaluated.BE_CHECK.bit)
        if parse_logformat(text, line_of(cursor).span(index), scope) is None:
            raise Reported


class Clf(Argument[str]):
    """``option httplog [clf]``: the value is ``clf`` or empty."""

    usage = "[clf]"

    def read(self, cursor: Cursor) -> str:
        if not cursor.more:
            return ""
        word = cursor.take()
        if word != "clf":
            short = cursor.name.split()[-1]
            message = f"keyword '{short}' only supports option 'clf'."
            raise cursor.bad("unexpected-argument", message, whole=True)
        return word

    def words(self, value: str) -> list[str]:
        return [value] if value else []


class User(Argument[tuple[str, ...]]):
    """``user <name>``; with ``versions``, which of them the server's protocol is."""

    usage = "[ user <username> [<version>] ]"

    def __init__(self, required: bool = False, versions: tuple[str, ...] = ()) -> None:
        self.required = required
        self.versions = versions

    def read(self, cursor: Cursor) -> tuple[str, ...]:
        words = tuple(cursor.words[cursor.index :])
        message = self.complaint(cursor.name, words)
        cursor.rest()
        if message:
            raise cursor.bad("bad-user", message, whole=True)
        return words

    def complaint(self, name: str, words: tuple[str, ...]) -> str:
        if not words and not self.required:
            return ""
        if self.required and len(words) < 2:
            return f"'{name}' expects 'user <username>' as argument."
        if words[0] != "user":
            got = "" if self.required else f" (got '{words[0]}')"
            return f"'{name}' only supports optional values: 'user'{got}."
        if len(words) < 2:
            return f"'{name} user' expects <username> as argument."
        if len(words) > 2 and self.versions and words[2] not in self.versions:
            quoted = [f"'{version}'" for version in self.versions]
            listed = f"{', '.join(quoted[:-1])} and {quoted[-1]}"
            return f"keyword 'user' only supports {listed} (got '{words[2]}')."
        most = 3 if self.versions else 2
        if len(words) > most:
            return f"'{name}' cannot handle unexpected argument '{words[most]}'."
        return ""

    def words(self, value: tuple[str, ...]) -> list[str]:
        return list(value)


class Restrict(Argument[str]):
    """What becomes of request header names with unusual characters."""

    usage = "{ preserve | delete | reject }"

    def read(self, cursor: Cursor) -> str:
        expected = "option 'http-restrict-req-hdr-names' expects 'preserve', 'reject' or 'delete' option."
        if not cursor.more:
            raise cursor.bad("missing-argument", f"missing parameter. {expected}", whole=True)
        word = cursor.take()
        if word not in ("preserve", "reject", "delete"):
            raise cursor.bad("unknown-value", f"invalid parameter '{word}'. {expected}", whole=True)
        return word


class SmallBuffers(Argument[tuple[str, ...]]):
    usage = "[ queue | l7-retries | check ]*"

    def read(self, cursor: Cursor) -> tuple[str, ...]:
        words = cursor.rest()
        for word in words:
            if word not in ("queue", "l7-retries", "check"):
                message = (
                    f"invalid parameter '{word}'. option 'use-small-buffers' expects "
                    "'queue', 'l7-retries' or 'check' value."
                )
                raise cursor.bad("unknown-value", message, whole=True)
        return words

    def words(self, value: tuple[str, ...]) -> list[str]:
        return list(value)
