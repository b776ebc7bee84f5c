"""Every declaration's good examples are accepted and its bad ones are not, where it may stand."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from config_text import DEFAULTS, read

from evener.haproxy.print import print_configuration
from evener.haproxy.sections.bind import OPTIONS as BIND
from evener.haproxy.sections.global_ import VOCABULARY as GLOBAL
from evener.haproxy.sections.proxy import VOCABULARY as PROXY
from evener.haproxy.sections.server import OPTIONS as SERVER
from evener.text.diagnostic import Severity
from evener.vocab.blocks import Keyword, Slot, Vocabulary

AROUND = (
    "http-errors pages\n  errorfile 404 /dev/null\n"
    "defaults{defaults}  log 127.0.0.1 local0\n"
    "{section}\n"
    "backend l2\n  server s2 127.0.0.1:80\n"
)
#: What the original refuses for a reason outside the line.
OUTSIDE = {
    "option external-check",
    "track",
    "use-fcgi-app",
    "ssl",
    "crt",
    "default-crt",
    "crt-list",
    "check-ssl",
    "resolvers",
}

EXPERIMENTAL = {"force-cfg-parser-pause", "tune.fd.edge-triggered", "tune.fd.tables", "nbconn", "ktls"}


def proxy_text(word: Keyword, example: str) -> str:
    """A configuration in which ``example`` stands where the declaration allows it."""
    kinds = [kind for kind in ("listen", "frontend", "backend", "defaults") if kind in word.contexts]
    kind = kinds[0] if kinds else "listen"
    needs = str(word.facts.get("needs", ""))
    inside = [f"  {needs}\n"] if needs.startswith(("filter", "option", "stick-table")) else []
    body = "" if kind == "backend" or word.name == "bind" else "  bind :8080\n"
    if kind in ("listen", "backend") and word.name not in ("server", "server-template"):
        body += "  server s1 127.0.0.1:80\n"
    section = f"{kind} l\n{body}{''.join(inside)}  {example}\n"
    return AROUND.replace("{defaults}", DEFAULTS).replace("{section}", section)


def frames(family: str, word: Keyword, example: str) -> str:
    allowed = "global\n  expose-experimental-directives\n" if word.name in EXPERIMENTAL else ""
    return allowed + framed(family, word, example)


def framed(family: str, word: Keyword, example: str) -> str:
    if family == "proxy":
        return proxy_text(word, example)
    if family == "global":
        return f"global\n  {example}\ndefaults{DEFAULTS}listen l\n  bind :8080\n"
    line = (
        f"  bind :8080 {example}\n"
        if family == "bind"
        else f"  bind :8080\n  server s1 127.0.0.1:80 {example}\n"
    )
    return f"healthcheck probe\n  type redis-check\ndefaults{DEFAULTS}listen l\n{line}"


FAMILIES: dict[str, Vocabulary] = {"proxy": PROXY, "global": GLOBAL, "bind": BIND, "server": SERVER}


def words(kind: str) -> Iterator[tuple[str, Keyword, str]]:
    for family, vocabulary in FAMILIES.items():
        for word in vocabulary.registry:
            for example in getattr(word, kind):
                yield family, word, example


def identifier(value: object) -> str | None:
    return value if isinstance(value, str) else None


GOOD = [entry for entry in words("ok") if not entry[1].facts.get("refused")]
BAD = list(words("bad"))


@pytest.fixture(autouse=True)
def beside_certificates(monkeypatch: pytest.MonkeyPatch) -> None:
    """Examples name files that are there."""
    monkeypatch.chdir(Path(__file__).parents[3] / "fixtures" / "tls")


@pytest.mark.parametrize(("family", "word", "example"), GOOD, ids=identifier)
def test_good_example(family: str, word: Keyword, example: str, tmp_path: Path) -> None:
    if word.name in OUTSIDE:
        pytest.skip("needs more than its own line")
    made, found = read(frames(family, word, example), tmp_path)
    assert [entry.message for entry in found if entry.severity is Severity.ALERT] == []
    again, _ = read(print_configuration(made), tmp_path)
    for part in ("global_", "defaults", "proxies", "http_errors"):
        assert getattr(again, part) == getattr(made, part), part


@pytest.mark.parametrize(("family", "word", "example"), BAD, ids=identifier)
def test_bad_example(family: str, word: Keyword, example: str, tmp_path: Path) -> None:
    _, found = read(frames(family, word, example), tmp_path)
    assert found.has_errors, f"{example!r} was accepted"


@pytest.mark.parametrize(("family", "word", "example"), GOOD, ids=identifier)
def test_planned_words_say_so(family: str, word: Keyword, example: str, tmp_path: Path) -> None:
    _, found = read(frames(family, word, example), tmp_path)
    codes = [entry.code for entry in found if entry.severity is Severity.NOTICE]
    if word.planned and word.name not in OUTSIDE:
        assert "not-executed-yet" in codes
    if not word.effect:
        assert "not-executed-yet" not in codes


def test_the_vocabulary_keeps_its_size() -> None:
    """Words do not get lost: the counts are those of the reference's keyword lists, or more."""
    floors = {"proxy": 225, "global": 254, "bind": 82, "server": 127}
    for family, floor in floors.items():
        assert len(FAMILIES[family].registry) >= floor, family


def test_every_slot_can_be_found() -> None:
    for vocabulary in FAMILIES.values():
        for slot in vocabulary:
            found, index = vocabulary.find(slot.keyword.name.split())
            assert isinstance(found, Slot) and found.keyword is slot.keyword
            assert index == len(slot.keyword.name.split())
