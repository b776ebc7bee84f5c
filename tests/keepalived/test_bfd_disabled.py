"""What tracks a BFD session that is disabled goes with it, and nothing is said of it again."""

from __future__ import annotations

from kadtext import read

from evener.keepalived.print import text

CONFIGURATION = """
bfd_instance B {
 weight 5
}
vrrp_instance A {
 interface eth0
 virtual_router_id 4
 no_virtual_ipaddress
 track_bfd {
  B weight 7
 }
}
virtual_server 10.0.0.5 80 {
 protocol TCP
 lvs_sched rr
 lvs_method NAT
 real_server 10.0.0.7 80 {
  BFD_CHECK {
   name B
  }
 }
}
"""


def test_nothing_tracks_it() -> None:
    configuration, found = read(CONFIGURATION)
    assert configuration is not None
    assert [d.code for d in found] == ["no-neighbor"]
    assert not configuration.vrrp_instance[0].track_bfd
    assert not configuration.virtual_server[0].real_server[0].bfd_check
    again, said = read(text(configuration))
    assert again == configuration
    assert not list(said)
