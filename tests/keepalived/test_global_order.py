"""global_defs counts for the whole file, wherever it stands; and who scripts run as when nobody can run them.

What is expected is what keepalived 2.4.3 says of the same texts.
"""

from __future__ import annotations

import pytest
from kadtext import instance, read, said

from evener.keepalived.compile import compile_plan
from evener.keepalived.reading import Program, Surroundings
from evener.keepalived.scripts import NOBODY

MACHINE = Surroundings(
    interfaces=frozenset(["lo", "eth0"]),
    user_exists=lambda user, group: user == "root" and group in (None, "root"),
    program=lambda argv, user, secure: Program.FINE if argv[0] == "/bin/true" else Program.MISSING,
)
SECURITY = "SECURITY VIOLATION - {}scripts are being executed but script_security not enabled."
TRACKED = "vrrp_script s {\nscript /bin/true\n}\n" + instance("track_script {\ns\n}")
NO_USER = "Error setting global script uid/gid"


def both_ways(settings: str, rest: str) -> tuple[list[str], list[str]]:
    """What is said with global_defs before the rest, and behind it."""
    block = f"global_defs {{\n{settings}\n}}\n"
    return sorted(texts(block + rest)), sorted(texts(rest + block))


def texts(configuration: str) -> list[str]:
    """What is said, without the places."""
    lines = said(configuration, surroundings=MACHINE)
    return [line.rpartition("Line ")[2].partition(") ")[2] or line for line in lines]


@pytest.mark.parametrize(
    ("settings", "rest"),
    [
        ("dynamic_interfaces", instance("track_interface {\nnone1\n}").replace("eth0", "none0")),
        ("dynamic_interfaces", "interface_up_down_delays {\nnone0 1\n}\n" + instance("")),
        ("lvs_sync_daemon eth1 A", instance("lvs_sync_daemon_interface eth0")),
        ("script_user nosuch", "vrrp_script s {\nscript /bin/true\n}\n" + instance("track_script {\ns\n}")),
        (
            "enable_script_security",
            "vrrp_script s {\nscript /bin/true\n}\n" + instance("track_script {\ns\n}"),
        ),
        ("script_user root", instance("notify /bin/true")),
    ],
)
def test_the_place_of_global_defs_does_not_matter(settings: str, rest: str) -> None:
    before, behind = both_ways(settings, rest)
    assert before == behind


def test_interfaces_may_appear_though_it_is_said_last() -> None:
    text = instance("").replace("eth0", "none0") + "global_defs {\ndynamic_interfaces\n}\n"
    assert said(text, surroundings=MACHINE) == []


def test_one_sync_daemon_for_all_instances() -> None:
    text = instance("lvs_sync_daemon_interface eth0") + instance("lvs_sync_daemon_interface eth1", "B")
    lines = said(
        text.replace("router_id 9\nvirtual_ipaddress {\n10.1.0.1/24\n}\n}\nvrrp", "router_id 8\n}\nvrrp")
    )
    assert (
        sum("(B) lvs_sync_daemon_interface has already been specified as eth0" in line for line in lines) == 1
    )


@pytest.mark.parametrize(
    ("settings", "inside", "lines"),
    [
        ("script_user nosuch", 'notify "/bin/true"', [NO_USER]),
        ("script_user nosuch", 'notify "/bin/true" root', [NO_USER, SECURITY.format("")]),
        ("script_user nosuch\nstartup_script /bin/true", "", [NO_USER, "Invalid startup script"]),
        ("startup_script /bin/true nosuch", "", ["Invalid startup script"]),
        ("shutdown_script /bin/true root root", "", [SECURITY.format("start/shutdown ")]),
        ("shutdown_script /bin/none root", "", []),
        ("enable_script_security\nstartup_script /bin/true root", "", []),
        (
            "startup_script /bin/true",
            'notify "/bin/true"',
            [SECURITY.format("start/shutdown "), SECURITY.format("")],
        ),
    ],
)
def test_who_runs_scripts(settings: str, inside: str, lines: list[str]) -> None:
    assert texts(f"global_defs {{\n{settings}\n}}\n{instance(inside)}") == lines


def test_without_the_script_user_nobody_runs_what_names_none() -> None:
    """Least of all whoever runs the daemon."""
    text = f"global_defs {{\nscript_user nosuch\n}}\n{instance('notify /bin/true')}"
    configuration, _ = read(text, surroundings=MACHINE)
    assert configuration is not None
    assert configuration.global_defs.script_user == NOBODY
    assert compile_plan(configuration).options.script_user == ""


def test_of_things_that_are_tracked_the_first_of_a_name_counts() -> None:
    text = """
vrrp_script T {
script /bin/true
}
track_file T {
file /a
}
vrrp_track_process T {
process a
}
"""
    changed = text.replace("/bin/true", "/bin/none").replace("/a", "/b").replace("process a", "process b")
    configuration, _ = read(text + changed + instance("track_script {\nT\n}"))
    assert configuration is not None
    (script,), (file,), (process,) = (
        configuration.vrrp_script,
        configuration.track_file,
        configuration.vrrp_track_process,
    )
    assert script.script is not None
    assert (script.script.argv, file.file) == (("/bin/true",), "/a")
    assert "a" in str(process.process)
