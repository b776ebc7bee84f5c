"""Sample expressions: text to a frozen ``Expr``, and from that to the closure that runs.

Decides: which fetch and converters a text names, whether their arguments are of the right kind, whether
each converter can take what comes before it. Does not know ACLs, log formats or rules, which use it.

The text of an expression has a quoting of its own inside parentheses (the "second level" of manual
section 2.2), so ``tokenise`` finds the terminals; the grammar ``expr.lark`` says how they combine, once
per shape; ``_Reader`` gives them meaning. Texts repeat, so whole results are remembered by text, except
where an argument names a file. Nothing here reports: a ``Failure`` is returned, because the sentence
around it belongs to the directive.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

from evener.haproxy.arguments import (
    MAY_BE_EMPTY,
    NOTHING,
    REFERENCES,
    ArgumentError,
    ArgumentKind,
    read_argument,
)
from evener.haproxy.cast import castable
from evener.haproxy.expression_tokens import NAME, Token, tokenise
from evener.haproxy.line import Line
from evener.haproxy.sample import (
    CONVERTERS,
    FETCHES,
    SCRIPT_PREFIX,
    Converter,
    Source,
    Type,
    Word,
    converter_of,
    describe_source,
    fetch_of,
    find_converter,
    find_fetch,
)
from evener.haproxy.scope import Failure, Scope
from evener.haproxy.shape import ShapeError, Shapes
from evener.text.record import dataclass
from evener.text.span import Span


@dataclass(frozen=True, slots=True)
class Call:
    """One fetch or converter with its arguments: ``texts`` as written, ``values`` as read."""

    name: str
    texts: tuple[str, ...] = ()
    values: tuple[Any, ...] = ()

    def __str__(self) -> str:
        return f"{self.name}({','.join(map(_quote, self.texts))})" if self.texts else self.name


@dataclass(frozen=True, slots=True)
class Expr:
    """A fetch and its converters. ``type`` is what comes out, as far as it is known beforehand."""

    fetch: Call
    converters: tuple[Call, ...] = ()
    type: Type = Type.STR

    def __str__(self) -> str:
        return ",".join(map(str, (self.fetch, *self.converters)))

    @property
    def source(self) -> Source:
        return fetch_of(self.fetch.name).source

    @property
    def places(self) -> int:
        return fetch_of(self.fetch.name).places


@dataclass(frozen=True, slots=True)
class Reference:
    """A name in an argument that must be declared somewhere: checked once everything is read."""

    kind: ArgumentKind
    name: str  #: empty: the current proxy
    position: int  #: 1-based
    keyword: str
    converter: bool
    fetch: str
    written: bool  #: perhaps as an empty one

    @property
    def place(self) -> str:
        """``arg 1 of sample fetch keyword 'nbsrv'``, as the cross-checks spell it."""
        if self.converter:
            return (
                f"arg {self.position} of conversion keyword '{self.keyword}' "
                f"for sample fetch keyword '{self.fetch}'"
            )
        return f"arg {self.position} of sample fetch keyword '{self.keyword}'"


_NEEDS_QUOTES: Final = re.compile(r"[,)'\"\\ \t#]")


def _quote(text: str) -> str:
    """An argument as it can be read back at the second level."""
    if not _NEEDS_QUOTES.search(text):
        return text
    if "'" not in text:
        return f"'{text}'"
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


# -- meaning --------------------------------------------------------------------------------------

_SHAPES: Final = Shapes("expr")


@dataclass(frozen=True, slots=True)
class _Shape:
    """A call as the grammar saw it: the indexes of its tokens."""

    name: int
    arguments: tuple[int, ...] | None
    closed: bool


def _calls(tokens: Sequence[Token]) -> tuple[_Shape, ...]:
    key = tuple(token[0] for token in tokens)
    known = _KNOWN_CALLS.get(key)
    if known is None:
        known = _KNOWN_CALLS[key] = _shape_calls(key)
    return known


_KNOWN_CALLS: Final[dict[tuple[str, ...], tuple[_Shape, ...]]] = {}


def _shape_calls(key: tuple[str, ...]) -> tuple[_Shape, ...]:
    try:
        tree: Any = _SHAPES.tree(key)
    except ShapeError as error:  # cannot happen: the grammar knows every sequence tokenise can make
        raise AssertionError(f"no shape for {key} at {error.index}") from error
    calls: list[_Shape] = []
    for call in tree.children:
        if isinstance(call, int):
            continue
        leaves = [child for child in call.children if isinstance(child, int)]
        lists = [child for child in call.children if not isinstance(child, int)]
        arguments = tuple(c for c in lists[0].children if key[c] == "ARGUMENT") if lists else None
        calls.append(_Shape(leaves[0], arguments, any(key[leaf] == "CLOSE" for leaf in leaves)))
    return tuple(calls)


class _Reader:
    """Reads one text; ``what`` is how diagnostics call the head of it."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = tokenise(text)
        self.cacheable = True

    def expression(self) -> Expr | Failure:
        calls = _calls(self.tokens)
        head = self.fetch(calls[0])
        if isinstance(head, Failure):
            return head
        FETCHED.add(head.name)
        first = fetch_of(head.name)
        converters = self.converters(calls[1:], first.out)
        if isinstance(converters, Failure):
            return converters
        junk = self.junk(
            calls, "fetch keyword" if len(calls) == 1 else f"converter '{converters[0][-1].name}'"
        )
        return junk or Expr(head, converters[0], converters[1])

    def fetch(self, shape: _Shape) -> Call | Failure:
        name = self.tokens[shape.name][1]
        if not name:
            return Failure("missing-fetch", "missing fetch method")
        word = find_fetch(name)
        if word is None:
            return Failure("unknown-fetch", f"unknown fetch method '{name}'", _maybe(FETCHES.closest(name)))
        return self.call(
            word,
            shape,
            lambda index, message: f"fetch method '{name}' : {message}",
            f"invalid args in fetch method '{name}' : ",
        )

    def converters(self, shapes: Sequence[_Shape], given: Type) -> tuple[tuple[Call, ...], Type] | Failure:
        calls: list[Call] = []
        for shape in shapes:
            name = self.tokens[shape.name][1]
            word = find_converter(name)
            if word is None:
                return Failure(
                    "unknown-converter", f"unknown converter '{name}'", _maybe(CONVERTERS.closest(name))
                )
            call = self.converter(word, shape, given)
            if isinstance(call, Failure):
                return call
            calls.append(call)
            given = given if word.out is Type.SAME else word.gives
        return tuple(calls), given

    def converter(self, word: Converter, shape: _Shape, given: Type) -> Call | Failure:
        if not castable(given, word.takes):
            return Failure("converter-not-applicable", f"converter '{word.name}' cannot be applied")
        return self.call(
            word,
            shape,
            lambda index, message: f"invalid arg {index} in converter '{word.name}' : {message}",
            f"invalid args in converter '{word.name}' : ",
        )

    def junk(self, calls: Sequence[_Shape], after: str) -> Failure | None:
        if self.tokens[-1][0] != "JUNK":
            return None
        return Failure("missing-comma", f"missing comma after {after}")

    def call(
        self, word: Word, shape: _Shape, wrong: Callable[[int, str], str], invalid: str
    ) -> Call | Failure:
        """Read the arguments of a call, one after the other, in the order the original complains."""
        texts: Sequence[str] = [self.tokens[i][1] for i in shape.arguments] if shape.arguments else []
        if texts == [""] or not texts:
            texts = [""] if _read_though_empty(word, bool(texts)) else []
        values: list[Any] = []
        for position, (argument, text) in enumerate(zip(word.arguments, texts, strict=False), 1):
            if not text and argument.kind not in MAY_BE_EMPTY and argument.kind not in REFERENCES:
                message = f"expected type '{argument.kind.value}' at position {position}, but got nothing"
                return Failure("missing-argument", wrong(position, message))
            try:
                values.append(read_argument(argument.kind, text))
            except ValueError:
                message = f"failed to parse '{text}' as type '{argument.kind.value}' at position {position}"
                return Failure("bad-argument", wrong(position, message))
        return self.complete(word, shape, texts, values, wrong, invalid)

    def complete(
        self,
        word: Word,
        shape: _Shape,
        texts: Sequence[str],
        values: list[Any],
        wrong: Callable[[int, str], str],
        invalid: str,
    ) -> Call | Failure:
        got = len(values)
        needed = sum(1 for argument in word.arguments if argument.needed)
        if got < needed:
            kind = word.arguments[got].kind.value
            message = f"missing arguments (got {got}/{word.required}), type '{kind}' expected"
            return Failure("missing-argument", wrong(got + 1, message))
        if len(texts) > got:
            return Failure(
                "too-many-arguments", wrong(max(got, 1), f"expected ')' before '{self.rest(shape, got)}'")
            )
        if shape.arguments is not None and not shape.closed:
            return Failure("missing-parenthesis", wrong(max(got, 1), "expected ')'"))
        for argument in word.arguments[got:]:
            values.append("" if argument.default is NOTHING else argument.default)
        return self.checked(word, tuple(texts), tuple(values), invalid)

    def checked(
        self, word: Word, texts: tuple[str, ...], values: tuple[Any, ...], invalid: str
    ) -> Call | Failure:
        if word.check is not None:
            try:
                better = word.check(*values)
            except ArgumentError as error:
                return Failure("bad-argument", invalid + str(error))
            if isinstance(better, tuple):
                values = better
        return Call(word.name, texts, values)

    def rest(self, shape: _Shape, got: int) -> str:
        """The text from where the first superfluous argument begins."""
        assert shape.arguments is not None
        if got == 0:
            return self.text[self.tokens[shape.name + 1][2] :]
        return self.text[self.tokens[shape.arguments[got - 1]][2] :]


