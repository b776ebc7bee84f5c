"""The two intervals VRRP is made of, in microseconds.

RFC 3768 6.1 (version 2): skew = (256 - priority) / 256 seconds, whatever the advert interval.
RFC 9568 6.1 (version 3): skew = (256 - priority) * master advert interval / 256.
Both: master down = down_timer_adverts (3) * master advert interval + skew.
"""

from __future__ import annotations

SECOND_US = 1_000_000
CENTISECOND_US = 10_000


def skew_us(version: int, priority: int, master_advert_us: int) -> int:
    """How much later than the others a router of this priority gives up on the master."""
    return (256 - priority) * skew_unit_us(version, master_advert_us) // 256


def skew_unit_us(version: int, master_advert_us: int) -> int:
    return master_advert_us if version == 3 else SECOND_US


def master_down_us(version: int, priority: int, master_advert_us: int, adverts: int = 3) -> int:
    """How long a backup waits for an advert before it takes over."""
    return adverts * master_advert_us + skew_us(version, priority, master_advert_us)
