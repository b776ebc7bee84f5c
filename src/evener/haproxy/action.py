"""Actions: the declarations of what rules may do, the rulesets, and the reading of arguments.

An action is one decorated factory in ``actions/``: its parameters give its arguments (or a parser reads
them from ``Words``), its closure ``run(txn)`` does the work and returns a verdict. Conditions and the
rules themselves are ``rule``'s.
"""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, NoReturn

from evener.haproxy.expression import Expr, read_expression_words, scripted, unavailable, warn_planned
from evener.haproxy.line import Line
from evener.haproxy.logformat import Format, Item, read_format
from evener.haproxy.sample import Place, Source
from evener.haproxy.scope import Failure, Scope
from evener.text.pcre import RegexError, translate
from evener.text.record import dataclass
from evener.text.span import Span
from evener.vocab.registry import Declaration, Registry, Status


@dataclass(frozen=True, slots=True)
class Ruleset:
    """``request`` is None where there is no HTTP message; ``frontend``/``backend`` are places."""

    name: str
    frontend: Place | None
    backend: Place | None
    request: bool | None = None

    @property
    def http(self) -> bool:
        return self.name.startswith("http")

    @property
    def waits(self) -> bool:
        """Content rules wait for more bytes as long as the inspection period lasts."""
        return self.name.endswith("content")

    @property
    def everywhere(self) -> int:
        return sum(place.bit for place in (self.frontend, self.backend) if place is not None)

    def places(self, scope: Scope) -> int:
        """Where a rule of this set is evaluated in a section that may be frontend, backend or both."""
        bits = 0
        if self.frontend is not None and scope.is_frontend:
            bits |= self.frontend.bit
        if self.backend is not None and scope.is_backend:
            bits |= self.backend.bit
        return bits


RULESETS: Final = {
    ruleset.name: ruleset
    for ruleset in (
        Ruleset("tcp-request connection", Place.FE_CONNECTION, None),
        Ruleset("tcp-request session", Place.FE_SESSION, None),
        Ruleset("tcp-request content", Place.FE_CONTENT, Place.BE_CONTENT, True),
        Ruleset("tcp-response content", Place.FE_RESPONSE_CONTENT, Place.BE_RESPONSE_CONTENT, False),
        Ruleset("http-request", Place.FE_REQUEST, Place.BE_REQUEST, True),
        Ruleset("http-response", Place.FE_RESPONSE, Place.BE_RESPONSE, False),
        Ruleset("http-after-response", Place.FE_RESPONSE, Place.BE_RESPONSE, False),
        Ruleset("quic-initial", Place.FE_CONNECTION, None),
    )
}
HTTP: Final = ("http-request", "http-response", "http-after-response")
TCP: Final = (
    "tcp-request connection",
    "tcp-request session",
    "tcp-request content",
    "tcp-response content",
)


class ActionError(Exception):
    """The arguments of an action are wrong; carries the failure without the directive's sentence."""

    def __init__(self, message: str, code: str = "bad-action-argument", hint: str | None = None) -> None:
        super().__init__(message)
        self.failure = Failure(code, message, hint)


def wrong(message: str) -> NoReturn:
    raise ActionError(message)


_BYTES: Final = Source.REQUEST_BUFFER | Source.RESPONSE_BUFFER


