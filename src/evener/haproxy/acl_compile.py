"""ACLs compiled: what tests a transaction.

Patterns of files and ``virt@`` lists are looked up in the configuration's ``Lists``, which may change while
the process runs. Those that stand in the rule itself are compiled into its closure, so that they cost
nothing but their test; when the runtime API changes them all the same, the closure's test is exchanged.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from evener.haproxy.acl import AclTest
from evener.haproxy.cast import to_bytes
from evener.haproxy.expression_compile import awaits_head, compile_each, compile_expression, place_of
from evener.haproxy.fold import Fold, How
from evener.haproxy.notes import notes
from evener.haproxy.pattern import Method, Pattern, Test, any_of, compile_patterns, read
from evener.haproxy.pattern_index import Built, index, lively
from evener.haproxy.pattern_list import PatternList
from evener.haproxy.sample import Incomplete, Source, fetch_of
from evener.haproxy.scope import CompileEnv

Check = Callable[[Any], Any]
"""True, False, or None when more bytes could still decide."""


def compile_test(test: AclTest, env: CompileEnv) -> Check:
    """The closure that tests one declaration."""
    key = (
        "acl test",
        test.place.serial,
        test.words,
        env.waits,
        env.response,
        env.places,
        env.early,
        env.proxy,
    )
    known = env.compiled.get(key)
    if known is None:
        known = env.compiled[key] = _compile_test(test, env)
    return known


_LATER: Final = Source.RESPONSE_HEADERS | Source.RESPONSE | Source.RESPONSE_BODY


def _compile_test(test: AclTest, env: CompileEnv) -> Check:
    if env.places and not test.expr.places & env.places:
        return lambda txn: False  # as was warned about when the condition was read
    if env.early and not test.expr.source & ~_LATER:
        return lambda txn: False  # nothing of the kind has come yet
    want = None if test.method is Method.FOUND else test.method.takes
    outside = _outside(test, env)
    matches = _joined(test.method, outside, test.patterns)
    if test.method is Method.STR and (test.expr.converters or test.expr.fetch.name == "var"):
        matches = _until_nul(matches)
    each = compile_each(test.expr, env, want)
    value = None
    if each is None:
        value = compile_expression(test.expr, env, want)
        check = _single(value, matches)
    else:
        check = _multiple(each, matches)
    given = check
    fetch = fetch_of(test.expr.fetch.name)
    if fetch.partial or awaits_head(fetch, env):
        given = _patient(check) if env.waits else _impatient(check)
    elif env.fold is not None and not env.waits:
        given = folded(test, check, matches, env.fold, env.response)
        if given is check and value is not None:
            given = env.fold.holds(check, value, matches)
    texts = [pattern.text for pattern in test.patterns]
    env.lists.inline(
        test.keyword, test.place, texts, test.number, lambda of: Inline(of, test, outside, check, given)
    )
    return given


_HOWS: Final = {
    Method.STR: How.EXACT,
    Method.BEG: How.PREFIX,
    Method.END: How.SUFFIX,
    Method.FOUND: How.FOUND,
    Method.SUB: How.INSIDE,
}


def folded(test: AclTest, plain: Check, matches: Test, fold: Fold, response: bool) -> Check:
    """The test as something the engine can do, where it is: no converters, all of the patterns known."""
    fetch = test.expr.fetch
    if test.expr.converters or test.loaded:
        return plain
    if fetch.name in ("src", "fc_src") and test.method is Method.IP:
        networks = [read(test.method, pattern) for pattern in test.patterns]
        return fold.source_in(plain, networks) if all(len(n.mask) == 4 for n in networks) else plain
    if fetch.name == "status" and test.method is Method.INT:
        ranges = [read(test.method, pattern) for pattern in test.patterns]
        return fold.status_in(plain, [(r.low or 0, 999 if r.high is None else r.high) for r in ranges])
    where = place_of(fetch, response)
    if where is None:
        return plain
    if (how := _HOWS.get(test.method)) is not None:
        return fold.text(plain, *where, how, *_texts(test.patterns))
    return fold.test(plain, *where, matches) if test.method in _TEXTS else plain


_TEXTS: Final = (Method.REG, Method.DIR, Method.DOM)


def _outside(test: AclTest, env: CompileEnv) -> list[Test]:
    """The tests of the files and virtual lists that an ACL names."""
    tests = []
    for one in test.loaded:
        of = env.lists.open(one.file.name, one.entries, test.place, values=one.values)
        of.use("map" if one.values else "acl", test.place)
        of.acl = True
        kind = test.method, one.ignore_case
        if kind not in of.kinds:
            of.kinds[kind] = index(of, *kind)
        tests.append(lively(of.kinds[kind]))
    return tests


def _until_nul(matches: Test) -> Test:
    """HAProxy compares whole texts as far as their first NUL: what decoding makes one of evades no rule."""
    return lambda value: matches(value) or (b"\0" in value and matches(value.partition(b"\0")[0]))


def _joined(method: Method, outside: Sequence[Test], patterns: Sequence[Pattern]) -> Test:
    own = [compile_patterns(method, patterns)] if patterns or not outside else []
    return any_of([*outside, *own])


class Inline(Built):
    """The patterns of an ``acl`` line itself: a change of them exchanges the test inside its closure."""

    def __init__(
        self, of: PatternList, test: AclTest, outside: Sequence[Test], check: Check, given: Check
    ) -> None:
        said = test.patterns or test.loaded
        ignore_case = bool(said) and said[-1].ignore_case
        super().__init__(of, test.method, ignore_case, None)
        self._written = {pattern.text: pattern for pattern in test.patterns}
        self._outside = outside
        self._check: Any = check
        self._given = given  #: what rules call: the closure, or what stands for it
        if test.method in (Method.STR, Method.BEG, Method.IP):
            self.idx = "tree"

    def reset(self) -> None:
        plain = Pattern("", self.ignore_case)
        patterns = [self._written.get(e.key) or plain._replace(text=e.key) for e in self.of.live()]
        matches = _joined(self.method, self._outside, patterns)
        for name, cell in zip(self._check.__code__.co_freevars, self._check.__closure__ or (), strict=True):
            if name == "matches":
                cell.cell_contents = matches
        exchange = getattr(self._given, "exchange", None)
        if exchange is not None:
            exchange(*_texts(patterns))


def _texts(patterns: Sequence[Pattern]) -> tuple[list[bytes], list[bytes]]:
    """Patterns that are compared as they are, and in lower case those that ignore case."""
    exact = [to_bytes(pattern.text) for pattern in patterns if not pattern.ignore_case]
    lower = [to_bytes(pattern.text).lower() for pattern in patterns if pattern.ignore_case]
    return exact, lower


def _single(run: Callable[[Any], Any], matches: Callable[[Any], bool]) -> Check:
    def check(txn: Any) -> bool:
        value = run(txn)
        return value is not None and matches(value)

    return check


def _multiple(each: Callable[[Any], Sequence[Any]], matches: Callable[[Any], bool]) -> Check:
    def check(txn: Any) -> bool:
        for value in each(txn):  # noqa: SIM110 - a generator costs more than the tests
            if matches(value):
                return True
        return False

    return check


def _patient(check: Check) -> Check:
    """What may still change is decided when it matches, and open when it does not."""

    def wait(txn: Any) -> bool | None:
        state = notes(txn)
        state.changing = False
        try:
            return bool(check(txn)) or (None if state.changing else False)
        except Incomplete:
            return None

    return wait


def _impatient(check: Check) -> Check:
    def settle(txn: Any) -> bool:
        try:
            return bool(check(txn))
        except Incomplete:
            return False

    return settle
