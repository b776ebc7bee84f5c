"""External checks: commands of the system, started by the helper, ending as they do."""

import time
from collections.abc import Callable
from pathlib import Path

from evener.haproxy.checks.external import External, Target, ended, invocation
from evener.haproxy.checks.outcome import CheckStatus
from evener.host.check_process import NOT_STARTED, CheckProcesses
from evener.host.reactor import Reactor

TARGET = Target("s1", 3, "127.0.0.1", 80, 10, 4)


def with_helper(act: Callable[[Reactor, CheckProcesses], None], told: list[str]) -> None:
    reactor = Reactor()
    processes = CheckProcesses(reactor, told.append)
    processes.start()
    try:
        act(reactor, processes)
    finally:
        processes.close()
        reactor.close()


def statuses(commands: list[tuple[list[str], dict[str, str]]], told: list[str] | None = None) -> list[int]:
    """The wait status of each command, in their order."""
    found: dict[int, int] = {}

    def act(reactor: Reactor, processes: CheckProcesses) -> None:
        for number, (words, environment) in enumerate(commands):
            processes.run(words, environment, lambda status, number=number: found.update({number: status}))
        end = time.monotonic() + 10
        while len(found) < len(commands) and time.monotonic() < end:
            reactor.turn(0.1)

    with_helper(act, told if told is not None else [])
    return [found[number] for number in range(len(commands))]


def test_exit_statuses_and_what_cannot_be_started(tmp_path: Path) -> None:
    told: list[str] = []
    got = statuses(
        [
            (["/bin/true"], {}),
            (["true"], {"PATH": "/usr/bin:/bin"}),
            (["/bin/sh", "-c", "exit 3"], {}),
            (["/bin/sh", "-c", "kill -9 $$"], {}),
            (["true"], {"PATH": str(tmp_path)}),
            ([str(tmp_path)], {}),
        ],
        told,
    )
    outcomes = [ended(status, 5) for status in got]
    ok, error = CheckStatus.PROCOK, CheckStatus.PROCERR
    assert [(o.status, o.code) for o in outcomes] == [
        (ok, 0), (ok, 0), (error, 3), (error, -1), (error, 255), (error, 255),
    ]  # fmt: skip
    assert told == [
        "Failed to exec process for external health check: No such file or directory. Aborting.",
        "Failed to exec process for external health check: Permission denied. Aborting.",
    ]


def test_arguments_and_environment(tmp_path: Path) -> None:
    out = tmp_path / "out"
    check = External("/bin/sh", "/bin", "px", 2, "127.0.0.9", "8080", "h1", {"KEPT": "yes"})
    words, environment = invocation(check, TARGET)
    assert words == ["/bin/sh", "127.0.0.9", "8080", "127.0.0.1", "80"]
    script = f'echo "$@" > {out}; env >> {out}'
    assert statuses([(["/bin/sh", "-c", script, *words], environment)]) == [0]
    lines = out.read_text().splitlines()
    assert lines[0] == "127.0.0.9 8080 127.0.0.1 80"
    assert set(lines[1:]) >= {
        "KEPT=yes", "PATH=/bin", "HAPROXY_PROXY_NAME=px", "HAPROXY_PROXY_ID=2",
        "HAPROXY_PROXY_ADDR=127.0.0.9",
        "HAPROXY_PROXY_PORT=8080", "HAPROXY_SERVER_NAME=s1", "HAPROXY_SERVER_ID=3",
        "HAPROXY_SERVER_ADDR=127.0.0.1", "HAPROXY_SERVER_PORT=80", "HAPROXY_SERVER_MAXCONN=10",
        "HAPROXY_SERVER_CURCONN=4", "HAPROXY_SERVER_SSL=0", "HAPROXY_SERVER_PROTO=h1",
    }  # fmt: skip


def test_what_is_not_there_is_called_not_used() -> None:
    words, environment = invocation(External("x"), Target("s", 1, "/run/s", 0, 0, 0))
    assert words == ["x", "NOT_USED", "NOT_USED", "/run/s", "NOT_USED"]
    assert environment["HAPROXY_PROXY_ADDR"] == environment["HAPROXY_SERVER_PORT"] == ""


def test_a_late_command_is_told_to_go(tmp_path: Path) -> None:
    gone = tmp_path / "gone"

    def act(reactor: Reactor, processes: CheckProcesses) -> None:
        script = f"trap 'touch {gone}; exit 0' TERM; touch {gone}.ready; while :; do sleep 0.05; done"
        number = processes.run(["/bin/sh", "-c", script], {"PATH": "/bin:/usr/bin"}, lambda status: 1 / 0)
        end = time.monotonic() + 10
        while not Path(f"{gone}.ready").exists() and time.monotonic() < end:
            reactor.turn(0.05)
        processes.end(number)
        while not gone.exists() and time.monotonic() < end:
            reactor.turn(0.05)
        assert gone.exists()

    with_helper(act, [])


def test_without_a_helper_every_command_fails() -> None:
    reactor = Reactor()
    found: list[int] = []
    CheckProcesses(reactor, lambda told: None).run(["/bin/true"], {}, found.append)
    reactor.turn(0.1)
    reactor.close()
    assert found == [NOT_STARTED]
