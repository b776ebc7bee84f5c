"""``filter`` lines: which filters see the traffic of a proxy, in which order (manual, section 9).

A line names its filter and carries its settings, if it has any of its own. What filters do is in
``haproxy.filters`` and, for those that look at heads, beside it. ``filter-sequence`` gives another order.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import TYPE_CHECKING

from evener.haproxy.expression import Expr, read_expression_words
from evener.haproxy.filters.names import COMPRESSING, NAMES, PLANNED
from evener.haproxy.scope import Failure
from evener.haproxy.sections.reading import Place, where_of
from evener.haproxy.sections.rule_words import line_of
from evener.haproxy.sections.sides import ANY_PROXY
from evener.haproxy.sections.timeouts import proxy_word
from evener.haproxy.sections.values import read_size, read_time
from evener.text.record import dataclass
from evener.text.span import Span
from evener.vocab.arguments import Argument, Cursor
from evener.vocab.blocks import Repeat, block, keyword, spans

if TYPE_CHECKING:
    from evener.haproxy.sections.spoe import Engine


@dataclass(frozen=True, slots=True)
class Limit:
    """``bwlim-in`` and ``bwlim-out``: bytes per period (ms), of one stream or, with ``key``, of all alike."""

    limit: int = 0
    period: int = 0
    least: int = 0
    key: Expr | None = None
    table: str = ""


@dataclass(frozen=True, slots=True)
class Trace:
    name: str = "TRACE"
    quiet: bool = False
    random: bool = False
    most: int = 0
    hexdump: bool = False


@dataclass(frozen=True, slots=True)
class FilterLine:
    """``name`` is what rules and ``filter-sequence`` call it; ``words`` the line after ``filter``."""

    kind: str
    words: tuple[str, ...]
    name: str = ""
    limit: Limit | None = None
    trace: Trace | None = None
    engine: Engine | None = None
    span: Span | None = field(default=None, compare=False)


class FilterArgument(Argument[FilterLine]):
    usage = "<name> [param*]"

    def read(self, cursor: Cursor) -> FilterLine:
        place: Place = cursor.context
        line = line_of(cursor)
        if not cursor.more:
            where = f"{line.source.name}:{line.number}"
            message = (
                f"parsing [{where}] : missing argument for 'filter' in {proxy_word(place)} '{place.name}'."
            )
            raise cursor.bad("missing-argument", message, whole=True)
        words = cursor.rest()
        kind, rest = words[0], words[1:]
        span = where_of(line)
        if kind.startswith("lua.") and place.scripts.find("filter", kind):
            place.not_executed("filter lua.*", span)
        elif kind not in NAMES:
            listed = "".join(f"\n    [{family}] {name}" for name, family in NAMES.items())
            message = f"'filter' : unknown keyword '{kind}'. Registered keywords :{listed}"
            raise cursor.bad("unknown-filter", message, whole=True)
        elif kind.startswith("bwlim"):
            return FilterLine(kind, words, rest[0] if rest else "", _limit(cursor, kind, rest), span=span)
        elif kind == "trace":
            return FilterLine(kind, words, kind, None, _trace(cursor, rest), span=span)
        elif kind in COMPRESSING and rest:
            message = f"'filter compression' : unknown keyword '{rest[0]}'."
            raise cursor.bad("unexpected-argument", message, whole=True)
        elif kind == "spoe":
            place.not_executed(f"filter {kind}", span)
            engine = _engine(cursor, rest)
            return FilterLine(kind, words, engine.name, None, None, engine, span)
        elif kind in PLANNED:
            _named(cursor, kind, rest)
            place.not_executed(f"filter {kind}", span)
        elif kind == "cache":
            _named(cursor, kind, rest)
        return FilterLine(kind, words, rest[0] if rest else kind, None, None, None, span)

    def words(self, value: FilterLine) -> list[str]:
        return list(value.words)


def _named(cursor: Cursor, kind: str, rest: tuple[str, ...]) -> None:
    if not rest:
        raise cursor.bad("missing-argument", f"'filter' : {kind} : expects a <name> argument", whole=True)


def _engine(cursor: Cursor, rest: tuple[str, ...]) -> Engine:
    """``[engine <name>] config <file>``; the file is read now."""
    said: dict[str, str] = {}
    at = 0
    while at < len(rest):
        word = rest[at]
        if word not in ("engine", "config"):
            raise cursor.bad("unknown-keyword", f"'filter' : unknown keyword '{word}'", whole=True)
        if at + 1 == len(rest):
            message = f"'filter' : 'spoe' : '{word}' option without value"
            raise cursor.bad("missing-argument", message, whole=True)
        said[word] = rest[at + 1]
        at += 2
    if "config" not in said:
        raise cursor.bad("missing-argument", "'filter' : 'spoe' : missing config file", whole=True)
    from evener.haproxy.sections.spoe import BadEngine, read_engine

    try:
        return read_engine(said["config"], said.get("engine"), cursor.context)
    except BadEngine as error:
        raise cursor.bad("bad-engine", f"'filter' : {error}", whole=True) from None


def _limit(cursor: Cursor, kind: str, rest: tuple[str, ...]) -> Limit:
    if not rest:
        message = f"'filter' : '{kind}' : a name is expected as first argument "
        raise cursor.bad("missing-argument", message, whole=True)
    found: dict[str, str] = {}
    key: Expr | None = None
    at = 1
    while at < len(rest):
        word = rest[at]
        if word not in ("default-limit", "default-period", "limit", "min-size", "key", "table"):
            break
        if at + 1 >= len(rest):
            message = f"'filter' : '{kind}' : the value of option '{word}' is missing"
            raise cursor.bad("missing-argument", message, whole=True)
        found[word] = rest[at + 1]
        at += 2
        if word == "key":
            result = read_expression_words(rest, at - 1)
            if isinstance(result, Failure):
                message = f"'filter' : '{kind}' : {result.message}"
                raise cursor.bad(result.code, message, whole=True)
            key, at = result
    shared = {"limit", "key", "table"} & found.keys()
    if shared and {"default-limit", "default-period"} & found.keys():
        raise _wrong(cursor, kind, "cannot mix per-stream and shared parameter")
    for needed in ("key", "limit") if shared else ("default-period", "default-limit"):
        if needed not in found:
            raise _wrong(cursor, kind, f"<{needed}> option is missing")
    sizes = {name: _number(cursor, kind, name, found[name]) for name in found if name not in ("key", "table")}
    return Limit(
        sizes.get("default-limit", sizes.get("limit", 0)), sizes.get("default-period", 0),
        sizes.get("min-size", 0), key, found.get("table", ""),
    )  # fmt: skip


def _wrong(cursor: Cursor, kind: str, what: str) -> Exception:
    return cursor.bad("bad-filter", f"'filter' : '{kind}' : {what}", whole=True)


def _number(cursor: Cursor, kind: str, name: str, text: str) -> int:
    if name == "default-period":
        time = read_time(text)
        value, wrong = (None if time.wrong else time.milliseconds), time.wrong
    else:
        value, rest = read_size(text)
        wrong = rest[:1]
    if value is None:
        what = f"invalid value for option '{name}' (unexpected character '{wrong}')"
        raise _wrong(cursor, kind, what)
    return value


def _trace(cursor: Cursor, rest: tuple[str, ...]) -> Trace:
    found: dict[str, bool | int | str] = {}
    flags = {"quiet": "quiet", "random-forwarding": "random", "hexdump": "hexdump"}
    at = 0
    while at < len(rest):
        word = rest[at]
        at += 1
        if word in flags:
            found[flags[word]] = True
        elif word in ("name", "max-fwd"):
            if at == len(rest):
                message = f"'filter' : 'trace' : '{word}' option without value"
                raise cursor.bad("missing-argument", message, whole=True)
            digits = rest[at]
            if word == "name":
                found["name"] = digits
            else:
                found["most"] = int(digits[:9]) if digits.isascii() and digits.isdigit() else 0
            at += 1
        elif word != "random-parsing":  # of earlier versions
            message = f"'filter trace' : unknown keyword '{word}'."
            raise cursor.bad("unexpected-argument", message, whole=True)
    return Trace(**found)  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True)
class Sequence:
    response: bool
    names: tuple[str, ...]
    span: Span | None = field(default=None, compare=False)


class SequenceArgument(Argument[Sequence]):
    usage = "{ request | response } <filter_list>"

    def read(self, cursor: Cursor) -> Sequence:
        place: Place = cursor.context
        line = line_of(cursor)
        words = cursor.rest()
        whose = f"'filter-sequence' in {proxy_word(place)} '{place.name}'."
        what = ""
        if not words:
            what = f"missing argument for {whose}"
        elif words[0] not in ("request", "response"):
            what = f"expected either 'request' or 'response' for {whose}"
        elif len(words) < 2:
            what = f"missing filter list for {whose}"
        if what:
            message = f"parsing [{line.source.name}:{line.number}] : {what}"
            raise cursor.bad("bad-filter-sequence", message, whole=True)
        return Sequence(words[0] == "response", tuple(words[1].split(",")), where_of(line))

    def words(self, value: Sequence) -> list[str]:
        return ["response" if value.response else "request", ",".join(value.names)]


@block("filter keyword")
@dataclass(frozen=True, slots=True)
class Filters:
    filter: tuple[FilterLine, ...] = keyword(
        FilterArgument(), "Let a filter see the traffic; the order of the lines is that of the filters.",
        ok=(
            "filter trace name before", "filter comp-res",
            "filter bwlim-out x default-limit 1m default-period 1s",
        ),
        bad=("filter", "filter foo", "filter trace foo", "filter cache", "filter bwlim-out x"),
        contexts=ANY_PROXY, repeat=Repeat.COLLECT,
    )  # fmt: skip
    filter_sequence: tuple[Sequence, ...] = keyword(
        SequenceArgument(), "The order of the filters on one side, without those that are left out.",
        ok=("filter-sequence request trace",), bad=("filter-sequence", "filter-sequence both x"),
        contexts=ANY_PROXY, repeat=Repeat.COLLECT, needs="filter trace",
    )  # fmt: skip
    spans: Mapping[str, Span] = spans()
