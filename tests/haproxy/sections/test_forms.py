"""Sections that are a block: every example is read or refused, and what is said is the original's.

The table's columns: the text (``\\n`` begins another line), whether it is fatal, and the messages, separated
by ``//``. They are what HAProxy 3.5-dev5 answers to the same text.
"""

from pathlib import Path

import pytest
from config_text import messages, printed, read

from evener.haproxy.print import print_configuration
from evener.haproxy.sections.forms import MODULES, form_of
from evener.text.diagnostic import Severity
from evener.vocab.blocks import Keyword

TABLE = Path(__file__).parents[3] / "fixtures" / "config" / "section-lines.tsv"
ROWS = [tuple(row.split("\t")) for row in TABLE.read_text(encoding="utf-8").splitlines()]
TAIL = "\nfrontend f\n  mode http\n  bind :8080\n  timeout client 1s\n"
#: What a section must say besides, to be right as a whole.
BESIDE = {"acme": "  directory https://acme.example/\n", "fcgi-app": "  docroot /var/www\n"}
WORDS = [(section, word) for section in MODULES for word in form_of(section).words.registry]


def text(section: str, word: Keyword, line: str) -> str:
    name = "" if form_of(section).most == 0 else " x"
    beside = "" if word.name in BESIDE.get(section, "") else BESIDE.get(section, "")
    needs = "".join(f"  {need}\n" for need in str(word.facts.get("needs", "")).split(", ") if need)
    allowed = "global\n  expose-experimental-directives\n"
    return f"{allowed}{section}{name}\n{beside}{needs}  {line}\n"


def name_of(value: object) -> str:
    return str(getattr(value, "name", value))


@pytest.fixture(autouse=True)
def beside_certificates(monkeypatch: pytest.MonkeyPatch) -> None:
    """Examples name files that are there."""
    monkeypatch.chdir(Path(__file__).parents[3] / "fixtures" / "tls")


@pytest.mark.parametrize(("section", "word"), WORDS, ids=name_of)
def test_examples(section: str, word: Keyword, tmp_path: Path) -> None:
    for line in word.ok if not word.facts.get("refused") else ():
        made, found = read(text(section, word, line), tmp_path)
        assert messages(found, Severity.ALERT) == [], line
        first = print_configuration(made)
        again, _ = read(first, tmp_path)
        assert print_configuration(again) == first, line
        assert [other.block for other in again.other] == [other.block for other in made.other], line
    for line in word.bad:
        _, found = read(text(section, word, line), tmp_path)
        assert found.has_errors, line


@pytest.mark.parametrize(("section", "word"), WORDS, ids=name_of)
def test_every_word_is_documented(section: str, word: Keyword) -> None:
    assert word.doc.endswith(".") and word.argument is not None
    assert word.signature.startswith(word.name)


@pytest.mark.parametrize(("config", "fatal", "said"), ROWS)
def test_what_is_said(config: str, fatal: str, said: str, tmp_path: Path) -> None:
    _, found = read(config.replace("\\n", "\n") + TAIL, tmp_path)
    lines = [" ".join(line.split()) for line in printed(found, tmp_path)]
    # Whether a section names this machine depends on what it is called.
    assert " // ".join(line for line in lines if "Removing incomplete section 'peers" not in line) == said
    assert found.has_errors is (fatal == "1")


def test_the_table_is_there() -> None:
    assert len(ROWS) >= 270


@pytest.mark.parametrize("section", [kind for kind in MODULES if kind not in ("namespace_list", "acme")])
def test_unknown_words(section: str, tmp_path: Path) -> None:
    name = "" if section == "traces" else " x"
    _, found = read(f"{section}{name}\n  no-such-word 1\n", tmp_path)
    assert messages(found, Severity.ALERT)[0].startswith("unknown keyword 'no-such-word' in '")


def test_values(tmp_path: Path) -> None:
    lines = "nameserver a 127.0.0.1:53\n  hold valid 10s\n  accepted_payload_size 8192\n  timeout retry 500ms"
    made, _ = read(f"resolvers dns\n  {lines}\n", tmp_path)
    section = made.other[0]
    assert section.lines[1] == ("hold", "valid", "10s")
    block = section.block
    assert (block.hold_valid, block.timeout_retry, block.accepted_payload_size) == (10_000, 500, 8192)
    assert [(server.name, server.address.port) for server in block.nameserver] == [("a", 53)]
    assert "    hold valid 10s\n" in print_configuration(made)


def test_planned_sections_say_so_once(tmp_path: Path) -> None:
    _, found = read("resolvers dns\n  nameserver a 127.0.0.1:53\n  hold valid 10s\n", tmp_path)
    said = [entry.message for entry in found if entry.code == "not-executed-yet"]
    assert said == ["evener: 'section resolvers' is not executed yet."]


def test_what_is_spoken_anyway_is_not_planned(tmp_path: Path) -> None:
    text = """
defaults
  mode http
  timeout client 1s
  timeout server 1s
  timeout connect 1s
listen l
  bind 127.0.0.1:1 proto {0}
  server s 127.0.0.1:2 proto {0} ws {1} check check-proto {0}
"""
    said = []
    for words in (("h1", "auto"), ("h1", "h1"), ("h2", "h2")):
        _, found = read(text.format(*words), tmp_path)
        said.append([entry.message for entry in found if entry.code == "not-executed-yet"])
    assert said[:2] == [[], []]
    assert said[2] == [
        f"evener: '{word}' is not executed yet."
        for word in ("bind ... proto", "server ... proto", "server ... ws", "server ... check-proto")
    ]
