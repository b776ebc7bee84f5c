"""Arguments that only ``global`` has: its numbers, names and the stats socket."""

from __future__ import annotations

import grp
import pwd
import re
from dataclasses import field
from typing import Final

from evener.haproxy.addresses import BIND, Address, BadAddress, parse_addresses
from evener.haproxy.expression import Expr, parse_expression_words
from evener.haproxy.sample import Place as Evaluated
from evener.haproxy.sections.bind import BindOptions, option_words, read_bind_options
from evener.haproxy.sections.reading import TIGHT, Place, where_of
from evener.haproxy.sections.rule_words import Reported, line_of, scope_of
from evener.haproxy.sections.values import loose_number
from evener.text.diagnostic import Diagnostic, Severity
from evener.text.record import dataclass
from evener.text.span import Span
from evener.vocab.arguments import Argument, Cursor, signed

INTEGER: Final = "'{name}' expects an integer argument."


_VARIABLE_SCOPES: Final = ("roc", "sess", "txn", "req", "res", "check")


class Counted(Argument[int]):
    """A number of which the original insists that it is one, unless ``loose``."""

    usage = "<number>"
    at_most = 1

    def __init__(self, loose: bool = False) -> None:
        self.loose = loose

    def read(self, cursor: Cursor) -> int:
        if not cursor.more:
            raise cursor.bad("missing-argument", INTEGER.replace("{name}", cursor.name), whole=True)
        text = cursor.take()
        value = loose_number(text) if self.loose else signed(text)
        if value is None:
            message = f"cannot parse '{cursor.name}' value '{text}', an integer is expected."
            raise cursor.bad("not-a-number", message, whole=True)
        return value


class Threads(Argument[int]):
    """1 to 1024."""

    usage = "<number>"
    at_most = 1

    def read(self, cursor: Cursor) -> int:
        name, text = cursor.name, cursor.peek() or ""
        cursor.index += 1
        value = signed(text)
        if value is None:
            message = f"'{name}' passed a missing or unparsable integer value in '{text}'"
            raise cursor.bad("not-a-number", message, whole=True)
        if not 1 <= value <= 1024:
            message = f"'{name}' value must be between 1 and 1024 (was {min(value, (1 << 63) - 1)})"
            raise cursor.bad("out-of-range", message, whole=True)
        return value


@dataclass(frozen=True, slots=True)
class Identity:
    """A user or group: its name if it was written as one, and its number."""

    name: str | None
    number: int


class IdentityArgument(Argument[Identity]):
    """``user`` and ``group`` take names, ``uid`` and ``gid`` numbers."""

    at_most = 1

    def __init__(self, user: bool, by_name: bool) -> None:
        self.user = user
        self.by_name = by_name
        self.usage = "<name>" if by_name else "<number>"

    def read(self, cursor: Cursor) -> Identity:
        text = cursor.peek() or ""
        cursor.index += 1
        if self.by_name:
            return Identity(text, self.lookup(text, cursor))
        if not text:
            raise cursor.bad("missing-argument", f"'{cursor.name}' expects an integer argument.", whole=True)
        if signed(text) is None or abs(loose_number(text)) >= 1 << 63:
            which = "user" if self.user else "group"
            advice = f"You might want to use the '{which}' parameter to use a system {which} name."
            message = f" {cursor.name}: string '{text}' is not a number."
            cursor.context.diagnostics.add(
                Diagnostic("not-a-number", Severity.WARNING, message, cursor.span(), details=(advice,))
            )
        return Identity(None, loose_number(text))

    def lookup(self, text: str, cursor: Cursor) -> int:
        try:
            return pwd.getpwnam(text).pw_uid if self.user else grp.getgrnam(text).gr_gid
        except (KeyError, ValueError):
            which = "user" if self.user else "group"
            message = f"cannot find {which} id for '{text}' (0:Success)"
            raise cursor.bad("unknown-name", message, whole=True) from None

    def words(self, value: Identity) -> list[str]:
        return [value.name if value.name is not None else str(value.number)]


class NodeName(Argument[str]):
    usage = "<name>"
    at_most = 1

    def read(self, cursor: Cursor) -> str:
        text = cursor.peek() or ""
        cursor.index += 1
        if not text or re.search(r"[^A-Za-z0-9._\-]", text):
            message = (
                "'node' requires valid node name - non-empty string with digits(0-9), letters(A-Z, a-z), "
                "dot(.), hyphen(-) or underscode(_)."
            )
            cursor.context.diagnostics.alert("bad-name", message, cursor.span(), lead=TIGHT)
            raise Reported
        return text


