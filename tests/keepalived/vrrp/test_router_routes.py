"""Routes and rules of a master, and the interfaces they make it depend on."""

import socket
from dataclasses import replace

from test_router import MASTER, QUIET, Room, instance, plan, vip

from evener.keepalived.vrrp.messages import AddAddresses, AddRoutes, RemoveAddresses, RemoveRoutes
from evener.keepalived.vrrp.plan import State, TrackKind
from evener.keepalived.vrrp.plan_routes import FR_ACT_TO_TBL, Prefix, Route, Rule


def route(last: int, **changes: object) -> Route:
    made = Route(socket.AF_INET, Prefix(socket.inet_aton(f"10.{last}.0.0"), 16), device="eth0")
    return replace(made, **changes)


RULE = Rule(socket.AF_INET, FR_ACT_TO_TBL, 77, attributes=(("PRIORITY", 5),))
A = instance("A", 1, routes=(route(1), route(2, device="eth1")), rules=(RULE,), garp=QUIET)


def order(room: Room) -> list[type]:
    kinds = (AddAddresses, AddRoutes, RemoveAddresses, RemoveRoutes)
    return [type(step.command) for step in room.steps if isinstance(step.command, kinds)]


def test_a_master_has_them_and_nobody_else() -> None:
    room = Room(plan(A)).start()
    assert order(room) == [RemoveRoutes, RemoveAddresses], "what a predecessor may have left"
    room.steps.clear()
    room.wait(0.5)
    assert order(room) == [AddAddresses, AddRoutes]
    room.steps.clear()
    room.steps += room.router.stop(room.clock.now)
    assert order(room) == [RemoveRoutes, RemoveAddresses]


def test_their_interfaces_decide_unless_they_are_not_to_be_tracked() -> None:
    room = Room(plan(A)).start().wait(0.5)
    assert room.track(TrackKind.INTERFACE, "eth1", False).states() == [State.FAULT]
    loose = replace(A, routes=(route(2, device="eth1", tracked=False),), rules=())
    assert Room(plan(loose)).start().wait(0.5).track(TrackKind.INTERFACE, "eth1", False).states() == [MASTER]


def test_an_address_elsewhere_decides_too() -> None:
    elsewhere = replace(A, routes=(), addresses=(vip(1), replace(vip(2), device="eth2")))
    room = Room(plan(elsewhere)).start().wait(0.5)
    assert room.track(TrackKind.INTERFACE, "eth2", False).states() == [State.FAULT]
    unwatched = replace(elsewhere, track_primary=False)
    room = Room(plan(unwatched)).start().wait(0.5)
    assert room.track(TrackKind.INTERFACE, "eth0", False).states() == [MASTER], "dont_track_primary"


def test_a_lost_route_ends_mastership() -> None:
    room = Room(plan(A)).start().wait(0.5)
    room.steps.clear()
    room.steps += room.router.route_lost(room.clock.now, "A", "route x")
    assert room.states() == [State.BACKUP]
    assert room.router.route_lost(room.clock.now, "A", "route x") == []
    assert room.wait(0.5).states() == [MASTER]


def test_a_reload_carries_out_the_difference() -> None:
    room = Room(plan(A)).start().wait(0.5)
    changed = replace(A, routes=(route(1), route(3)), rules=())
    before, after = room.router.reload(room.clock.now, plan(changed))
    steps = [*before, *after(room.clock.now)]
    commands = [s.command for s in steps if isinstance(s.command, (AddRoutes, RemoveRoutes))]
    assert commands == [RemoveRoutes((route(2, device="eth1"),), (RULE,)), AddRoutes((route(3),), ())]
    assert room.states() == [MASTER]
