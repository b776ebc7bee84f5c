"""Pages: every declared word has one, and it is found by the names a person would use."""

import io
import json

import pytest

from evener.desk.explain import FEW, all_pages, as_json, show, within
from evener.desk.pages import Page, Standing, closest, find

PAGES = all_pages()


def shown(pages: list[Page]) -> str:
    out = io.StringIO()
    show(pages, out)
    return out.getvalue()


def names(pages: list[Page]) -> set[tuple[str, str]]:
    return {(page.family, page.name) for page in pages}


def test_every_word_says_what_it_is() -> None:
    assert len(PAGES) >= 2300
    for page in PAGES:
        assert page.doc.strip() and page.signature and page.family, page
        assert page.contexts or page.standing is Standing.REMOVED, page


def test_every_word_of_haproxy_has_examples() -> None:
    for page in PAGES:
        if page.product == "haproxy" and page.standing not in (Standing.REMOVED, Standing.ABSENT):
            assert page.good and page.bad, (page.family, page.name)


FLOORS = {
    "section": 23, "section line": 90, "SPOE line": 26, "crt-list option": 18, "certificate word": 14,
    "filter": 9, "service": 1, "ACL word": 77, "log format alias": 65, "runtime command": 133,
    "sample fetch": 562, "converter": 208, "action": 78,
}  # fmt: skip


@pytest.mark.parametrize(("family", "least"), FLOORS.items())
def test_families_keep_their_size(family: str, least: int) -> None:
    assert sum(page.family == family for page in PAGES) >= least


def test_a_page_is_of_one_word() -> None:
    keys = [(page.product, page.family, page.name, page.contexts) for page in PAGES]
    assert len(keys) == len(set(keys))


@pytest.mark.parametrize(
    ("asked", "family", "name"),
    [
        ("balance", "proxy keyword", "balance"),
        ("forwardfor", "proxy keyword", "option forwardfor"),
        ("timeout", "proxy keyword", "timeout client"),
        ("timeout", "vrrp_script", "timeout"),
        ("lower()", "converter", "lower"),
        ("req.hdr(host)", "sample fetch", "req.hdr"),
        ("path_beg", "ACL word", "path_beg"),
        ("set-header", "action", "set-header"),
        ("virtual_router_id", "vrrp_instance", "virtual_router_id"),
        ("show stat", "runtime command", "show stat"),
        ("%ci", "log format alias", "%ci"),
        ("bwlim-out", "filter", "bwlim-out"),
        ("prometheus-exporter", "service", "prometheus-exporter"),
        ("nameserver", "section line", "nameserver"),
        ("register-var-names", "SPOE line", "register-var-names"),
        ("alpn", "crt-list option", "alpn"),
        ("sctl", "certificate word", "sctl"),
        ("total-max-size", "section line", "total-max-size"),
        ("http-request deny", "action", "deny"),
        ("tcp-request content track-sc1", "action", "track-sc"),
        ("track-sc0", "action", "track-sc"),
    ],
)
def test_found(asked: str, family: str, name: str) -> None:
    assert (family, name) in names(find(PAGES, asked))


def test_an_unknown_word_is_not_found_but_guessed() -> None:
    assert find(PAGES, "blance") == find(PAGES, "http-after-response deny") == find(PAGES, "7") == []
    assert "balance" in closest(PAGES, "blance")
    assert closest(PAGES, "zzzzzzzz") == []


def test_a_place_narrows_the_choice() -> None:
    found = find(within(PAGES, "server option"), "weight")
    assert [(page.product, page.family) for page in found] == [("haproxy", "server option")]
    assert {page.product for page in find(within(PAGES, "vrrp"), "priority")} == {"keepalived"}


def test_a_page_shows_all_there_is() -> None:
    text = shown(find(PAGES, "regsub"))
    for part in ("regsub(<regex>,<subst>[,<flags>])", "converter", "executed", "takes", "gives", "right"):
        assert part in text, part


def test_many_pages_become_a_list() -> None:
    found = find(PAGES, "timeout")
    assert len(found) > FEW
    lines = shown(found).splitlines()
    assert any(line.startswith("timeout client ") for line in lines)
    assert not any("may stand in" in line for line in lines)


def test_removed_and_idle_words_say_so() -> None:
    standings = {page.name: page.standing for page in PAGES if page.product == "haproxy"}
    assert standings["reqrep"] is Standing.REMOVED
    assert standings["tune.maxaccept"] is Standing.IDLE
    assert "replace-header" in shown(find(PAGES, "reqrep"))


def test_json_is_for_programs() -> None:
    (page,) = json.loads(as_json(find(PAGES, "regsub")))
    assert page["family"] == "converter"
    assert page["standing"] == "executed"
    assert ["takes", "str"] in page["facts"]