class Optional(Argument[str]):
    """A word that may be missing: then the value is empty."""

    def __init__(self, usage: str) -> None:
        self.usage = usage

    def read(self, cursor: Cursor) -> str:
        return cursor.take() if cursor.more else ""

    def words(self, value: str) -> list[str]:
        return [value] if value else []


class Preserved(Argument[str]):
    """``preserve-env``, or nothing."""

    usage = "[ preserve-env ]"
    at_most = 1

    def read(self, cursor: Cursor) -> str:
        word = cursor.take() if cursor.more else ""
        if word not in ("", "preserve-env"):
            message = f"'{cursor.name}' only supports 'preserve-env' as an argument, found '{word}'."
            raise cursor.bad("unknown-value", message, whole=True)
        return word

    def words(self, value: str) -> list[str]:
        return [value] if value else []


class ExitOnFailure(Preserved):
    """``no-exit-on-failure``, or nothing."""

    usage = "[ no-exit-on-failure ]"

    def read(self, cursor: Cursor) -> str:
        word = cursor.take() if cursor.more else ""
        if word not in ("", "no-exit-on-failure"):
            message = f"'{cursor.name}' only supports 'no-exit-on-failure' option"
            raise cursor.bad("unknown-value", message, whole=True)
        return word


class Dumpable(Argument[str]):
    usage = "[ on | off | libs ]"
    at_most = 1

    def read(self, cursor: Cursor) -> str:
        if not cursor.more:
            return "on"
        word = cursor.take()
        if word not in ("on", "off", "libs"):
            message = f"'set-dumpable' only supports 'on' and 'off' as an argument, found '{word}'."
            raise cursor.bad("unknown-value", message, whole=True)
        return word


class AnonymousKey(Argument[int]):
    """32 bits; what is no number is 0."""

    usage = "<key>"

    def read(self, cursor: Cursor) -> int:
        if not cursor.more:
            raise cursor.bad("missing-argument", f"a key is expected after '{cursor.name}'.", whole=True)
        text = cursor.take()
        value = loose_number(text)
        if not 0 <= value <= 0xFFFFFFFF:
            message = f"'{cursor.name}' value must be within range 0-4294967295 (was '{text}')."
            raise cursor.bad("out-of-range", message, whole=True)
        return value


CAPABILITIES: Final = {
    "cap_net_raw": 13,
    "cap_net_admin": 12,
    "cap_net_bind_service": 10,
    "cap_sys_admin": 21,
}
"""By name, the kernel's numbers."""
_SUPPORTED: Final = (
    "  Supported ones are: cap_net_raw, cap_net_admin, cap_net_bind_service and cap_sys_admin."
)


class Capabilities(Argument[tuple[str, ...]]):
    usage = "<name>[,<name>...]"

    def read(self, cursor: Cursor) -> tuple[str, ...]:
        if not cursor.more:
            message = f"'{cursor.name}' : missing capability name(s).{_SUPPORTED}"
            raise cursor.bad("missing-argument", message, whole=True)
        names = tuple(name for name in cursor.take().split(",") if name)
        for name in names:
            if name not in CAPABILITIES:
                message = f"'{cursor.name}' : unsupported capability '{name}'.{_SUPPORTED}"
                raise cursor.bad("unknown-value", message, whole=True)
        return names

    def words(self, value: tuple[str, ...]) -> list[str]:
        return [",".join(value)]


@dataclass(frozen=True, slots=True)
class UnixBind:
    """Defaults for unix sockets: ``prefix``, and the rights of the socket file."""

    prefix: str = ""
    mode: int | None = None
    owner: int | None = None
    group: int | None = None
    written: tuple[str, ...] = field(default=(), compare=False)


