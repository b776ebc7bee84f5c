"""setenv and its relatives, and the variables that are there from the start."""

from __future__ import annotations

import os

import pytest

from evener.haproxy.environment import Environment, Refused


def changed(*lines: str, **variables: str) -> dict[str, str]:
    environment = Environment(variables)
    for line in lines:
        environment.change(line.split())
    return environment.variables


def test_setenv_overwrites_and_presetenv_does_not() -> None:
    assert changed("setenv A new", A="old") == {"A": "new"}
    assert changed("presetenv A new", "presetenv B new", A="old") == {"A": "old", "B": "new"}


def test_unsetenv_and_resetenv() -> None:
    assert changed("unsetenv A B NEVER", A="1", B="2", C="3") == {"C": "3"}
    assert changed("resetenv A NEVER", A="1", B="2") == {"A": "1"}
    assert changed("resetenv", A="1") == {}


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("setenv", "'setenv' expects environment variable name.\n."),
        ("presetenv A", "'presetenv' expects environment variable value for 'A'.\n."),
        ("setenv A b c", "'setenv' cannot handle unexpected argument 'c'."),
        ("setenv A=b c", "'setenv' failed on variable 'A=b' : Invalid argument.\n"),
        ("unsetenv", "'unsetenv' expects at least one variable name.\n"),
        ("unsetenv A=b", "'unsetenv' failed on variable 'A=b' : Invalid argument.\n"),
    ],
)
def test_refused(line: str, message: str) -> None:
    with pytest.raises(Refused) as caught:
        changed(line)
    assert str(caught.value) == message


def test_the_process_environment_is_a_copy() -> None:
    environment = Environment.of_process()
    environment.set("EVENER_TEST_ONLY", "1")
    assert "EVENER_TEST_ONLY" not in os.environ
    assert environment.get("HAPROXY_BRANCH") == "3.5"
    assert environment.get("HAPROXY_MWORKER") is None
    assert Environment.of_process(master_worker=True).get("HAPROXY_MWORKER") == "1"


def test_what_the_second_reading_may_use() -> None:
    environment = Environment({})
    environment.prepare(["a.cfg", "b.cfg"], "peer1")
    assert environment.get("HAPROXY_CFGFILES") == "a.cfg;b.cfg"
    assert environment.get("HAPROXY_LOCALPEER") == "peer1"
    assert (environment.get("HAPROXY_TCP_LOG_FMT") or "").startswith("%ci:%cp [%t] %ft %b/%s")
    assert (environment.get("HAPROXY_KEYLOG_BC_LOG_FMT") or "").count("\n") == 7


def test_closest() -> None:
    environment = Environment({"HAPROXY_USER": "x", "HOME": "/"})
    assert environment.closest("HAPROXY_USR") == "HAPROXY_USER"
    assert environment.closest("NOTHING") is None
