"""Rules: an action word, its arguments, and a condition, in one of the rulesets.

Decides how ``http-request ACTION [args] [if|unless COND]`` and its kin are read and compiled. What the
actions are is in ``action`` and ``actions/``; in what order rules are tried is ``phases``' business.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import field
from typing import Any, Final

from evener.haproxy.action import ACTIONS, RULESETS, SCRIPTED, Action, ActionError, Ruleset, Words
from evener.haproxy.condition import Condition, compile_condition, conflict, parse_condition
from evener.haproxy.line import Line
from evener.haproxy.notes import notes, peek
from evener.haproxy.sample import SCRIPT_PREFIX, Incomplete
from evener.haproxy.scope import CompileEnv, Scope
from evener.haproxy.txn import CONTINUE, PENDING, UNDECIDED
from evener.text.diagnostic import Diagnostic, Severity
from evener.text.record import dataclass
from evener.text.span import Span

Policy = Callable[[Any], int]


@dataclass(frozen=True, slots=True)
class Rule:
    """``words`` is the rule as written after the ruleset's name, without the condition."""

    ruleset: str
    action: str
    words: tuple[str, ...]
    arguments: tuple[Any, ...] = ()
    condition: Condition | None = None
    span: Span | None = field(default=None, compare=False)

    def __str__(self) -> str:
        tail = f" {self.condition}" if self.condition else ""
        return f"{self.ruleset} {' '.join(self.words)}{tail}"


def names(ruleset: str) -> tuple[str, ...]:
    """The actions usable in a ruleset, in the order of their declaration."""
    return tuple(action.name for action in ACTIONS if ruleset in action.rulesets)


def find(word: str, ruleset: str) -> tuple[Action, str | None] | None:
    """The action a word names in a ruleset, and what stands in its parentheses."""
    head, opening, inside = word.partition("(")
    if head.startswith(SCRIPT_PREFIX) and RULESETS[ruleset].http | RULESETS[ruleset].waits:
        return SCRIPTED, None
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
    if declared is SCRIPTED and not _scripted(word, ruleset, scope):
        _unknown(kind, word, line, index, scope)
        return None
    if declared.experimental and not scope.experiments.allow():
        allowed = "must be allowed via a global 'expose-experimental-directives'"
        where = "" if kind.http else f"parsing [{line.place}] : "
        message = f"{where}'{word}' action is experimental, {allowed}"
        scope.diagnostics.alert("experimental-action", message, line.span(index))
        return None
    # ``redirect`` is also a keyword of its own, and then speaks for itself.
    full = f"{ruleset} {word}" if index or word != "redirect" else word
    rule = f"'{full}' rule" if full != word else "redirect rule"
    if kind.http:
        context = f"error detected in {scope.whose} while parsing {rule} : {{}}."
    else:
        context = f"'{full}' : {{}}" if declared.name == "track-sc" else "{}"
    inner = scope.within(context, kind.places(scope))
    words = Words(line, index + 1, inner, kind, word, inside)
    try:
        assert declared.parser is not None
        arguments = tuple(declared.parser(words))
    except ActionError as error:
        inner.fail(error.failure, line.span(min(words.at, max(len(line.words) - 1, 0))))
        return None
    if declared.planned:
        scope.planned(f"{ruleset} action", word if declared is SCRIPTED else declared.name, line.span(index))
    ok, condition = _condition(kind, full, words, scope)
    if not ok:
        return None
    name = word if declared is SCRIPTED else declared.name
    return Rule(ruleset, name, tuple(line.words[index : words.at]), arguments, condition, line.place)


def _scripted(word: str, ruleset: str, scope: Scope) -> bool:
    """Whether a Lua script declares the action for the ruleset."""
    found = scope.scripts.find("action", word)
    return found is not None and (not found.where or ruleset in found.where)


def _unknown(kind: Ruleset, word: str, line: Line, index: int, scope: Scope) -> None:
    from evener.haproxy.action_order import listed
    from evener.haproxy.sections.likeness import closest

    known = [action for action in ACTIONS if kind.name in action.rulesets]
    scripted = scope.scripts.actions(kind.name)
    span = line.span(index)
    expected = ", ".join([listed(kind.name, known), *(f"'{name}'" for name in scripted)])
    begun = [action.name for action in known if action.parenthesised]
    close = closest(word, [*(action.name for action in known), *scripted], begun) if word else None
    hint = f". Did you mean '{close}' maybe ?" if close else "."
    if not kind.http:
        message = f"'{kind.name}' expects {expected} in {scope.whose} (got '{word}'){hint}"
        scope.diagnostics.alert("unknown-action", message, span)
        return
    got = f"'{word}'{hint}" if word else "'' (missing argument)."
    message = f"'{kind.name}' expects {expected}, but got {got}"
    scope.diagnostics.aborted = True
    scope.diagnostics.add(Diagnostic("unknown-action", Severity.ALERT, message, span, lead=_TIGHT))


_TIGHT: Final = "config : parsing [{place}]: "


