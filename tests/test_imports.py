"""What is not loaded before somebody needs it: a daemon's memory, and the time until it runs."""

from __future__ import annotations

import subprocess
import sys

KEEPALIVED = "evener.cli.keepalived_run, evener.keepalived.resolve, evener.host.checker_process"
NOT_YET = {
    "ast",
    "dis",
    "pathlib",
    "subprocess",
    "pickle",
    "tempfile",
    "difflib",
    "ssl",
    "pyroute2",
    "asyncio",
}


def answer(program: str) -> str:
    return subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60
    ).stdout.strip()


def test_keepalived_starts_without_them() -> None:
    assert answer(f"import sys, {KEEPALIVED}; print(sorted({NOT_YET!r} & set(sys.modules)))") == "[]"


def test_snmp_is_loaded_for_who_asks_for_it() -> None:
    program = f"""import sys, {KEEPALIVED}, evener.host.vrrp_process
from evener.keepalived.compile_daemon import compile_daemon
from evener.keepalived.ir import Configuration
compile_daemon(Configuration())
print([name for name in sys.modules if "snmp." in name or "agentx" in name or "snmp_session" in name])"""
    assert answer(program) == "[]"


def test_inspect_is_there_for_whoever_looks_into_it() -> None:
    program = "import evener.text.record, sys, inspect; before = 'ast' in sys.modules; "
    program += (
        "print(before, inspect.signature(len), sys.modules['inspect'].__spec__.name, hasattr(inspect, 'x'))"
    )
    assert answer(program) == "False (obj, /) inspect False"
    assert answer("import evener.text.record; from inspect import isclass; print(isclass(int))") == "True"
