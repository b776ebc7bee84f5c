"""Elections in virtual time, as RFC 3768, RFC 9568 and keepalived 2.4 have them."""

import socket
from dataclasses import replace

import pytest
from playbook import Playbook

from evener.keepalived.vrrp.fsm import Machine
from evener.keepalived.vrrp.messages import (
    AddAddresses,
    AdvertReceived,
    CancelGarp,
    Demoted,
    FaultCleared,
    FaultRaised,
    Notify,
    PriorityChanged,
    RemoveAddresses,
    SendAdvert,
    SendGarp,
    Started,
    Stopped,
    TimerExpired,
    Told,
)
from evener.keepalived.vrrp.plan import GarpOptions, Instance, Notifications, State, VirtualAddress

OURS, HIGHER, LOWER = (socket.inet_aton(f"10.0.0.{n}") for n in (5, 9, 1))
VIPS = (VirtualAddress(socket.inet_aton("10.0.0.100"), 24, "eth0"),)
QUIET = GarpOptions(master_delay_us=0, lower_prio_delay_us=0)
V2 = Instance("VI", 51, "eth0", version=2, addresses=VIPS, garp=QUIET)
V3 = replace(V2, version=3, advert_cs=10)
SECOND = 1_000_000


def backup(config: Instance) -> Playbook:
    book = Playbook(Machine(config, OURS))
    return book.on(Started(), RemoveAddresses(VIPS), Notify(Told.BACKUP, config.priority)).then(State.BACKUP)


def becoming_master(priority: int = 100) -> tuple[object, ...]:
    return SendAdvert(priority), AddAddresses(VIPS), SendGarp(5), Notify(Told.MASTER, priority)


def leaving_master(priority: int = 100) -> tuple[object, ...]:
    return CancelGarp(), RemoveAddresses(VIPS), Notify(Told.BACKUP, priority)


def master(config: Instance) -> Playbook:
    book = backup(config)
    due = book.machine.next_timer()
    assert due is not None
    return book.fires((due - book.clock.now) / 1e6, *becoming_master(config.priority)).then(State.MASTER)


@pytest.mark.parametrize(
    ("config", "seconds"),
    [
        (V2, 3 + 156 / 256),
        (replace(V2, advert_cs=200), 6 + 156 / 256),  # version 2: the skew is of a second, always
        (replace(V2, priority=150), 3 + 106 / 256),
        (V3, 0.3 + 0.1 * 156 / 256),  # version 3: the skew is of the interval
        (replace(V3, priority=254), 0.3 + 0.1 * 2 / 256),
        (replace(V3, down_timer_adverts=1), 0.1 + 0.1 * 156 / 256),
        (replace(V2, state=State.MASTER), 3 + 156 / 256),  # state MASTER alone changes nothing
        (replace(V2, priority=255), 3 + 1 / 256),
    ],
)
def test_alone_after_three_adverts_and_skew(config: Instance, seconds: float) -> None:
    exact = int(seconds * SECOND) / SECOND
    backup(config).fires(exact, *becoming_master(config.priority)).then(State.MASTER)


def test_owner_with_state_master_starts_at_once() -> None:
    book = Playbook(Machine(replace(V2, priority=255, state=State.MASTER), OURS))
    book.on(Started()).fires(0, *becoming_master(255)).then(State.MASTER)


def test_adverts_do_not_drift() -> None:
    book = master(V3)
    for _ in range(3):
        book.fires(0.1, SendAdvert(100))
    due = book.machine.next_timer()
    book.clock.advance(0.104)  # woken four milliseconds late
    book.on(TimerExpired(), SendAdvert(100))
    assert book.machine.next_timer() == due + 100_000
    book.clock.advance(5)  # after a long sleep it does not catch up, and keeps its beat
    book.on(TimerExpired(), SendAdvert(100)).fires(0.096, SendAdvert(100))


def test_priority_zero_leaves_only_the_skew() -> None:
    backup(V3).on(AdvertReceived(0, 100_000, LOWER)).fires(0.060937, *becoming_master())
    backup(V2).on(AdvertReceived(0, SECOND, LOWER)).fires(0.609375, *becoming_master())


def test_higher_and_equal_priorities_are_followed() -> None:
    for priority in (100, 101, 255):
        book = backup(V2).wait(3)
        book.on(AdvertReceived(priority, SECOND, LOWER)).fires(3.609375, *becoming_master())


def test_lower_priority_is_discarded_and_preempted() -> None:
    book = backup(V2).wait(3)
    book.on(AdvertReceived(99, SECOND, HIGHER)).said("received lower priority (99) advert")
    book.fires(0.609375, *becoming_master())


def test_nopreempt_follows_a_weaker_master() -> None:
    book = backup(replace(V2, preempt=False)).wait(3)
    book.on(AdvertReceived(50, SECOND, LOWER)).wait(3).on(AdvertReceived(50, SECOND, LOWER))
    book.fires(3.609375, *becoming_master())


def test_preempt_delay_counts_from_the_first_weaker_advert() -> None:
    book = backup(replace(V2, preempt_delay_us=2 * SECOND))
    book.on(AdvertReceived(50, SECOND, LOWER)).said("start preempt delay (2.000000)")
    book.wait(1).on(AdvertReceived(50, SECOND, LOWER))
    book.wait(1).on(AdvertReceived(50, SECOND, LOWER)).said("discarding")  # the delay is over
    book.fires(2.609375, *becoming_master())


