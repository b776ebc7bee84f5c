"""Pages of syntax: every word the reader knows has one, and their examples are what they say."""

import re
import sys
from pathlib import Path

import pytest

from evener.desk.explain import all_pages
from evener.desk.pages import Page, Standing, find
from evener.desk.pages_language import SYNTAX, language_pages
from evener.haproxy.condition import PREDEFINED
from evener.haproxy.directives import MESSAGES
from evener.haproxy.environment import Environment
from evener.haproxy.pattern import Method
from evener.haproxy.predicates import PREDICATES
from evener.haproxy.sections.check_rules import HTTP_STEPS, TCP_STEPS, VARIABLES

sys.path.insert(0, str(Path(__file__).parents[1] / "haproxy" / "sections"))
from config_text import DEFAULTS, read

PAGES = list(language_pages())
EVERY = all_pages("haproxy")
LISTS = Path(__file__).parents[2] / "fixtures" / "haproxy" / "keywords"
FRAMES = {
    "check step": "defaults" + DEFAULTS + "backend b\n  option {option}\n  {}\n",
    "stick rule": "defaults" + DEFAULTS + "backend b\n  stick-table type ip size 1k\n  {}\n",
}
IN_GLOBAL = "global\n  {}\ndefaults" + DEFAULTS
IN_FRONT = "defaults" + DEFAULTS + "frontend f\n  bind :8080\n  {}\n"


def named(family: str) -> set[str]:
    return {page.name for page in PAGES if page.family == family}


def test_what_the_reader_knows_has_a_page() -> None:
    assert named("directive") == {".if", ".elif", ".else", ".endif", *MESSAGES}
    assert named("predicate") == set(PREDICATES)
    assert named("matching method") == {method.value for method in Method}
    assert named("predefined ACL") == set(PREDEFINED)
    http, tcp = ({f"{word} {step}" for step in (*steps, *VARIABLES)} for word, steps in
                 (("http-check", HTTP_STEPS), ("tcp-check", TCP_STEPS)))  # fmt: skip
    assert named("check step") == http | tcp
    set_here = Environment({})
    set_here.prepare(["x"], None)
    known = {"HAPROXY_BRANCH", "HAPROXY_STARTUP_VERSION", "HAPROXY_MWORKER", ".FILE", ".LINE", ".SECTION"}
    assert named("variable") == known | set(set_here.variables)


def framed(page: Page, example: str) -> str:
    text = example.replace("\n", "\n  ") if page.family != "directive" else example
    frame = FRAMES.get(page.family) or (IN_GLOBAL if page.family in EARLY else IN_FRONT)
    option = "httpchk" if page.name.startswith("http-check") else "tcp-check"
    return frame.replace("{option}", option).replace("{}", text)


EARLY = ("directive", "predicate", "quoting mark")
EXAMPLED = [page for page in PAGES if page.family in {*SYNTAX, "predefined ACL"}]


@pytest.mark.parametrize("page", EXAMPLED, ids=lambda page: f"{page.family}: {page.name}")
def test_examples_are_what_they_say(page: Page, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/root")
    for example in page.good:
        _, found = read(framed(page, example), tmp_path)
        assert not found.has_errors, (example, [entry.message for entry in found])
    for example in page.bad:
        _, found = read(framed(page, example), tmp_path)
        assert found.has_errors, example


def words(path: Path) -> set[str]:
    """The names of a list of the manual, or of an old table."""
    rows = [row for row in path.read_text(encoding="utf-8").splitlines() if row and not row.startswith("#")]
    return {row.split("\t")[0].split("  ")[0].strip() for row in rows}


NOISE = {"as", "no", "parameters", "provided", "while", "address", "after", "arguments", "except", "its",
         "settings", "these", "which", "aggressive", "haterm", "local", "none"}  # fmt: skip
"""Words of sentences that the lists took from the manual, and of arguments in old tables."""


@pytest.mark.parametrize("path", sorted(LISTS.glob("doc-*.txt")) + sorted(LISTS.glob("legacy-*.txt")),
                         ids=lambda path: path.stem)  # fmt: skip
def test_every_name_of_the_lists_has_a_page(path: Path) -> None:
    assert sorted(name for name in words(path) - NOISE if not find(EVERY, name)) == []


@pytest.mark.parametrize("kind", ["cli", "flt", "svc", "acl", "cnv"])
def test_every_registered_name_has_a_page(kind: str) -> None:
    text = (LISTS / f"registered-{kind}.txt").read_text(encoding="utf-8")
    rows = [row for row in text.splitlines() if row and not row.startswith("#")]
    ends = {"cli": " [", "flt": " [", "svc": " ", "acl": " = ", "cnv": "("}
    lost = [row for row in rows if not find(EVERY, row.split(ends[kind])[0].split(":")[0].strip())]
    assert lost == []


def test_every_registered_keyword_has_a_page() -> None:
    text = (LISTS / "registered-cfg.txt").read_text(encoding="utf-8")
    rows = [row.strip() for row in text.splitlines() if row and not row.startswith("#")]
    places = r"^(bind|server) (<\w+> )+(ssl )?|^.*(connection|session|content) "
    plain = re.compile(places + r"| [+-]?\d.*$| \+-?\d+$| \[.*$|\*$")
    lost = [row for row in rows if not find(EVERY, plain.sub("", row).strip())]
    assert lost == []


def test_words_of_other_builds_say_that_they_are_refused() -> None:
    absent = [page for page in PAGES if page.standing is Standing.ABSENT]
    assert len(absent) >= 65
    for page in absent:
        if page.family == "global keyword":
            assert page.doc.endswith(("build.", "does not."))
