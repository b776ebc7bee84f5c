"""Conditions: values, precedence, predicates, and where the caret of each error stands."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evener.haproxy.build import ABSENT, CHECKED, PRESENT, THIS, feature_list, parse_version
from evener.haproxy.predicates import ConditionError, World, evaluate

WORLD = World({"HOME": "/", "A": ""}.get)


# fmt: off
TRUE = [
    "1", "-1", "+1",
    "0x1", "01", " 1 ",
    "(1)", "!0", "!!1",
    "! ! 1", "!(0)", "1 || 0 && 0",
    "1 && 0 || 1", "0 || !0 && 1", "( 1 && 1 )",
    "1\t&&\t1", "streq(a,a)", "streq(,)",
    "streq((,()", "strneq(a,b)", "strstr(abc,b)",
    "strstr(a,)", "defined(HOME)", "defined(A)",
    'defined("HOME")', "feature(EPOLL)", "feature(THREAD)",
    "enabled(EPOLL)", "enabled(REUSEPORT)", "version_atleast(2.4)",
    "version_atleast(3.5-dev5)", "version_atleast(v3.5-dev3)", "version_atleast()",
    "version_atleast", "version_before(3.5)", "version_before(3.5-dev6)",
    "streq(a,a)&&1", "streq(a b,a b)", "streq(\"a,b\",'a,b')",
    "streq(a\\ b,a b)", "streq(\\q,\\q)", "0 || defined(HOME)",
    "(1)||0",
]
FALSE = [
    "", "  ", "0",
    "-0", "00", "(1 || 0) && 0",
    "!1", "streq(a, a)", "streq(a,b)",
    "strstr(b,abc)", "defined(NOPE)", "defined( HOME )",
    "defined", "feature(epoll)", "feature(+EPOLL)",
    "feature()", "feature(QUIC)", "feature(LUA)",
    "enabled(KQUEUE)", "enabled(epoll)", "version_atleast(3.5)",
    "version_atleast(3.5-rc1)", "version_before(2.4-dev1)", "fips_mode()",
    "fips_mode", "0 && awslc_api_atleast(1)", "openssl_version_atleast(1.1.1)",
    "ssllib_name_startswith(OpenSSL)",
]
# fmt: on


@pytest.mark.parametrize("text", TRUE)
def test_true(text: str) -> None:
    assert evaluate(text, WORLD) is True


@pytest.mark.parametrize("text", FALSE)
def test_false(text: str) -> None:
    assert evaluate(text, WORLD) is False


@pytest.mark.parametrize(
    ("text", "message", "column"),
    [
        ("foo", "unparsable conditional expression 'foo'", 0),
        ("1 || foo bar", "unparsable conditional expression 'foo bar'", 5),
        ("0 && foo(", "unparsable conditional expression 'foo('", 5),
        ("()", "unparsable conditional expression ')'", 1),
        ("1 &&", "unparsable conditional expression '&&'", 2),
        ("1 && 1 &&", "unparsable conditional expression '&& 1 &&'", 2),
        ("1 || 0 ||", "unparsable conditional expression '1 || 0 ||'", 2),
        ("1 && 0 ||", "unparsable conditional expression '1 && 0 ||'", 7),
        ("1 && && 1", "unparsable conditional expression '&& 1'", 5),
        ("! foo", "unparsable conditional expression '! foo'", 0),
        ("1 && !", "unparsable conditional expression '!'", 5),
        (" x", "unparsable conditional expression ' x'", 0),
        ("1 1", "unexpected character '1' at the end of conditional expression '1 1'", 2),
        ("200rrr", "unexpected character 'r' at the end of conditional expression '200rrr'", 3),
        ("1&1", "unexpected character '&' at the end of conditional expression '1&1'", 1),
        ("(1", "expected ')' after conditional expression '(1'", 0),
        ("1 && (1 x)", "expected ')' after conditional expression '(1 x)'", 5),
        ("!(1", "expected ')' after conditional expression '!(1'", 0),
        (
            "awslc_api_before(1)",
            "invalid argument to conditional expression predicate 'awslc_api_before': '1'",
            19,
        ),
        (
            "1 && openssl_version_atleast(x)",
            "invalid argument to conditional expression predicate 'openssl_version_atleast': 'x'",
            31,
        ),
    ],
)
def test_errors(text: str, message: str, column: int) -> None:
    with pytest.raises(ConditionError) as caught:
        evaluate(text, WORLD)
    assert (caught.value.message, caught.value.column) == (message, column)


@pytest.mark.parametrize(
    ("text", "start", "column"),
    [
        (
            "streq(a)",
            "missing arguments (got 1/2), type 'string' expected in argument 1 of predicate 'streq'",
            7,
        ),
        (
            "streq",
            "missing arguments (got 1/2), type 'string' expected in argument 1 of predicate 'streq'",
            5,
        ),
        ("streq(a,b,c)", "expected ')' before ',c)' in argument 1 of predicate 'streq'", 9),
        ("streq(a,b", "expected ')' in argument 1 of predicate 'streq'", 9),
        ('streq(a,"b)', "expected ')' in argument 1 of predicate 'streq'", 11),
        ("fips_mode(1)", "expected ')' before '1)' in argument 0 of predicate 'fips_mode'", 10),
        ("streq(a,a\\", "failed to parse '\\' after 'a' as type 'string' at position 2 in argument 1", 9),
    ],
)
def test_argument_errors(text: str, start: str, column: int) -> None:
    with pytest.raises(ConditionError) as caught:
        evaluate(text, WORLD)
    assert caught.value.message.startswith(start)
    assert caught.value.column == column


def test_run_time_options_turn_features_off() -> None:
    assert not evaluate("enabled(EPOLL)", World({}.get, frozenset()))
    assert evaluate("enabled(SERVER-SSL-VERIFY-NONE)", World({}.get, frozenset({"SERVER-SSL-VERIFY-NONE"})))


@pytest.mark.parametrize(
    "text", ["(" * 5000, "!" * 5000 + "1", "1" + " && 1" * 5000, "(" * 90 + "1" + ")" * 90]
)
def test_deep_and_long_conditions_end(text: str) -> None:
    try:
        evaluate(text, WORLD)
    except ConditionError as error:
        assert "unparsable" in error.message


@given(st.text(alphabet="01()!&| ,streqdfin\"'\\a\u0661", max_size=30))
def test_any_text_is_a_condition_or_an_error(text: str) -> None:
    try:
        assert evaluate(text, WORLD) in (True, False)
    except ConditionError as error:
        assert 0 <= error.column <= len(text)


def test_versions_are_ordered() -> None:
    order = [
        "",
        "2.4-dev19",
        "2.4",
        "3.5-dev",
        "3.5-dev4-100",
        "3.5-dev5",
        "3.5-dev6",
        "3.5-rc1",
        "3.5",
        "3.5.1",
        "3.6",
    ]
    parsed = [parse_version(text) for text in order]
    assert parsed == sorted(parsed)
    assert len(set(parsed)) == len(order)
    assert parse_version("3.5-dev5") == THIS


def test_features_are_said_once() -> None:
    assert not PRESENT & ABSENT
    listed = feature_list().split()
    assert len(listed) == len(PRESENT | ABSENT)
    assert {name[1:] for name in listed if name[0] == "+"} == PRESENT


@pytest.mark.parametrize(
    "condition", ["feature(OPENSSL)", "openssl_version_atleast(1.0.2)", "ssllib_name_startswith(Open)"]
)
def test_what_is_only_checked_counts_as_present_where_nothing_runs(condition: str) -> None:
    told: list[str] = []
    assert not evaluate(condition, WORLD)
    assert evaluate(condition, World(WORLD.variable, checking=True, assumed=told.append))
    assert told == ["OPENSSL"]


def test_what_is_checked_only_is_not_claimed_and_what_runs_is_not_told() -> None:
    assert CHECKED <= PRESENT | ABSENT
    told: list[str] = []
    world = World(WORLD.variable, checking=True, assumed=told.append)
    assert evaluate("feature(EPOLL)", world)
    assert not evaluate("feature(QUIC)", world)
    assert told == []
