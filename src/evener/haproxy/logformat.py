"""Log formats: text with ``%alias``, ``%{flags}alias`` and ``%[expression]`` items.

Decides what a format means, for log lines and for everything else that takes a ``<fmt>`` (header values,
variables, redirect locations, bodies), and compiles it to one closure ``run(txn) -> bytes``. The aliases
themselves are in ``aliases``; this module knows their names only through it.

Two ways of writing differ (manual section 8.2.6): a *log* line shows ``-`` for what is missing and
merges blanks; everything else shows nothing and encodes only what a header must not contain.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any, Final

from evener.haproxy.aliases import ALIASES, EARLY, UNQUOTED
from evener.haproxy.cast import to_bytes
from evener.haproxy.expression import Expr, names_file, read_prefix, scripted, unavailable, warn_planned
from evener.haproxy.expression_compile import compile_expression
from evener.haproxy.format_encoding import one, value_of, whole
from evener.haproxy.log_style import Style, encode_http, until_nul
from evener.haproxy.sample import Type
from evener.haproxy.scope import CompileEnv, Failure, Scope
from evener.haproxy.shape import Shapes
from evener.text.record import dataclass
from evener.text.span import Span

#: The formats behind ``option tcplog``, ``option httplog``... (manual sections 8.2.2 to 8.2.4).
TCP_LOG: Final = "%ci:%cp [%t] %ft %b/%s %Tw/%Tc/%Tt %B %ts %ac/%fc/%bc/%sc/%rc %sq/%bq"
HTTP_LOG: Final = (
    "%ci:%cp [%tr] %ft %b/%s %TR/%Tw/%Tc/%Tr/%Ta %ST %B %CC %CS %tsc "
    "%ac/%fc/%bc/%sc/%rc %sq/%bq %hr %hs %{+Q}r"
)
HTTPS_LOG: Final = (
    HTTP_LOG + " %[fc_err]/%[ssl_fc_err,hex]/%[ssl_c_err]/%[ssl_c_ca_err]/%[ssl_fc_is_resumed] "
    "%[ssl_fc_sni]/%sslv/%sslc"
)
HTTP_CLF_LOG: Final = (
    '%{+Q}o %{-Q}ci - - [%trg] %r %ST %B "" "" %cp %ms %ft %b %s %TR %Tw %Tc %Tr %Ta %tsc '
    "%ac %fc %bc %sc %rc %sq %bq %CC %CS %hrl %hsl"
)
TCP_CLF_LOG: Final = (
    '%{+Q}o %{-Q}ci - - [%T] "TCP " 000 %B "" "" %cp %ms %ft %b %s %Th %Tw %Tc %Tt %U %ts-- '
    '%ac %fc %bc %sc %rc %sq %bq "" "" '
)


@dataclass(frozen=True, slots=True)
class Text:
    text: str


@dataclass(frozen=True, slots=True)
class Item:
    """An alias or an expression, with the flags that hold for it. ``name`` and ``kind`` are for encodings."""

    alias: str | None
    expr: Expr | None
    style: Style
    name: str = ""
    kind: str = ""


@dataclass(frozen=True, slots=True)
class Format:
    """A whole format; ``text`` is how it was written."""

    text: str
    items: tuple[Text | Item, ...]
    encoding: str = ""  #: json or cbor: of the whole line (flags of ``%o``)
    binary: bool = False

    def __str__(self) -> str:
        return self.text

    @property
    def constant(self) -> str | None:
        """The text of a format without items; None when there are some."""
        if any(isinstance(item, Item) for item in self.items):
            return None
        return "".join(item.text for item in self.items if isinstance(item, Text))


# -- reading --------------------------------------------------------------------------------------

_SHAPES: Final = Shapes("logformat")
_ALIAS_NAME: Final = re.compile(r"[A-Za-z0-9]*")
_NAME: Final = re.compile(r"[A-Za-z0-9_.\-]*")
_KINDS: Final = ("str", "sint", "bool", "raw")
_MISUSE: Final = "If you wanted to emit the '%' character verbatim, you need to use '%%'"

Token = tuple[str, Any]


class _Stop(Exception):
    """Reading cannot go on; carries the Failure."""

    def __init__(self, code: str, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.failure = Failure(code, message, hint)


def tokenise(text: str) -> list[Token]:
    """The terminals of a format; raises _Stop at the first thing that cannot be read."""
    tokens: list[Token] = []
    position = 0
    while position < len(text):
        percent = text.find("%", position)
        if percent < 0:
            percent = len(text)
        if percent > position:
            tokens.append(("TEXT", text[position:percent]))
        if percent >= len(text):
            break
        position = _item(text, percent + 1, tokens)
    return tokens


def _item(text: str, position: int, tokens: list[Token]) -> int:
    """The terminals of one item; the position after it."""
    start = position - 1
    if text.startswith("%", position):
        tokens.append(("PERCENT", "%"))
        return position + 1
    if text.startswith("(", position):
        position = _item_name(text, position + 1, tokens)
    flagged = text.startswith("{", position)
    if flagged:
        close = text.find("}", position)
        if close < 0:
            raise _Stop("truncated-format", f"truncated line after '{text[position + 1 :]}'")
        tokens.append(("FLAGS", text[position + 1 : close]))
        position = close + 1
    if text.startswith("[", position):
        return _expression(text, position + 1, tokens)
    match = _ALIAS_NAME.match(text, position)
    assert match is not None
    if match[0]:
        tokens.append(("ALIAS", match[0]))
        return match.end()
    if flagged:
        raise _Stop(
            "flags-without-item", f"parse argument modifier without alias name near '{text[start:position]}'"
        )
    if position >= len(text):
        raise _Stop("truncated-format", "truncated line after '%'")
    raise _Stop(
        "bad-format-item",
        f"unexpected alias name near '{text[position]}' at position {position} line : '{text}'. "
        "Maybe you want to write a single '%', use the syntax '%%'",
    )


def _item_name(text: str, position: int, tokens: list[Token]) -> int:
    match = _NAME.match(text, position)
    assert match is not None
    name, kind, end = match[0], "", match.end()
    if text.startswith(":", end):
        match = _NAME.match(text, end + 1)
        assert match is not None
        kind, end = match[0], match.end()
        if kind not in _KINDS:
            raise _Stop(
                "bad-item-type",
                f"unexpected output type '{kind}' at position {position + len(name) + 1} line : '{text}'. "
                "Supported types are: str, sint, bool, raw",
            )
    if not text.startswith(")", end):
        near = f"{text[end]}' at position {end} line : '{text}'" if end < len(text) else ""
        raise _Stop("bad-item-name", f"invalid character in custom name near '{near}")
    tokens.append(("NAME", (name, kind)))
    return end + 1


def _expression(text: str, position: int, tokens: list[Token]) -> int:
    rest = text[position:]
    result = read_prefix(rest)
    if isinstance(result, Failure):
        raise _Stop(
            result.code, f"failed to parse sample expression <{rest}> : {result.message}", result.hint
        )
    expr, length = result
    end = position + length
    if end >= len(text):
        raise _Stop("missing-bracket", f"missing ']' after '{rest[:length]}'")
    if text[end] != "]":
        raise _Stop("missing-bracket", f"expected ']' after '{rest[:length]}', but found '{text[end]}'")
    tokens.append(("EXPRESSION", expr))
    return end + 1


_READ: Final[dict[str, Format]] = {}


def read_format(text: str) -> Format | Failure:
    """Read a format; remembers what could be read, unless it depends on files."""
    known = _READ.get(text)
    if known is not None:
        return known
    try:
        tokens = tokenise(text)
        tree: Any = _SHAPES.tree(tuple(kind for kind, _ in tokens))
        made = _Builder(tokens).build(text, tree)
    except _Stop as stop:
        return stop.failure
    if not any(kind == "EXPRESSION" and names_file(value) for kind, value in tokens):
        _READ[text] = made
    return made


class _Builder:
    """Gives the tree of a format its meaning; flags of ``%o`` hold for all items after it."""

    def __init__(self, tokens: Sequence[Token]) -> None:
        self.tokens = tokens
        self.style = Style()

    def build(self, text: str, tree: Any) -> Format:
        items: list[Text | Item] = []
        for node in tree.children:
            if isinstance(node, int):
                items.append(Text(self.tokens[node][1]))
                continue
            item = self.item({self.tokens[leaf][0]: self.tokens[leaf][1] for leaf in node.children})
            if item is not None:
                items.append(item)
        return Format(text, tuple(items), self.style.encoding, self.style.binary)

    def item(self, parts: dict[str, Any]) -> Item | None:
        style = self.style
        for flag in parts.get("FLAGS", "").split(","):
            style = self.flag(style, flag.strip())
        alias = parts.get("ALIAS")
        if alias == "o":
            self.style = style
            return None
        if alias is not None and alias not in ALIASES:
            raise _Stop("unknown-alias", f"no such format alias '{alias}'. {_MISUSE}")
        name, kind = parts.get("NAME", ("", ""))
        return Item(alias, parts.get("EXPRESSION"), style, name, kind)

    def flag(self, style: Style, flag: str) -> Style:
        """Unknown flags are silently accepted, as they always were."""
        on = not flag.startswith("-")
        word = flag.lstrip("+-")
        return style.changed(word, on)


def parse_logformat(text: str, span: Span, scope: Scope) -> Format | None:
    """Read a format; report in the words of the scope's context and return None when it is wrong.

    Expressions must be usable at one of the scope's places.
    """
    result = read_format(text)
    if isinstance(result, Failure):
        scope.fail(result, span)
        return None
    for item in result.items:
        if isinstance(item, Item) and item.expr is not None:
            unknown = scripted(item.expr, scope)
            if isinstance(unknown, Failure):
                rest = text[text.find("%[" + item.expr.fetch.name) + 2 :]
                message = f"failed to parse sample expression <{rest}> : {unknown.message}"
                scope.fail(Failure(unknown.code, message), span)
                return None
            missing = unavailable(item.expr, scope.places)
            if missing is not None:
                scope.alert(
                    "sample-not-available",
                    f"sample fetch <{item.expr.fetch.name}> may not be reliably used here because it needs "
                    f"'{missing}' which is not available here",
                    span,
                )
                return None
            warn_planned(item.expr, span, scope)
    return result


# -- compiling ------------------------------------------------------------------------------------

Write = Callable[[Any], bytes]


def compile_logformat(fmt: Format, env: CompileEnv) -> Write:
    """For header values, variables, bodies...: missing items are empty, unsafe characters encoded."""
    return _compile(fmt, env, log=False)


def compile_log_line(fmt: Format, env: CompileEnv) -> Write:
    """For log lines: missing items show as ``-``, blanks merge."""
    env.log_after = True
    try:
        return _compile(fmt, env, log=True)
    finally:
        env.log_after = False


def compile_raw(fmt: Format, env: CompileEnv) -> Write:
    """For variables (``set-var-fmt``): as ``compile_logformat``, but nothing is encoded."""
    return _compile(fmt, env, log=False, raw=True)


def compile_unique_id(fmt: Format, env: CompileEnv) -> Write:
    """As ``compile_logformat``; blanks merge as in log lines, and none comes first."""
    return _compile(fmt, env, log=False, merge=True)


def _compile(fmt: Format, env: CompileEnv, log: bool, raw: bool = False, merge: bool = False) -> Write:
    if fmt.encoding:
        named = [item for item in fmt.items if isinstance(item, Item) and item.name]
        fields = [(item.name, value_of(item.alias, item.expr, item.kind, env)) for item in named]
        return whole(fields, fmt.encoding, fmt.binary)
    parts: list[bytes | Write] = []
    aliases: dict[int, tuple[str, bool]] = {}
    skipped: list[int] = []
    for item in fmt.items:
        if isinstance(item, Text):
            _add_text(parts, to_bytes(item.text), log or merge)
        else:
            writer = _writer(item, env, log, raw)
            if writer is not None:
                style = item.style
                early = env.log_early and item.alias in EARLY
                special = style.hexadecimal or style.escape or style.encoding or early
                if item.alias and not special:
                    aliases[len(parts)] = item.alias, item.style.quote and item.alias not in UNQUOTED
                parts.append(writer)
                if log and item.alias in _SKIPPED:
                    skipped.append(len(parts) - 1)
    for at in skipped:
        _own_blank(parts, at)
    if env.fold is None or len(parts) < 2:
        return join(parts)
    if not log:
        return env.fold.joined(join(parts), parts)
    described = [(*aliases[at], part) if at in aliases else part for at, part in enumerate(parts)]
    return env.fold.line(join(parts), described)  # type: ignore[arg-type]


#: Types whose text never holds anything that a header must not.
_SAFE: Final = frozenset({Type.SINT, Type.BOOL, Type.ADDR, Type.IPV4, Type.IPV6})
_BLANKS: Final = re.compile(rb" +")


def _add_text(parts: list[bytes | Write], text: bytes, log: bool) -> None:
    """Literal text; neighbouring pieces are one, and in logs a blank is never written twice."""
    last = parts[-1] if parts else None
    if isinstance(last, bytes):
        text = last + text
        parts.pop()
    if log:
        text = _BLANKS.sub(b" ", text)
        text = text if parts else text.lstrip(b" ")
    parts.append(text)


#: Aliases that leave nothing in a line, not even a dash, when no request was read or it has none of that.
_SKIPPED: Final = frozenset({"hr", "hrl", "hs", "hsl", "HQ"})


def _own_blank(parts: list[bytes | Write], at: int) -> None:
    """Between blanks, an item that may be empty writes the one before it: blanks merge then as well."""
    write = parts[at]
    before, after = (parts[at - 1] if at else b""), (parts[at + 1] if at + 1 < len(parts) else b"")
    if not isinstance(before, bytes) or not isinstance(after, bytes) or isinstance(write, bytes):
        return
    if before.endswith(b" ") and after.startswith(b" "):
        parts[at - 1] = before[:-1]
        parts[at] = lambda txn: b" " + found if (found := write(txn)) else b""
    elif at == 0 and after.startswith(b" "):
        parts[1] = after[1:]
        parts[0] = lambda txn: found + b" " if (found := write(txn)) else b""


#: What a connection to a server can tell as long as it is there.
_OWN_SIDE: Final = frozenset({"bi", "bp", "bc_src", "bc_src_port"})


def _writer(item: Item, env: CompileEnv, log: bool, raw: bool) -> Write | None:
    style = item.style.mandatory() if log else item.style
    if log and (item.alias or (item.expr and item.expr.fetch.name)) in _OWN_SIDE:
        env.log_side = True
    env.shown.add(item.alias or "[")
    if style.encoding:
        return one(value_of(item.alias, item.expr, item.kind, env), style.encoding, style.binary)
    if item.expr is not None:
        value = compile_expression(item.expr, env, Type.STR)
        safe = item.expr.type in _SAFE
        if log or raw:
            return style.text(value if safe else until_nul(value))
        plain = style.plain(value) if safe else style.header(value)
        if env.fold is None or (style.escape and not safe):
            return plain
        return env.fold.written(plain, value, style.missing, None if safe else encode_http)
    assert item.alias is not None
    return ALIASES[item.alias].build(style, env)


def join(parts: Sequence[bytes | Write]) -> Write:
    """One closure for all parts; the common small cases without a loop."""
    if not parts:
        return lambda txn: b""
    if len(parts) == 1:
        (only,) = parts
        return (lambda txn: only) if isinstance(only, bytes) else only
    if len(parts) == 2:
        first, second = parts
        if isinstance(first, bytes) and not isinstance(second, bytes):
            return lambda txn: first + second(txn)
        if isinstance(second, bytes) and not isinstance(first, bytes):
            return lambda txn: first(txn) + second
    return _join_all(parts)


def _join_all(parts: Sequence[bytes | Write]) -> Write:
    """Constant text goes into the template once; only the items are called."""
    template = b"".join(part.replace(b"%", b"%%") if isinstance(part, bytes) else b"%b" for part in parts)
    writers = tuple(part for part in parts if not isinstance(part, bytes))
    if len(writers) == 2:
        first, second = writers
        return lambda txn: template % (first(txn), second(txn))
    return lambda txn: template % tuple([write(txn) for write in writers])
