"""What the parent does around its children: scripts before and after them, a mark around a reload."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from evener.host.script_user import ScriptRefused, account_of, check_path
from evener.keepalived.plan import DaemonPlan, Errand

FLAGS = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC


def run_errand(what: str, errand: Errand | None, plan: DaemonPlan, log: Callable[[str], None]) -> None:
    """Run a script and wait for it; one that takes too long is killed, with its children."""
    if errand is None:
        return
    import subprocess

    program, options = errand.program, plan.vrrp.options
    log(f"Running {what} script {program.argv[0]}")
    try:
        account = account_of(program, options)
        check_path(program, account, options)
        other = account.uid != os.geteuid() or account.gid != os.getegid()
        process = subprocess.Popen(
            program.argv,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            process_group=0,
            user=account.uid if other else None,
            group=account.gid if other else None,
            extra_groups=list(account.groups) if other else None,
        )
    except (OSError, subprocess.SubprocessError, ScriptRefused) as error:
        log(f"Couldn't execute {what} script {program.argv[0]}: {error}")
        return
    try:
        code = process.wait(errand.timeout_s)
    except subprocess.TimeoutExpired:
        log(f"{what} script {program.argv[0]} took longer than {errand.timeout_s} s: killing it")
        with suppress(OSError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        return
    if code:
        log(f"{what} script {program.argv[0]} failed with status {code}")


@contextmanager
def reload_marker(path: str | None) -> Iterator[None]:
    """The file is empty while the configuration is read, and gone afterwards."""
    if path is not None:
        with suppress(OSError):
            os.close(os.open(path, FLAGS, 0o600))
    yield
    if path is not None:
        with suppress(OSError):
            os.unlink(path)
