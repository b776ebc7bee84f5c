"""Converters that look at the transaction or the configuration, and JSON queries on longer texts."""

from types import SimpleNamespace

import pytest

from evener.haproxy.columns import Column
from evener.haproxy.expression import Expr, read_expression
from evener.haproxy.expression_compile import compile_expression
from evener.haproxy.notes import notes
from evener.haproxy.sample import Sample, Type
from evener.haproxy.scope import CompileEnv
from evener.haproxy.text_txn import TextTxn
from evener.haproxy.vocabulary import load_vocabulary

load_vocabulary()


def txn(**given: object) -> TextTxn:
    made = TextTxn.from_text("GET / HTTP/1.1\n\n")
    for name, value in given.items():
        setattr(made, name, value)
    return made


def value(text: str, on: TextTxn, env: CompileEnv | None = None, want: Type = Type.STR) -> object:
    read = read_expression(text)
    assert isinstance(read, Expr), read
    return compile_expression(read, env or CompileEnv(), want)(on)


def test_set_var_stores_with_the_type_and_passes_on() -> None:
    on = txn()
    assert value("int(5),set-var(txn.a),add(1)", on) == b"6"
    assert on.vars["txn.a"] == Sample(Type.SINT, 5)
    assert value("str(x),set-var(txn.a,ifnotexists)", on) is None
    assert on.vars["txn.a"] == Sample(Type.SINT, 5)
    assert value("str(x),set-var(sess.b,ifnotexists),length", on) == b"1"
    assert on.session.vars["sess.b"] == Sample(Type.STR, b"x")


def test_unset_var() -> None:
    on = txn(vars={"txn.a": Sample(Type.STR, b"x")})
    assert value("str(y),unset-var(txn.a)", on) == b"y"
    assert on.vars == {}


def test_captures_need_a_slot() -> None:
    on, env = txn(), CompileEnv()
    on.frontend.plan = SimpleNamespace(slots=([9, 9], []))
    assert value("str(x),capture-req(1)", on, env) == b"x"
    assert notes(on).request_captures == [None, b"x"]
    assert value("str(x),capture-req(2)", on, env) is None
    assert value("str(x),capture-res(0)", on, env) is None


def test_debug_writes_and_passes_on(capfd: pytest.CaptureFixture[str]) -> None:
    assert value("src,debug(who,stderr)", txn()) == b"192.0.2.10"
    assert value("bin(01ff),debug(,stdout),length", txn()) == b"2"
    assert value("str(x),debug", txn()) == b"x"
    out, err = capfd.readouterr()
    assert err == "[debug] who: type=addr <192.0.2.10>\n"
    assert "type=bin <01ff>" in out


def backends() -> CompileEnv:
    rows = {7: {Column.USABLE: 1, Column.Q_CUR: 3}, 8: {Column.USABLE: 0}, 9: {Column.USABLE: 1}}
    servers = [
        SimpleNamespace(name="s1", row=7, backup=False),
        SimpleNamespace(name="s2", row=8, backup=False),
        SimpleNamespace(name="s3", row=9, backup=True),
    ]
    plan = SimpleNamespace(servers=servers)
    return CompileEnv(
        backend=lambda name: plan if name == "app" else None,  # type: ignore[arg-type, return-value]
        frontend=lambda name: plan if name == "www" else None,  # type: ignore[arg-type, return-value]
        count=lambda row, column: rows[row].get(Column(column), 0),
    )


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("str(www),fe_exists", b"1"),
        ("str(app),fe_exists", b"0"),
        ("str(),fe_exists", b"0"),
        ("str(app),nbsrv", b"1"),
        ("str(nope),nbsrv", None),
        ("str(app/s1),srv_is_up", b"1"),
        ("str(app/s2),srv_is_up", b"0"),
        ("str(app/none),srv_is_up", None),
        ("str(s1),srv_is_up", None),
        ("str(nope/s1),srv_is_up", None),
        ("str(app/s1),srv_queue", b"3"),
    ],
)
def test_lookups_by_name(expression: str, expected: bytes | None) -> None:
    assert value(expression, txn(), backends()) == expected


