"""Canonical text: reading it gives the same IR, printing that gives the same text."""

from __future__ import annotations

import pytest
from kadtext import instance, read
from test_keepalived_vocabulary import configuration_with

from evener.keepalived.declare import declarations
from evener.keepalived.ir import Configuration
from evener.keepalived.print import text

EXAMPLES = [(path, good) for path, word in declarations(Configuration) for good in word.ok]


def fixed_point(source: str) -> str:
    first, _ = read(source)
    assert first is not None
    written = text(first)
    second, _ = read(written)
    assert second == first
    assert text(second) == written
    return written


@pytest.mark.parametrize(("path", "good"), EXAMPLES, ids=lambda value: str(value))
def test_every_good_example(path: tuple[str, ...], good: str) -> None:
    fixed_point(configuration_with(path, good)[0])


def test_canonical_text() -> None:
    assert fixed_point("$P=77\n" + instance("  priority $P # c\nadvert_int 1.50\nversion 3")) == (
        "vrrp_instance A {\n"
        "    interface eth0\n"
        "    virtual_router_id 9\n"
        "    priority 77\n"
        "    version 3\n"
        "    advert_int 1.5\n"
        "    virtual_ipaddress {\n"
        "        10.1.0.1/24\n"
        "    }\n"
        "}\n"
    )


def test_words_that_need_quotes() -> None:
    written = fixed_point('global_defs {\nrouter_id "a b#c{d}"\n}\n')
    assert 'router_id "a b#c{d}"' in written


def test_old_spellings_become_new_ones() -> None:
    written = fixed_point(
        "virtual_server 10.0.0.5 80 {\nlb_algo rr\nlb_kind DR\nprotocol TCP\nreal_server 10.0.0.7 80 { }\n}\n"
    )
    assert "lvs_sched rr" in written
    assert "lb_algo" not in written
