"""``bind``: listening addresses and their options.

The fields of ``BindOptions`` are the options evener acts on; the others stand in ``bind_table``. A
bind line may name several addresses, which share the options.
"""

from __future__ import annotations

import grp
import pwd
from collections.abc import Mapping
from dataclasses import field

from evener.haproxy.addresses import BIND, Address, BadAddress, parse_addresses
from evener.haproxy.line import Line
from evener.haproxy.sections.bind_table import TABLE
from evener.haproxy.sections.namespaces import BindNamespace
from evener.haproxy.sections.reading import Place, allowed_forms, where_of
from evener.haproxy.sections.tokens import read_options
from evener.haproxy.sections.values import Loose, Octal, OneOf, Password, Time, loose_number
from evener.text.record import dataclass
from evener.text.span import Span
from evener.vocab.arguments import Argument, Cursor, Flag, Text, decimal
from evener.vocab.blocks import (
    Builder,
    Harmless,
    Known,
    block,
    keyword,
    spans,
    statements,
    vocabulary,
)


class UserName(Argument[str]):
    """A name of the system's user database."""

    usage = "<user>"

    def read(self, cursor: Cursor) -> str:
        text = cursor.take("a user name")
        try:
            pwd.getpwnam(text)
        except (KeyError, ValueError):
            message = f"'{cursor.name}' : unknown user name '{text}'"
            raise cursor.bad("unknown-user", message, whole=True) from None
        return text


class GroupName(Argument[str]):
    """A name of the system's group database."""

    usage = "<group>"

    def read(self, cursor: Cursor) -> str:
        text = cursor.take("a group name")
        try:
            grp.getgrnam(text)
        except (KeyError, ValueError):
            message = f"'{cursor.name}' : unknown group name '{text}'"
            raise cursor.bad("unknown-group", message, whole=True) from None
        return text


_SHARDS = {"by-thread": 0, "by-group": -1}


class Shards(Argument[int]):
    """How many sockets share the address; 0 stands for one per thread, -1 for one per group."""

    usage = "{ <number> | by-thread | by-group }"

    def read(self, cursor: Cursor) -> int:
        text = cursor.take("a number")
        if text in _SHARDS:
            return _SHARDS[text]
        value = loose_number(text)
        if not 1 <= value <= 1024:
            message = f"'shards' : invalid value {value}, allowed range is 1..1024 or 'by-thread'"
            raise cursor.bad("out-of-range", message, whole=True)
        return value

    def words(self, value: int) -> list[str]:
        return [next((word for word, number in _SHARDS.items() if number == value), str(value))]


class ThreadSet(Argument[str]):
    """Threads, by number: kept as text, every worker serves every listener."""

    usage = "<thread-set>"

    def read(self, cursor: Cursor) -> str:
        text = cursor.take("a thread set")
        for item in text.split(","):
            group, slash, numbers = item.rpartition("/")
            if slash and not 1 <= (decimal(group) or 0) <= 32:
                message = f"invalid thread group number '{group}', permitted range is 1..32 in '{item}'."
                raise cursor.bad("bad-threads", message, whole=True)
            first, most = numbers.partition("-")[0], 64 if slash else 1024
            if numbers not in ("all", "odd", "even") and not 1 <= (decimal(first) or 0) <= most:
                message = (
                    f"invalid first thread number '{numbers}', permitted range is 1..{most}, "
                    "or 'all', 'odd', 'even'."
                )
                raise cursor.bad("bad-threads", message, whole=True)
        return text


class NotZero(Loose):
    """A number that means nothing when it is 0."""

    def read(self, cursor: Cursor) -> int:
        value = super().read(cursor)
        if value == 0:
            raise cursor.bad("out-of-range", "is 0")
        return value


class CustomId(Argument[int]):
    usage = "<id>"

    def read(self, cursor: Cursor) -> int:
        if not cursor.more:
            raise cursor.bad("missing-argument", "'id' : expects an integer argument", whole=True)
        text = cursor.take()
        value = decimal(text)
        if value is None:
            message = f"'id' : expects an integer argument, found '{text}'"
            raise cursor.bad("not-a-number", message, whole=True)
        if value == 0 or value >= 1 << 63:
            raise cursor.bad("out-of-range", "'id' : custom id has to be > 0", whole=True)
        return value


class SaveSyn(Loose):
    """0 to 2, and a digit."""

    def __init__(self) -> None:
        super().__init__(0, 2)

    def read(self, cursor: Cursor) -> int:
        if cursor.more and cursor.words[cursor.index][:1] not in ("0", "1", "2"):
            cursor.index += 1
            raise cursor.bad("out-of-range", _SAVE_SYN, whole=True)
        return super().read(cursor)


_SAVE_SYN = "'tcp-ss' : TCP Save SYN option expects an integer argument from 0 to 2"


