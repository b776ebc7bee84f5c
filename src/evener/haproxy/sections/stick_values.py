"""Arguments of ``stick-table``, of ``table`` in a peers section, and of ``stick``."""

from __future__ import annotations

import re
from dataclasses import field
from typing import Final, NoReturn

from evener.haproxy.condition import Condition
from evener.haproxy.expression import Expr, parse_expression_words
from evener.haproxy.line import Line
from evener.haproxy.sample import Place as Evaluated
from evener.haproxy.sections.reading import TIGHT, where_of
from evener.haproxy.sections.rule_words import Guard, Reported, condition_words, line_of, scope_of
from evener.haproxy.sections.values import read_size, read_time, time_words
from evener.haproxy.stick_data import BY_NAME, LONGEST_PERIOD, MOST_ELEMENTS, Kind, Stored
from evener.text.record import dataclass
from evener.text.span import Span
from evener.vocab.arguments import Argument, BadArgument, Cursor, decimal

TYPES: Final = ("ip", "ipv4", "ipv6", "integer", "string", "binary")
_EXCLUSIVE: Final = (
    ("gpt", ("gpt0",), "gpt0"),
    ("gpc", ("gpc0", "gpc1"), "gpc[0/1]"),
    ("gpc_rate", ("gpc0_rate", "gpc1_rate"), "gpc[0/1]_rate"),
)
_ITEM: Final = re.compile(r"([^,(]*)(\([^)]*)?(\))?[^,]*,?")


@dataclass(frozen=True, slots=True)
class StickTable:
    """``length`` is the longest key of strings and binaries; ``expire`` milliseconds (None: never)."""

    type: str
    size: int
    length: int | None = None
    expire: int | None = None
    store: tuple[Stored, ...] = ()
    nopurge: bool = False
    peers: str | None = None
    srvkey: str | None = None
    write_to: str | None = None
    brates_factor: int | None = None
    recv_only: bool = False
    span: Span | None = field(default=None, compare=False)


class StickTableArgument(Argument[StickTable]):
    usage = (
        "type {ip | ipv4 | ipv6 | integer | string [len <length>] | binary [len <length>]} size <size> "
        "[expire <expire>] [nopurge] [recv-only] [peers <peersect>] [srvkey <srvkey>] [write-to <wtable>] "
        "[brates-factor <factor>] [store <data_type>]*"
    )

    def read(self, cursor: Cursor) -> StickTable:
        found: dict[str, str] = {}
        store: list[Stored] = []
        flags: set[str] = set()
        while cursor.peek() is not None:
            word = cursor.take()
            if word in ("nopurge", "recv-only"):
                flags.add(word)
            elif word == "store":
                self.stored(cursor.take() if cursor.peek() is not None else "", store, cursor)
            elif word in ("type", "size", "expire", "peers", "srvkey", "write-to", "brates-factor"):
                found[word] = self.value(word, cursor)
                if word == "type" and found[word] in ("string", "binary") and cursor.accept("len"):
                    found["len"] = self.length(cursor)
            else:
                fail(cursor, f"unknown argument '{word}'.")
        exclude(store, cursor)
        return self.table(found, store, flags, cursor)

    def table(
        self, found: dict[str, str], store: list[Stored], flags: set[str], cursor: Cursor
    ) -> StickTable:
        line: Line = line_of(cursor)
        size = self.size(found.get("size"), cursor)
        if not size:
            fail(cursor, "missing size.")
        if "type" not in found:
            fail(cursor, "missing type.")
        self.not_executed(found, flags, cursor)
        return StickTable(
            found["type"], size, decimal(found["len"]) if "len" in found else None,
            self.expire(found.get("expire"), cursor), tuple(store), "nopurge" in flags, found.get("peers"),
            self.srvkey(found.get("srvkey"), cursor), found.get("write-to"),
            self.factor(found.get("brates-factor"), cursor), "recv-only" in flags, where_of(line),
        )  # fmt: skip

    def not_executed(self, found: dict[str, str], flags: set[str], cursor: Cursor) -> None:
        """What only peers would make a difference to."""
        for word in ("peers", "write-to"):
            if word in found:
                cursor.context.not_executed(f"stick-table {word}", where_of(line_of(cursor)))
        if "recv-only" in flags:
            cursor.context.not_executed("stick-table recv-only", where_of(line_of(cursor)))

    def size(self, text: str | None, cursor: Cursor) -> int:
        if text is None:
            return 0
        size, wrong = read_size(text)
        if size is None or size >= 1 << 31:
            fail(cursor, f"unexpected character '{wrong[:1] or text[-1]}' in argument of 'size'.")
        return size

    def expire(self, text: str | None, cursor: Cursor) -> int | None:
        if text is None:
            return None
        time = read_time(text)
        if time.wrong:
            fail(cursor, f"unexpected character '{time.wrong}' in argument of 'expire'.")
        if time.milliseconds > LONGEST_PERIOD:
            message = (
                f"stick-table: timer overflow in argument <{text}> to <expire>, "
                "maximum value is 2147483647 ms (~24.8 days)."
            )
            cursor.context.diagnostics.alert("bad-time", message, cursor.span(), lead=TIGHT)
            raise Reported
        return time.milliseconds

    def srvkey(self, text: str | None, cursor: Cursor) -> str | None:
        if text not in (None, "name", "addr"):
            message = f"stick-table : unknown server key type '{text}'."
            raise BadArgument("bad-stick-table", message, cursor.index - 1, whole=True)
        return text

    def factor(self, text: str | None, cursor: Cursor) -> int | None:
        if text is None:
            return None
        number = decimal(text)
        if number is None or not 0 < number <= 1024:
            fail(cursor, "argument 'brates-factor' must be greater than 0 and lower or equal than 1024.")
        return number

    def length(self, cursor: Cursor) -> str:
        text = cursor.peek() or ""
        number = decimal(text)
        if not number or number >= 1 << 16:
            message = "'len' expects a positive integer argument."
            raise BadArgument("bad-stick-table", message, cursor.index, whole=True)
        return cursor.take()

    def value(self, word: str, cursor: Cursor) -> str:
        if word == "type":
            text = cursor.peek() or ""
            cursor.index += 1
            if text not in TYPES:
                fail(cursor, f"unknown type '{text}'.")
            return text
        if cursor.peek() is None:
            fail(cursor, f"missing argument after '{word}'.")
        return cursor.take()

    def stored(self, text: str, store: list[Stored], cursor: Cursor) -> None:
        """``gpc0,conn_rate(10s)``: adds what is not there yet."""
        for match in _ITEM.finditer(text):
            name, opening, closing = match.groups()
            if not match[0]:
                break
            one = item(name, opening, closing, cursor)
            if any(other.name == name for other in store):
                message = f"stick-table: store option '{name}' already enabled, ignored."
                cursor.context.diagnostics.warning("already-said", message, cursor.span(), lead=TIGHT)
            else:
                store.append(one)

    def words(self, value: StickTable) -> list[str]:
        words = ["type", value.type]
        words += ["len", str(value.length)] if value.length is not None else []
        words += ["size", str(value.size)]
        words += ["expire", time_words(value.expire)] if value.expire is not None else []
        words += ["nopurge"] if value.nopurge else []
        words += ["recv-only"] if value.recv_only else []
        for word, text in (("peers", value.peers), ("srvkey", value.srvkey), ("write-to", value.write_to)):
            words += [word, text] if text is not None else []
        words += ["brates-factor", str(value.brates_factor)] if value.brates_factor is not None else []
        return words + (["store", ",".join(map(stored_words, value.store))] if value.store else [])


