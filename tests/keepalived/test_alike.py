"""Blocks that are written alike: made of a pattern they are what reading them line by line makes of them."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import pytest

from evener.keepalived import reader
from evener.keepalived.compile_daemon import compile_daemon
from evener.keepalived.compile_lvs import Compiled, compile_lvs
from evener.keepalived.declare import Block
from evener.keepalived.files import Memory
from evener.keepalived.ir import Configuration
from evener.keepalived.lvs.plan import VirtualServer
from evener.keepalived.plan import DaemonPlan
from evener.keepalived.resolve import LoadOptions, load
from evener.keepalived.twins import Twins
from evener.text.diagnostic import Diagnostics
from evener.text.render_keepalived import render_all
from evener.text.span import Span

SERVER = """
virtual_server {0} {{
    lvs_sched wrr   # a comment {0}
    {method}
    protocol TCP
    real_server {1} {{
        weight 1
    }}
    real_server {2} {{  ! another
        {check}
        weight 2
    }}
}}
"""
TCP = "TCP_CHECK {\n connect_timeout 3\n }"
WEB = "HTTP_GET {\n url {\n path /\n status_code 200\n }\n connect_port 81\n }"


def block(*names: str, method: str = "lvs_method NAT", check: str = "") -> str:
    return SERVER.format(*names, method=method, check=check)


def read(text: str, passages: bool, **files: str) -> tuple[Configuration, DaemonPlan, list[str]]:
    found: Diagnostics = Diagnostics()
    texts = {
        name: part.encode("utf-8", "surrogateescape") for name, part in {"k.conf": text, **files}.items()
    }
    options = LoadOptions(reader.Options(files=Memory(texts), passages=passages))
    configuration = load("k.conf", found, options)
    return configuration, compile_daemon(configuration), list(render_all(found))


def places(made: Any) -> list[Any]:
    """Every span of a block and of the blocks in it; the spans of fields only of real servers and below."""
    found: list[Any] = []
    for entry in fields(made):
        value = getattr(made, entry.name)
        if isinstance(value, Span):
            found.append((entry.name, value.source.name, value[1:]))
        elif isinstance(value, (tuple, Twins)):
            found += [places(inner) for inner in value if isinstance(inner, Block)]
    return found


def lines(made: Block) -> dict[str, int]:
    return {name: span.line for name, span in made.spans.items()}


A, B, C = (
    ("10.0.0.1 80", "10.1.0.1 8080", "10.1.0.2 8080"),
    ("10.0.0.2 443", "10.1.0.17 80", "10.1.0.18 81"),
    (),
)

CASES = {
    "alike": block(*A) + block(*B) + block("10.0.0.3 80", "10.9.9.9 1", "10.9.9.8 65535"),
    "checks": block(*A, check=TCP) + block(*B, check=TCP) + block(*A, check=WEB) + block(*B, check=WEB),
    "the same servers again": block(*A) * 2
    + block(*B, check=TCP)
    + block("10.0.0.9 80", *B[1:], check=TCP) * 2,
    "ipv6": block("fd00::1 80", "fd00::2 80", "fd00::3 80")
    + block("fd00:0::4 80", "FD00::5 80", "fd00::6 80"),
    "another family": block(*A) + block("10.0.0.2 80", "fd00::1 80", "10.1.0.1 80"),
    "bad address": block(*A) + block("10.0.0.2 80", "10.0.0.300 80", "10.1.0.1 80"),
    "bad virtual address": block(*A) + block("10.0.0 80", "10.0.0.3 80", "10.1.0.1 80") + block(*B),
    "bad port": block(*A) + block("10.0.0.2 80", "10.0.0.3 70000", "10.1.0.1 80"),
    "zero port": block(*A) + block("10.0.0.2 0", "10.0.0.3 80", "10.1.0.1 80"),
    "twice": block(*A) + block("10.0.0.2 80", "10.0.0.3 80", "10.0.0.3 80"),
    "ports by DR": block("10.0.0.1 80", "10.0.0.2 80", "10.0.0.3 80", method="lvs_method DR")
    + block("10.0.0.4 80", "10.0.0.5 80", "10.0.0.6 81", method="lvs_method DR")
    + block("10.0.0.7 81", "10.0.0.5 81", "10.0.0.6 81", method="lvs_method DR"),
    "something is said of each": block(*A, method="") + block(*B, method="") + block(*A, method="quorum 9"),
    "unknown word": block(*A, method="frog 1") + block(*B, method="frog 1"),
    "planned word": block(*A, method="snmp_name a") + block(*B, method="snmp_name a"),
    "scripts": block(*A, check="notify_up /bin/true") + block(*B, check="notify_up /bin/true"),
    "misc": block(*A, check="MISC_CHECK {\n misc_path /bin/true\n }") * 2,
    "inside another block": "frogs {\n" + block(*A) + block(*B) + "}\n" + block(*B),
    "inside values": "static_ipaddress {\n" + block(*A) + block(*B) + "}\n" + block(*B),
    "values without a brace": "static_ipaddress\n" + block(*A) + block(*B) + "}\n" + block(*B),
    "block without a brace": "vrrp_instance a\n" + block(*A) + block(*B),
    "not closed": block(*A) + block(*B) + block(*B).rstrip("}\n"),
    "closed too often": block(*A) + "}\n" + block(*B),
    "in a definition": "$X= \\\nfirst\\\n" + block(*A).lstrip() + block(*B),
    "after a definition": "$X= \\\n" + block(*A) + block(*B) + "$X\n",
    "parameters": "$P=80\n" + block(*A) + block("10.0.0.2 $P", "10.0.0.3 80", "10.0.0.4 80"),
    "condition": block(*A) + block(*B, method="@other lvs_method DR"),
    "include": block(*A) + block(*B, check="include other") + block(*B),
    "quotes": block(*A) + block('"10.0.0.2" 80', "10.0.0.3 80", "10.0.0.4 80"),
    "no end of line": (block(*A) + block(*B)).rstrip("\n"),
    "carriage returns": (block(*A) + block(*B)).replace("\n", "\r\n"),
    "long line": block(*A) + block(*B, check="#" + "x" * 1100),
    "nul": block(*A) + block(*B, check="\0"),
    "odd bytes": block(*A, check="# \udcff") + block(*B, check="# \udcfe\udcff"),
    "one line": "virtual_server 10.0.0.1 80 { protocol TCP }\n" + block(*A) + block(*B),
    "between": block(*A) + "global_defs {\n router_id a\n}\n" + block(*B) + "frog\n" + block(*B),
}


@pytest.mark.parametrize("text", CASES.values(), ids=CASES.keys())
def test_the_same_as_line_by_line(text: str) -> None:
    other = {"other": "weight 3\n"}
    configuration, plan, said = read(text, True, **other)
    expected, expected_plan, expected_said = read(text, False, **other)
    assert said == expected_said
    assert configuration == expected
    assert plan == expected_plan
    for mine, theirs in zip(configuration.virtual_server, expected.virtual_server, strict=True):
        assert places(mine) == places(theirs)
        assert lines(mine) == lines(theirs)
        for real, other_real in zip(mine.real_server, theirs.real_server, strict=True):
            assert lines(real) == lines(other_real)


def twins(text: str, **files: str) -> list[bool]:
    configuration, _, _ = read(text, True, **files)
    return [isinstance(server.real_server, Twins) for server in configuration.virtual_server]


def test_the_second_of_a_form_is_made_of_the_first() -> None:
    assert twins(CASES["alike"]) == [False, True, True]
    assert twins(CASES["checks"]) == [False, True, False, True]
    assert twins(CASES["ports by DR"]) == [False, False, True]
    assert twins(CASES["scripts"]) == [False, False]


def test_blocks_in_included_files_too() -> None:
    text = block(*A) + "include more\n"
    assert twins(text, more=block(*B)) == [False, True]
    configuration, _, _ = read(text, True, more="\n" + block(*B))
    made = configuration.virtual_server[1]
    assert made.at is not None
    assert (made.at.source.name, made.at.line) == ("more", 3)
    assert [str(real.at) for real in made.real_server] == ["more:7", "more:10"]


def test_what_is_the_same_when_a_file_is_read_again_is_not_compiled_again() -> None:
    compiled = Compiled()

    def servers(text: str) -> tuple[VirtualServer, ...]:
        configuration, plan, _ = read(text, True)
        made = compile_lvs(configuration, compiled)
        assert made == plan.checker
        return made.virtual_servers

    more = block("10.0.0.3 80", "10.9.9.9 1", "10.9.9.8 65535")
    first = servers(block(*A) + block(*B))
    second = servers(block(*A) + more + block(*B))
    assert second[2] is first[1]
    third = servers("global_defs {\nsmtp_alert\n}\n" + block(*A) + block(*B))
    assert third[1].mail and not first[1].mail