class Words:
    """The words after an action, read one after the other; ``inside`` is what its parentheses hold."""

    def __init__(
        self, line: Line, at: int, scope: Scope, ruleset: Ruleset, action: str, inside: str | None
    ) -> None:
        self.line = line
        self.at = at
        self.scope = scope
        self.ruleset = ruleset
        self.action = action
        self.inside = inside

    def peek(self) -> str:
        """The next word; empty at the end of the line."""
        return self.line.words[self.at] if self.at < len(self.line.words) else ""

    def take(self, word: str) -> bool:
        """Step over the next word if it is that one."""
        if self.peek() != word:
            return False
        self.at += 1
        return True

    def word(self, message: str) -> str:
        """The next word, whatever it is; ``message`` is the complaint when there is none."""
        if self.at >= len(self.line.words):
            wrong(message)
        self.at += 1
        return self.line.words[self.at - 1]

    def rest_is_condition(self, after: int = 0) -> bool:
        """Whether nothing but a condition stands at the next word, or so many words ``after`` it."""
        at = self.at + after
        return at >= len(self.line.words) or self.line.words[at] in ("if", "unless")

    def format(self, message: str) -> Format:
        """The next word as a log format whose samples are available here."""
        return self.read_format(self.word(message))

    def read_format(self, text: str) -> Format:
        result = read_format(text)
        if isinstance(result, Failure):
            raise ActionError(result.message, result.code, result.hint)
        for item in result.items:
            if isinstance(item, Item) and item.expr is not None:
                self.check_declared(item.expr, text)
                self.check_available(item.expr)
                if self.ruleset.http and item.expr.source & _BYTES:
                    what = f"L6 sample fetch <{item.expr.fetch.name}> ignored in HTTP log-format string."
                    self.warn("bytes-in-http", what)
        return result

    def check_declared(self, expr: Expr, text: str) -> None:
        """Whether the words that only a script declares may be there."""
        unknown = scripted(expr, self.scope)
        if isinstance(unknown, Failure):
            rest = text[text.find(f"%[{expr.fetch.name}") + 2 :]
            raise ActionError(f"failed to parse sample expression <{rest}> : {unknown.message}", unknown.code)

    def check_available(self, expr: Expr) -> None:
        missing = unavailable(expr, self.scope.places)
        if missing is not None:
            raise ActionError(
                f"sample fetch <{expr.fetch.name}> may not be reliably used here because it needs "
                f"'{missing}' which is not available here",
                "sample-not-available",
            )
        warn_planned(expr, self.here, self.scope)

    def expression(self) -> Expr:
        """An expression, which may go on over several words."""
        start = self.at
        result = read_expression_words(self.line.words, start)
        if isinstance(result, Failure):
            raise ActionError(result.message, result.code, result.hint)
        expr, self.at = result
        unknown = scripted(expr, self.scope)
        if isinstance(unknown, Failure):
            raise ActionError(unknown.message, unknown.code)
        missing = unavailable(expr, self.scope.places)
        if missing is not None:
            what = self.action
            if self.action.startswith("track-sc"):
                what = self.line.words[start]
            raise ActionError(
                f"fetch method '{what}' extracts information from '{missing}', "
                "none of which is available here",
                "sample-not-available",
            )
        warn_planned(expr, self.here, self.scope)
        return expr

    def here(self) -> Span:
        """Where the word taken last stands."""
        return self.line.span(self.at - 1)

    def regex(self, message: str) -> str:
        text = self.word(message)
        try:
            translate(text)
        except RegexError as error:
            wrong(str(error))
        return text

    def warn(self, code: str, message: str) -> None:
        self.scope.warning(code, message, self.here())


Parser = Callable[[Words], Sequence[Any]]


@dataclass(frozen=True, slots=True)
class Action(Declaration):
    """``parser`` reads the arguments; without one they follow from the factory's annotations."""

    rulesets: tuple[str, ...] = ()
    parser: Parser | None = None
    expects: str = ""
    parenthesised: bool = False
    final: bool = False  #: ends the ruleset
    experimental: bool = False  #: only where ``expose-experimental-directives`` was said
    wants: frozenset[str] = frozenset()

    @property
    def listed(self) -> str:
        """As lists of actions show it."""
        return f"{self.name}(*)" if self.parenthesised else self.name


ACTIONS: Final[Registry[Action]] = Registry("action")

Factory = typing.TypeVar("Factory", bound=Callable[..., Any])


