"""A daemon's checks against targets that turn from good to bad and back: what it said of each server.

    checker_run.py KEEPALIVED OUTPUT.json

records what keepalived said (in a kernel with IPVS) for ``test_checkers_beside``.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from checker_cases import CASES, Case, configuration, port_of, server_of
from checker_targets import Target
from lab import ip

PHASES = 3
PREFIX = re.compile(r"^\w{3} \w{3} +\d+ [\d:]+ \d+: ", re.MULTILINE)
SAID = {f"{case.name}{' turned' * turned}": (index, turned) for index, case in enumerate(CASES)
        for turned in ((False, True) if case.good else (False,))}  # fmt: skip
"""The names of all servers."""
RECORD_S = 6.0


def about(log: str, port: int) -> list[str]:
    """What was said of a server, each text once; there are texts that name the target.

    keepalived does not say of which server an error of TLS is.
    """
    server, target = f"[{server_of(port)}]:", f"]:{port}"
    lines = PREFIX.sub("", log).splitlines()
    return list(
        dict.fromkeys(
            line for line in lines if (server in line or target in line) and "SSL error" not in line
        )
    )


class Play:
    """``phase`` turns all targets; ``said`` is what the daemon has said so far, by server."""

    def __init__(self, namespace: str, command: list[str], home: Path) -> None:
        self._ends = ExitStack()
        for words in (
            ("link", "set", "lo", "up"),
            ("link", "add", "d0", "type", "veth", "peer", "name", "d1"),
            ("addr", "add", "10.98.0.1/24", "dev", "d0"),
            ("link", "set", "d0", "up", "arp", "off"),
            ("link", "set", "d1", "up"),
        ):
            ip(*words, namespace=namespace)
        self._targets: list[tuple[Case, bool, Target]] = []
        for index, turned in SAID.values():
            case = CASES[index]
            if case.good:
                made = Target(namespace, port_of(index, turned), case.datagrams)
                self._targets.append((case, turned, made))
                self._ends.callback(made.close)
        self._log = home / "log"
        (home / "conf").write_text(configuration())
        self._command = ["ip", "netns", "exec", namespace, *command, "-n", "-l", "-D", "-G"]
        self._command += [f"-f{home}/conf", f"-p{home}/p", f"-r{home}/r", f"-c{home}/c"]
        self._environment = {**os.environ, "TMPDIR": str(home)}

    def start(self) -> None:
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command, stdout=log, stderr=log, stdin=subprocess.DEVNULL, env=self._environment
            )
        self._ends.callback(self._end)

    def _end(self) -> None:
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            self._process.wait(20)

    def phase(self, number: int) -> None:
        for case, turned, target in self._targets:
            target.turn(case.bad if (number + turned) % 2 else case.good)

    @property
    def log(self) -> str:
        return self._log.read_text(errors="replace")

    @property
    def said(self) -> dict[str, list[str]]:
        log = self.log
        return {name: about(log, port_of(*where)) for name, where in SAID.items()}

    def close(self) -> None:
        self._ends.close()

    def until(self, done: Callable[[dict[str, list[str]]], bool], seconds: float) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end and not done(self.said):
            time.sleep(0.2)


def main() -> None:
    """Everything that was said by the end of each phase."""
    namespace = f"evr{os.getpid()}"
    ip("netns", "add", namespace)
    found: list[dict[str, list[str]]] = []
    with tempfile.TemporaryDirectory() as home:
        play = Play(namespace, sys.argv[1:2], Path(home))
        try:
            for number in range(PHASES):
                play.phase(number)
                if not number:
                    play.start()
                time.sleep(RECORD_S)
                found.append(play.said)
        finally:
            play.close()
            ip("netns", "del", namespace)
    later = [{name: len(lines) for name, lines in said.items()} for said in found]
    record = {name: [found[-1][name], [counts[name] for counts in later]] for name in SAID}
    text = ",\n".join(f"{json.dumps(name)}: {json.dumps(value)}" for name, value in record.items())
    Path(sys.argv[2]).write_text(f"{{\n{text}\n}}\n")


if __name__ == "__main__":
    main()
