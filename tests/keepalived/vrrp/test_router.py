"""The router: tracks, scripts, sync groups and reloads, without any I/O."""

import socket
from dataclasses import replace

from clock import Clock

from evener.keepalived.vrrp.admission import Received
from evener.keepalived.vrrp.messages import (
    AddAddresses,
    Command,
    Log,
    Notify,
    RemoveAddresses,
    SendAdvert,
    SendGarp,
    Told,
)
from evener.keepalived.vrrp.plan import (
    GarpOptions,
    Instance,
    Program,
    Script,
    State,
    SyncGroup,
    Track,
    TrackKind,
    VirtualAddress,
    VrrpPlan,
)
from evener.keepalived.vrrp.router import Router, Steps
from evener.wire import vrrp

SOURCE, GROUP = socket.inet_aton("10.0.0.9"), socket.inet_aton("224.0.0.18")
QUIET = GarpOptions(master_delay_us=0, lower_prio_delay_us=0)


def vip(last: int) -> VirtualAddress:
    return VirtualAddress(socket.inet_aton(f"10.0.0.{last}"), 24, "eth0")


def instance(name: str, vrid: int, **changes: object) -> Instance:
    config = Instance(name, vrid, "eth0", version=3, advert_cs=10, addresses=(vip(vrid),), garp=QUIET)
    return replace(config, **changes)


A, B = instance("A", 1), instance("B", 2, interface="eth1")


class Room:
    """A router, a clock, and what was asked for since last looked at."""

    def __init__(self, plan: VrrpPlan) -> None:
        self.clock = Clock()
        self.router = Router(plan)
        self.steps: Steps = []

    def start(self) -> "Room":
        self.steps += self.router.start(self.clock.now)
        return self

    def wait(self, seconds: float) -> "Room":
        """Let time pass, running every timer exactly when it is due."""
        end = self.clock.now + round(seconds * 1e6)
        for _ in range(10_000):
            due = self.router.next_timer()
            if due is None or due > end:
                break
            self.clock.now = max(due, self.clock.now)
            self.steps += self.router.tick(self.clock.now)
        self.clock.now = end
        return self

    def hear(self, name: str, priority: int) -> "Room":
        config = self.router.members[name].machine.config
        addresses = tuple(a.packed for a in config.addresses)
        pdu = vrrp.encode(vrrp.Advert(3, config.vrid, priority, 10, addresses), SOURCE, GROUP)
        received = Received(SOURCE, GROUP, 255, pdu, len(pdu))
        self.steps += self.router.receive(self.clock.now, name, received)
        return self

    def track(self, kind: TrackKind, name: str, up: bool) -> "Room":
        self.steps += self.router.track(self.clock.now, kind, name, up)
        return self

    def states(self) -> list[State]:
        return [member.machine.state for member in self.router.members.values()]

    def taken(self, kind: type[Command]) -> list[tuple[str, Command]]:
        found = [(step.name, step.command) for step in self.steps if isinstance(step.command, kind)]
        self.steps.clear()
        return found


def plan(*instances: Instance, **more: object) -> VrrpPlan:
    return VrrpPlan(instances=instances, **more)


MASTER, BACKUP, FAULT, INIT = State.MASTER, State.BACKUP, State.FAULT, State.INIT


def test_alone() -> None:
    room = Room(plan(A)).start()
    assert room.states() == [BACKUP]
    assert room.wait(0.5).states() == [MASTER]
    assert len(room.taken(SendAdvert)) == 2


def test_own_interface_is_tracked_unless_told_otherwise() -> None:
    room = Room(plan(A, replace(B, interface="eth0", track_primary=False))).start().wait(0.5)
    room.track(TrackKind.INTERFACE, "eth0", False)
    assert room.states() == [FAULT, MASTER]
    assert room.track(TrackKind.INTERFACE, "eth0", True).states() == [BACKUP, MASTER]


def test_starting_with_the_interface_down() -> None:
    room = Room(plan(A))
    room.router.know(TrackKind.INTERFACE, "eth0", False)
    assert room.start().wait(5).states() == [FAULT]