def _read_though_empty(word: Word, written: bool) -> bool:
    """Whether ``()`` or nothing at all is one empty argument: a missing one, or this proxy's table."""
    if not word.arguments:
        return False
    first = word.arguments[0]
    return bool(word.required and first.needed) or (written and first.kind is ArgumentKind.TABLE)


def _maybe(word: str | None) -> str | None:
    return None if word is None else f"did you mean '{word}' maybe ?"


_READ: Final[dict[str, Expr]] = {}
FETCHED: Final[set[str]] = set()
"""The fetches of all expressions that were read so far, by whichever configuration."""


def read_expression(text: str) -> Expr | Failure:
    """Read a whole text as one expression; remembers what could be read, not what could not."""
    known: Expr | Failure | None = _READ.get(text)
    if known is None:
        known = _Reader(text).expression()
        if not isinstance(known, Failure) and not names_file(known):
            _READ[text] = known
    return known


def names_file(result: Expr) -> bool:
    """Where a relative file name leads depends on the current directory, which the reader changes."""
    return any(call.name.startswith("map") for call in result.converters)


def read_prefix(text: str) -> tuple[Expr, int] | Failure:
    """Read the expression a text begins with, and where it ends (in a log format, at a bracket)."""
    tokens = tokenise(text)
    end = tokens[-1][2] if tokens[-1][0] == "JUNK" else len(text)
    if len(tokens) > 2 and tokens[-2][:2] == ("NAME", "") and end < len(text):
        return Failure("unknown-converter", "unknown converter ''")
    result = read_expression(text[:end])
    return result if isinstance(result, Failure) else (result, end)


