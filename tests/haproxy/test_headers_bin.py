"""Headers in binary blocks: what was written is read back, and nothing else ever is."""

from hypothesis import given
from hypothesis import strategies as st
from samples import run, txn

from evener.haproxy.actions.headers_bin import headers, texts
from evener.haproxy.messages import read_varint, varint


@given(st.integers(0, 1 << 60))
def test_varints_are_read_back(number: int) -> None:
    data = varint(number)
    assert read_varint(b"x" + data + b"rest", 1) == (number, 1 + len(data))
    assert read_varint(data[:-1], 0) is None or number < 240


@given(st.binary(max_size=60))
def test_any_bytes_make_only_texts_that_are_there(data: bytes) -> None:
    found = list(texts(data))
    assert sum(len(text) for text in found) <= len(data)
    for name, value in headers(data, b""):
        assert name == name.lower()
        assert not set(b"\r\n\0") & set(name + value)


def block(*pairs: bytes) -> bytes:
    return b"".join(varint(len(text)) + text for text in pairs)


def test_headers_end_at_an_empty_name() -> None:
    data = block(b"X-A", b"1", b"bad name", b"2", b"x-b", b"a\r\nb", b"x-c", b"", b"", b"", b"x-d", b"4")
    assert list(headers(data, b"")) == [(b"x-a", b"1"), (b"x-c", b"")]
    assert list(headers(data, b"x-c")) == [(b"x-c", b"")]


def test_a_whole_head_is_kept_and_given_back() -> None:
    on = txn()
    before = on.req.items()
    run("http-request", "set-var(txn.old) req.hdrs_bin", on)
    run("http-request", "del-header host", on)
    run("http-request", "set-header x changed", on)
    run("http-request", "set-headers-bin var(txn.old)", on)
    assert sorted(on.req.items()) == sorted(before)
    run("http-request", "add-headers-bin var(txn.old) prefix hos", on)
    assert len(on.req.all(b"host")) == 2


def test_headers_are_deleted_by_their_names() -> None:
    on = txn()
    names = block(b"HO", b"x").hex()
    run("http-request", f"del-headers-bin bin({names}) -m beg", on)
    assert {name for name, _ in on.req.items()} == {b"cookie", b"content-length"}
    run("http-request", f"del-headers-bin bin({block(b'cookie').hex()})", on)
    assert {name for name, _ in on.req.items()} == {b"content-length"}
