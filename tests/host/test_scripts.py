"""The script helper: a real process, real scripts, results over its socket."""

import os
import select
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from evener.host.script_user import ScriptRefused, account_of, check_path
from evener.host.scripts import Line, Result, ScriptClient
from evener.keepalived.vrrp.plan import GlobalOptions, Program, Script

PATIENCE_S = 10.0


@pytest.fixture
def client() -> Iterator[ScriptClient]:
    client = ScriptClient(GlobalOptions())
    yield client
    client.close()
    os.waitpid(client.pid, 0)


def shell(text: str) -> Program:
    return Program(("/bin/sh", "-c", text))


def collect(client: ScriptClient, count: int, kind: type = Result) -> list[Result | Line]:
    """Wait for ``count`` reports of a kind."""
    found: list[Result | Line] = []
    end = time.monotonic() + PATIENCE_S
    while len(found) < count and time.monotonic() < end:
        select.select([client], [], [], 0.2)
        found += [report for report in client.reports() or [] if isinstance(report, kind)]
    assert len(found) >= count, f"only {found} within {PATIENCE_S} s"
    return found


def appears(path: Path) -> str:
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        if path.exists() and path.read_text(encoding="ascii").endswith("\n"):
            return path.read_text(encoding="ascii")
        time.sleep(0.01)
    raise AssertionError(f"{path} did not appear")


def test_results_are_reported_each_interval(client: ScriptClient) -> None:
    client.check([Script("good", shell("exit 0"), interval_us=50_000)])
    assert collect(client, 3)[:3] == [Result("good", True, "succeeded")] * 3
    client.check([Script("bad", shell("exit 7"), interval_us=50_000)])
    assert Result("bad", False, "failed (exited with status 7)") in collect(client, 3)


def test_signals_and_missing_programs_are_failures(client: ScriptClient) -> None:
    client.check([Script("shot", shell("kill -9 $$"), interval_us=10_000_000)])
    assert collect(client, 1) == [Result("shot", False, "failed (due to signal 9)")]
    client.check([Script("gone", Program(("/nonexistent/program",)), interval_us=10_000_000)])
    assert collect(client, 1) == [Result("gone", False, "failed")]


def test_a_script_that_takes_too_long_is_ended_with_its_kin(client: ScriptClient, tmp_path: Path) -> None:
    pids = tmp_path / "pid"
    slow = shell(f"sleep 60 & echo $! > {pids}; wait")
    client.check([Script("slow", slow, interval_us=20_000_000, timeout_us=200_000)])
    assert collect(client, 1) == [Result("slow", False, "timed_out")]
    child = int(appears(pids))
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end and not gone(child):
        time.sleep(0.02)
    assert gone(child)


def gone(pid: int) -> bool:
    try:
        return " Z " in Path(f"/proc/{pid}/stat").read_text(encoding="ascii")
    except OSError:
        return True


def test_overlapping_runs_are_skipped(client: ScriptClient) -> None:
    client.check([Script("slow", shell("sleep 0.5"), interval_us=100_000, timeout_us=5_000_000)])
    lines = collect(client, 1, Line)
    assert lines[0] == Line("Track script slow is already running, expect idle - skipping run")


def test_notify_scripts_get_their_words_and_outlive_us(tmp_path: Path) -> None:
    client = ScriptClient(GlobalOptions())
    note = tmp_path / "note"
    client.run(shell(f'sleep 0.2; echo "$0 $1" > {note}'), ("INSTANCE", "VI 1"))
    client.close()
    os.waitpid(client.pid, 0)
    assert appears(note) == "INSTANCE VI 1\n"


def test_kept_programs_end_with_us(tmp_path: Path) -> None:
    client = ScriptClient(GlobalOptions())
    pids = tmp_path / "pid"
    client.keep(shell(f"echo $$ > {pids}; exec sleep 60"))
    pid = int(appears(pids))
    client.close()
    os.waitpid(client.pid, 0)
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end and not gone(pid):
        time.sleep(0.02)
    assert gone(pid)


def test_an_unknown_user_is_refused(client: ScriptClient) -> None:
    client.run(Program(("/bin/true",), user="nobody-of-that-name"))
    line = collect(client, 1, Line)[0]
    assert line == Line("Couldn't execute script /bin/true: unknown user or group 'nobody-of-that-name'")


@pytest.mark.skipif(os.geteuid() != 0, reason="changing users needs root")
def test_runs_as_its_user(client: ScriptClient, tmp_path: Path) -> None:
    tmp_path.chmod(0o777)
    for parent in tmp_path.parents[:3]:
        parent.chmod(parent.stat().st_mode | 0o055)
    note = tmp_path / "note"
    client.run(Program(("/bin/sh", "-c", f"id -un > {note}"), user="nobody"))
    assert appears(note) == "nobody\n"


def test_script_security_refuses_what_others_may_write(tmp_path: Path) -> None:
    script = tmp_path / "script"
    script.write_text("#!/bin/sh\n", encoding="ascii")
    script.chmod(0o777)
    options = GlobalOptions(script_user="root", script_security=True)
    program = Program((str(script),))
    account = account_of(program, options)
    with pytest.raises(ScriptRefused, match="unsafe permissions"):
        check_path(program, account, options)
    check_path(program, account, GlobalOptions(script_user="root"))
    check_path(Program(("/bin/sh",)), account, options)
