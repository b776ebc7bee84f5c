"""``warn-blocked-traffic-after``: a worker that was busy with one thing for too long says so afterwards."""

from __future__ import annotations

import time
from typing import Any

import pytest
from origin import Origin
from proxy import Proxy, wait_for

from evener.cli.haproxy_texts import blocked


@pytest.mark.parametrize("patience", [0, 10])
def test_what_takes_long_is_told(patience: int) -> None:
    told: list[int] = []
    origin = Origin()

    def slow(_txn: Any) -> int:
        time.sleep(0.05)
        return 0

    with Proxy(origin.port) as proxy:
        proxy.engine.hear_blocked(patience, told.append)
        proxy.frontend.on_request = slow
        assert proxy.get()[0] == 200
        proxy.log()
        if patience:
            wait_for(lambda: told)
    origin.close()
    assert bool(told) is bool(patience)
    assert not patience or max(told) >= 50


def test_the_words() -> None:
    told = blocked(1, 120, 7)
    assert told.startswith("worker 2 has stopped processing traffic for 120 milliseconds\n    with 7 clients")
