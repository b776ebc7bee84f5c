"""When announcements are due."""

from evener.keepalived.vrrp.garp import MOST_PENDING, GarpSchedule
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


def test_a_delayed_set_for_each_time_a_rival_was_heard() -> None:
    schedule = GarpSchedule(GarpOptions(5, 0, 2, 100))
    assert schedule.become_master(NOW) == 5
    assert [schedule.rival_seen(NOW + n) for n in (0, 50, 99)] == [2, 2, 2]
    assert schedule.next_timer() == NOW + 100
    assert schedule.due(NOW + 100) == 2
    assert schedule.next_timer() == NOW + 150
    assert schedule.due(NOW + 199) == 4
    assert schedule.next_timer() is None


def test_a_rival_that_does_not_give_up_is_no_flood() -> None:
    schedule = GarpSchedule(GarpOptions(5, 0, 2, 1000))
    schedule.become_master(NOW)
    for n in range(500):
        schedule.rival_seen(NOW + n)
    assert schedule.due(NOW + 2000) == 2 * MOST_PENDING


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