def test_script_results_move_priority_and_faults() -> None:
    tracks = (Track(TrackKind.SCRIPT, "hard"), Track(TrackKind.SCRIPT, "soft", -30))
    program = Program(("/bin/true",))
    scripts = (Script("hard", program, fall=2), Script("soft", program))
    room = Room(plan(replace(A, tracks=tracks), scripts=scripts)).start()
    assert room.wait(5).states() == [INIT]
    now = room.clock.now
    room.steps += room.router.script_result(now, "hard", True, "succeeded")
    assert room.states() == [BACKUP]
    room.steps += room.router.script_result(now, "soft", False, "failed (exited with status 1)")
    assert room.router.members["A"].machine.priority == 70
    logs = [command.message for _, command in room.taken(Log)]
    assert "VRRP_Script(soft) failed (exited with status 1)" in logs
    assert "(A) Changing effective priority from 100 to 70" in logs
    room.router.script_result(now, "hard", False, "failed")
    assert room.states() == [BACKUP]
    room.router.script_result(now, "hard", False, "failed")
    assert room.states() == [FAULT]


GROUPED = plan(A, B, groups=(SyncGroup("G", ("A", "B")),))


def test_group_waits_for_its_last_member_and_goes_together() -> None:
    room = Room(GROUPED).start().wait(0.2)
    room.hear("B", 200)
    assert room.wait(0.2).states() == [BACKUP, BACKUP]  # A's timer has run out, B's has not
    assert room.wait(0.2).states() == [MASTER, MASTER]
    told = [(name, c.told, c.group) for name, c in room.taken(Notify)]
    assert told[-3:] == [("B", Told.MASTER, False), ("A", Told.MASTER, False), ("G", Told.MASTER, True)]


def test_group_member_that_yields_takes_the_others_along() -> None:
    room = Room(GROUPED).start().wait(1)
    room.taken(Command)
    assert room.hear("A", 200).states() == [BACKUP, BACKUP]
    assert not [c for _, c in room.steps and room.taken(SendAdvert)], "no priority 0 for its fellows"


def test_group_member_in_fault_takes_the_others_along_and_back() -> None:
    room = Room(GROUPED).start().wait(1)
    assert room.track(TrackKind.INTERFACE, "eth1", False).states() == [FAULT, FAULT]
    assert room.wait(2).states() == [FAULT, FAULT]
    assert room.track(TrackKind.INTERFACE, "eth1", True).states() == [BACKUP, BACKUP]
    assert room.wait(1).states() == [MASTER, MASTER]


def test_group_track_concerns_all_members() -> None:
    group = SyncGroup("G", ("A", "B"), (Track(TrackKind.INTERFACE, "eth7"),))
    room = Room(plan(A, B, groups=(group,))).start().wait(1)
    assert room.track(TrackKind.INTERFACE, "eth7", False).states() == [FAULT, FAULT]


def test_a_rival_of_one_member_refreshes_all() -> None:
    room = Room(GROUPED).start().wait(1)
    room.taken(Command)
    room.hear("A", 5)
    assert sorted(name for name, _ in room.taken(SendGarp)) == ["A", "B"]


def test_stop_sends_zero_and_removes() -> None:
    room = Room(plan(A)).start().wait(1)
    room.steps = room.router.stop(room.clock.now)
    assert [c for _, c in room.taken(Command) if isinstance(c, SendAdvert | RemoveAddresses)] == [
        SendAdvert(0),
        RemoveAddresses(A.addresses),
    ]


def reload(room: Room, new: VrrpPlan) -> None:
    room.taken(Command)
    before, after = room.router.reload(room.clock.now, new)
    room.steps = [*before, *after(room.clock.now)]


def test_reload_changes_only_what_differs() -> None:
    room = Room(plan(A)).start().wait(1)
    changed = replace(A, addresses=(vip(1), vip(77)), priority=120)
    reload(room, plan(changed))
    assert room.states() == [MASTER]
    assert [c for _, c in room.steps if not isinstance(c, Log)] == [AddAddresses((vip(77),))]
    assert room.router.members["A"].machine.priority == 120
    reload(room, plan(replace(A, addresses=(vip(77),))))
    assert [c for _, c in room.steps if not isinstance(c, Log)] == [RemoveAddresses((vip(1),))]
    reload(room, plan(replace(A, addresses=(vip(77),))))
    assert room.steps == []