def fail(cursor: Cursor, what: str) -> NoReturn:
    raise BadArgument("bad-stick-table", f"stick-table: {what}", max(cursor.index - 1, 0), whole=True)


def item(name: str, opening: str | None, closing: str | None, cursor: Cursor) -> Stored:
    """One data type with its arguments."""
    data = BY_NAME.get(name)
    if data is None:
        fail(cursor, f"unknown store option '{name}'.")
    wanted = (data.kind is Kind.RATE) + data.array
    if opening and not closing:
        fail(cursor, f"missing closing parenthesis after store option '{name}'.")
    if opening and not wanted:
        fail(cursor, f"unexpected argument to store option '{name}'.")
    inside = opening[1:].split(",") if opening else []
    if len(inside) < wanted:
        fail(cursor, f"missing argument to store option '{name}'.")
    count, period = 1, 0
    if data.array:
        count = decimal(inside[0]) or 0
        if not 1 <= count <= MOST_ELEMENTS:
            fail(cursor, f"array size is out of allowed range (1-{MOST_ELEMENTS}) for store option '{name}'.")
    if data.kind is Kind.RATE:
        time = read_time(inside[-1])
        if time.wrong or not inside[-1] or time.milliseconds > LONGEST_PERIOD:
            fail(cursor, f"error when processing store option '{name}'.")
        period = time.milliseconds
    return Stored(name, count, period)


def exclude(store: list[Stored], cursor: Cursor) -> None:
    """An array and the old names of its elements do not go together."""
    names = {one.name for one in store}
    for array, single, told in _EXCLUSIVE:
        if array in names and names.intersection(single):
            fail(
                cursor,
                f"simultaneous usage of '{array}' and '{told}' in a same table is not permitted as "
                f"'{array}' overrides '{told}'.",
            )


def stored_words(one: Stored) -> str:
    inside = [str(one.count)] if one.data.array else []
    inside += [time_words(one.period)] if one.data.kind is Kind.RATE else []
    return f"{one.name}({','.join(inside)})" if inside else one.name


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
            guard = Guard("'stick': error detected while parsing sticking condition : {}.", evaluated)
            condition = guard.read(cursor)
        elif cursor.peek() is not None:
            message = f"'stick' : unexpected keyword '{cursor.take()}', only 'if' and 'unless' are allowed."
            raise cursor.bad("unexpected-argument", message, whole=True)
        return Stick(action, expression, written, table, condition, where_of(line_of(cursor)))

    def words(self, value: Stick) -> list[str]:
        words = [value.action, *value.written]
        words += ["table", value.table] if value.table is not None else []
        return words + (condition_words(value.condition) if value.condition is not None else [])
