"""keepalived on the DBus: evener and Debian's say the same in the same run; and what else may happen."""

from __future__ import annotations

import os
import re
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from lab import Lab, Link, configuration, descendants, ip
from message_bus import AS_USUAL, SERVICE, MessageBus

pytestmark = [pytest.mark.netns, pytest.mark.timeout(180)]

LINK = Link(advert_cs=10)
ATTEMPTS = 6
POLICY = Path(__file__).parent.parent.parent / "fixtures/dbus/org.keepalived.Vrrp1.conf"
VRRP, INSTANCE = f"{SERVICE}.Vrrp", f"{SERVICE}.Instance"
PROPERTIES, PEER = "org.freedesktop.DBus.Properties", "org.freedesktop.DBus.Peer"
INTROSPECT = "org.freedesktop.DBus.Introspectable.Introspect"
FIRST = "/Instance/eth0/51/IPv4"
STARTED = ("/Vrrp", "VrrpStarted", ())
RELOADED = ("/Vrrp", "VrrpReloaded", ())
STOPPED = ("/Vrrp", "VrrpStopped", ())

CALLS: tuple[tuple[str, ...], ...] = (
    *((path, INTROSPECT) for path in ("//", "//org", "", "/Vrrp", "/Instance", "/Instance/eth0/51", FIRST)),
    ("/nowhere", INTROSPECT),
    (FIRST, INTROSPECT, "x"),
    (FIRST, f"{PROPERTIES}.Get", INSTANCE, "Name"),
    (FIRST, f"{PROPERTIES}.Get", INSTANCE, "State"),
    (FIRST, f"{PROPERTIES}.GetAll", INSTANCE),
    ("/Instance/a_b/52/IPv6", f"{PROPERTIES}.GetAll", INSTANCE),
    (FIRST, f"{PROPERTIES}.GetAll", "org.nothing"),
    (FIRST, f"{PROPERTIES}.Get", INSTANCE, "Nothing"),
    (FIRST, f"{PROPERTIES}.Get", "", "Name"),
    (FIRST, f"{PROPERTIES}.Get", INSTANCE),
    (FIRST, f"{PROPERTIES}.Nothing"),
    ("/Vrrp", f"{PROPERTIES}.GetAll", VRRP),
    ("/Vrrp", f"{PROPERTIES}.Get", INSTANCE, "Name"),
    ("/Instance", f"{PROPERTIES}.GetAll", INSTANCE),
    ("/Vrrp", f"{VRRP}.Nothing"),
    ("/Vrrp", f"{VRRP}.PrintData", "x"),
    ("/Vrrp", "org.nothing.PrintData"),
    ("/Vrrp", "PrintData"),
    ("/Vrrp", f"{VRRP}.CreateInstance"),
    ("", f"{VRRP}.PrintData"),
    (FIRST, f"{VRRP}.PrintData"),
    (FIRST, f"{INSTANCE}.SendGarp", "x"),
    ("/Instance/eth0/52/IPv4", f"{INSTANCE}.SendGarp"),
    ("//", f"{PEER}.Ping"),
    ("//nowhere", f"{PEER}.Ping"),
    (FIRST, f"{PEER}.GetMachineId"),
    (FIRST, f"{PEER}.Nothing"),
    ("/Vrrp", f"{VRRP}.PrintData"),
    ("/Vrrp", f"{VRRP}.PrintStats"),
    ("/Vrrp", f"{VRRP}.PrintStatsClear"),
    (FIRST, f"{INSTANCE}.SendGarp"),
)

DEFS = "global_defs {{\n enable_dbus\n {more}\n}}\n"
SECOND = """
vrrp_instance VI_2 {
 interface a.b
 virtual_router_id 52
 version 3
 priority 150
 advert_int 0.1
 virtual_ipaddress {
  fe80::100/64
 }
}
"""
THIRD = """
vrrp_instance VI_3 {{
 interface eth0
 virtual_router_id {vrid}
 version 3
 priority 150
 advert_int 0.1
 virtual_ipaddress {{
  10.9.0.103/24
 }}
}}
"""


