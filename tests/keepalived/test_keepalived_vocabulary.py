"""The declarations: complete against the list of keywords, with examples that do what they say."""

from __future__ import annotations

from pathlib import Path

import pytest
from kadtext import read

from evener.keepalived.declare import declarations, form_of
from evener.keepalived.ir import Configuration
from evener.keepalived.resolve import Surroundings
from evener.keepalived.shape import Form
from evener.text.diagnostic import Severity

LIST = Path(__file__).parents[2] / "fixtures" / "keepalived" / "keywords.txt"

DECLARED = tuple(declarations(Configuration))

NAMES = {
    "virtual_server": "virtual_server 10.0.0.5 80",
    "real_server": "real_server 10.0.0.7 80",
    "vrrp_instance": "vrrp_instance A",
    "vrrp_sync_group": "vrrp_sync_group A",
    "vrrp_script": "vrrp_script A",
    "vrrp_track_process": "vrrp_track_process A",
    "track_file": "track_file A",
    "vrrp_track_file": "vrrp_track_file A",
    "track_group": "track_group A",
    "bfd_instance": "bfd_instance A",
}

NEEDED = {
    "vrrp_instance": "interface eth0\nvirtual_router_id 9\nno_virtual_ipaddress\n",
    "vrrp_sync_group": "group { V }\n",
    "vrrp_script": "script /bin/true\n",
    "track_file": "file /x\n",
    "vrrp_track_file": "file /x\n",
    "garp_group": "garp_interval 1\n",
    "bfd_instance": "neighbor_ip 10.0.0.2\n",
    "virtual_server": "protocol TCP\nlvs_sched rr\nlvs_method NAT\nreal_server 10.0.0.9 81 { weight 9 }\n"
    "sorry_server 10.0.0.8 80\n",
    "MISC_CHECK": "misc_path /bin/true\n",
    "HTTP_GET": "url { path / }\n",
    "SSL_GET": "url { path / }\n",
    "FILE_CHECK": "track_file f\n",
    "BFD_CHECK": "name x\n",
}

BEFORE = """
vrrp_script x { script /bin/true }
track_file f { file /f }
track_file x { file /x }
vrrp_track_process x { process p }
bfd_instance x { neighbor_ip 10.0.0.3 }
vrrp_instance V { interface eth0
virtual_router_id 99
no_virtual_ipaddress
}
vrrp_instance VI_1 { interface eth0
virtual_router_id 98
no_virtual_ipaddress
}
"""


def test_every_keyword_is_declared_and_no_other() -> None:
    wanted = {
        tuple(line.split("\t")) for line in LIST.read_text().splitlines() if line and not line.startswith("#")
    }
    forms = {Form.LEAF: "leaf", Form.BLOCK: "block", Form.VALUES: "values"}
    declared = {("/".join(path) or "-", word.name, forms[form_of(word.argument)]) for path, word in DECLARED}
    assert declared == wanted
    assert len(declared) >= 530


def test_the_slice_is_executed() -> None:
    working = {word.name for path, word in DECLARED if path == ("vrrp_instance",) and not word.planned}
    assert {
        "state",
        "interface",
        "virtual_router_id",
        "priority",
        "advert_int",
        "version",
        "nopreempt",
    } <= working
    assert {
        "virtual_ipaddress",
        "unicast_peer",
        "track_script",
        "track_interface",
        "notify",
        "authentication",
    } <= working


def configuration_with(path: tuple[str, ...], statement: str) -> tuple[str, int]:
    """A configuration in which ``statement`` stands in the block ``path``, and its line."""
    before, after = BEFORE, ""
    for keyword in path:
        before += f"{NAMES.get(keyword, keyword)} {{\n{NEEDED.get(keyword, '')}"
        after += "}\n"
    return f"{before}{statement}\n{after}", before.count("\n") + 1


def faults(path: tuple[str, ...], statement: str, only_there: bool) -> set[str]:
    """What is wrong with the configuration, or only with the line of the statement."""
    text, line = configuration_with(path, statement)
    _, found = read(text, surroundings=Surroundings(interfaces=frozenset(["lo", "eth0", "x", "a"])))
    return {
        d.message
        for d in found
        if d.severity >= Severity.WARNING and not (only_there and (d.span is None or d.span.line != line))
    }


def cases(kind: str) -> list[object]:
    return [
        pytest.param(path, statement, id=f"{'/'.join((*path, word.name))}: {statement}")
        for path, word in DECLARED
        for statement in (word.ok if kind == "ok" else word.bad)
    ]


REMARKS = (
    "deprecated",
    "Please use global",
    "iptables not supported",
    "address family must match",
    "only applies to sh scheduler",
    "please replace with",
    "Cannot specify VRF interface and interface",
    "already specified",
    "already set",
)
"""Said of statements that are right."""


@pytest.mark.parametrize(("path", "statement"), cases("ok"))
def test_good_examples(path: tuple[str, ...], statement: str) -> None:
    wrong = faults(path, statement, only_there=True)
    assert {message for message in wrong if not any(remark in message for remark in REMARKS)} == set()


@pytest.mark.parametrize(("path", "statement"), cases("bad"))
def test_bad_examples(path: tuple[str, ...], statement: str) -> None:
    assert faults(path, statement, only_there=False) - faults(path, "", only_there=False)


def test_the_whole_language_is_executed() -> None:
    assert [(*path, word.name) for path, word in DECLARED if word.planned] == []
