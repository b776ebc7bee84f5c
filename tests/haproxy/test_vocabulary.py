"""The vocabulary keeps its promises: every example does what it says, and nothing gets lost."""

from pathlib import Path

from samples import messages, read_rule, scope

from evener.haproxy.action import ACTIONS, RULESETS
from evener.haproxy.arguments import ArgumentKind
from evener.haproxy.expression import Expr, read_expression
from evener.haproxy.sample import CONVERTERS, FETCHES, Type
from evener.haproxy.scope import Failure
from evener.text.diagnostic import Severity

#: A fetch giving something every converter of that input type takes.
SPECIMEN = {
    Type.BOOL: "bool(1)",
    Type.SINT: "int(1)",
    Type.ADDR: "src",
    Type.IPV4: "src",
    Type.IPV6: "src",
    Type.STR: "str(a)",
    Type.BIN: "bin(41)",
    Type.ANY: "str(a)",
    Type.SAME: "str(a)",
    Type.METH: "method",
}


def test_floor() -> None:
    """Counts only grow; planned ones only shrink."""
    assert len(FETCHES) >= 562
    assert sum(1 for word in FETCHES if not word.planned) >= 238
    assert len(ACTIONS) >= 78
    assert sum(1 for word in ACTIONS if not word.planned) >= 39


def test_fetch_examples() -> None:
    for word in FETCHES:
        for example in word.ok:
            assert isinstance(read_expression(example), Expr), example
        for example in word.bad:
            assert isinstance(read_expression(example), Failure), example


def test_converter_examples() -> None:
    for word in CONVERTERS:
        for example in word.ok:
            result = read_expression(f"{SPECIMEN[word.takes]},{example}")
            assert isinstance(result, Expr), (example, result)
        for example in word.bad:
            assert isinstance(read_expression(f"{SPECIMEN[word.takes]},{example}"), Failure), example


def test_action_examples() -> None:
    for word in ACTIONS:
        for example in word.ok:
            where = scope("listen")
            assert read_rule(word.rulesets[0], example, where) is not None, messages(where)
            warned = any(d.code == "not-executed-yet" for d in where.diagnostics)
            assert warned == word.planned, example
        for example in word.bad:
            where = scope("listen")
            read_rule(word.rulesets[0], example, where)
            assert len(where.diagnostics), example


def test_planned_words_say_so() -> None:
    for word in FETCHES:
        assert word.planned == (word.factory is None), word.name


def test_printed_expressions_read_back() -> None:
    for word in FETCHES:
        for example in word.ok:
            first = read_expression(example)
            assert isinstance(first, Expr)
            again = read_expression(str(first))
            assert isinstance(again, Expr)
            assert again.fetch.values == first.fetch.values


def test_kinds_are_named_as_the_dump_names_them() -> None:
    assert FETCHES["nbsrv"].dump().endswith("nbsrv(backend): sint")
    assert FETCHES["path"].dump() == "[ . . Y Y Y Y Y Y Y Y Y . . . . . . . . . . . ] path: str"
    assert {kind.value for kind in ArgumentKind} >= {"string", "integer", "backend", "table"}


def test_every_action_is_in_a_known_ruleset() -> None:
    for word in ACTIONS:
        assert set(word.rulesets) <= set(RULESETS), word.name


def test_severities() -> None:
    where = scope()
    read_rule("http-request", "send-spoe-group a b", where)
    assert [d.severity for d in where.diagnostics] == [Severity.NOTICE]


def test_grammars_are_packaged() -> None:
    import evener

    grammars = Path(evener.__file__).parent / "grammars" / "haproxy"
    assert {"expr.lark", "acl.lark", "logformat.lark"} <= {path.name for path in grammars.iterdir()}
