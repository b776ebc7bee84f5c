"""A reload: only what changed is sent to the checker process, compared there, and told to the engine."""

from __future__ import annotations

import pickle
import socket
from collections.abc import Sequence
from dataclasses import replace

from evener.keepalived.lvs.diff import Table
from evener.keepalived.lvs.director import Director
from evener.keepalived.lvs.ipvs import (
    AddDestination,
    AddService,
    DeleteDestination,
    DeleteService,
    Failure,
    Service,
    ServiceKey,
    SetDestination,
    singly,
)
from evener.keepalived.lvs.plan import CheckerOptions, CheckerPlan, RealServer, VirtualServer
from evener.keepalived.lvs.plan_update import Kept, difference, updated
from evener.keepalived.vrrp.plan import Family

MANY = 300


def virtual(number: int, weights: Sequence[int] = (1, 2), group: tuple[int, ...] = ()) -> VirtualServer:
    keys = tuple(
        ServiceKey(Family.INET, socket.IPPROTO_TCP, bytes((10, 0, each >> 8, each & 255)), 80)
        for each in group or (number,)
    )
    reals = tuple(
        RealServer(bytes((10, 1, 0, place)), 80, f"[10.1.0.{place}]:tcp:80", weight=weight)
        for place, weight in enumerate(weights)
    )
    return VirtualServer(f"v{number}", f"[v{number}]", keys, Service(keys[0]), reals)


def plan(*changed: VirtualServer, without: Sequence[int] = ()) -> CheckerPlan:
    """Made anew each time, as reading does."""
    servers = {f"v{number}": virtual(number) for number in range(MANY) if number not in without}
    servers.update((server.name, server) for server in changed)
    return CheckerPlan(CheckerOptions(), tuple(servers.values()))


def handed_over(old: CheckerPlan, new: CheckerPlan) -> CheckerPlan:
    """As it travels."""
    made = updated(old, pickle.loads(pickle.dumps(difference(old, new))))
    assert made == new
    return made


def test_what_is_the_same_is_not_sent() -> None:
    assert difference(plan(), plan()).servers == (Kept(0, MANY),)
    assert len(pickle.dumps(difference(plan(), plan()))) < 2000


def test_what_changed_stands_between() -> None:
    new = plan(virtual(7, (1, 9)), virtual(900), without=[20])
    assert difference(plan(), new).servers == (
        Kept(0, 7), virtual(7, (1, 9)), Kept(8, 20), Kept(21, MANY), virtual(900),
    )  # fmt: skip


def test_objects_live_on() -> None:
    old = plan()
    made = handed_over(old, plan(virtual(7, (1, 9))))
    kept = [new is before for new, before in zip(made.virtual_servers, old.virtual_servers, strict=True)]
    assert kept == [number != 7 for number in range(MANY)]


def test_another_order_and_other_options() -> None:
    old = plan()
    new = CheckerPlan(CheckerOptions(router_id="a"), old.virtual_servers[::-1])
    assert handed_over(old, new).options.router_id == "a"


def loaded(director: Director) -> Table:
    """What the engine has, from scratch."""
    return {
        key: made for service in director.services.values() for key, made in service.pool.desired().items()
    }


def reloaded(new: CheckerPlan) -> tuple[Director, list[object]]:
    old = plan()
    director = Director(old)
    director.start()
    step = director.use(handed_over(old, new))
    assert director.table == loaded(director)
    return director, list(singly(step.changes))


def test_nothing_to_do() -> None:
    assert reloaded(plan())[1] == []


def test_a_virtual_server_more() -> None:
    more = virtual(900)
    _, changes = reloaded(plan(more))
    assert [type(change) for change in changes] == [AddService, AddDestination, AddDestination]


def test_one_less() -> None:
    director, changes = reloaded(plan(without=[5]))
    assert changes == [DeleteService(virtual(5).members[0])]
    assert "v5" not in director.services


def test_a_weight_and_a_server() -> None:
    _, changes = reloaded(plan(virtual(3, (1, 9)), virtual(4, (1,))))
    assert [type(change) for change in changes] == [SetDestination, DeleteDestination]


def test_a_service_that_moves_to_another_virtual_server() -> None:
    """The one that goes must not take it away from the one that has it now."""
    _, changes = reloaded(plan(virtual(900, group=(5, 1000)), without=[5]))
    assert [type(change) for change in changes] == [AddService, AddDestination, AddDestination]


def test_two_with_the_same_service() -> None:
    """The last one counts, as when everything is compared."""
    director, changes = reloaded(plan(replace(virtual(5, (7, 2)), name="again")))
    assert [type(change) for change in changes] == [SetDestination]
    step = director.use(plan())
    assert [type(change) for change in step.changes] == [SetDestination]


def test_what_the_engine_refused_is_tried_again() -> None:
    old = plan()
    director = Director(old)
    refused = next(singly(director.start().changes))
    director.failed([Failure(refused, 1, "no")])
    step = director.use(handed_over(old, plan()))
    assert [type(change) for change in singly(step.changes)] == [AddService, AddDestination, AddDestination]
    assert director.use(handed_over(old, plan())).changes == ()
