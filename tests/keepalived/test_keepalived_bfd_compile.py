"""bfd_instance blocks: what is refused while they are read, and the plan of what is not."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from kadtext import read

from evener.cli.evener import main
from evener.keepalived.bfd.plan import ANY_HOPS, SessionConfig
from evener.keepalived.compile import compile_plan
from evener.keepalived.compile_bfd import bfd_plan
from evener.keepalived.vrrp.plan import Track, TrackKind

INSTANCE = """
vrrp_instance V {
 interface eth0
 virtual_router_id 9
 no_virtual_ipaddress
 track_bfd {
  a
  b weight -20 reverse
 }
}
"""
FULL = """
bfd_instance a {
 neighbor_ip 10.0.0.2
}
bfd_instance b {
 source_ip fd00::1
 neighbour_ip fd00::2
 min_rx 20.5
 min_tx 30
 idle_tx 2000
 multiplier 7
 passive
 hoplimit 200
 max_hops -1
 multihop
 vrrp
 weight 5
}
bfd_instance unseen {
 neighbor_ip 10.0.0.4
 ttl 3
 max_hops 9
 checker
}
"""


def test_defaults_and_everything() -> None:
    configuration, said = read(FULL + INSTANCE)
    a, b, unseen = bfd_plan(configuration).sessions
    assert a == SessionConfig("a", bytes((10, 0, 0, 2)), tell_checker=False)
    assert (b.min_rx_us, b.min_tx_us, b.idle_tx_us, b.multiplier) == (20_500, 30_000, 2_000_000, 7)
    assert (b.passive, b.multihop, b.ttl, b.max_hops) == (True, True, 200, ANY_HOPS)
    assert b.source is not None and b.tell_vrrp and not b.tell_checker
    assert (unseen.ttl, unseen.max_hops, unseen.tell_vrrp, unseen.tell_checker) == (3, 3, False, False)
    assert any("max_hops exceeds ttl/hoplimit - setting to ttl/hoplimit" in d.message for d in said)


def test_what_instances_track() -> None:
    configuration, _ = read(FULL + INSTANCE)
    [config] = compile_plan(configuration).instances
    assert [t for t in config.tracks if t.kind is TrackKind.BFD] == [
        Track(TrackKind.BFD, "a"),
        Track(TrackKind.BFD, "b", -20, reverse=True),
    ]


def test_families_must_agree() -> None:
    configuration, said = read("bfd_instance a {\n source_ip fd00::1\n neighbor_ip 10.0.0.2\n}\n")
    assert configuration.bfd_instance == ()
    [line] = said
    assert "are not of the same family, disabling instance" in line.message


def test_evener_shows_the_plan(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    conf = tmp_path / "conf"
    conf.write_text("bfd_instance peer {\n neighbor_ip 10.0.0.2\n min_tx 50\n}\n", encoding="ascii")
    assert main(["compile", "--json", "-k", str(conf)]) == 0
    (session,) = json.loads(capsys.readouterr().out)["keepalived"]["bfd"]["sessions"]
    assert (session["name"], session["min_tx_us"]) == ("peer", 50_000)
