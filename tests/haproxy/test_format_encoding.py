"""Log formats as JSON and CBOR, compared with what HAProxy 3.5-dev5 writes for the same."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evener.haproxy.format_encoding import cbor, json_text
from evener.haproxy.logformat import Format, compile_log_line, compile_raw, read_format
from evener.haproxy.scope import CompileEnv
from evener.haproxy.text_txn import TextTxn
from evener.haproxy.vocabulary import load_vocabulary

load_vocabulary()


def written(text: str, env: CompileEnv | None = None, raw: bool = False) -> bytes:
    made = read_format(text)
    assert isinstance(made, Format), made
    txn = TextTxn.from_text('GET /x HTTP/1.1\nX: a"b\\c\n\n', "HTTP/1.1 200 OK\n\n")
    return (compile_raw if raw else compile_log_line)(made, env or CompileEnv())(txn)


@pytest.mark.parametrize(
    ("item", "wanted"),
    [
        ("ci", '"192.0.2.10"'), ("cp", "50000"), ("ST", "200"), ("r", '"GET /x HTTP/1.1"'),
        ("[src]", '"192.0.2.10"'), ("[int(-5)]", "-5"), ("[bool(1)]", "true"), ("[bool(0)]", "false"),
        ("[req.hdr(x)]", '"a\\"b\\\\c"'), ("[method]", '"GET"'), ("[var(txn.nope)]", '""'), ("Tc", "-1"),
        ("rc", "0"), ("ms", "500"), ("bp", '""'), ("ID", '""'), ("lc", "0"),
    ],
)  # fmt: skip
def test_values_in_json(item: str, wanted: str) -> None:
    assert written(f"%{{+json}}o text %(a){item} more %ci").decode() == f'{{"a": {wanted}}}'
    json.loads(written(f"%{{+json}}o %(a){item}"))


@pytest.mark.parametrize(
    ("item", "wanted"),
    [
        ("(a:sint)cp", "50000"), ("(a:str)cp", '"50000"'), ("(a:bool)ST", "true"), ("(a:str)[int(5)]", '"5"'),
        ("(a:bool)[int(1)]", "true"), ("(a:sint)[str(12)]", "12"), ("(a:raw)ci", '"192.0.2.10"'),
        ("(a:sint)[var(txn.nope)]", '""'), ("(a:sint)ci", '"192.0.2.10"'),
    ],
)  # fmt: skip
def test_types_that_are_asked_for(item: str, wanted: str) -> None:
    assert written(f"%{{+json}}o %{item}").decode() == f'{{"a": {wanted}}}'


def test_several_items() -> None:
    assert written("%{+json}o %(a)ST, %ST %(b)[int(1)]") == b'{"a": 200, "b": 1}'
    assert written("%{+json}o nothing %ST") == b"{}"


def test_cbor() -> None:
    assert written("%{+cbor}o %(e)ST %(i)[int(-5)] %(k)[bool(1)] %(q)[str(abc)] %(big)[int(70000)]") == (
        b"BF616518C861692461" + b"6BF5617163616263636269671A00011170FF"
    )
    assert written("%{+cbor}o %(a)[var(txn.nope)] %(f)[int(-500)]") == b"BF6161F661663901F3FF"
    assert written("%{+bin,+cbor}o %(a)ST", raw=True) == b"\xbfaa\x18\xc8\xff"


def test_single_items() -> None:
    line = written("pre %(a){+json}[src] %{+json}[int(4)] %{+cbor}[str(abc)] %(x){+json}[str(a)] %ST")
    assert line == b'pre "192.0.2.10" 4 63616263 "a" 200'


def test_lists_of_captures() -> None:
    env = CompileEnv()
    assert written("%{+json}o %(a)hrl", env) == b'{"a": ""}'
    env.request_slots.lengths = [10, 10]
    assert written("%{+json}o %(a)hrl", env) == b'{"a": ["-", "-"]}'
    assert written("%{+cbor}o %(a)hrl", env) == b"BF616182612D612DFF"


def test_numbers_that_still_grow_are_numbers() -> None:
    env = CompileEnv(log_early=True)
    assert written("%{+json}o %(a)B", env) == b'{"a": 0}' and written("%B", env) == b"+0"


@given(st.one_of(st.integers(-(2**63), 2**63 - 1), st.text(), st.booleans()))
def test_json_is_json(value: int | str) -> None:
    given_ = value.encode() if isinstance(value, str) else value
    assert json.loads(json_text(given_)) == value


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        (0, "00"), (23, "17"), (24, "1818"), (255, "18ff"), (256, "190100"), (65536, "1a00010000"),
        (1 << 32, "1b0000000100000000"), (-1, "20"), (-25, "3818"), (b"", "60"), (b"\xff", "41ff"),
        (None, "f6"), (True, "f5"), (False, "f4"), ([1, b"a"], "82016161"),
    ],
)  # fmt: skip
def test_cbor_values(value: object, wanted: str) -> None:
    assert cbor(value).hex() == wanted
