"""Filters, services, ACL words, log format aliases: their examples do what they say."""

from pathlib import Path

import pytest
from samples import messages, read_rule, scope
from sections.config_text import messages as said
from sections.config_text import read

from evener.haproxy.acl_words import acl_words
from evener.haproxy.aliases import ALIASES
from evener.haproxy.filters.names import COMPRESSING, FILTERS, NAMES, PLANNED
from evener.haproxy.services.names import SERVICES
from evener.haproxy.vocabulary import load_vocabulary
from evener.text.diagnostic import Severity

load_vocabulary()
ACL_WORDS = list(acl_words())
ENGINE = "[e]\nspoe-agent a\n  use-backend b\n  timeout processing 1s\n"
CONFIG = (
    "global\n  log 127.0.0.1 local0\ncache pages\n  total-max-size 4\n"
    "fcgi-app php\n  docroot /var/www\n"
    "listen l\n  mode http\n  bind :8080\n  timeout client 1s\n  timeout server 1s\n  timeout connect 1s\n"
    "  log global\n  {}\nbackend b\n  mode spop\n  timeout server 1s\n  timeout connect 1s\n"
)


def alerts(line: str, where: Path) -> list[str]:
    _, found = read(CONFIG.replace("{}", line), where)
    return said(found, Severity.ALERT)


@pytest.mark.parametrize("name", FILTERS.names())
def test_filters(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "S").write_text(ENGINE)
    word = FILTERS[name]
    assert [alerts(line, tmp_path) for line in word.ok] == [[]]
    assert all(alerts(line, tmp_path) for line in word.bad)
    _, found = read(CONFIG.replace("{}", word.ok[0]), tmp_path)
    planned = f"evener: 'filter {name}' is not executed yet."
    assert (planned in [entry.message for entry in found]) is word.planned


def test_what_filters_there_are() -> None:
    assert len(NAMES) == 9 and set(COMPRESSING) < set(NAMES) and set(PLANNED) == {"fcgi-app", "spoe"}


@pytest.mark.parametrize("name", SERVICES.names())
def test_services(name: str) -> None:
    for example in SERVICES[name].ok:
        where = scope("listen")
        ruleset, _, rule = example.partition(" ")
        assert read_rule(ruleset, rule, where) is not None, messages(where)
    for example in SERVICES[name].bad:
        where = scope("listen")
        ruleset, _, rule = example.partition(" use-service ")
        assert read_rule(ruleset, f"use-service {rule}", where) is None


@pytest.mark.parametrize("word", ACL_WORDS, ids=lambda word: word.name)
def test_acl_words(word: object, tmp_path: Path) -> None:
    for example in word.ok:  # type: ignore[attr-defined]
        assert alerts(example, tmp_path) == [], example
    for example in word.bad:  # type: ignore[attr-defined]
        assert alerts(example, tmp_path), example


def test_there_are_77() -> None:
    assert len(ACL_WORDS) == 77


@pytest.mark.parametrize("name", ALIASES)
def test_aliases(name: str, tmp_path: Path) -> None:
    for example in ALIASES[name].ok:
        assert alerts(example, tmp_path) == [], example
    for example in ALIASES[name].bad:
        assert alerts(example, tmp_path), example
