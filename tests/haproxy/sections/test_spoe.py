"""SPOE engine files: every example is read or refused, and what is said is the original's.

The table's columns: what follows ``filter spoe``, the file ``S`` (``\\n`` begins another line), whether it is
fatal, and the messages, separated by ``//``.
"""

from pathlib import Path

import pytest
from config_text import messages, printed, read

from evener.haproxy.sections.spoe_words import FORMS
from evener.text.diagnostic import Severity
from evener.vocab.blocks import Keyword

TABLE = Path(__file__).parents[3] / "fixtures" / "config" / "spoe-files.tsv"
ROWS = [tuple(row.split("\t")) for row in TABLE.read_text(encoding="utf-8").splitlines()]
CONFIG = (
    "frontend f\n  mode http\n  bind :8080\n  timeout client 1s\n  filter spoe {}\n"
    "backend agents\n  mode spop\n  timeout server 1s\n  timeout connect 1s\n  server a 127.0.0.1:12345\n"
)
AROUND = {
    "spoe-agent": "spoe-agent a\n  use-backend agents\n  timeout processing 1s\n  {}\nspoe-message m\n"
    "  event on-client-session\nspoe-group g\n",
    "spoe-message": "spoe-agent a\n  use-backend agents\n  timeout processing 1s\n  messages m\n"
    "spoe-message m\n  {}\n",
    "spoe-group": "spoe-agent a\n  use-backend agents\n  timeout processing 1s\n  groups g\nspoe-message m\n"
    "spoe-group g\n  {}\n",
}
WORDS = [(section, word) for section, form in FORMS.items() for word in form.words.registry]


def name_of(value: object) -> str:
    return str(getattr(value, "name", value))


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(("words", "text", "fatal", "said"), ROWS)
def test_what_is_said(words: str, text: str, fatal: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "S").write_text(text.replace("\\n", "\n"))
    _, found = read(CONFIG.replace("{}", words), tmp_path)
    lines = [" ".join(line.split()) for line in printed(found, tmp_path)]
    assert " // ".join(lines) == said
    assert found.has_errors is (fatal == "1")


def test_the_table_is_there() -> None:
    assert len(ROWS) >= 130


@pytest.mark.parametrize(("section", "word"), WORDS, ids=name_of)
def test_examples(section: str, word: Keyword, tmp_path: Path) -> None:
    for line in word.ok:
        (tmp_path / "S").write_text(AROUND[section].replace("{}", line))
        _, found = read(CONFIG.replace("{}", "config S"), tmp_path)
        assert messages(found, Severity.ALERT) == [], line
    for line in word.bad:
        (tmp_path / "S").write_text(AROUND[section].replace("{}", line))
        _, found = read(CONFIG.replace("{}", "config S"), tmp_path)
        assert found.has_errors, line


def test_the_engine_is_kept(tmp_path: Path) -> None:
    (tmp_path / "S").write_text(
        "spoe-agent other\n  use-backend agents\n  nonsense\n[e]\nspoe-agent ag\n  use-backend agents\n"
        "  messages m\n  timeout processing 10ms\nspoe-message m\n  args ip=src path\n"
        "  event on-frontend-http-request\n"
    )
    made, found = read(CONFIG.replace("{}", "engine e config S"), tmp_path)
    assert messages(found, Severity.WARNING) == []
    engine = made.proxies[0].filters.filter[0].engine
    assert engine is not None and (engine.name, engine.agent.name) == ("e", "ag")
    assert engine.agent.timeout_processing == 10
    assert [str(argument.expr) for argument in engine.messages[0].args[0]] == ["src", "path"]
    said = [entry.message for entry in found if entry.code == "not-executed-yet"]
    assert said[0] == "evener: 'filter spoe' is not executed yet."


@pytest.mark.parametrize(
    "data", [b"\xff\x00", b"[", b"[e", b"spoe-agent", b"\n" * 1000, b"spoe-agent a\n" * 99]
)
def test_any_bytes(data: bytes, tmp_path: Path) -> None:
    (tmp_path / "S").write_bytes(data)
    _, found = read(CONFIG.replace("{}", "config S"), tmp_path)
    assert found.has_errors