def test_preempt_delay_is_forgotten_when_a_stronger_master_is_heard() -> None:
    book = backup(replace(V2, preempt_delay_us=2 * SECOND))
    book.on(AdvertReceived(50, SECOND, LOWER)).wait(1)
    book.on(AdvertReceived(150, SECOND, LOWER)).said("stop preempt delay").wait(2)
    book.on(AdvertReceived(50, SECOND, LOWER)).fires(3.609375, *becoming_master())


def test_version_3_learns_the_masters_interval() -> None:
    book = backup(V3).on(AdvertReceived(150, 500_000, LOWER)).said("from 100ms to 500ms by master")
    book.fires((1_500_000 + 500_000 * 156 // 256) / 1e6, *becoming_master())
    book.fires(0.1, SendAdvert(100))  # as master it uses its own again


def test_version_2_does_not() -> None:
    backup(V2).on(AdvertReceived(150, 5 * SECOND, LOWER)).fires(3.609375, *becoming_master())


def test_master_yields_to_a_higher_priority() -> None:
    book = master(V2).on(AdvertReceived(101, SECOND, LOWER), *leaving_master()).then(State.BACKUP)
    book.said("higher priority 101, ours 100").fires(3.609375, *becoming_master())


def test_equal_priorities_are_decided_by_the_address() -> None:
    master(V2).on(AdvertReceived(100, SECOND, HIGHER), *leaving_master()).then(State.BACKUP)
    book = master(V2).on(
        AdvertReceived(100, SECOND, LOWER),
        SendAdvert(100),
        SendGarp(5),
        Notify(Told.MASTER_RX_LOWER_PRI, 100),
    )
    book.then(State.MASTER)
    master(V2).on(AdvertReceived(100, SECOND, OURS)).then(State.MASTER).said("with our IP address")


def test_master_answers_a_weaker_one_and_refreshes() -> None:
    garp = GarpOptions(master_delay_us=0, lower_prio_repeat=2, lower_prio_delay_us=500_000)
    book = master(replace(V2, garp=garp)).wait(0.25)
    answer = (SendAdvert(100), SendGarp(2), Notify(Told.MASTER_RX_LOWER_PRI, 100))
    book.on(AdvertReceived(50, SECOND, HIGHER), *answer).said("forcing new election")
    book.fires(0.5, SendGarp(2)).fires(0.5, SendAdvert(100))


def test_lower_prio_no_advert() -> None:
    book = master(replace(V2, lower_prio_no_advert=True)).wait(0.25)
    book.on(AdvertReceived(50, SECOND, LOWER), SendGarp(5), Notify(Told.MASTER_RX_LOWER_PRI, 100))
    book.fires(0.75, SendAdvert(100))


def test_higher_prio_send_advert() -> None:
    book = master(replace(V2, higher_prio_send_advert=True))
    book.on(AdvertReceived(200, SECOND, LOWER), SendAdvert(100), *leaving_master())


def test_master_answers_priority_zero_at_once() -> None:
    master(V2).wait(0.5).on(AdvertReceived(0, SECOND, LOWER), SendAdvert(100)).fires(1, SendAdvert(100))


def test_garp_now_delayed_and_refreshed() -> None:
    garp = GarpOptions(5, 250_000, 5, 0, 400_000, 2)
    book = backup(replace(V2, garp=garp)).fires(3.609375, *becoming_master())
    book.fires(0.25, SendGarp(5)).fires(0.4, SendGarp(2)).fires(0.35, SendAdvert(100))
    book.fires(0.05, SendGarp(2))


def test_stop_as_master_sends_zero_then_removes() -> None:
    book = master(V2)
    book.on(Stopped(), SendAdvert(0), CancelGarp(), RemoveAddresses(VIPS), Notify(Told.STOP, 100))
    book.then(State.INIT)
    assert book.machine.next_timer() is None


def test_stop_as_backup_is_silent() -> None:
    backup(V2).on(Stopped(), Notify(Told.STOP, 100)).then(State.INIT)


def test_deletion_by_a_reload() -> None:
    backup(V2).on(Stopped(deleted=True), Notify(Told.FAULT, 100))
    config = replace(V2, notify=Notifications(send_deleted=True))
    backup(config).on(Stopped(deleted=True), Notify(Told.DELETED, 100))


def test_fault_and_recovery() -> None:
    book = master(V2)
    leaving = (SendAdvert(0), CancelGarp(), RemoveAddresses(VIPS), Notify(Told.FAULT, 100))
    book.on(FaultRaised(), *leaving).then(State.FAULT)
    book.on(AdvertReceived(0, SECOND, LOWER)).wait(60)
    book.on(FaultCleared(), Notify(Told.BACKUP, 100)).fires(3.609375, *becoming_master())


def test_priority_change_moves_the_running_timer_by_the_skew() -> None:
    book = backup(V2).wait(1).on(PriorityChanged(228))
    book.fires(3.609375 - 1 - 0.5, *becoming_master(228))
    book.on(PriorityChanged(50)).fires(1, SendAdvert(50))


def test_priority_changes_are_notified_only_when_wanted() -> None:
    config = replace(V2, notify=Notifications(priority_changes=True))
    backup(config).on(PriorityChanged(90), Notify(Told.BACKUP_PRIORITY, 90)).on(PriorityChanged(90))
    master(config).on(PriorityChanged(90), Notify(Told.MASTER_PRIORITY, 90))


def test_demoted_by_the_group_without_priority_zero() -> None:
    master(V2).on(Demoted(), *leaving_master()).then(State.BACKUP)


def test_waiting_for_a_script() -> None:
    book = Playbook(Machine(V2, OURS)).on(Started(pending=True), RemoveAddresses(VIPS)).then(State.INIT)
    book.wait(60).on(FaultCleared(), Notify(Told.BACKUP, 100)).fires(3.609375, *becoming_master())