class UnixBindArgument(Argument[UnixBind]):
    usage = "[ prefix <prefix> ] [ mode <mode> ] [ user <user> | uid <uid> ] [ group <group> | gid <gid> ]"

    def read(self, cursor: Cursor) -> UnixBind:
        written = tuple(cursor.words[cursor.index :])
        found: dict[str, str] = {}
        while cursor.more:
            word = cursor.take()
            if word not in ("prefix", "mode", "uid", "gid", "user", "group"):
                message = (
                    "'unix-bind' only supports the 'prefix', 'mode', 'uid', 'gid', "
                    "'user' and 'group' options."
                )
                raise cursor.bad("unknown-parameter", message, whole=True)
            found[word] = cursor.take("an argument")
        mode = found.get("mode")
        if mode is not None and not re.fullmatch("[0-7]+", mode):
            raise cursor.bad("not-a-number", f"'unix-bind' : invalid mode '{mode}'.", whole=True)
        owner = self.number(found, "uid", "user", cursor)
        group = self.number(found, "gid", "group", cursor)
        prefix = found.get("prefix", "")
        return UnixBind(prefix, None if mode is None else int(mode, 8), owner, group, written)

    def number(self, found: dict[str, str], number: str, name: str, cursor: Cursor) -> int | None:
        try:
            if name in found:
                text = found[name]
                return pwd.getpwnam(text).pw_uid if name == "user" else grp.getgrnam(text).gr_gid
        except (KeyError, ValueError):
            message = f"'unix-bind' : '{found[name]}' unknown {name}."
            raise cursor.bad("unknown-name", message, whole=True) from None
        return loose_number(found[number]) if number in found else None

    def words(self, value: UnixBind) -> list[str]:
        return list(value.written)


@dataclass(frozen=True, slots=True)
class StatsSocket:
    """One socket of the runtime API."""

    text: str
    addresses: tuple[Address, ...]
    options: BindOptions
    span: Span | None = field(default=None, compare=False)


class StatsSocketArgument(Argument[StatsSocket]):
    usage = "{ <address:port> | <path> } [param*]"

    def read(self, cursor: Cursor) -> StatsSocket:
        place: Place = cursor.context
        line = line_of(cursor)
        if not cursor.more:
            message = "'stats socket' in global section expects an address or a path to a UNIX socket"
            raise cursor.bad("missing-argument", message, whole=True)
        text = cursor.take()
        try:
            addresses = parse_addresses(text, BIND, place.resolve)
        except BadAddress as error:
            where = f"{line.source.name}:{line.number}"
            message = f"parsing [{where}] : 'stats socket' : {error}\n"
            raise cursor.bad("bad-address", message, whole=True) from None
        options = read_bind_options(line, cursor.index, place, "'stats socket'", "stats socket")
        cursor.rest()
        return StatsSocket(text, tuple(addresses), options, where_of(line))

    def words(self, value: StatsSocket) -> list[str]:
        return [value.text, *option_words(value.options)]


@dataclass(frozen=True, slots=True)
class SetVariable:
    """``set-var``: an expression, or with ``format`` a log format, evaluated once."""

    name: str
    written: tuple[str, ...]
    expression: Expr | None = field(default=None, compare=False)
    span: Span | None = field(default=None, compare=False)


class SetVariableArgument(Argument[SetVariable]):
    usage = "<var-name> <expression>"

    def __init__(self, is_format: bool) -> None:
        self.is_format = is_format

    def read(self, cursor: Cursor) -> SetVariable:
        if len(cursor.words) < cursor.index + 2:
            what = "a format string" if self.is_format else "a sample expression"
            message = f"'{cursor.name}' requires a process-wide variable name ('proc.<name>') and {what}."
            raise cursor.bad("missing-argument", message, whole=True)
        name = cursor.take()
        kind, dot, _ = name.partition(".")
        if not dot or kind.removeprefix("p") not in _VARIABLE_SCOPES:
            message = (
                f"invalid variable name '{name}'. A variable name must start with its scope. "
                "The scope can be 'proc', '(p)sess', '(p)txn', '(p)req', '(p)res' or 'check'"
            )
            raise cursor.bad("bad-name", message, whole=True)
        if kind != "proc":
            message = (
                f"'{cursor.name}': cannot set variable '{name}', only scope 'proc' is permitted "
                "in the global section."
            )
            raise cursor.bad("bad-scope", message, whole=True)
        start, expression = cursor.index, None
        if not self.is_format:
            scope = scope_of(cursor).within("{}", Evaluated.CONFIGURATION.bit)
            read = parse_expression_words(line_of(cursor), cursor.index, scope)
            if read is None:
                cursor.rest()
                raise Reported
            expression, cursor.index = read
        written = tuple(cursor.words[start:])
        cursor.rest()
        return SetVariable(name, written, expression, where_of(line_of(cursor)))

    def words(self, value: SetVariable) -> list[str]:
        return [value.name, *value.written]
