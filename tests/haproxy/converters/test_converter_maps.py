"""Maps: each matching method and output, what a file may contain, and what is said about wrong ones."""

from pathlib import Path

import pytest

from evener.haproxy.expression import Expr, read_expression
from evener.haproxy.expression_compile import compile_expression
from evener.haproxy.sample import Type
from evener.haproxy.scope import CompileEnv, Failure
from evener.haproxy.text_txn import TextTxn
from evener.haproxy.vocabulary import load_vocabulary

load_vocabulary()

FILES = {
    "text": (
        "# comment\nwww.example.com  bk1  \n\tfoo bar baz\nfoobar x\nfo y\n10 ten\n/a/b dirv\n"
        "example.com dom\n\n  #odd v\nnovalue\nfoo second\ntab\tsep\n"
    ),
    "ip": "10.0.0.0/8 a\n10.1.0.0/16 b\n10.1.2.3 c\n2001:db8::/32 d\n::ffff:9.9.9.9 e\n",
    "int": "1:10 low\n5 five\n20: high\n-5 neg\n",
    "reg": "^a(b+)c$ got\\1x\\0\n^(x)(y)? [\\1\\2]\n",
    "numbers": "a 5\nb -7\n",
    "addresses": "a 192.0.2.7\nb ::1\n",
    "wrong": "a zz\n",
}


@pytest.fixture
def maps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name, content in FILES.items():
        (tmp_path / name).write_text(content)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def value(text: str) -> bytes | None:
    read = read_expression(text)
    assert isinstance(read, Expr), read
    found = compile_expression(read, CompileEnv(), Type.STR)(TextTxn.from_text("GET / HTTP/1.1\n\n"))
    assert found is None or isinstance(found, bytes)
    return found


@pytest.mark.usefixtures("maps")
@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("str(foo),map(text)", b"bar baz"),
        ("str(foo),map_str(file@text)", b"bar baz"),
        ("str(nope),map(text)", None),
        ("str(nope),map(text,def)", b"def"),
        ("str(www.example.com),map(text)", b"bk1"),
        ("str(#odd),map(text)", b"v"),
        ("str(tab),map(text)", b"sep"),
        ("str(novalue),map(text,zz)", b""),
        ("str(foobarz),map_beg(text)", b"x"),
        ("str(fooz),map_beg(text)", b"bar baz"),
        ("str(foz),map_beg(text)", b"y"),
        ("str(foobarz),map_beg_key(text)", b"foobar"),
        ("str(x.example.com),map_end(text)", b"dom"),
        ("str(xfooy),map_sub(text)", b"bar baz"),
        ("str(/x/a/b/c),map_dir(text)", b"dirv"),
        ("str(x.example.com),map_dom(text)", b"dom"),
        ("str(10.1.2.3),map_ip(ip)", b"c"),
        ("str(10.1.2.4),map_ip(ip)", b"b"),
        ("str(10.2.2.4),map_ip(ip)", b"a"),
        ("str(2001:db8::1),map_ip(ip)", b"d"),
        ("str(9.9.9.9),map_ip(ip)", b"e"),
        ("str(::ffff:10.1.2.3),map_ip(ip)", b"c"),
        ("str(11.1.1.1),map_ip(ip,q)", b"q"),
        ("str(10.1.2.4),map_ip_key(ip)", b"10.1.0.0/16"),
        ("int(5),map_int(int)", b"low"),
        ("int(25),map_int(int)", b"high"),
        ("int(-5),map_int(int)", b"neg"),
        ("int(15),map_int(int,n)", b"n"),
        ("int(5),map_int_key(int)", b"1:10"),
        ("str(abbc),map_reg(reg)", b"got\\1x\\0"),
        ("str(abbc),map_regm(reg)", b"gotbbxabbc"),
        ("str(xz),map_regm(reg)", b"[x]"),
        ("str(zz),map_regm(reg,none)", b"none"),
        ("str(abbc),map_reg_key(reg)", b"^a(b+)c$"),
        ("str(a),map_str_int(numbers),add(1)", b"6"),
        ("str(b),map_str_int(numbers)", b"-7"),
        ("str(q),map_str_int(virt@x,3)", b"3"),
        ("str(a),map_str_ip(addresses),ipmask(24)", b"192.0.2.0"),
        ("str(b),map_str_ip(addresses)", b"::1"),
        ("str(q),map_str_ip(virt@x,1.2.3.4)", b"1.2.3.4"),
        ("str(q),map(opt@missing,o)", b"o"),
        ("str(q),map(virt@x,o)", b"o"),
    ],
)
def test_lookups(expression: str, expected: bytes | None) -> None:
    assert value(expression) == expected


@pytest.mark.usefixtures("maps")
@pytest.mark.parametrize(
    ("converter", "message"),
    [
        ("map(missing)", "failed to open pattern file <missing>"),
        ("map()", "failed to open pattern file <>"),
        ("map_str_int(wrong)", "unable to parse 'zz' at line 1 of file 'wrong'"),
        ("map_str_ip(ip)", "unable to parse 'a' at line 1 of file 'ip'"),
        ("map_ip(text)", "'www.example.com' is not a valid IPv4 or IPv6 address at line 2 of file 'text'"),
        ("map_int(text)", "'www.example.com' is not a number at line 2 of file 'text'"),
        ("map_str_ip(virt@x,1.2.3.999)", "map: cannot parse default ip <1.2.3.999>."),
    ],
)
def test_wrong_files(converter: str, message: str) -> None:
    name = converter.partition("(")[0]
    read = read_expression(f"str(q),{converter}")
    assert isinstance(read, Failure)
    assert read.message == f"invalid args in converter '{name}' : {message}"


def test_a_map_is_read_where_its_converter_is(maps: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The reader changes the current directory while it reads; compiling comes after."""
    read = read_expression("str(foo),map(text)")
    assert isinstance(read, Expr)
    monkeypatch.chdir(maps.parent)
    run = compile_expression(read, CompileEnv(), Type.STR)
    assert run(TextTxn.from_text("GET / HTTP/1.1\n\n")) == b"bar baz"