def _condition(kind: Ruleset, full: str, words: Words, scope: Scope) -> tuple[bool, Condition | None]:
    """The condition at the end of a rule, and whether all is well."""
    word = words.peek()
    if not word:
        return True, None
    if word not in ("if", "unless"):
        span = words.line.span(words.at)
        if kind.http:
            message = f"'{full}' expects either 'if' or 'unless' followed by a condition but found '{word}'."
            scope.diagnostics.add(Diagnostic("unexpected-word", Severity.ALERT, message, span, lead=_TIGHT))
        else:
            message = f"'{full}' only accepts 'if' or 'unless', in {scope.whose} (got '{word}')"
            scope.diagnostics.alert("unexpected-word", message, span)
        return False, None
    condition = parse_condition(words.line, words.at, scope.within(_sentence(kind, full, word, scope)))
    if condition is None:
        return False, None
    warn_conflict(condition, kind.places(scope), words.line, words.at, scope, kind)
    return True, condition


def _sentence(kind: Ruleset, full: str, word: str, scope: Scope) -> str:
    """What the original says around a bad condition; redirections read theirs by themselves."""
    if full.endswith("redirect"):
        rule = f"'{full}' rule" if " " in full else "redirect rule"
        return f"error detected in {scope.whose} while parsing {rule} : error in condition: {{}}."
    if kind.http:
        return f"error detected while parsing an '{full}' condition : {{}}."
    return f"'{full}' : error detected in {scope.whose} while parsing '{word}' condition : {{}}"


def warn_conflict(
    condition: Condition, places: int, line: Line, index: int, scope: Scope, kind: Ruleset | None = None
) -> None:
    """Say that an ACL of the condition cannot match at any of the places."""
    found = conflict(condition, places, scope.acls)
    if found is None:
        return
    if kind is None or kind.http:
        message = f"'{found}.\n'"
    else:
        message = str(found).replace("will never match", f"will never match in '{kind.name}'")
        message = message.replace("involves keywords '", "involves keyword '")
    scope.warning("acl-never-matches", message, line.span(index))


# -- compiling ------------------------------------------------------------------------------------


def compile_rule(rule: Rule, env: CompileEnv) -> Policy:
    """The closure of a rule with its condition folded in: a verdict."""
    kind = RULESETS[rule.ruleset]
    before = env.waits, env.response, env.places, env.early
    env.waits, env.response = kind.waits, kind.request is False
    env.early = kind.request is True
    env.places = kind.everywhere if kind.http and env.response else 0
    try:
        return _compile_rule(rule, kind, env)
    finally:
        env.waits, env.response, env.places, env.early = before


#: Actions that wait for something to come before the rules after them are tried.
YIELDING: Final = frozenset({"wait-for-body", "wait-for-handshake", "pause", "do-resolve"})


def _compile_rule(rule: Rule, kind: Ruleset, env: CompileEnv) -> Policy:
    declared = ACTIONS.get(rule.action) or SCRIPTED
    if declared.factory is None:
        return lambda txn: CONTINUE
    wants = {name: {"env": env, "ruleset": kind, "rule": rule}[name] for name in declared.wants}
    run: Policy = declared.factory(*rule.arguments, **wants)
    if rule.span is not None and declared.final:
        run = _remembered(run, rule.span)
    if rule.span is not None and rule.action in YIELDING:
        run = awaited(run, f"{rule.span.source.name}:{rule.span.line}")
    if env.waits:
        waits = rule.action.startswith(("track-sc", "capture"))
        run = _satisfied(run, PENDING if waits else CONTINUE)
    if rule.condition is None:
        return run
    check = compile_condition(rule.condition, env)
    if env.waits:
        return _when_patient(check, run)

    def when(txn: Any) -> int:
        return run(txn) if check(txn) else CONTINUE

    return when if env.fold is None else env.fold.when(when, check, run)


def _remembered(run: Policy, span: Span) -> Policy:
    """Which rule ended a ruleset, for ``last_rule_file``, ``last_rule_line`` and ``last_entity``."""
    place = (span.source.name, span.line)

    def final(txn: Any) -> int:
        notes(txn).last_rule = place
        return run(txn)

    return final


def _satisfied(run: Policy, otherwise: int) -> Policy:
    """An action takes what there is; only what is tracked or captured is waited for."""

    def rule(txn: Any) -> int:
        try:
            return run(txn)
        except Incomplete:
            return otherwise

    return rule


def awaited(run: Policy, name: str) -> Policy:
    """What is waited for, for ``waiting_entity``: it stays known when the waiting ends in an error."""

    def rule(txn: Any) -> int:
        verdict = run(txn)
        if verdict == PENDING:
            notes(txn).waited_for = name
        elif verdict == CONTINUE and (found := peek(txn)) is not None:
            found.waited_for = None
        return verdict

    return rule


def _when_patient(check: Callable[[Any], Any], run: Policy) -> Policy:
    def when(txn: Any) -> int:
        answer = check(txn)
        if answer:
            return run(txn)
        return UNDECIDED if answer is None else CONTINUE

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
        if verdict == PENDING and left > 0:
            return txn.wait(left)  # type: ignore[no-any-return]
        state.waiting_since = None
        return CONTINUE if verdict == PENDING else verdict

    return run


__all__ = [
    "ACTIONS",
    "RULESETS",
    "YIELDING",
    "Action",
    "Policy",
    "Rule",
    "Ruleset",
    "awaited",
    "compile_rule",
    "find",
    "inspected",
    "names",
    "parse_rule",
    "warn_conflict",
]
