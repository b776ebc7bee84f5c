"""Rules: an action word, its arguments, and a condition, in one of the rulesets.

Decides how ``http-request ACTION [args] [if|unless COND]`` and its kin are read and compiled. What the
actions are and do is declared in ``actions/``, one decorated factory each: its parameters give the
arguments, its closure ``run(txn)`` does the work and returns a verdict (see ``txn``). In what order rules
are tried is ``phases``' business.
"""

from __future__ import annotations

import inspect
import time
import typing
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, NoReturn

from evener.haproxy.arguments import NOTHING
from evener.haproxy.condition import Condition, compile_condition, conflict, parse_condition
from evener.haproxy.expression import Expr, read_expression_words, unavailable, warn_planned
from evener.haproxy.line import Line
from evener.haproxy.logformat import Format, Item, read_format
from evener.haproxy.notes import notes
from evener.haproxy.regex import RegexError, translate
from evener.haproxy.sample import Place
from evener.haproxy.scope import CompileEnv, Failure, Scope
from evener.haproxy.txn import ACCEPTED, CLOSED, CONTINUE, PENDING, REPLIED
from evener.text.diagnostic import Diagnostic, Severity
from evener.text.span import Span
from evener.vocab.registry import Declaration, Registry, Status

Policy = Callable[[Any], int]


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
    "tcp-request connection", "tcp-request session", "tcp-request content", "tcp-response content",
)
CONTENT: Final = ("tcp-request content", "tcp-response content")


class ActionError(Exception):
    """The arguments of an action are wrong; carries the failure without the directive's sentence."""

    def __init__(self, message: str, code: str = "bad-action-argument", hint: str | None = None) -> None:
        super().__init__(message)
        self.failure = Failure(code, message, hint)


def wrong(message: str) -> NoReturn:
    raise ActionError(message)


class Words:
    """The words after an action, read one after the other; ``inside`` is what its parentheses hold."""

    def __init__(self, line: Line, at: int, scope: Scope, ruleset: Ruleset, action: str, inside: str | None) -> None:
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

    def rest_is_condition(self) -> bool:
        return self.peek() in ("", "if", "unless")

    def format(self, message: str) -> Format:
        """The next word as a log format whose samples are available here."""
        return self.read_format(self.word(message))

    def read_format(self, text: str) -> Format:
        result = read_format(text)
        if isinstance(result, Failure):
            raise ActionError(result.message, result.code, result.hint)
        for item in result.items:
            if isinstance(item, Item) and item.expr is not None:
                self.check_available(item.expr)
        return result

    def check_available(self, expr: Expr) -> None:
        missing = unavailable(expr, self.scope.places)
        if missing is not None:
            raise ActionError(
                f"sample fetch <{expr.fetch.name}> may not be reliably used here because it needs "
                f"'{missing}' which is not available here",
                "sample-not-available",
            )
        warn_planned(expr, self.line.span(self.at - 1), self.scope)

    def expression(self) -> Expr:
        """An expression, which may go on over several words."""
        result = read_expression_words(self.line.words, self.at)
        if isinstance(result, Failure):
            raise ActionError(result.message, result.code, result.hint)
        expr, self.at = result
        missing = unavailable(expr, self.scope.places)
        if missing is not None:
            raise ActionError(
                f"fetch method '{self.action}' extracts information from '{missing}', none of which is available here",
                "sample-not-available",
            )
        warn_planned(expr, self.line.span(self.at - 1), self.scope)
        return expr

    def regex(self, message: str) -> str:
        text = self.word(message)
        try:
            translate(text)
        except RegexError as error:
            wrong(str(error))
        return text

    def warn(self, code: str, message: str) -> None:
        self.scope.warning(code, message, self.line.span(self.at - 1))


Parser = Callable[[Words], Sequence[Any]]


@dataclass(frozen=True, slots=True)
class Action(Declaration):
    """``parser`` reads the arguments; without one they follow from the factory's annotations."""

    rulesets: tuple[str, ...] = ()
    parser: Parser | None = None
    expects: str = ""
    parenthesised: bool = False
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
    status: Status = Status.WORKING,
) -> Callable[[Factory], Factory]:
    """Declare an action. ``ok`` and ``bad`` are rules without the ruleset's name.

    The factory gets the arguments that were read, and by keyword ``env`` and ``ruleset`` where it has
    parameters of that name. It returns ``run(txn) -> verdict``.
    """

    def declare(factory: Factory) -> Factory:
        parameters = inspect.signature(factory).parameters.values()
        wants = frozenset(p.name for p in parameters if p.kind is p.KEYWORD_ONLY)
        reader = parser or _reader(factory, expects)
        shown = signature or " ".join([name, *(f"<{p.name}>" for p in parameters if p.kind is not p.KEYWORD_ONLY)])
        ACTIONS.declare(
            Action(name, shown, inspect.getdoc(factory) or "", tuple(ok), tuple(bad), status, factory,
                   rulesets=tuple(rulesets), parser=reader, expects=expects, parenthesised=parenthesised, wants=wants)
        )
        return factory

    return declare


