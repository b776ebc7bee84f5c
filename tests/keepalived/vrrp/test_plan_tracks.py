"""What an instance watches on its own account, and what its sync group adds."""

from dataclasses import replace

import pytest
from test_router import A

from evener.keepalived.vrrp.plan import SyncGroup, Track, TrackKind
from evener.keepalived.vrrp.plan_tracks import all_tracks, with_group

INTERFACE = TrackKind.INTERFACE


@pytest.mark.parametrize(
    ("own", "of_group", "counts"),
    [
        ((), Track(INTERFACE, "eth7", 10), [("eth7", 10)]),
        ((Track(INTERFACE, "eth7", 5),), Track(INTERFACE, "eth7", 10), [("eth7", 10)]),
        ((Track(INTERFACE, "eth7", 5),), Track(INTERFACE, "eth7"), [("eth7", 0)]),
        ((Track(INTERFACE, "eth7"),), Track(INTERFACE, "eth7", 10), [("eth7", 0)]),
        ((Track(INTERFACE, "eth7", 5),), Track(INTERFACE, "eth8", 10), [("eth7", 5), ("eth8", 10)]),
    ],
)
def test_an_interface_is_tracked_once(
    own: tuple[Track, ...], of_group: Track, counts: list[tuple[str, int]]
) -> None:
    config = replace(A, tracks=own)
    tracks = with_group(config, SyncGroup("G", ("A",), (of_group,)))
    assert [(t.name, t.weight) for t in tracks if t.kind is INTERFACE and t.name != A.interface] == counts


def test_the_interface_of_the_instance_stays_decisive() -> None:
    group = SyncGroup("G", ("A",), (Track(INTERFACE, A.interface or "", 10),))
    assert with_group(A, group) == all_tracks(A)
    free = replace(A, track_primary=False)
    assert [t.weight for t in with_group(free, group) if t.kind is INTERFACE and t.name == A.interface] == [
        10
    ]


def test_without_a_group_and_what_else_a_group_tracks() -> None:
    script = Track(TrackKind.SCRIPT, "s", 5)
    assert with_group(A, None) == all_tracks(A)
    assert with_group(A, SyncGroup("G", ("A",), (script,))) == (*all_tracks(A), script)