def test_a_server_without_backend_is_one_of_the_current() -> None:
    env = backends()
    on = txn(backend=SimpleNamespace(plan=env.backend("app")))
    assert value("str(s1),srv_queue", on, env) == b"3"


@pytest.mark.parametrize(
    ("condition", "given", "passes"),
    [
        ("normal", {}, True),
        ("!normal", {}, False),
        ("error", {"termination": b"SH"}, True),
        ("error", {"retries": 1}, True),
        ("forwarded", {}, False),
        ("forwarded", {"server": object(), "t_connect": 3}, True),
        ("processed", {"server": object(), "t_connect": 0}, True),
        ("toapplet", {"server": object(), "t_connect": 0}, False),
        ("stopping", {}, False),
        ("!stopping", {}, True),
        ("acl,TRUE", {}, True),
        ("acl,FALSE", {}, False),
        ("!acl,FALSE", {}, True),
        ("acl,undeclared", {}, False),
    ],
)
def test_when(condition: str, given: dict[str, object], passes: bool) -> None:
    assert value(f"str(x),when({condition})", txn(**given)) == (b"x" if passes else None)


JSON = (
    b'{"integer":4,"neg":-3,"f":1.5,"s":"myvalue","bt":true,"bf":false,"n":null,"arr":["a",1,{"x":2}],'
    b'"obj":{"k":"v","d":{"e":[1,2]}},"my.key":"z","sp": [ 1 , 2 ] ,"str5":"5","x y":"sp","e":1e3,'
    b'"big":99999999999999999999,"arr2":[["p"]],"esc":"a\\"b\\u00e9","slash":"a\\/"}'
)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("$.integer", b"4"), ("$.integer,int", b"4"), ("$.neg,int", b"-3"), ("$.f", b"1.5"),
        ("$.f,int", b"1"),
        ("$.s", b"myvalue"), ("$.s,int", b"myvalue"), ("$.bt", b"1"), ("$.bf", b"0"), ("$.n", None),
        ("$.arr", b'["a",1,{"x":2}]'), ("$.arr[0]", b"a"), ("$.arr[1]", b"1"), ("$.arr[2]", None),
        ("$.arr[2].x", b"2"), ("$.arr[9]", None), ("$.arr[*]", b"a"), ("$.obj", None), ("$.obj.k", b"v"),
        ("$.obj.d.e", b"[1,2]"), ("$.obj.d.e[1]", b"2"), ("'$.my\\.key'", b"z"), ("$.sp", b"[ 1 , 2 ]"),
        ("$.str5,int", b"5"), ("$.x y", b"sp"), ("$.e", b"1000"), ("$.e,int", b"1"), ("$.big,int", None),
        ("$.big", b"1e+20"), ("$.arr2[0][0]", b"p"), ("$.arr2", b'[["p"]]'), ("$.nope", None), ("$", None),
        ("integer", None), ("$..k", None), ("$.esc", b'a"b\xe9'), ("$.slash", None),
    ],
)  # fmt: skip
def test_json_query(path: str, expected: bytes | None) -> None:
    on = txn(vars={"txn.body": Sample(Type.STR, JSON)})
    assert value(f"var(txn.body),json_query({path})", on) == expected


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b'{"integer":4', b"4"), (b'{"integer":4}x', b"4"), (b'nope {"integer":4}', None), (b"", None),
        (b'{"integer":4,}', b"4"), (b"{'integer':4}", None), (b' {"integer" : 4 }', b"4"),
        (b'{"a":{"integer":1},"integer":2}', b"2"), (b'{"a":[1,{"b":"}"}],"integer":2}', b"2"),
    ],
)  # fmt: skip
def test_json_text_is_read_as_far_as_needed(body: bytes, expected: bytes | None) -> None:
    on = txn(vars={"txn.body": Sample(Type.STR, body)})
    assert value("var(txn.body),json_query($.integer)", on) == expected
