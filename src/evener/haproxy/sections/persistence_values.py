"""Arguments of ``cookie``, ``stick-table`` and ``stick``."""

from __future__ import annotations

from dataclasses import field
from typing import Final

from evener.haproxy.condition import Condition
from evener.haproxy.expression import Expr, parse_expression_words
from evener.haproxy.line import Line
from evener.haproxy.sample import Place as Evaluated
from evener.haproxy.sections.reading import Place, where_of
from evener.haproxy.sections.rule_words import Guard, Reported, condition_words, line_of, scope_of
from evener.haproxy.sections.values import read_size, read_time, time_words
from evener.text.record import dataclass
from evener.text.span import Span
from evener.vocab.arguments import Argument, BadArgument, Cursor, decimal

_SUPPORTS: Final = (
    "'cookie' supports 'rewrite', 'insert', 'prefix', 'indirect', 'nocache', 'postonly', 'domain', "
    "'maxidle', 'dynamic', 'maxlife' and 'attr' options."
)
_FLAGS: Final = (
    "rewrite", "insert", "prefix", "indirect", "nocache", "postonly", "preserve", "httponly", "secure",
    "dynamic",
)  # fmt: skip
_TIGHT: Final = "config : parsing [{place}]: "


@dataclass(frozen=True, slots=True)
class Cookie:
    """``maxidle`` and ``maxlife`` are milliseconds."""

    name: str
    flags: frozenset[str] = frozenset()
    domains: tuple[str, ...] = ()
    attributes: tuple[str, ...] = ()
    maxidle: int | None = None
    maxlife: int | None = None


class CookieArgument(Argument[Cookie]):
    usage = (
        "<name> [ rewrite | insert | prefix ] [indirect] [nocache] [postonly] [preserve] [httponly] [secure] "
        "[domain <domain>]* [maxidle <idle>] [maxlife <life>] [dynamic] [attr <value>]*"
    )

    def read(self, cursor: Cursor) -> Cookie:
        if not cursor.more:
            raise cursor.bad("missing-argument", "'cookie' expects <cookie_name> as argument.", whole=True)
        name = cursor.take()
        flags: set[str] = set()
        lists: dict[str, list[str]] = {"domain": [], "attr": []}
        times: dict[str, int] = {}
        while cursor.peek() is not None:
            word = cursor.take()
            if word in _FLAGS:
                flags.add(word)
            elif word in ("domain", "attr", "maxidle", "maxlife"):
                self.valued(word, cursor, lists, times)
            else:
                raise cursor.bad("unknown-parameter", _SUPPORTS, whole=True)
        if len(flags & {"rewrite", "insert", "prefix"}) > 1:
            message = "cookie 'rewrite', 'insert' and 'prefix' modes are incompatible."
            raise cursor.bad("contradiction", message, whole=True)
        return Cookie(
            name, frozenset(flags), tuple(lists["domain"]), tuple(lists["attr"]),
            times.get("maxidle"), times.get("maxlife"),
        )  # fmt: skip

    def valued(self, word: str, cursor: Cursor, lists: dict[str, list[str]], times: dict[str, int]) -> None:
        if cursor.peek() is None:
            message = f"'{word}' expects <{word}> as argument."
            raise cursor.bad("missing-argument", message, whole=True)
        text = cursor.take()
        place: Place = cursor.context
        if word in lists:
            lists[word].append(text)
            if word == "domain" and "." not in text.lstrip("."):
                place.diagnostics.warning(
                    "domain-without-dot",
                    f"domain '{text}' contains no embedded dot, this configuration may not work properly "
                    "(see RFC6265#5.2.3).",
                    cursor.span(), lead=_TIGHT,
                )  # fmt: skip
            return
        found = read_time(text, 1000)
        if found.wrong:
            message = f"unexpected character '{found.wrong}' in argument to <{word}>."
            place.diagnostics.alert("bad-time", message, cursor.span(), lead=_TIGHT)
            raise Reported
        times[word] = found.milliseconds

    def words(self, value: Cookie) -> list[str]:
        words = [value.name, *(flag for flag in _FLAGS if flag in value.flags)]
        for domain in value.domains:
            words += ["domain", domain]
        for name, time in (("maxidle", value.maxidle), ("maxlife", value.maxlife)):
            words += [name, time_words(time)] if time is not None else []
        for attribute in value.attributes:
            words += ["attr", attribute]
        return words


