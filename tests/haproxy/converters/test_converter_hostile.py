"""No converter raises, whatever bytes it is given: it gives a value of its type, or nothing."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evener.haproxy.cast import cast
from evener.haproxy.expression import Expr, read_expression
from evener.haproxy.sample import CONVERTERS, Converter, Sample, Type
from evener.haproxy.scope import CompileEnv
from evener.haproxy.text_txn import TextTxn
from evener.haproxy.vocabulary import load_vocabulary

load_vocabulary()

NASTY = (
    b"", b"\0", b"%", b"%z1", b"a=b&c", b"[::1]:80", b"[", b"]:", b".", b"..", b"for=", b'for="',
    b"\xff" * 40,
    b"{" * 3000, b"[" * 3000, b'{"a":' * 500, b'{"a":"\\ud800"}', b'{"a":1e999}', b'{"a":-}', b'{"a":"\\',
    b'{"a":' + b"9" * 5000 + b"}", b'{"a":"' + b"9" * 5000 + b'"}',
    b'[' * 5000 + b"1" + b"]" * 5000, b"9" * 5000,
    b"9=9" * 20, b"8=FIX.4.4\x019=999999999\x0135=", b"10=\x01" * 9, b"1" * 5000 + b"=1\x01",
    b"\x10\xff\xff\xff\xff\x7f", b"\x10\x00", b"\x20\x02", b"\x10\x05\0\x04MQT", b"\x20\x04\0\0\x01\x26",
    b"\x08" + b"\xff" * 12, b"\x0a\xff\xff\xff\xff\x0f", b"\0\xff\xff\xff\xff" + b"a" * 9,
    b"\x0d\0\0\x80\x7f",
    b"en;q=9999999,fr;q=0.00001", b"es;q=1.",
    b"Sun, 06 Nov 0000 99:99:99 GMT", b"Sun, 99 Feb 9999 99:99:99 GMT",
    b"\x45" + b"\0" * 19, b"\x4f" + b"\0" * 19, b"\x60" + b"\0" * 41, b"\x60" + b"\0" * 305,
    b"\x81\x00" * 30, b"\0" * 12 + b"\xf0" + b"\0" * 47, b"\0" * 12 + b"\xf0" + b"\2\xff" * 40,
    b"a.b.c", b"...", b"e30.e30.e30", b"=.=.=", "١٢٣".encode(), "a:٣".encode(), b"1_000", b" 1", b"+1",
    b"host:" + b"1" * 5000, b"unknown:" + b"9" * 5000, b"f" * 5000,
)  # fmt: skip
texts = st.binary(max_size=80) | st.sampled_from(NASTY)
integers = st.integers(-(1 << 63), (1 << 63) - 1)
addresses = st.binary(min_size=4, max_size=4) | st.binary(min_size=16, max_size=16)
INPUTS = {
    Type.STR: texts, Type.BIN: texts, Type.SINT: integers, Type.BOOL: st.booleans(), Type.ADDR: addresses,
    Type.ANY: st.one_of(
        st.builds(Sample, st.sampled_from((Type.STR, Type.BIN)), texts),
        st.builds(Sample, st.just(Type.SINT), integers),
        st.builds(Sample, st.just(Type.BOOL), st.booleans()),
        st.builds(Sample, st.just(Type.ADDR), addresses | st.just(b"")),
    ),
}  # fmt: skip
RESULTS = {Type.STR: bytes, Type.BIN: bytes, Type.SINT: int, Type.BOOL: bool, Type.ADDR: bytes}
SPECIMEN = {
    Type.BOOL: "bool(true)", Type.SINT: "int(1)", Type.ADDR: "src", Type.STR: "str(a)", Type.BIN: "bin(41)",
    Type.ANY: "str(a)",
}  # fmt: skip
WORKING = [word for word in CONVERTERS if not word.planned]


def fits(kind: Type, value: object) -> bool:
    if kind is Type.SINT:
        return type(value) is int and -(1 << 63) <= value < 1 << 63
    return isinstance(value, RESULTS[kind])


def check(word: Converter, value: object) -> None:
    """Every good example of a converter, on one value of its input type."""
    for example in word.ok:
        read = read_expression(f"{SPECIMEN[word.takes]},{example}")
        assert isinstance(read, Expr)
        values = list(read.converters[0].values)
        while values and values[-1] is None:
            values.pop()
        wants = {name: CompileEnv() if name == "env" else None for name in word.wants}
        assert word.factory is not None
        run = word.factory(*values, **wants)
        txn = TextTxn.from_text("GET / HTTP/1.1\n\n")
        result = run(value, txn) if "txn" in word.wants else run(value)
        if result is None:
            continue
        if word.dynamic or word.out in (Type.ANY, Type.SAME):
            assert isinstance(result, Sample)
            assert result is value or result.type in (Type.IPV4, Type.IPV6) or fits(result.type, result.value)
        else:
            assert fits(word.out, result), (example, value, result)


@pytest.mark.parametrize("word", WORKING, ids=lambda word: word.name)
@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_any_input(word: Converter, data: st.DataObject) -> None:
    check(word, data.draw(INPUTS[word.takes]))


@pytest.mark.parametrize("value", NASTY, ids=lambda value: repr(value[:12]))
def test_nasty_input(value: bytes) -> None:
    for word in WORKING:
        if word.takes in (Type.STR, Type.BIN):
            check(word, value)
        elif word.takes is Type.ANY:
            check(word, Sample(Type.BIN, value))


@pytest.mark.parametrize("value", NASTY, ids=lambda value: repr(value[:12]))
def test_nasty_casts(value: bytes) -> None:
    for target in (Type.BOOL, Type.SINT, Type.ADDR, Type.BIN):
        function = cast(Type.STR, target)
        assert function is not None
        result = function(value)
        assert result is None or fits(target, result), (target, value[:20])