def _reader(factory: Callable[..., Any], expects: str) -> Parser:
    """Arguments by annotation: ``str`` one word, ``Format``, ``Expr``, ``int``."""
    hints = typing.get_type_hints(factory)
    positional = [p for p in inspect.signature(factory).parameters.values() if p.kind is not p.KEYWORD_ONLY]

    def read(words: Words) -> Sequence[Any]:
        return [_READERS[hints[parameter.name]](words, expects) for parameter in positional]

    return read


_READERS: Final[dict[Any, Callable[[Words, str], Any]]] = {
    str: lambda words, expects: words.word(expects),
    Format: lambda words, expects: words.format(expects),
    Expr: lambda words, expects: words.expression(),
}


def any_words(words: Words) -> Sequence[Any]:
    """For actions known but not executed: whatever stands before the condition."""
    found: list[str] = []
    while not words.rest_is_condition():
        found.append(words.word(""))
    return (tuple(found),)


def declare_planned_actions(rows: str, doc: str) -> None:
    """Declare known but not executed actions from lines of ``name ruleset,ruleset...: example``."""
    for line in rows.strip().split("\n"):
        head, _, example = line.partition(": ")
        name, _, sets = head.strip().partition(" ")
        parenthesised = name.endswith("(*)")
        name = name.removesuffix("(*)")
        rulesets = tuple(_SHORT[part] for part in sets.split(","))
        ACTIONS.declare(
            Action(name, example.strip(), doc, (example.strip(),), (f"{example.strip()} if", f"{name}x"),
                   Status.PLANNED, rulesets=rulesets, parser=any_words, parenthesised=parenthesised)
        )


_SHORT: Final = {
    "req": "http-request", "res": "http-response", "after": "http-after-response",
    "conn": "tcp-request connection", "sess": "tcp-request session", "content": "tcp-request content",
    "rescontent": "tcp-response content", "quic": "quic-initial",
}


@dataclass(frozen=True, slots=True)
class Rule:
    """``words`` is the rule as written after the ruleset's name, without the condition."""

    ruleset: str
    action: str
    words: tuple[str, ...]
    arguments: tuple[Any, ...] = ()
    condition: Condition | None = None
    span: Span | None = None

    def __str__(self) -> str:
        tail = f" {self.condition}" if self.condition else ""
        return f"{self.ruleset} {' '.join(self.words)}{tail}"


def names(ruleset: str) -> tuple[str, ...]:
    """The actions usable in a ruleset, in the order of their declaration."""
    return tuple(action.name for action in ACTIONS if ruleset in action.rulesets)


def find(word: str, ruleset: str) -> tuple[Action, str | None] | None:
    """The action a word names in a ruleset, and what stands in its parentheses."""
    head, opening, inside = word.partition("(")
    declared = ACTIONS.get(head)
    if declared is None and head.startswith("track-sc"):
        declared = ACTIONS.get("track-sc")
    if declared is None or ruleset not in declared.rulesets:
        return None
    if opening and not declared.parenthesised:
        return None
    return declared, inside.removesuffix(")") if opening and inside.endswith(")") else None


def parse_rule(ruleset: str, line: Line, index: int, scope: Scope) -> Rule | None:
    """Read a rule whose action is the word at ``index``; report and return None when it is wrong."""
    kind = RULESETS[ruleset]
    word = line.words[index] if index < len(line.words) else ""
    found = find(word, ruleset)
    if found is None:
        _unknown(kind, word, line, index, scope)
        return None
    declared, inside = found
    full = f"{ruleset} {word}"
    context = f"error detected in proxy '{scope.proxy}' while parsing '{full}' rule : {{}}." if kind.http else "{}"
    inner = scope.within(context, kind.places(scope))
    words = Words(line, index + 1, inner, kind, word, inside)
    try:
        assert declared.parser is not None
        arguments = tuple(declared.parser(words))
    except ActionError as error:
        inner.fail(error.failure, line.span(min(words.at, max(len(line.words) - 1, 0))))
        return None
    if declared.planned:
        scope.planned(f"{ruleset} action", declared.name, line.span(index))
    ok, condition = _condition(kind, full, words, scope)
    if not ok:
        return None
    return Rule(ruleset, declared.name, tuple(line.words[index : words.at]), arguments, condition, line.whole)