TYPES: Final = ("ip", "ipv6", "integer", "string", "binary")
#: What a table may keep of each key; True: the name takes a period, as in ``http_req_rate(10s)``.
STORED: Final = {
    "server_id": False, "gpt0": False, "gpc0": False, "gpc0_rate": True, "gpc1": False, "gpc1_rate": True,
    "conn_cnt": False, "conn_cur": False, "conn_rate": True, "sess_cnt": False, "sess_rate": True,
    "http_req_cnt": False, "http_req_rate": True, "http_err_cnt": False, "http_err_rate": True,
    "http_fail_cnt": False, "http_fail_rate": True, "bytes_in_cnt": False, "bytes_in_rate": True,
    "bytes_out_cnt": False, "bytes_out_rate": True, "glitch_cnt": False, "glitch_rate": True,
    "server_key": False, "gpt": True, "gpc": True, "gpc_rate": True,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class StickTable:
    """``length`` is the longest key of strings and binaries; ``expire`` milliseconds (None: never).

    ``store`` lists what is kept, as written (``gpc0``, ``http_req_rate(10s)``).
    """

    type: str
    size: int
    length: int | None = None
    expire: int | None = None
    store: tuple[str, ...] = ()
    nopurge: bool = False
    peers: str | None = None
    other: tuple[tuple[str, ...], ...] = ()
    span: Span | None = field(default=None, compare=False)


class StickTableArgument(Argument[StickTable]):
    usage = (
        "type {ip | integer | string [len <length>] | binary [len <length>]} size <size> [expire <expire>] "
        "[nopurge] [peers <peersect>] [srvkey <srvkey>] [write-to <wtable>] [store <data_type>]*"
    )

    def read(self, cursor: Cursor) -> StickTable:
        found: dict[str, str] = {}
        store: list[str] = []
        nopurge = False
        others: list[tuple[str, ...]] = []
        while cursor.peek() is not None:
            word = cursor.take()
            if word == "nopurge":
                nopurge = True
            elif word in (
                "type",
                "size",
                "expire",
                "len",
                "peers",
                "store",
                "srvkey",
                "write-to",
                "brates-factor",
            ):
                text = self.value(word, cursor)
                if word == "store":
                    store += self.stored(text, cursor)
                elif word in ("srvkey", "write-to", "brates-factor"):
                    others.append((word, text))
                else:
                    found[word] = text
            elif word != "recv-only":
                self.fail(cursor, f"unknown argument '{word}'.")
        return self.table(found, store, nopurge, others, cursor)

    def table(
        self,
        found: dict[str, str],
        store: list[str],
        nopurge: bool,
        others: list[tuple[str, ...]],
        cursor: Cursor,
    ) -> StickTable:
        line: Line = line_of(cursor)
        if "size" not in found:
            self.fail(cursor, "missing size.")
        if "type" not in found:
            self.fail(cursor, "missing type.")
        size, wrong = read_size(found["size"])
        if size is None:
            self.fail(cursor, f"unexpected character '{wrong}' in argument of 'size'.")
        expire = None
        if "expire" in found:
            time = read_time(found["expire"])
            if time.wrong:
                self.fail(cursor, f"unexpected character '{time.wrong}' in argument of 'expire'.")
            expire = time.milliseconds
        length = decimal(found["len"]) if "len" in found else None
        cursor.context.not_executed("stick-table", where_of(line))
        return StickTable(
            found["type"], size or 0, length, expire, tuple(store), nopurge, found.get("peers"),
            tuple(others),
            where_of(line),
        )  # fmt: skip

    def value(self, word: str, cursor: Cursor) -> str:
        if word == "type":
            text = cursor.peek() or ""
            cursor.index += 1
            if text not in TYPES:
                self.fail(cursor, f"unknown type '{text}'.")
            return text
        if cursor.peek() is None:
            self.fail(cursor, f"missing argument after '{word}'.")
        return cursor.take()

    def stored(self, text: str, cursor: Cursor) -> list[str]:
        items, depth, start = [], 0, 0
        for index, character in enumerate(f"{text},"):
            depth += (character == "(") - (character == ")")
            if character == "," and depth == 0:
                items.append(text[start:index])
                start = index + 1
        for item in items:
            name, paren, _ = item.partition("(")
            if name not in STORED:
                self.fail(cursor, f"unknown store option '{name}'.")
            if STORED[name] and not paren:
                self.fail(cursor, f"missing argument to store option '{name}'.")
        return items

    def fail(self, cursor: Cursor, what: str) -> None:
        raise BadArgument("bad-stick-table", f"stick-table: {what}", max(cursor.index - 1, 0), whole=True)

    def words(self, value: StickTable) -> list[str]:
        words = ["type", value.type]
        words += ["len", str(value.length)] if value.length is not None else []
        words += ["size", str(value.size)]
        words += ["expire", time_words(value.expire)] if value.expire is not None else []
        words += ["nopurge"] if value.nopurge else []
        words += ["peers", value.peers] if value.peers is not None else []
        words += [word for other in value.other for word in other]
        return words + (["store", ",".join(value.store)] if value.store else [])


@dataclass(frozen=True, slots=True)
class Stick:
    """One of match, store-request, store-response, or ``on``, which is the first two at once."""

    action: str
    expression: Expr = field(compare=False)
    written: tuple[str, ...]
    table: str | None = None
    condition: Condition | None = field(default=None, compare=False)
    span: Span | None = field(default=None, compare=False)


class StickArgument(Argument[Stick]):
    usage = "{ on | match | store-request | store-response } <pattern> [table <table>] [{if | unless} <cond>]"

    def read(self, cursor: Cursor) -> Stick:
        action = cursor.peek() or ""
        cursor.index += 1
        if action not in ("on", "match", "store-request", "store-response"):
            message = "'stick' expects 'on', 'match', or 'store'."
            raise cursor.bad("unknown-value", message, whole=True)
        if cursor.peek() is None:
            raise cursor.bad("missing-argument", "'stick' expects a fetch method.", whole=True)
        evaluated = Evaluated.BE_STORE if action == "store-response" else Evaluated.BE_SERVER
        scope = scope_of(cursor).within("'stick': {}", evaluated.bit)
        read = parse_expression_words(line_of(cursor), cursor.index, scope)
        if read is None:
            cursor.rest()
            raise Reported
        start = cursor.index
        expression, cursor.index = read
        written = tuple(cursor.words[start : cursor.index])
        table = cursor.take("a table") if cursor.accept("table") else None
        condition = None
        if cursor.peek() in ("if", "unless"):
            guard = Guard("error detected while parsing sticking condition : {}.", evaluated)
            condition = guard.read(cursor)
        elif cursor.peek() is not None:
            message = f"'stick' : unexpected keyword '{cursor.take()}', only 'if' and 'unless' are allowed."
            raise cursor.bad("unexpected-argument", message, whole=True)
        cursor.context.not_executed("stick", where_of(line_of(cursor)))
        return Stick(action, expression, written, table, condition, where_of(line_of(cursor)))

    def words(self, value: Stick) -> list[str]:
        words = [value.action, *value.written]
        words += ["table", value.table] if value.table is not None else []
        return words + (condition_words(value.condition) if value.condition is not None else [])
