"""Conditions: ``if``/``unless`` and a disjunction of conjunctions of ACLs, named or anonymous.

Decides what a condition means and compiles it to one closure over a transaction. The closure answers
True, False, or - in content rules only - None, "more bytes could still decide", with the rules of
three-valued logic: a later term may still make it certain.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from evener.haproxy.acl import AclTest, parse_test, read_test
from evener.haproxy.acl_compile import Check, compile_test
from evener.haproxy.line import Line
from evener.haproxy.sample import describe_places
from evener.haproxy.scope import CompileEnv, Scope
from evener.haproxy.shape import ShapeError, Shapes
from evener.text.record import dataclass

#: Used by name without being declared (manual section 7.4); a declaration of the same name wins.
PREDEFINED: Final = {
    "TRUE": "always_true",
    "FALSE": "always_false",
    "LOCALHOST": "src 127.0.0.1/8 ::1",
    "HTTP": "req.proto_http",
    "HTTP_1.0": "req.ver 1.0",
    "HTTP_1.1": "req.ver 1.1",
    "HTTP_2.0": "req.ver 2.0",
    "HTTP_3.0": "req.ver 3.0",
    "HTTP_CONTENT": "req.hdr_val(content-length) gt 0",
    "HTTP_URL_ABS": "url_reg ^[^/:]*://",
    "HTTP_URL_SLASH": "url_beg /",
    "HTTP_URL_STAR": "url *",
    "METH_CONNECT": "method CONNECT",
    "METH_DELETE": "method DELETE",
    "METH_GET": "method GET HEAD",
    "METH_HEAD": "method HEAD",
    "METH_OPTIONS": "method OPTIONS",
    "METH_POST": "method POST",
    "METH_PUT": "method PUT",
    "METH_TRACE": "method TRACE",
    "RDP_COOKIE": "req.rdp_cookie_cnt gt 0",
    "REQ_CONTENT": "req.len gt 0",
    "WAIT_END": "wait_end",
}


@dataclass(frozen=True, slots=True)
class Term:
    """One ACL of a conjunction, by name or in place."""

    negated: bool
    name: str | None = None
    test: AclTest | None = None

    def __str__(self) -> str:
        bang = "!" if self.negated else ""
        return f"{bang}{self.name}" if self.test is None else f"{bang}{{ {self.test} }}"


@dataclass(frozen=True, slots=True)
class Condition:
    """True when all terms of any suite are; ``unless`` inverts the whole."""

    unless: bool
    suites: tuple[tuple[Term, ...], ...]

    def __str__(self) -> str:
        word = "unless" if self.unless else "if"
        return f"{word} {' or '.join(' '.join(map(str, suite)) for suite in self.suites)}".rstrip()


_SHAPES: Final = Shapes("acl")


def _classify(words: Sequence[str], start: int) -> list[str] | int:
    """The terminals of the words from ``start``; the index of a brace that is never closed."""
    kinds: list[str] = []
    opened = -1
    for index in range(start, len(words)):
        word = words[index]
        bare = word.lstrip("!")
        if opened >= 0:
            kinds.append("CLOSE" if word == "}" else "WORD")
            opened = -1 if word == "}" else opened
        elif bare == "{":
            kinds.append("OPEN")
            opened = index
        elif word.lower() == "or" or word == "||":
            kinds.append("OR")
        else:
            kinds.append("NAME" if bare else "BANG")
    return kinds if opened < 0 else opened


def parse_condition(line: Line, index: int, scope: Scope) -> Condition | None:
    """Read from the word ``if`` or ``unless`` at ``index`` to the end of the line.

    ``scope.context`` is the sentence for errors (``error detected while parsing ... condition : {}.``).
    """
    words = line.words
    kinds = _classify(words, index + 1)
    if isinstance(kinds, int):
        scope.alert("unclosed-brace", "missing closing '}' in condition", line.span(kinds))
        return None
    try:
        tree: Any = _SHAPES.tree(tuple(kinds))
    except ShapeError as error:  # cannot happen: the grammar takes every classified sequence
        raise AssertionError(f"no shape for {kinds} at {error.index}") from error
    suites: list[tuple[Term, ...]] = []
    for suite in tree.children:
        if not isinstance(suite, int):
            terms = _suite(suite, line, index + 1, scope)
            if terms is None:
                return None
            suites.append(terms)
    return Condition(words[index] == "unless", tuple(suites))


def _suite(tree: Any, line: Line, base: int, scope: Scope) -> tuple[Term, ...] | None:
    terms: list[Term] = []
    negated = False
    for node in tree.children:
        first, last = base + node.children[0], base + node.children[-1]
        word = line.words[first]
        bangs = len(word) - len(word.lstrip("!"))
        negated ^= bool(bangs % 2)
        if bangs == len(word):
            continue
        term = _term(line, first, last, negated, scope)
        if term is None:
            return None
        terms.append(term)
        negated = False
    return tuple(terms)


def _term(line: Line, first: int, last: int, negated: bool, scope: Scope) -> Term | None:
    name = line.words[first].lstrip("!")
    if name == "{":
        test = parse_test(line, first + 1, last, scope, None)
        return None if test is None else Term(negated, None, test)
    if name not in scope.acls and name not in PREDEFINED:
        scope.alert("no-such-acl", f"no such ACL : '{name}'", line.span(first))
        return None
    return Term(negated, name)


def tests_of(term: Term, acls: Mapping[str, Sequence[AclTest]]) -> Sequence[AclTest]:
    """The declarations a term stands for."""
    if term.test is not None:
        return (term.test,)
    assert term.name is not None
    declared = acls.get(term.name)
    return declared if declared else (predefined(term.name),)


_PREDEFINED_TESTS: Final[dict[str, AclTest]] = {}


def predefined(name: str) -> AclTest:
    test = _PREDEFINED_TESTS.get(name)
    if test is None:
        test = _PREDEFINED_TESTS[name] = read_test(PREDEFINED[name])
    return test


@dataclass(frozen=True, slots=True)
class Conflict:
    """An ACL that can never match where it is used, or only by ``some`` of its declarations."""

    acl: str | None
    keyword: str
    place: str
    some: bool = False

    def __str__(self) -> str:
        if self.acl is None:
            return (
                f"anonymous acl will never match because it uses keyword '{self.keyword}' "
                f"which is incompatible with '{self.place}'"
            )
        if self.some:
            what = f"involves keywords '{self.keyword}'"
            return f"acl '{self.acl}' {what} which is incompatible with '{self.place}'"
        return (
            f"acl '{self.acl}' will never match because it only involves keywords that are incompatible "
            f"with '{self.place}'"
        )


def conflict(condition: Condition, places: int, acls: Mapping[str, Sequence[AclTest]]) -> Conflict | None:
    """The first ACL of the condition none of whose samples is available at any of the places; failing that,
    the first of which some are not."""
    partial: Conflict | None = None
    for suite in condition.suites:
        for term in suite:
            tests = tests_of(term, acls)
            never = [test.keyword for test in tests if not test.expr.places & places]
            if never and len(never) == len(tests):
                return Conflict(term.name, never[0], describe_places(places))
            if never and partial is None:
                partial = Conflict(term.name, never[0], describe_places(places), some=True)
    return partial


# -- compiling ------------------------------------------------------------------------------------


def compile_condition(condition: Condition, env: CompileEnv) -> Check:
    """One closure: True, False, or None when ``env.waits`` and more bytes could still decide."""
    suites = [_all([_compile_term(term, env) for term in suite], env) for suite in condition.suites if suite]
    check = _any(suites, env)
    return _not(check, env) if condition.unless else check


def compile_acl(name: str, env: CompileEnv) -> Check:
    """A named ACL: any of its declarations."""
    key = ("acl", env.proxy, name, env.waits, env.response, env.places, env.early)
    known = env.compiled.get(key)
    if known is None:
        tests = tests_of(Term(False, name), env.acls)
        known = env.compiled[key] = _any([compile_test(test, env) for test in tests], env)
    return known


def _compile_term(term: Term, env: CompileEnv) -> Check:
    check = compile_acl(term.name, env) if term.test is None and term.name else compile_test(_test(term), env)
    return _not(check, env) if term.negated else check


def _test(term: Term) -> AclTest:
    assert term.test is not None
    return term.test


def _not(check: Check, env: CompileEnv) -> Check:
    if not env.waits:
        plain: Check = lambda txn: not check(txn)  # noqa: E731
        return plain if env.fold is None else env.fold.invert(plain, check)

    def inverted(txn: Any) -> bool | None:
        answer = check(txn)
        return None if answer is None else not answer

    return inverted


def _all(checks: Sequence[Check], env: CompileEnv) -> Check:
    if len(checks) == 1:
        return checks[0]
    if env.waits:
        return _all_patient(tuple(checks))
    plain = _every(tuple(checks))
    return plain if env.fold is None else env.fold.all(plain, checks)


def _every(checks: tuple[Check, ...]) -> Check:
    if len(checks) == 2:
        first, second = checks
        return lambda txn: first(txn) and second(txn)
    if len(checks) == 3:
        first, second, third = checks
        return lambda txn: first(txn) and second(txn) and third(txn)

    def run(txn: Any) -> bool:
        for check in checks:  # noqa: SIM110 - a generator costs more than the checks
            if not check(txn):
                return False
        return True

    return run


def _all_patient(checks: tuple[Check, ...]) -> Check:
    def run(txn: Any) -> bool | None:
        result: bool | None = True
        for check in checks:
            answer = check(txn)
            if answer is None:
                result = None
            elif not answer:
                return False
        return result

    return run


def _any(checks: Sequence[Check], env: CompileEnv) -> Check:
    if not checks:
        return lambda txn: False
    if len(checks) == 1:
        return checks[0]
    if env.waits:
        return _any_patient(tuple(checks))
    plain = _some(tuple(checks))
    return plain if env.fold is None else env.fold.any(plain, checks)


def _some(checks: tuple[Check, ...]) -> Check:
    if len(checks) == 2:
        first, second = checks
        return lambda txn: first(txn) or second(txn)

    def run(txn: Any) -> bool:
        for check in checks:  # noqa: SIM110 - a generator costs more than the checks
            if check(txn):
                return True
        return False

    return run


def _any_patient(checks: tuple[Check, ...]) -> Check:
    def run(txn: Any) -> bool | None:
        result: bool | None = False
        for check in checks:
            answer = check(txn)
            if answer is None:
                result = None
            elif answer:
                return True
        return result

    return run


Compile = Callable[[Condition, CompileEnv], Check]
