"""Weights that cannot count: in a sync group, and with the owner of the addresses."""

from __future__ import annotations

from kadtext import instance, read, said

THINGS = """
vrrp_script s { script /bin/true
 weight 5
}
track_file f { file /run/f }
vrrp_track_process p { process p
 weight 3
}
bfd_instance b { neighbor_ip 10.0.0.2 }
"""
TRACKS = """
track_interface { eth1 weight 7 }
track_script { s }
track_file { f weight 2 }
track_bfd { b weight 4 }
track_process { p }
"""
GROUP = "vrrp_sync_group G {\ngroup {\nA\nB\n}\n%s}\n"
OTHER = instance("", "B").replace(" 9", " 10")


def test_a_member_of_a_group_has_no_weights() -> None:
    text = THINGS + GROUP % "" + instance(TRACKS) + OTHER
    assert said(text) == [
        "(A) ignoring eth1 tracked interface weight due to SYNC group",
        "(A) ignoring tracked script s with weights due to SYNC group",
        "(A) ignoring tracked file f with weight 2 due to SYNC group",
        "(A) ignoring tracked bfd b with weight 4 due to SYNC group",
    ]
    made, _ = read(text)
    assert made is not None
    member = made.vrrp_instance[0]
    assert [(t.name, t.weight) for t in member.track_interface] == [("eth1", 0)]
    assert [t.name for t in member.track_process] == ["p"]
    assert member.track_script == member.track_file == member.track_bfd == ()


def test_a_file_of_the_default_weight_becomes_decisive() -> None:
    text = THINGS + GROUP % "" + instance("track_file { f }") + OTHER
    assert said(text) == ["(A) ignoring weight from tracked file f due to SYNC group. specify weight 0"]


def test_a_group_may_want_the_weights() -> None:
    assert said(THINGS + GROUP % "sync_group_tracking_weight\n" + instance(TRACKS) + OTHER) == []


def test_an_owner_does_not_track_with_weights() -> None:
    assert said(THINGS + instance(f"priority 255\n{TRACKS}")) == [
        "(A) ignoring eth1 tracked interface due to address owner",
        "(A) ignoring tracked script s with weights due to address_owner",
        "(A) ignoring tracked file f with weight 2 due to address_owner",
        "(A) ignoring tracked bfd b with weight 4 due to address_owner",
    ]


def test_a_group_with_an_owner_in_it() -> None:
    text = THINGS + GROUP % "track_script { s }\n" + instance("priority 255") + OTHER
    assert said(text) == [
        "(G) Cannot have weighted track script 's' with member having priority 255 - clearing weight"
    ]


def test_faults_in_the_declarations_of_things() -> None:
    assert said(
        "track_file f {\nfile /x\ninit_file 300 often\n}\nvrrp_track_process p {\nquorum_max 2\nquorum 3\n}\n"
    ) == [
        "(Line 3) Track file f init value 300 is outside sensible range [-254, 254]",
        "(Line 3) Unknown track file init option often",
        "(Line 7) Quorum is greater than quorum_max - ignoring",
        "(Line 8) track process 'p' process name not specified",
    ]