def read_expression_words(words: Sequence[str], index: int) -> tuple[Expr, int] | Failure:
    """Read an expression that begins at a word and may go on over the next ones.

    Converters may stand in words of their own (``path lower``): the first one that is no converter is
    not ours. Returns the expression and the index after it.
    """
    if index >= len(words) or not words[index]:
        return Failure("missing-fetch", "missing fetch method")
    text = words[index]
    index += 1
    while index < len(words):
        match = NAME.match(words[index])
        if match is None or find_converter(match[0]) is None:
            break
        text = f"{text},{words[index]}"
        index += 1
    result = read_expression(text)
    return result if isinstance(result, Failure) else (result, index)


def unavailable(expr: Expr, places: int) -> str | None:
    """What the expression needs that is not available at any of the places; None when it is."""
    return None if expr.places & places else describe_source(expr.source)


def parse_expression(text: str, span: Span, scope: Scope) -> Expr | None:
    """Read a text; report in the words of the scope's context and return None when it is wrong."""
    result = scripted(read_expression(text), scope)
    if isinstance(result, Failure):
        scope.fail(result, span)
        return None
    warn_planned(result, span, scope)
    return result


def parse_expression_words(line: Line, index: int, scope: Scope) -> tuple[Expr, int] | None:
    """Read an expression from the words of a line; report and return None when it is wrong."""
    result = read_expression_words(line.words, index)
    checked = result if isinstance(result, Failure) else scripted(result[0], scope)
    if isinstance(result, Failure) or isinstance(checked, Failure):
        scope.fail(checked, line.span(index))  # type: ignore[arg-type]
        return None
    warn_planned(result[0], line.span(index), scope)
    return result


def scripted(result: Expr | Failure, scope: Scope) -> Expr | Failure:
    """Words that only a Lua script could declare are unknown where none does."""
    if isinstance(result, Failure):
        return result
    scripts = scope.scripts
    if result.fetch.name.startswith(SCRIPT_PREFIX) and not scripts.find("fetch", result.fetch.name):
        return Failure("unknown-fetch", f"unknown fetch method '{result.fetch.name}'")
    for call in result.converters:
        if call.name.startswith(SCRIPT_PREFIX) and not scripts.find("converter", call.name):
            return Failure("unknown-converter", f"unknown converter '{call.name}'")
    return result


def warn_planned(expr: Expr, where: Span | Callable[[], Span], scope: Scope) -> None:
    """Say which words of an expression are known but not executed; ``where`` is asked only then."""
    planned = [("sample fetch", expr.fetch.name)] if fetch_of(expr.fetch.name).planned else []
    if expr.converters:
        planned += [("converter", call.name) for call in expr.converters if converter_of(call.name).planned]
    for kind, name in planned:
        scope.planned(kind, name, where() if callable(where) else where)


def references(expr: Expr) -> Iterator[Reference]:
    """Every argument that names something declared elsewhere."""
    calls: list[tuple[Call, Word, bool]] = [(expr.fetch, fetch_of(expr.fetch.name), False)]
    calls += [(call, converter_of(call.name), True) for call in expr.converters]
    for call, word, is_converter in calls:
        for position, (argument, value) in enumerate(zip(word.arguments, call.values, strict=False), 1):
            if argument.kind in REFERENCES:
                written = position <= len(call.texts)
                yield Reference(
                    argument.kind, value or "", position, call.name, is_converter, expr.fetch.name, written
                )