def action(
    name: str,
    rulesets: Sequence[str],
    *,
    ok: Sequence[str],
    bad: Sequence[str],
    parser: Parser | None = None,
    expects: str = "",
    signature: str = "",
    parenthesised: bool = False,
    final: bool = False,
    experimental: bool = False,
    status: Status = Status.WORKING,
) -> Callable[[Factory], Factory]:
    """Declare an action. ``ok`` and ``bad`` are rules without the ruleset's name.

    The factory gets the arguments that were read, and by keyword ``env`` and ``ruleset`` where it has
    parameters of that name. It returns ``run(txn) -> verdict``.
    """

    def declare(factory: Factory) -> Factory:
        code = factory.__code__
        wants = frozenset(code.co_varnames[code.co_argcount : code.co_argcount + code.co_kwonlyargcount])
        reader = parser or _reader(factory, expects)
        shown = signature or " ".join([name, *(f"<{parameter}>" for parameter in positional(factory))])
        ACTIONS.declare(
            Action(
                name,
                shown,
                inspect.cleandoc(factory.__doc__ or ""),
                tuple(ok),
                tuple(bad),
                status,
                factory,
                rulesets=tuple(rulesets),
                parser=reader,
                expects=expects,
                parenthesised=parenthesised,
                final=final,
                experimental=experimental,
                wants=wants,
            )
        )
        return factory

    return declare


#: Beginnings of complaints that count the words before any is looked at.
_COUNTED: Final = ("expects exactly 1 argument <", "expects exactly 2 arguments <")


def _reader(factory: Callable[..., Any], expects: str) -> Parser:
    """Arguments by annotation: ``str`` one word, ``Format``, ``Expr``."""
    hints = factory.__annotations__
    readers = [_READERS[hints[name]] for name in positional(factory)]
    counted = expects.startswith(_COUNTED)

    def read(words: Words) -> Sequence[Any]:
        if counted and not words.rest_is_condition(len(readers)):
            wrong(expects)
        return [reader(words, expects) for reader in readers]

    return read


_READERS: Final[dict[str, Callable[[Words, str], Any]]] = {
    "str": lambda words, expects: words.word(expects),
    "Format": lambda words, expects: words.format(expects),
    "Expr": lambda words, expects: words.expression(),
}


def positional(factory: Callable[..., Any]) -> tuple[str, ...]:
    """The names of the positional parameters of a factory."""
    code = factory.__code__
    return code.co_varnames[: code.co_argcount]


def any_words(words: Words) -> Sequence[Any]:
    """For actions known but not executed: whatever stands before the condition."""
    found: list[str] = []
    while not words.rest_is_condition():
        found.append(words.word(""))
    return (tuple(found),)


def declare_planned_actions(
    rows: str, doc: str, parsers: Mapping[str, Callable[[Words], Sequence[Any]]]
) -> None:
    """Declare known but not executed actions from lines of ``name ruleset,ruleset...: example``, and perhaps
    a bar and documentation; ``doc`` is that of the others."""
    for line in rows.strip().split("\n"):
        row, _, own = line.partition(" | ")
        head, _, example = row.partition(": ")
        name, _, sets = head.strip().partition(" ")
        parenthesised = name.endswith("(*)")
        name = name.removesuffix("(*)")
        rulesets = tuple(_SHORT[part] for part in sets.split(","))
        ACTIONS.declare(
            Action(
                name,
                example.strip(),
                own or doc,
                (example.strip(),),
                (f"{example.strip()} if", f"{name}x"),
                Status.PLANNED,
                rulesets=rulesets,
                parser=parsers.get(name, any_words),
                parenthesised=parenthesised,
                experimental=name == "attach-srv",
            )
        )


_SHORT: Final = {
    "req": "http-request",
    "res": "http-response",
    "after": "http-after-response",
    "conn": "tcp-request connection",
    "sess": "tcp-request session",
    "content": "tcp-request content",
    "rescontent": "tcp-response content",
    "quic": "quic-initial",
}


def _script_words(words: Words) -> Sequence[Any]:
    """As many as the script declares the action with; all of them where that is not known."""
    found = words.scope.scripts.find("action", words.action)
    if found is None or found.arguments is None:
        return any_words(words)
    return tuple(words.word(f"expect {found.arguments} arguments") for _ in range(found.arguments))


#: Whatever a Lua script would define: known by its prefix, not executed yet.
SCRIPTED: Final = Action(
    "lua.*",
    "lua.<name> ...",
    "Defined by a Lua script.",
    ("lua.x",),
    ("lua.x if",),
    Status.PLANNED,
    rulesets=tuple(_SHORT.values()),
    parser=_script_words,
)