@pytest.fixture(name="bus")
def private_bus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[MessageBus]:
    bus = MessageBus(tmp_path)
    monkeypatch.setattr("lab.may_be_realtime", lambda: False)  # the original would be killed when it spins
    monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", bus.address)
    try:
        yield bus
    finally:
        bus.close()


def configure(lab: Lab, number: int, more: str = "", instances: str = "") -> None:
    above = DEFS.format(more=more) + instances
    lab.configure(number, configuration(LINK, lab.routers[number], above=above))


def add_port(lab: Lab, number: int) -> None:
    """An interface whose name cannot be part of a path."""
    if "a.b" in lab.ip(number, "link"):
        return
    ip("link", "add", "a.b", "type", "veth", "peer", "name", "a.c", namespace=lab.spaces[number])
    for name in ("a.b", "a.c"):
        ip("link", "set", name, "up", namespace=lab.spaces[number])


def state(vrid: int, number: int, where: str = "eth0", family: str = "IPv4") -> tuple[str, str, tuple[int]]:
    return (f"/Instance/{where}/{vrid}/{family}", "VrrpStatusChange", (number,))


class Died(Exception):
    """The VRRP process was started again: the run is of no use."""


def tidy(answer: Any) -> Any:
    """Of a description, the elements that count, in order: not how they are laid out, nor who wrote them."""
    if not isinstance(answer, tuple) or not answer or "<node" not in str(answer[0]):
        return answer
    elements = re.findall(r"<(?:node|interface|method|signal|arg|property)[^>]*>", answer[0])
    # Debian's says that a name is a string, and sends a structure; later ones say what they send.
    return sorted(e.rstrip("/>").replace('"(s)" name="Name"', '"s" name="Name"') for e in elements)


def heard(
    lab: Lab, bus: MessageBus, *wanted: Any, unless: Callable[[], bool] = lambda: False, patience: float = 45
) -> None:
    lab.wait_for(
        lambda: all(each in bus.told for each in wanted) or unless(), f"{wanted} ({bus.told})", patience
    )


def run(lab: Lab, bus: MessageBus, number: int, patience: float = 45) -> dict[str, Any]:
    """Start, become master, be asked, reload five times, lose the link, stop; all that is said meanwhile."""
    add_port(lab, number)
    both, found = SECOND, {}

    def died() -> bool:
        return "Respawning" in lab.log(number)

    def step(name: str, *wanted: Any) -> None:
        heard(lab, bus, *wanted, unless=died, patience=patience)
        if died():
            raise Died
        # The original's thread may be on the bus before its instances have begun.
        found[name], bus.told = sorted(told for told in bus.told if told[2] != (0,)), []

    def reload(more_instances: str) -> None:
        configure(lab, number, instances=both + more_instances)
        lab.signal(number, signal.SIGHUP)

    configure(lab, number, instances=both)
    lab.start(number)
    step("start", STARTED, state(51, 2), state(52, 2, "a_b", "IPv6"))
    found["answers"] = [tidy(bus.call(*call)) for call in CALLS]
    reload(THIRD.format(vrid=53))
    step("added", RELOADED, state(53, 2))
    reload(THIRD.format(vrid=53).replace("VI_3", "VI_33"))
    step("renamed", RELOADED)
    found["name"] = bus.call("/Instance/eth0/53/IPv4", f"{PROPERTIES}.GetAll", INSTANCE)
    reload(THIRD.format(vrid=54))
    step("changed", RELOADED, state(53, 3), state(54, 2))
    reload("")
    step("removed", RELOADED, state(54, 3))
    found["left"] = tidy(bus.call("/Instance/eth0", INTROSPECT))
    lab.set_link(number, "down")
    step("down", state(51, 3))
    lab.set_link(number, "up")
    step("up", state(51, 1), state(51, 2))
    bus.call("/Vrrp", f"{VRRP}.ReloadConfig")
    step("asked to reload", RELOADED)
    lab.stop(number)
    step("stopped", STOPPED, state(51, 98), state(52, 98, "a_b", "IPv6"))
    lab.wait_for(lambda: not bus.has_owner(), "leaving the bus")
    return found


