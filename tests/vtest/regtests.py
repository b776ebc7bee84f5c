"""Runs HAProxy's own regression tests against a program, with VTest, and counts.

    python tests/vtest/regtests.py --checkout DIR --vtest BIN [--program BIN] [-j 2] [pattern ...]

``DIR`` is a checkout of haproxy/haproxy, ``BIN`` a built vtest. The program defaults to the ``haproxy``
beside this interpreter. Patterns select by substring of the path; prints one line per test
(pass, skip, FAIL), then a total.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

LIMIT = 12  # seconds for one test; its own expectations time out earlier


def living_in(folder: str) -> list[int]:
    """The processes whose working directory is inside the folder; vtest groups its children apart."""
    found = []
    for entry in os.listdir("/proc"):
        with contextlib.suppress(OSError):
            if entry.isdecimal() and os.readlink(f"/proc/{entry}/cwd").startswith(folder + "/"):
                found.append(int(entry))
    return found


def run_one(vtest: Path, checkout: Path, program: Path, test: Path) -> tuple[str, str]:
    """Verdict and output of one test; TMPDIR is kept short because it becomes part of socket paths."""
    with tempfile.TemporaryDirectory(prefix="vt", dir="/tmp") as folder:
        environment = {
            **os.environ,
            "TMPDIR": folder,
            "HAPROXY_PROGRAM": str(program),
            "HAPROXY_ARGS": "-dM -dI -dW",
        }
        command = [str(vtest), "-k", "-L", "-v", "-t", str(LIMIT), "-b", "2M", str(test)]
        process = subprocess.Popen(
            command,
            cwd=checkout,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            output = process.communicate(timeout=LIMIT * 2)[0].decode(errors="replace")
        except subprocess.TimeoutExpired:
            output = "stopped after its time limit"
        finally:
            for pid in [process.pid, *living_in(folder)]:  # whatever the test left running
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
        process.wait()
    verdict = {0: "pass", 77: "skip"}.get(process.returncode, "FAIL")
    return verdict, output


def collect(checkout: Path, patterns: list[str]) -> list[Path]:
    tests = sorted((checkout / "reg-tests").rglob("*.vtc"))
    if patterns:
        tests = [test for test in tests if any(pattern in str(test) for pattern in patterns)]
    return [test.relative_to(checkout) for test in tests]


def run_all(
    vtest: Path, checkout: Path, program: Path, tests: list[Path], jobs: int, logs: Path | None = None
) -> dict[str, str]:
    """Verdict by test path; the outputs of failures go to ``logs``."""

    def work(test: Path) -> tuple[Path, str]:
        verdict, output = run_one(vtest, checkout, program, test)
        if logs is not None and verdict == "FAIL":
            (logs / (str(test).replace("/", "_") + ".log")).write_text(output)
        return test, verdict

    with ThreadPoolExecutor(jobs) as pool:
        return {str(test): verdict for test, verdict in pool.map(work, tests)}


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--checkout", type=Path, required=True)
    parser.add_argument("--vtest", type=Path, required=True)
    parser.add_argument("--program", type=Path, default=Path(sys.executable).parent / "haproxy")
    parser.add_argument("--logs", type=Path, help="folder for the output of failed tests")
    parser.add_argument("-j", dest="jobs", type=int, default=2)
    parser.add_argument("patterns", nargs="*")
    options = parser.parse_args()
    if options.logs:
        options.logs.mkdir(parents=True, exist_ok=True)
    tests = collect(options.checkout, options.patterns)
    verdicts = run_all(options.vtest, options.checkout, options.program, tests, options.jobs, options.logs)
    for test, verdict in verdicts.items():
        print(verdict, test)
    print(dict(Counter(verdicts.values())))
    return 0


if __name__ == "__main__":
    sys.exit(main())
