"""Reading expressions: what they mean, and the words in which they are refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from samples import expr, failure, value

from evener.haproxy.expression import Expr, read_expression, read_expression_words, read_prefix, references
from evener.haproxy.sample import Sample, Type
from evener.haproxy.scope import Failure


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "missing fetch method"),
        ("foo(1)", "unknown fetch method 'foo'"),
        ("path(", "fetch method 'path' : expected ')'"),
        ("path(1)", "fetch method 'path' : expected ')' before '1)'"),
        ("path)x", "missing comma after fetch keyword"),
        ("path,lower)", "missing comma after converter 'lower'"),
        ("payload", "fetch method 'payload' : expected type 'integer' at position 1, but got nothing"),
        ("payload(1)", "fetch method 'payload' : missing arguments (got 1/2), type 'integer' expected"),
        ("payload(1,2,3)", "fetch method 'payload' : expected ')' before ',3)'"),
        ("payload(1x,2)", "fetch method 'payload' : failed to parse '1x' as type 'integer' at position 1"),
        ("path,foo", "unknown converter 'foo'"),
        (
            "path,field()",
            "invalid arg 1 in converter 'field' : expected type 'integer' at position 1, but got nothing",
        ),
        ("path,field(1,/", "invalid arg 2 in converter 'field' : expected ')'"),
        ("path,field(1,/,1,2)", "invalid arg 3 in converter 'field' : expected ')' before ',2)'"),
        ("path,lower(1)", "invalid arg 1 in converter 'lower' : expected ')' before '1)'"),
        ("src,odd", "converter 'odd' cannot be applied"),
        ("int(1),add(x)", "invalid args in converter 'add' : expects an integer or a variable name"),
        (
            "ipv4(1.2.3.400)",
            "fetch method 'ipv4' : failed to parse '1.2.3.400' as type 'IPv4 address' at position 1",
        ),
    ],
)
def test_refused(text: str, message: str) -> None:
    assert failure(text) == message


@pytest.mark.parametrize("text", ["path()", "str", "str()", "path,,lower", "path,", "src,lower", "nbsrv"])
def test_accepted(text: str) -> None:
    assert isinstance(read_expression(text), Expr)


def test_second_level_quoting() -> None:
    assert value("str('a,b)')") == b"a,b)"
    assert value('str("a,b")') == b"a,b"
    assert value(r"str(a\ b)") == b"a b"
    assert value("str(a'b c'd)") == b"ab cd"


def test_converters_in_words_of_their_own() -> None:
    result = read_expression_words(["path", "lower", "if", "x"], 0)
    assert not isinstance(result, Failure)
    assert str(result[0]) == "path,lower"
    assert result[1] == 2


def test_prefix_stops_where_the_expression_ends() -> None:
    result = read_prefix("path,lower]rest")
    assert not isinstance(result, Failure)
    assert result[1] == len("path,lower")


def test_casts_between_converters() -> None:
    assert value("int(5),length") == 1
    assert value("str(12x),add(1)") == 13
    assert value("ipv4(1.2.3.4),length") == 7
    assert value("str(),add(0)") is None
    assert value("int(-1),hex") == b"FFFFFFFFFFFFFFFF"


def test_a_variable_carries_its_type() -> None:
    from samples import txn

    on = txn()
    on.vars["txn.a"] = Sample(Type.SINT, 41)
    assert value("var(txn.a),add(1)", on) == 42
    assert value("var(txn.a)", on) == Sample(Type.SINT, 41)
    assert value("var(txn.a)", on, want=Type.STR) == b"41"


def test_references() -> None:
    found = list(references(expr("nbsrv(app)")))
    assert [(r.name, r.place) for r in found] == [("app", "arg 1 of sample fetch keyword 'nbsrv'")]


@given(st.text(max_size=40))
def test_any_text_is_read_or_refused(text: str) -> None:
    result = read_expression(text)
    if isinstance(result, Expr):
        assert isinstance(read_expression(str(result)), Expr)
    else:
        assert result.message


@given(
    st.lists(
        st.sampled_from(["path", "str", "(", ")", ",", "'", '"', "\\", "lower", "field", "1", "/", " "]),
        max_size=14,
    )
)
def test_any_pieces_are_read_or_refused(pieces: list[str]) -> None:
    assert isinstance(read_expression("".join(pieces)), Expr | Failure)
