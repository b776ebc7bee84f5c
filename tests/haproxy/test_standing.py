"""What is said of proxies in trouble: words, levels and loggers are those of HAProxy 2.6 and 3.5."""

from test_runtime_api import Machine

from evener.haproxy.columns import Column
from evener.haproxy.commands import Say
from evener.haproxy.standing import hard_stopped, unbound


def test_a_hard_stop_tells_what_is_left() -> None:
    machine = Machine()
    machine.cells.set(machine.plan.frontends[0].row, Column.CUR, 3)
    assert [said.text for said in hard_stopped(machine.control)] == [
        "soft-stop running for too long, performing a hard-stop.",
        "Proxy f hard-stopped (3 remaining conns will be closed).",
    ]


def test_servers_that_cannot_be_connected_to_from_an_address() -> None:
    control = Machine().control
    text = "Cannot bind to source address before connect() for backend b."
    assert unbound(control, 0, False) == Say(0, text, severity="", backend=0)
    assert unbound(control, 0, True).text == "Connect() failed for backend b: no free ports."
