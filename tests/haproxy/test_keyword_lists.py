"""The vocabulary against the original's lists of words, both ways.

``fixtures/haproxy/keywords`` holds what HAProxy 3.5-dev5 registers (``registered-*``, as its ``-dK`` prints
it), what its manual documents (``doc-*``) and the words it knows beside its registries (``legacy-*``).
``reasons.tsv`` explains every difference: list, ``-`` (theirs, not ours) or ``+`` (ours, not theirs), the
word, why. A difference without a reason fails, and so does a reason without a difference.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from evener.cli.haproxy_keywords import dump_keywords
from evener.haproxy.acl import SUFFIXED
from evener.haproxy.action import ACTIONS
from evener.haproxy.resolve import PROXIES, load_vocabulary
from evener.haproxy.sample import CONVERTERS, FETCHES, Place, available
from evener.haproxy.sections.bind import OPTIONS as BIND
from evener.haproxy.sections.global_ import VOCABULARY as GLOBAL
from evener.haproxy.sections.other import SECTIONS
from evener.haproxy.sections.proxy import VOCABULARY as PROXY
from evener.haproxy.sections.server import OPTIONS as SERVER
from evener.vocab.blocks import Vocabulary

LISTS = Path(__file__).parents[2] / "fixtures" / "haproxy" / "keywords"
Differences = set[tuple[str, str, str]]


def lines(name: str) -> list[str]:
    text = (LISTS / f"{name}.txt").read_text(encoding="utf-8")
    return [line for line in text.splitlines() if line and not line.startswith("#")]


def first_words(name: str) -> set[str]:
    """The names in a list, without arguments and columns; ``[...]`` and parentheses end a name."""
    return {re.split(r"[(\t\[]|  ", line)[0].strip() for line in lines(name)}


def names(vocabulary: Vocabulary) -> set[str]:
    """Every word a line may begin with: whole keywords, and their first words."""
    whole = {word.name for word in vocabulary.registry}
    return whole | {name.split()[0] for name in whole}


def options() -> set[str]:
    return {word.name.removeprefix("option ") for word in PROXY.registry if word.name.startswith("option ")}


def actions(ruleset: str) -> set[str]:
    known = {action.name for action in ACTIONS if ruleset in action.rulesets}
    return known | ({"track-sc0", "track-sc1", "track-sc2"} if "track-sc" in known else set())


def proxy_words() -> set[str]:
    return (
        names(PROXY)
        | set(SECTIONS.names())
        | {f"no {word.name}" for word in PROXY.registry if word.negatable}
    )


RULESETS = (
    "quic-initial", "tcp-request connection", "tcp-request session", "tcp-request content",
    "tcp-response content", "http-request", "http-response", "http-after-response",
)  # fmt: skip
#: (list, our words). Manuals and legacy tables are asked one way: all they name is known.
KNOWN: dict[str, Callable[[], set[str]]] = {
    "doc-bind-options": lambda: names(BIND),
    "doc-server-options": lambda: names(SERVER),
    "doc-global-index": lambda: names(GLOBAL),
    "doc-proxy-keyword-matrix": proxy_words,
    "doc-converters": lambda: {word.name for word in CONVERTERS},
    **{
        f"doc-fetch-{chapter}": lambda: {word.name for word in FETCHES} | set(SUFFIXED)
        for chapter in ("732-internal", "733-L4", "734-L5", "735-L6", "736-L7", "737-dev")
    },
    **{
        f"doc-actions-{ruleset.replace(' ', '-')}": lambda ruleset=ruleset: actions(ruleset)  # type: ignore[misc]
        for ruleset in RULESETS
    },
    "legacy-global": lambda: names(GLOBAL) | set(SECTIONS.names()) | {"global"},
    "legacy-listen": lambda: names(PROXY) | set(SECTIONS.names()) | PROXIES | names(SERVER),
    "legacy-options": lambda: options() | names(PROXY) | names(GLOBAL) | names(SERVER),
}
#: Lists that are printed by the command too: every line must be the same.
REGISTERED = ("acl", "cfg", "cli", "cnv", "flt", "smp", "svc")


def with_sections(printed: list[str]) -> set[str]:
    """The lines of a list; those below a section begin with its name."""
    found, section = set(), ""
    for line in printed:
        if line.startswith("#"):
            continue
        if not line.startswith("\t"):
            section = line
        found.add(f"{section}: {line.strip()}" if line.startswith("\t") else line.rstrip())
    return found


def registered_differences() -> Differences:
    found: Differences = set()
    for kind in REGISTERED:
        text = (LISTS / f"registered-{kind}.txt").read_text(encoding="utf-8")
        theirs, ours = with_sections(text.splitlines()), with_sections(dump_keywords(kind).splitlines())
        found |= {(kind, "-", line) for line in theirs - ours}
        found |= {(kind, "+", line) for line in ours - theirs if not documented(kind, line)}
    return found


def documented(kind: str, line: str) -> bool:
    """Words older than the registries are in the manual, or in the tables of the sources."""
    if kind != "cfg":
        return False
    section, _, word = line.partition(": ")
    words = word.split()
    if section == "global":
        return bool(set(words[:1]) & (first_words("doc-global-index") | first_words("legacy-global")))
    if section != "listen":
        return False
    if words[0] == "option" and len(words) > 1:
        return words[1] in first_words("legacy-options") | documented_options()
    if words[0] in ("bind", "server") and len(words) > 2:
        place = words.index("<addr>") + 1
        return words[place] in first_words(f"doc-{words[0]}-options")
    for ruleset in RULESETS:
        if word.startswith(f"{ruleset} "):
            action = word.removeprefix(f"{ruleset} ").rstrip("*")
            listed = first_words(f"doc-actions-{ruleset.replace(' ', '-')}")
            return any(name.startswith(action) for name in listed)
    beginnings = {name.split()[0] for name in first_words("doc-proxy-keyword-matrix")}
    return words[0] in beginnings | first_words("legacy-listen")


def documented_options() -> set[str]:
    said = first_words("doc-proxy-keyword-matrix")
    return {name.removeprefix("option ") for name in said if name.startswith("option ")}


def known_differences() -> Differences:
    found: Differences = set()
    for name, ours in KNOWN.items():
        load_vocabulary()
        found |= {(name, "-", word) for word in first_words(name) - ours()}
    return found


def reasons() -> dict[tuple[str, str, str], str]:
    rows = [row.split("\t") for row in (LISTS / "reasons.tsv").read_text(encoding="utf-8").splitlines()]
    return {(row[0], row[1], row[2]): row[3] for row in rows}


def test_every_word_of_the_lists_is_known_or_explained() -> None:
    found = registered_differences() | known_differences()
    listed = reasons()
    assert all(listed.values())
    assert sorted(found - listed.keys()) == []
    assert sorted(listed.keys() - found) == [], "listed as a difference, and there is none any more"


@pytest.mark.parametrize("kind", ["acl", "cnv", "flt", "smp", "svc"])
def test_lists_are_printed_in_the_same_order(kind: str) -> None:
    text = (LISTS / f"registered-{kind}.txt").read_text(encoding="utf-8")
    assert dump_keywords(kind).splitlines() == text.splitlines()


def test_places_of_fetches_follow_from_their_sources() -> None:
    """The table of ``-dKsmp`` is derived: 560 of 562 rows by the rule, 2 by a declared exception."""
    load_vocabulary()
    by_rule = {word.name for word in FETCHES if word.places == available(word.source)}
    excepted = {word.name: word.early for word in FETCHES if word.early}
    assert excepted == dict.fromkeys(("res.cache_hit", "res.cache_name"), (Place.SERVER_SOURCE,))
    assert len(by_rule) == 560 and by_rule.isdisjoint(excepted)
    theirs = (LISTS / "registered-smp.txt").read_text(encoding="utf-8").splitlines()
    rows = [row for row in theirs if not row.startswith("#")]
    assert len(rows) == len(by_rule) + len(excepted) == 562
    assert sorted(word.dump() for word in FETCHES) == sorted(rows)


def test_all_lists_are_one_after_the_other() -> None:
    assert dump_keywords("all") == "".join(dump_keywords(kind) for kind in REGISTERED)