@block("bind option", TABLE)
@dataclass(frozen=True, slots=True)
class BindOptions:
    """The options of one bind line. None: not said."""

    name: str | None = keyword(
        Text("<name>"), "A name for the listener, shown in statistics.",
        ok=("name web",), bad=("name",), missing="'name' : missing name",
    )  # fmt: skip
    id: int | None = keyword(
        CustomId(),
        "A number for the listener, unique in the proxy.",
        ok=("id 5",),
        bad=("id 0", "id x", "id"),
    )
    maxconn: int | None = keyword(
        Loose(0), "How many connections this listener takes at once.",
        ok=("maxconn 100",), bad=("maxconn", "maxconn -1"),
        missing="'maxconn' : missing value", wrong="'maxconn' : invalid value {got}, must be >= 0",
    )  # fmt: skip
    backlog: int | None = keyword(
        Loose(0), "How many connections the kernel keeps waiting for acceptance.",
        ok=("backlog 100",), bad=("backlog", "backlog -1"),
        missing="'backlog' : missing value", wrong="'backlog' : invalid value {got}, must be > 0",
    )  # fmt: skip
    accept_proxy: bool = keyword(
        Flag(), "Clients begin with a PROXY protocol header that names the real client.",
        ok=("accept-proxy",), bad=("accept-proxy yes",), default=False,
    )  # fmt: skip
    accept_netscaler_cip: int | None = keyword(
        NotZero(), "Clients begin with a NetScaler client IP header with that magic number.",
        ok=("accept-netscaler-cip 1234",), bad=("accept-netscaler-cip", "accept-netscaler-cip 0"),
        missing="'accept-netscaler-cip' : missing value",
        wrong="'accept-netscaler-cip' : invalid value {number}, must be >= 0",
    )  # fmt: skip
    interface: str | None = keyword(
        Text("<interface>"), "Listen on that network interface only.",
        ok=("interface lo",), bad=("interface",), missing="'interface' : missing interface name",
    )  # fmt: skip
    namespace: str | None = keyword(
        BindNamespace(), "Network namespace to listen in.", ok=("namespace ../../../proc/self/ns/net",),
        bad=("namespace", "namespace no-such-namespace"),
    )  # fmt: skip
    tcp_ss: int | None = keyword(
        SaveSyn(), "What is kept of the SYN packet for fc_saved_syn: 0 nothing, 2 also its link layer.",
        ok=("tcp-ss 1",), bad=("tcp-ss", "tcp-ss 3"), wrong=_SAVE_SYN, missing=_SAVE_SYN,
    )  # fmt: skip
    tcp_md5sig: str | None = keyword(
        Password(), "Sign segments with that TCP MD5 key (RFC 2385).",
        ok=("tcp-md5sig secret",), bad=("tcp-md5sig",),
    )  # fmt: skip
    v4v6: bool = keyword(
        Flag(), "An IPv6 wildcard also takes IPv4.", ok=("v4v6",), bad=("v4v6 yes",), default=False
    )
    v6only: bool = keyword(
        Flag(), "An IPv6 wildcard takes IPv6 only.", ok=("v6only",), bad=("v6only yes",), default=False
    )
    transparent: bool = keyword(
        Flag(), "Take connections to addresses that are not local.",
        ok=("transparent",), bad=("transparent yes",), default=False,
    )  # fmt: skip
    mode: int | None = keyword(
        Octal(), "Access rights of a unix socket.", ok=("mode 660",), bad=("mode 9", "mode"),
        wrong="'mode' : missing or invalid mode '{got}' (octal integer expected)",
    )  # fmt: skip
    user: str | None = keyword(
        UserName(),
        "Owner of a unix socket, by name.",
        ok=("user root",),
        bad=("user nobody-has-this-name",),
        missing="'user' : missing user name",
    )
    group: str | None = keyword(
        GroupName(),
        "Group of a unix socket, by name.",
        ok=("group root",),
        bad=("group no-such-group",),
        missing="'group' : missing group name",
    )
    uid: int | None = keyword(
        Loose(),
        "Owner of a unix socket, by number.",
        ok=("uid 0",),
        bad=("uid",),
        missing="'uid' : missing value",
    )
    gid: int | None = keyword(
        Loose(),
        "Group of a unix socket, by number.",
        ok=("gid 0",),
        bad=("gid",),
        missing="'gid' : missing value",
    )
    level: str | None = keyword(
        OneOf("user", "operator", "admin"), "What a stats socket's clients may do.",
        ok=("level admin",), bad=("level root",),
        wrong="'level' only supports 'user', 'operator', and 'admin' (got '{got}')",
        missing="'level' : missing level",
    )  # fmt: skip
    severity_output: str | None = keyword(
        OneOf("none", "number", "string"), "How a stats socket shows the severity of its messages.",
        ok=("severity-output number",), bad=("severity-output loud",),
        wrong="'severity-output' only supports 'none', 'number', and 'string' (got '{got}')",
        missing="'severity-output' : missing severity format",
    )  # fmt: skip
    expose_fd: str | None = keyword(
        OneOf("listeners"), "A stats socket hands over the listening sockets to a new process.",
        ok=("expose-fd listeners",), bad=("expose-fd all",),
        wrong="'expose-fd' only supports 'listeners' (got '{got}')",
        missing="'expose-fd' : missing fd type",
    )  # fmt: skip
    thread: str | None = keyword(
        ThreadSet(), "Threads that serve this listener; every worker serves every one.",
        ok=("thread 1-2", "thread all"), bad=("thread x",),
    )  # fmt: skip
    shards: int | None = keyword(
        Harmless(Shards()), "How many sockets share the address; workers share one here.",
        ok=("shards 2", "shards by-thread"), bad=("shards 0", "shards x"),
        missing="'shards' : missing value",
    )  # fmt: skip
    nice: int | None = keyword(
        Harmless(Loose(-1024, 1024)), "Priority of the listener's tasks; all are equal here.",
        ok=("nice 10",), bad=("nice 2000",),
        wrong="'nice' : invalid value {got}, allowed range is -1024..1024",
        missing="'nice' : missing value",
    )  # fmt: skip
    tfo: bool = keyword(Flag(), "TCP fast open.", ok=("tfo",), bad=("tfo yes",), default=False)
    defer_accept: bool = keyword(
        Flag(), "Wake up when the client has sent its first data.",
        ok=("defer-accept",), bad=("defer-accept 3",), default=False,
    )  # fmt: skip
    mss: int | None = keyword(
        NotZero(-65535, 65535), "Maximum segment size announced to clients.",
        ok=("mss 1300",), bad=("mss 99999", "mss 0"),
        wrong="'mss' : expects an MSS with and absolute value between 1 and 65535",
        missing="'mss' : missing MSS value",
    )  # fmt: skip
    tcp_ut: int | None = keyword(
        Time("'tcp-ut' : expects a positive delay in milliseconds"),
        "How long sent data may stay unacknowledged.",
        ok=("tcp-ut 30s",), bad=("tcp-ut x",),
        missing="'tcp-ut' : missing TCP User Timeout value",
    )  # fmt: skip
    guid_prefix: str | None = keyword(
        Text("<string>"), "Prefix of the identifiers of the line's listeners.",
        ok=("guid-prefix a",), bad=("guid-prefix",), missing="'guid-prefix' : expects an argument",
    )  # fmt: skip
    known: tuple[Known, ...] = ()
    spans: Mapping[str, Span] = spans()