def test_reload_removes_and_adds_instances() -> None:
    room = Room(plan(A)).start().wait(1)
    reload(room, plan(B))
    assert list(room.router.members) == ["B"]
    gone = [c for name, c in room.steps if name == "A" and not isinstance(c, Log)]
    assert gone[0] == SendAdvert(0)
    assert RemoveAddresses(A.addresses) in gone
    assert room.states() == [BACKUP]


def test_reload_keeps_who_has_another_name() -> None:
    """As the original does: what makes it the same virtual router is on the wire."""
    room = Room(plan(A)).start().wait(1)
    reload(room, plan(replace(A, name="Z", addresses=(vip(1), vip(77)))))
    assert room.router.members["Z"].machine.state is MASTER
    assert room.steps == [("Z", AddAddresses((vip(77),)))]
    assert room.router.members["Z"].name == "Z"


def test_reload_with_names_changed_round() -> None:
    room = Room(plan(A, B)).start().wait(1)
    reload(room, plan(replace(A, name="B"), replace(B, name="A")))
    assert room.steps == []
    assert [member.machine.config.vrid for member in room.router.members.values()] == [A.vrid, B.vrid]


def test_reload_with_another_vrid_starts_afresh() -> None:
    room = Room(plan(A)).start().wait(1)
    reload(room, plan(replace(A, vrid=9)))
    assert room.states() == [BACKUP]
    assert SendAdvert(0) in [c for _, c in room.steps]


def test_reload_keeps_script_states() -> None:
    tracked = replace(A, tracks=(Track(TrackKind.SCRIPT, "s"),))
    scripts = (Script("s", Program(("/bin/true",))),)
    room = Room(plan(tracked, scripts=scripts)).start()
    room.router.script_result(room.clock.now, "s", True, "succeeded")
    assert room.wait(1).states() == [MASTER]
    reload(room, plan(replace(tracked, priority=50), scripts=scripts))
    assert room.states() == [MASTER]


def test_a_lost_address_ends_mastership() -> None:
    room = Room(plan(A)).start()
    assert room.router.address_lost(room.clock.now, "A", vip(1).packed) == []
    room.wait(1)
    room.steps = room.router.address_lost(room.clock.now, "A", vip(1).packed)
    assert room.states() == [BACKUP]


def test_packets_in_fault_are_not_even_counted() -> None:
    room = Room(plan(A))
    room.router.know(TrackKind.INTERFACE, "eth0", False)
    room.start().hear("A", 200)
    assert room.router.stats("A").advert_rcvd == 0


def test_unicast_without_peers_stays_in_fault() -> None:
    room = Room(plan(replace(A, unicast=True))).start().wait(1)
    assert room.states() == [FAULT]
    room.track(TrackKind.INTERFACE, "eth0", False).track(TrackKind.INTERFACE, "eth0", True)
    assert room.states() == [FAULT]


def test_an_owner_may_ignore_adverts() -> None:
    owner = replace(A, priority=255, state=State.MASTER)
    room = Room(plan(owner)).start().wait(0.05)
    assert room.hear("A", 255).taken(Log) != []
    deaf = Room(plan(replace(owner, owner_ignores_adverts=True))).start().wait(0.05)
    deaf.steps.clear()
    messages = [command.message for _, command in deaf.hear("A", 255).taken(Log) if isinstance(command, Log)]
    assert messages == ["(A) Dropping packet(s) from 10.0.0.9 since we are address owner"]


def test_a_timer_may_be_asked_for_twice_for_one_moment() -> None:
    """Moved forward, then back to where it was: the older entry of the heap is still there."""
    router = Router(VrrpPlan(instances=(Instance("V", 51, "eth0"),)))
    router.start(0)
    machine = router.members["V"].machine
    before = machine.deadline
    assert before is not None
    machine.deadline = before - 5
    router._arm(router.members["V"])
    assert router.next_timer() == before - 5
    machine.deadline = before
    router._arm(router.members["V"])
    assert router.next_timer() == before and router.next_timer() == before
