"""crt-lists: what is said of their lines is the original's, and every option has its declaration.

The table's columns: the file (``\\n`` and ``\\t`` in it stand for themselves), whether it is fatal, and the
messages, separated by ``//``. ``GOOD.pem`` is there, other files are not.
"""

from pathlib import Path

import pytest
from config_text import printed, read

from evener.haproxy.sections.certificate_words import WORDS
from evener.haproxy.sections.crt_list import NAMES, Entry, arity, read_list, words
from evener.haproxy.sections.reading import Place
from evener.text.diagnostic import Diagnostics
from evener.text.span import Source, Span

CERTIFICATES = Path(__file__).parents[3] / "fixtures" / "tls"
TABLE = Path(__file__).parents[3] / "fixtures" / "config" / "crt-lists.tsv"
ROWS = [tuple(row.split("\t")) for row in TABLE.read_text(encoding="utf-8").splitlines()]
CONFIG = "frontend f\n  mode http\n  bind :8443 ssl crt-list L\n  timeout client 1s\n"


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "GOOD.pem").write_bytes((CERTIFICATES / "server.pem").read_bytes())


@pytest.mark.parametrize(("text", "fatal", "said"), ROWS)
def test_what_is_said(text: str, fatal: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "L").write_text(text.replace("\\n", "\n").replace("\\t", "\t"))
    _, found = read(CONFIG.replace("crt-list L", f"crt-list {tmp_path}/L"), tmp_path)
    lines = [" ".join(line.split()) for line in printed(found, tmp_path)]
    assert " // ".join(lines) == said
    assert found.has_errors is (fatal == "1")


def test_the_table_is_there() -> None:
    assert len(ROWS) >= 50
    assert sum(row[1] == "1" for row in ROWS) >= 20


def entries(text: str, where: Path) -> tuple[Entry, ...]:
    (where / "L").write_text(text)
    return read_list("L", Place("frontend", "f", Diagnostics()), Span(Source("x"), 1))


def test_entries(tmp_path: Path) -> None:
    assert entries("# one\nGOOD.pem [alpn h2 no-ca-names key GOOD.pem] *.a.b !c.a.b\n", tmp_path) == (
        Entry("GOOD.pem", (("alpn", "h2"), ("no-ca-names",), ("key", "GOOD.pem")), ("*.a.b", "!c.a.b"), 2),
    )


@pytest.mark.parametrize("name", WORDS.names())
def test_examples_of_certificate_words(name: str, tmp_path: Path) -> None:
    kind = WORDS[name].facts["kind"].name
    good = f"{name} GOOD.pem" if kind == "file" else WORDS[name].ok[0]
    assert entries(f"GOOD.pem [{good}]\n", tmp_path)[0].options == (tuple(good.split()),)
    for bad in WORDS[name].bad:
        with pytest.raises(Exception, match=r"unknown ssl keyword|cannot parse"):
            entries(f"GOOD.pem [{bad}]\n", tmp_path)


def test_every_option_is_one_of_bind() -> None:
    assert [word.name for word in words()] == list(NAMES)
    assert all(word.planned or not word.effect for word in words())
    assert arity("alpn") == 1 and arity("no-alpn") == 0 and arity("ssl") is None


@pytest.mark.parametrize("data", [b"\xff\x00[\n", b"[" * 100_000, b"]", b"a [", b"\n" * 1000, b"a [\x00]\n"])
def test_any_bytes(data: bytes, tmp_path: Path) -> None:
    (tmp_path / "L").write_bytes(data)
    read(CONFIG, tmp_path)
