"""When announcements are due."""

from evener.keepalived.vrrp.garp import GarpSchedule
from evener.keepalived.vrrp.plan import GarpOptions

NOW = 1_000_000


def test_master_sets() -> None:
    schedule = GarpSchedule(GarpOptions(5, 300, 2, 100, 1000, 3))
    assert schedule.next_timer() is None
    assert schedule.become_master(NOW) == 5
    assert schedule.next_timer() == NOW + 300
    assert schedule.due(NOW + 299) == 0
    assert schedule.due(NOW + 300) == 5
    assert schedule.next_timer() == NOW + 1300
    assert schedule.due(NOW + 1300) == 3
    assert schedule.next_timer() == NOW + 2300


def test_one_delayed_set_per_rival() -> None:
    schedule = GarpSchedule(GarpOptions(5, 0, 2, 100))
    assert schedule.become_master(NOW) == 5
    assert [schedule.rival_seen(NOW + n) for n in (0, 50, 99)] == [2, 2, 2]
    assert schedule.next_timer() == NOW + 100
    assert schedule.due(NOW + 100) == 2
    assert schedule.next_timer() is None


def test_zero_switches_off() -> None:
    schedule = GarpSchedule(GarpOptions(0, 0, 0, 100))
    assert schedule.become_master(NOW) == 0
    assert schedule.rival_seen(NOW) == 0
    assert schedule.next_timer() is None


def test_cancel() -> None:
    schedule = GarpSchedule(GarpOptions(refresh_us=1000))
    schedule.become_master(NOW)
    schedule.rival_seen(NOW)
    schedule.cancel()
    assert schedule.next_timer() is None
    assert schedule.due(NOW + 10_000_000) == 0
