"""Arguments that are rules: ACLs, rule sets, conditions, log formats.

What is inside is read by ``acl``, ``rule``, ``condition`` and ``logformat``; here is only which of them
reads what, and where in a transaction the result will be evaluated (``Place``), which decides what
samples it may use.
"""

from __future__ import annotations

from dataclasses import field, replace

from evener.haproxy.acl import AclTest, parse_acl
from evener.haproxy.condition import Condition, conflict, parse_condition
from evener.haproxy.line import Line
from evener.haproxy.logformat import Format, parse_logformat
from evener.haproxy.rule import Rule, parse_rule
from evener.haproxy.sample import Place as Evaluated
from evener.haproxy.scope import Scope
from evener.haproxy.sections.reading import REPORTED, Place, where_of
from evener.text.diagnostic import Diagnostic, Diagnostics
from evener.text.record import dataclass
from evener.text.span import Span
from evener.vocab.arguments import Argument, BadArgument, Cursor


class Reported(BadArgument):
    """What is wrong was said where it was found; the keyword has no value."""

    def __init__(self) -> None:
        super().__init__(REPORTED, "", 0)


def scope_of(cursor: Cursor) -> Scope:
    place: Place = cursor.context
    if place.scope is None:
        place.scope = Scope(place.diagnostics, place.kind, place.name, stick_counters=place.stick_counters)
    return place.scope


def line_of(cursor: Cursor) -> Line:
    line: Line = cursor.line  # type: ignore[assignment]
    return line


class AclArgument(Argument[AclTest]):
    usage = "<aclname> <criterion> [flags] [operator] [<value>] ..."

    def read(self, cursor: Cursor) -> AclTest:
        test = parse_acl(line_of(cursor), scope_of(cursor))
        cursor.index = len(cursor.words)
        if test is None:
            raise Reported
        return test

    def words(self, value: AclTest) -> list[str]:
        return [value.name or "", *value.words]


class RuleArgument(Argument[Rule]):
    """A rule of ``ruleset``; ``index`` is where the action stands when that is not after the keyword."""

    usage = "<action> [arguments] [ { if | unless } <condition> ]"

    def __init__(self, ruleset: str, index: int | None = None) -> None:
        self.ruleset = ruleset
        self.index = index

    def read(self, cursor: Cursor) -> Rule:
        index = cursor.index if self.index is None else self.index
        rule = parse_rule(self.ruleset, line_of(cursor), index, scope_of(cursor))
        cursor.index = len(cursor.words)
        if rule is None:
            raise Reported
        return rule

    def words(self, value: Rule) -> list[str]:
        return rule_words(value)[0 if self.index is None else 1 :]


def rule_words(rule: Rule) -> list[str]:
    """How a rule was written, from its action on."""
    return [*rule.words, *(condition_words(rule.condition) if rule.condition is not None else ())]


def condition_words(condition: Condition) -> list[str]:
    """The words of a condition, from ``if`` or ``unless`` on."""
    words = ["unless" if condition.unless else "if"]
    for number, suite in enumerate(condition.suites):
        words += ["or"] if number else []
        for term in suite:
            bang = "!" if term.negated else ""
            words += [f"{bang}{term.name}"] if term.test is None else [f"{bang}{{", *term.test.words, "}"]
    return words


class Guard:
    """Reads ``if`` or ``unless`` with a condition; ``places`` is where it is evaluated."""

    def __init__(self, context: str, *places: Evaluated) -> None:
        self.context = context
        self.places = sum(place.bit for place in places)

    def read(self, cursor: Cursor) -> Condition:
        scope = scope_of(cursor).within(self.context, self.places)
        at = cursor.index
        condition = parse_condition(line_of(cursor), at, scope)
        cursor.index = len(cursor.words)
        if condition is None:
            raise Reported
        never = conflict(condition, self.places, scope.acls)
        if never is not None:
            cursor.context.diagnostics.warning("acl-never-matches", f"'{never}.\n'", cursor.line.span(at))
        return condition