def _unknown(kind: Ruleset, word: str, line: Line, index: int, scope: Scope) -> None:
    known = [action for action in ACTIONS if kind.name in action.rulesets]
    listed = ", ".join(f"'{action.listed}'" for action in known)
    span = line.span(index)
    if not kind.http:
        message = f"'{kind.name}' expects {listed} in proxy '{scope.proxy}' (got '{word}')."
        scope.diagnostics.alert("unknown-action", message, span)
        return
    close = _closest(word, known)
    hint = f". Did you mean '{close}' maybe ?" if close else "."
    message = f"'{kind.name}' expects {listed}, but got '{word}'{hint}"
    scope.diagnostics.aborted = True
    scope.diagnostics.add(Diagnostic("unknown-action", Severity.ALERT, message, span, lead=_TIGHT))


def _closest(word: str, known: Sequence[Action]) -> str | None:
    import difflib

    match = difflib.get_close_matches(word, [action.name for action in known], n=1, cutoff=0.5)
    return match[0] if match else None


_TIGHT: Final = "config : parsing [{place}]: "


def _condition(kind: Ruleset, full: str, words: Words, scope: Scope) -> tuple[bool, Condition | None]:
    """The condition at the end of a rule, and whether all is well."""
    word, span = words.peek(), words.line.span(words.at)
    if not word:
        return True, None
    if word not in ("if", "unless"):
        if kind.http:
            message = f"'{full}' expects either 'if' or 'unless' followed by a condition but found '{word}'."
            scope.diagnostics.add(Diagnostic("unexpected-word", Severity.ALERT, message, span, lead=_TIGHT))
        else:
            message = f"'{full}' only accepts 'if' or 'unless', in proxy '{scope.proxy}' (got '{word}')."
            scope.diagnostics.alert("unexpected-word", message, span)
        return False, None
    context = (
        f"error detected while parsing an '{full}' condition : {{}}."
        if kind.http
        else f"error detected in proxy '{scope.proxy}' while parsing '{word}' condition : {{}}."
    )
    condition = parse_condition(words.line, words.at, scope.within(context))
    if condition is None:
        return False, None
    warn_conflict(condition, kind.places(scope), words.line, words.at, scope, kind)
    return True, condition


def warn_conflict(
    condition: Condition, places: int, line: Line, index: int, scope: Scope, kind: Ruleset | None = None
) -> None:
    """Say that an ACL of the condition cannot match at any of the places."""
    found = conflict(condition, places, scope.acls)
    if found is None:
        return
    if kind is None or kind.http:
        message = f"'{found}.'"
    else:
        message = str(found).replace("will never match", f"will never match in '{kind.name}'")
    scope.warning("acl-never-matches", message, line.span(index))


# -- compiling ------------------------------------------------------------------------------------


def compile_rule(rule: Rule, env: CompileEnv) -> Policy:
    """The closure of a rule with its condition folded in: a verdict."""
    declared = ACTIONS[rule.action]
    kind = RULESETS[rule.ruleset]
    env.waits, env.response = kind.waits, kind.request is False
    if declared.factory is None:
        return lambda txn: CONTINUE
    wants = {name: {"env": env, "ruleset": kind, "rule": rule}[name] for name in declared.wants}
    run: Policy = declared.factory(*rule.arguments, **wants)
    if rule.condition is None:
        return run
    check = compile_condition(rule.condition, env)
    if env.waits:
        return _when_patient(check, run)

    def when(txn: Any) -> int:
        return run(txn) if check(txn) else CONTINUE

    return when


def _when_patient(check: Callable[[Any], Any], run: Policy) -> Policy:
    def when(txn: Any) -> int:
        answer = check(txn)
        if answer:
            return run(txn)
        return PENDING if answer is None else CONTINUE

    return when


def inspected(policy: Policy, delay: int) -> Policy:
    """Content rules with their ``inspect-delay`` (milliseconds): PENDING asks for more bytes until then.

    When the time is over, or the peer sends no more, what is there is all there is.
    """

    def run(txn: Any) -> int:
        state = notes(txn)
        now = time.monotonic()
        if state.waiting_since is None:
            state.waiting_since = now
        left = delay - int((now - state.waiting_since) * 1000)
        state.final = left <= 0 or txn.peer_closed()
        verdict = policy(txn)
        return txn.wait(left) if verdict == PENDING and left > 0 else CONTINUE if verdict == PENDING else verdict

    return run


__all__ = [
    "ACCEPTED", "ACTIONS", "CLOSED", "CONTENT", "CONTINUE", "HTTP", "NOTHING", "PENDING", "REPLIED", "RULESETS",
    "TCP", "Action", "ActionError", "Policy", "Rule", "Ruleset", "Words", "action", "compile_rule",
    "declare_planned_actions", "find", "inspected", "names", "parse_rule", "wrong",
]