@dataclass(frozen=True, slots=True)
class Bind:
    """One bind line. ``text`` is the list of addresses as written, ``certificates`` the options that lists
    of certificates give each of them."""

    text: str
    addresses: tuple[Address, ...]
    options: BindOptions
    span: Span | None = field(default=None, compare=False)
    certificates: tuple[tuple[tuple[str, ...], ...], ...] = field(default=(), compare=False)

    def words(self) -> list[str]:
        return [self.text, *option_words(self.options)]


def option_words(options: object) -> list[str]:
    return [word for statement in statements(options) for word in statement]


OPTIONS = vocabulary(BindOptions)

EXPECTED = "'bind' expects {<path>|[addr1]:port1[-end1]}{,[addr]:port[-end]}... as arguments."


class BindLine(Argument[Bind]):
    """The arguments of ``bind``."""

    usage = "[<address>]:<port_range> [, ...] [param*]"

    def read(self, cursor: Cursor) -> Bind:
        place: Place = cursor.context
        if not cursor.more:
            raise cursor.bad("missing-argument", EXPECTED, whole=True)
        line: Line = cursor.line  # type: ignore[assignment]
        text = cursor.take()
        try:
            addresses = parse_addresses(text, allowed_forms(text, BIND, place), place.resolve)
        except BadAddress as error:
            what = f"bind {text}" if place.kind in ("peers", "log-forward") else "bind"
            raise cursor.bad("bad-address", f"'{what}' : {error}", whole=True) from None
        options = read_bind_options(line, cursor.index, place, f"'bind {text}' in section '{place.kind}'")
        cursor.rest()
        certificates: tuple[tuple[tuple[str, ...], ...], ...] = ()
        if any(known.words[0] in ("crt", "default-crt", "crt-list") for known in options.known):
            from evener.haproxy.sections.certificate_files import bind_certificates

            where = f"'bind {text}' in section '{place.kind}'"
            certificates = bind_certificates(line, options, place, where)
        return Bind(text, tuple(addresses), options, where_of(line), certificates)

    def words(self, value: Bind) -> list[str]:
        return value.words()


def read_bind_options(line: Line, index: int, place: Place, where: str, on: str = "bind") -> BindOptions:
    """The options from ``index`` on; what is wrong with them has been said. ``where`` names the line."""
    builder = Builder(BindOptions)
    before = place.where, place.tail
    quote = "'" if on == "stats socket" else ""  # what is wrong with an option of it stands in quotes
    place.where, place.tail = f"{where} : {quote}", quote
    read_options(builder, OPTIONS, line, index, place, on, f"{where}: " if on == "bind" else f"{where} : ")
    place.where, place.tail = before
    return builder.finish()
