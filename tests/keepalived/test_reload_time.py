"""reload_time_file: what its first line asks for. random_seed: the same numbers at every reading."""

from __future__ import annotations

import calendar
import time
from collections.abc import Iterator

import pytest
from kadtext import read

from evener.keepalived.reload_time import Due, due

NOON = calendar.timegm((2026, 11, 28, 12, 0, 0))


@pytest.fixture(autouse=True)
def _zone(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "CET-1")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("12:30:00Z", Due(NOON + 1800, False)),
        ("11:30:00Z", Due(NOON - 1800 + 86_400, False)),
        ("12:00:00Z", Due(NOON + 86_400, False)),
        ("13:30:00", Due(NOON + 1800, False)),
        ("26-11-28 12:00:05Z", Due(NOON + 5, True)),
        ("2026-11-29 13:00:00", Due(NOON + 86_400, True)),
        ("2026-11-28 12:00:00Z", "Reload time 2026-11-28 12:00:00Z is in the past - ignoring"),
        ("2026-02-30 12:00:00", "Reload date/time 2026-02-30 12:00:00 invalid - ignoring"),
        ("25:00:00", "Reload date/time 25:00:00 invalid - ignoring"),
        ("soon", "Reload time soon format is incorrect - ignoring"),
        ("", "Reload time  format is incorrect - ignoring"),
        ("12:00:00 Z", "Reload time 12:00:00 Z format is incorrect - ignoring"),
        ("\u0661\u0662:00:00", "Reload time \u0661\u0662:00:00 format is incorrect - ignoring"),
    ],
)
def test_what_a_line_asks_for(line: str, expected: Due | str) -> None:
    assert due(line, NOON) == expected


def test_a_day_after_the_last_of_a_month() -> None:
    last = calendar.timegm((2026, 12, 31, 23, 0, 0))
    assert due("22:00:00Z", last) == Due(last + 23 * 3600, False)


def numbers(seed: str) -> list[int | None]:
    instances = "".join(
        f"vrrp_instance A{n} {{\ninterface eth0\nvirtual_router_id {n + 1}\n"
        f"priority ${{_RANDOM 1 254}}\nno_virtual_ipaddress\n}}\n"
        for n in range(12)
    )
    configuration, _ = read(f"$X=1\nglobal_defs {{\n{seed}\n}}\n{instances}")
    assert configuration is not None
    return [instance.priority for instance in configuration.vrrp_instance]


def test_random_numbers_with_a_seed() -> None:
    assert numbers("random_seed 7") == numbers("random_seed 7")
    assert numbers("random_seed 7") != numbers("random_seed 8")
    assert numbers("") != numbers("")