@dataclass(frozen=True, slots=True)
class Conditional:
    """A value with the condition under which it holds; ``text`` is the condition as written."""

    value: str
    condition: Condition | None = None
    text: tuple[str, ...] = ()
    format: Format | None = field(default=None, compare=False)
    span: Span | None = field(default=None, compare=False)
    problems: tuple[Diagnostic, ...] = field(default=(), compare=False, repr=False)
    """What is wrong with the format: said only when the rest of the configuration is right."""


class Switching(Argument[Conditional]):
    """``use_backend <name> [if|unless ...]`` and ``use-server <name> if|unless ...``.

    The name may be a log format, which is then evaluated for each request.
    """

    usage = "<name> [ { if | unless } <condition> ]"

    def __init__(self, missing: str, guard: Guard, other: str, required: bool) -> None:
        self.missing = missing
        self.guard = guard
        self.other = other
        self.required = required

    def read(self, cursor: Cursor) -> Conditional:
        if not cursor.more:
            raise cursor.bad("missing-argument", self.missing, whole=True)
        name, index = cursor.take(), cursor.index
        span = cursor.span() if "%" in name else None
        text = tuple(cursor.words[index:])
        condition = None
        if text[:1] in (("if",), ("unless",)):
            condition = self.guard.read(cursor)
        elif text or self.required:
            cursor.index += 1
            message = self.other.replace("{got}", text[0] if text else "")
            raise cursor.bad("unexpected-argument", message, whole=True)
        if span is None:
            return Conditional(name, condition, text, None, where_of(line_of(cursor)))
        found = Diagnostics()
        scope = replace(scope_of(cursor), diagnostics=found, context="{}.", places=self.guard.places)
        fmt = parse_logformat(name, span, scope)
        if fmt is not None and fmt.constant is not None:
            fmt = None
        return Conditional(name, condition, text, fmt, where_of(line_of(cursor)), tuple(found))

    def words(self, value: Conditional) -> list[str]:
        return [value.value, *value.text]


class OnlyIf(Argument[Conditional]):
    """A keyword whose only argument is a condition."""

    usage = "{ if | unless } <condition>"

    def __init__(self, *places: Evaluated) -> None:
        self.places = places

    def read(self, cursor: Cursor) -> Conditional:
        text = tuple(cursor.words[cursor.index :])
        if text[:1] not in (("if",), ("unless",)):
            cursor.index += 1
            message = f"'{cursor.name}' requires either 'if' or 'unless' followed by a condition."
            raise cursor.bad("missing-condition", message, whole=True)
        what = "condition" if cursor.name == "monitor fail" else "rule"
        guard = Guard(f"error detected while parsing a '{cursor.name}' {what} : {{}}.", *self.places)
        return Conditional("", guard.read(cursor), text, None, where_of(line_of(cursor)))

    def words(self, value: Conditional) -> list[str]:
        return list(value.text)


class FormatArgument(Argument[Format]):
    """One word that is a log format, evaluated at ``places``."""

    usage = "<fmt>"

    def __init__(self, *places: Evaluated) -> None:
        self.places = sum(place.bit for place in places)

    def read(self, cursor: Cursor) -> Format:
        name = cursor.name
        if not cursor.more:
            raise cursor.bad("missing-argument", f"{name} expects an argument.", whole=True)
        text = cursor.take()
        if cursor.peek() is not None:
            cursor.index += 1
            message = f"{name} expects only one argument, don't forget to escape spaces!"
            raise cursor.bad("unexpected-argument", message, whole=True)
        place: Place = cursor.context
        found = Diagnostics()
        what = name if name != "unique-id-format" else "unique-id"
        scope = replace(
            scope_of(cursor), diagnostics=found, context=f"failed to parse {what} : {{}}.", places=self.places
        )
        fmt = parse_logformat(text, cursor.span(), scope)
        for diagnostic in found:
            place.diagnostics.defer(replace(diagnostic, lead="Parsing [{place}]: "), (place.kind, place.name))
        if fmt is None:
            raise Reported
        return fmt

    def words(self, value: Format) -> list[str]:
        return [value.text]
