"""What is said before virtual servers are run: by which engine, as what, and what is not loaded."""

from __future__ import annotations

from dataclasses import replace

import pytest

from evener.keepalived.lvs.choice import served
from evener.keepalived.lvs.ipvs import Forwarding, Method, Service, ServiceFlags, ServiceKey
from evener.keepalived.lvs.nft_support import NEAREST, problems, scheduler, service_refused
from evener.keepalived.lvs.plan import CheckerOptions, RealServer, VirtualServer
from evener.keepalived.lvs.slots import CHOSEN
from evener.keepalived.vrrp.plan import Family

KEY = ServiceKey(Family.INET, 6, bytes((10, 0, 0, 5)), 80)
REAL = RealServer(bytes((10, 1, 0, 1)), 80, "[10.1.0.1]:tcp:80")
VIRTUAL = VirtualServer("10.0.0.5 80 TCP", "[10.0.0.5]:tcp:80", (KEY,), Service(KEY, "wlc"), (REAL,))


@pytest.mark.parametrize(
    ("engine", "here", "expected"),
    [("auto", True, "ipvs"), ("auto", False, "nft"), ("ipvs", False, "ipvs"), ("nft", True, "nft")],
)
def test_the_engine(engine: str, here: bool, expected: str) -> None:
    made = served(VIRTUAL, CheckerOptions(engine=engine), here)
    assert made.engine == expected and made.why
    assert bool(made.problems) == (expected == "nft")


def test_an_approximation_is_named() -> None:
    made = served(VIRTUAL, CheckerOptions(engine="nft", approximate=True), False)
    assert made.scheduler == "wrr" and made.approximated == ("scheduler wlc (nearest: wrr)",)
    assert made.problems == ()


def test_every_scheduler_of_ipvs_has_an_answer() -> None:
    names = ["rr", "wrr", "lc", "wlc", "lblc", "lblcr", "sh", "mh", "dh", "fo", "ovf", "sed", "nq", "twos"]
    assert set(names) == set(CHOSEN) | set(NEAREST)
    for name in names:
        assert scheduler(name) in CHOSEN
        refused = service_refused(Service(KEY, name), approximate=False)
        assert (refused is None) == (name in CHOSEN)
        assert service_refused(Service(KEY, name), approximate=True) is None


def test_all_that_is_missing_is_said_at_once() -> None:
    service = Service(KEY, "lc", ServiceFlags.ONE_PACKET, engine="sip")
    assert service_refused(service, approximate=False) == (
        "no scheduler lc (nearest: rr) and no ops (nearest: connections) and no persistence_engine sip "
        "(nearest: the client's address)"
    )


def test_real_servers_that_are_not_loaded() -> None:
    tunnel, direct = (
        replace(REAL, port=port, forwarding=Forwarding(method))
        for port, method in ((81, Method.TUN), (82, Method.DR))
    )
    virtual = replace(
        VIRTUAL,
        service=Service(KEY, "rr"),
        real_servers=(REAL, tunnel, direct, replace(REAL, port=83, upper=5)),
    )
    found = list(problems(virtual, approximate=False))
    assert len(found) == 3
    assert "same lvs_method" in found[0] and "TUN" in found[1] and "thresholds" in found[2]
    assert len(list(problems(virtual, approximate=True))) == 2
