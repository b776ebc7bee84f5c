"""The two intervals, in integers."""

from evener.keepalived.vrrp.timers import master_down_us, skew_us


def test_skew_of_version_2_is_of_a_second() -> None:
    assert skew_us(2, 100, 5_000_000) == 609_375
    assert skew_us(2, 255, 1_000_000) == 3_906
    assert skew_us(2, 1, 1_000_000) == 996_093


def test_skew_of_version_3_is_of_the_interval() -> None:
    assert skew_us(3, 100, 1_000_000) == 609_375
    assert skew_us(3, 100, 100_000) == 60_937
    assert skew_us(3, 100, 10_000) == 6_093


def test_master_down() -> None:
    assert master_down_us(3, 100, 10_000) == 36_093
    assert master_down_us(2, 100, 1_000_000, adverts=5) == 5_609_375