def run_of_original(lab: Lab, bus: MessageBus) -> dict[str, Any]:
    """Its bus thread races with its reloads: it may spin, fall silent, or crash and be started again."""
    for _ in range(ATTEMPTS):
        (lab.home / "1" / "log").unlink(missing_ok=True)
        bus.told.clear()
        try:
            return run(lab, bus, 1, patience=10)
        except (Died, AssertionError):
            lab.stop(1)
    pytest.skip(f"the original's DBus did not last in {ATTEMPTS} runs")


def test_the_same_is_said(lab: Lab, bus: MessageBus) -> None:
    ours, theirs = run(lab, bus, 0), run_of_original(lab, bus)
    for call, our_answer, their_answer in zip(CALLS, ours.pop("answers"), theirs.pop("answers"), strict=True):
        assert our_answer == their_answer, call
    assert ours == theirs
    of_dbus = r"DBus.*|.*the name .*|Sending garps .*"
    assert logged(lab, 0, of_dbus) == logged(lab, 1, of_dbus)


def logged(lab: Lab, number: int, pattern: str) -> list[str]:
    """Lines about something, without their dates."""
    texts = (
        line.partition(f" {line.split()[4]}: ")[2] for line in lab.log(number).splitlines() if ": " in line
    )
    return sorted(text for text in texts if re.search(pattern, text))


def test_what_is_asked_for_is_done(lab: Lab, bus: MessageBus) -> None:
    configure(lab, 0)
    lab.start(0)
    heard(lab, bus, state(51, 2))
    home = lab.home / "0"
    for method, file in (("PrintData", "keepalived.data"), ("PrintStatsClear", "keepalived.stats")):
        assert bus.call("/Vrrp", f"{VRRP}.{method}") == ()
        assert (home / file).exists()
    time.sleep(1.5)  # until those of the new master, and the second ones, are over
    sent = len(lab.seen().announcements(lab.mac(0)))
    assert bus.call(FIRST, f"{INSTANCE}.SendGarp") == ()
    lab.wait_for(lambda: len(lab.seen().announcements(lab.mac(0))) > sent, "gratuitous ARPs")


def test_other_names(lab: Lab, bus: MessageBus) -> None:
    """Other names of the service and of an interface that is not there, in a named instance of the daemon."""
    more = "dbus_service_name org.example.Ha\n dbus_no_interface_name no-if"
    peer = "unicast_src_ip 10.9.0.1\n unicast_peer {\n 10.9.0.2\n }\n"
    text = f"instance site-1\n{DEFS.format(more=more)}{THIRD.format(vrid=7)}".replace("interface eth0", peer)
    lab.configure(0, text.replace("10.9.0.103/24", "10.9.0.103/24 dev eth0"))
    lab.start(0)
    place = "/site_1/Instance/no_if/7/IPv4"
    heard(lab, bus, ("/site_1/Vrrp", "VrrpStarted", ()), (place, "VrrpStatusChange", (2,)))
    assert bus.call(place, f"{PROPERTIES}.Get", INSTANCE, "Name", service="org.example.Ha") == (
        ("(s)", ("VI_3",)),
    )
    configure(lab, 0)
    lab.signal(0, signal.SIGHUP)
    lab.wait_for(bus.has_owner, "another name after a reload")
    assert not bus.has_owner("org.example.Ha")


def test_before_the_start(lab: Lab, bus: MessageBus) -> None:
    """While vrrp_startup_delay lasts they listen as backups do."""
    configure(lab, 0, "vrrp_startup_delay 2")
    lab.start(0)
    heard(lab, bus, STARTED, state(51, 1))
    assert not lab.has_vip(0)
    heard(lab, bus, state(51, 2))
    assert bus.told == [STARTED, state(51, 1), state(51, 2)]


def test_one_that_is_in_fault_from_the_start(lab: Lab, bus: MessageBus) -> None:
    lab.set_link(0, "down")
    configure(lab, 0)
    lab.start(0)
    heard(lab, bus, STARTED, state(51, 3))
    assert bus.told == [STARTED, state(51, 3)]


def test_a_bus_that_comes_and_goes(lab: Lab, bus: MessageBus) -> None:
    bus.stop()
    configure(lab, 0)
    lab.start(0)
    lab.wait_for(lambda: lab.has_vip(0), "mastership without a bus")
    bus.start()
    heard(lab, bus, STARTED, state(51, 2))
    bus.stop()
    bus.told.clear()
    bus.start()
    heard(lab, bus, STARTED, state(51, 2))
    assert bus.call(FIRST, f"{PROPERTIES}.Get", INSTANCE, "State") == (("(us)", (2, "Master")),)
    assert "Lost the name org.keepalived.Vrrp1 on the session bus" in lab.log(0)
    assert lab.log(0).count("Entering MASTER STATE") == 1


def test_a_bus_that_permits_little(lab: Lab, bus: MessageBus) -> None:
    """As a system's does: nothing without our policy file, which is enough."""
    bus.stop()
    bus.permit(AS_USUAL)
    bus.start()
    configure(lab, 0)
    lab.start(0)
    lab.wait_for(lambda: "DBus: org.freedesktop.DBus.Error.AccessDenied" in lab.log(0), "a refusal")
    bus.stop()
    bus.permit(AS_USUAL, f"<include>{POLICY}</include>")
    bus.start()
    lab.wait_for(bus.has_owner, "the name")
    assert bus.call("/Vrrp", f"{VRRP}.PrintStats") == ()


def test_somebody_else_has_the_name(lab: Lab, bus: MessageBus) -> None:
    other = bus.request()
    configure(lab, 0)
    lab.start(0)
    lab.wait_for(lambda: "Lost the name" in lab.log(0), "that the name is taken")
    other.close()
    lab.wait_for(lambda: "Acquired the name" in lab.log(0), "the name")
    assert bus.call(FIRST, f"{PROPERTIES}.Get", INSTANCE, "Name") == (("(s)", ("VI_1",)),)


def test_an_impossible_name(lab: Lab, bus: MessageBus) -> None:
    configure(lab, 0, "dbus_service_name nodots")
    lab.start(0)
    lab.wait_for(lambda: lab.has_vip(0), "mastership")
    assert "'nodots' is not a name for a bus" in lab.log(0)
    lab.stop(0)


def helper_of(lab: Lab, number: int) -> int:
    for pid in descendants(lab.processes[number].pid):
        if Path(f"/proc/{pid}/comm").read_text(encoding="ascii").strip() == "keepalived_dbus":
            return pid
    return 0


def test_the_helper_dies_and_is_stopped(lab: Lab, bus: MessageBus) -> None:
    """Neither disturbs an election; switched off and on, it is gone and there again."""
    configure(lab, 0)
    lab.start(0)
    heard(lab, bus, STARTED, state(51, 2))
    before, first = len(lab.log(0).split("Entering")), helper_of(lab, 0)
    bus.told.clear()
    os.kill(first, signal.SIGKILL)
    heard(lab, bus, STARTED, state(51, 2))
    assert helper_of(lab, 0) not in (0, first)
    os.kill(helper_of(lab, 0), signal.SIGSTOP)
    for on in (False, True):
        text = configuration(LINK, lab.routers[0], above=DEFS.format(more="") if on else "")
        bus.told.clear()
        lab.configure(0, text)
        lab.signal(0, signal.SIGHUP)
        lab.wait_for(lambda n=on: lab.log(0).count("Reloading\n") == 1 + n, "a reload")  # type: ignore[misc]
    bus.stop()  # the stopped one has our name
    bus.start()
    heard(lab, bus, STARTED, state(51, 2))
    assert len(lab.log(0).split("Entering")) == before
