"""A master agent, and who receives its traps, in the namespace of a router; and what tools ask them."""

from __future__ import annotations

import re
import shutil
import signal
import subprocess

from lab import Lab, why_not

TOOLS = ("snmpd", "snmpwalk", "snmptrapd")
TRAP = "1.3.6.1.6.3.1.1.4.1.0 = OID: "
NOT_OURS = ("1.3.6.1.6.3.1.1.5.", "1.3.6.1.4.1.8072.4.0.")
"""Traps of the master agent itself."""


def missing() -> str:
    return why_not() or next((f"{tool} is not installed" for tool in TOOLS if not _path(tool)), "")


def _path(tool: str) -> str | None:
    return shutil.which(tool, path="/usr/sbin:/usr/bin:/sbin:/bin")


class Master:
    """Close it."""

    def __init__(self, lab: Lab) -> None:
        self._lab, self._home = lab, lab.home / "snmp"
        self._home.mkdir()
        self.socket = self._home / "agentx"
        (self._home / "snmpd.conf").write_text(
            "rocommunity public\nrwcommunity private\nmaster agentx\n"
            f"agentXSocket unix:{self.socket}\nagentaddress udp:127.0.0.1:161\n"
            "trapcommunity public\ntrap2sink 127.0.0.1:162\n"
        )
        (self._home / "snmptrapd.conf").write_text("disableAuthorization yes\n")
        self._traps = self._home / "traps"
        self._processes = [
            self._start("snmptrapd", "-f", "-n", "-On", f"-Lf{self._traps}", "udp:127.0.0.1:162"),
            self._start("snmpd", "-f", f"-Lf{self._home}/log"),
        ]
        lab.wait_for(self.socket.exists, "the master agent")

    def _start(self, tool: str, *words: str) -> subprocess.Popen[bytes]:
        path = _path(tool)
        assert path is not None
        config = ["-C", "-c", f"{self._home}/{tool}.conf"]
        addresses = [word for word in words if word.startswith("udp:")]
        options = [word for word in words if word not in addresses]
        return subprocess.Popen(
            ["ip", "netns", "exec", self._lab.spaces[0], path, *options, *config, *addresses],
            env={"MIBS": "", "SNMP_PERSISTENT_DIR": str(self._home), "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def ask(self, tool: str, *words: str, community: str = "public") -> list[str]:
        inside = ["ip", "netns", "exec", self._lab.spaces[0]]
        found = subprocess.run(
            [*inside, tool, "-v2c", "-c", community, "-On", "127.0.0.1", *words],
            env={"MIBS": "", "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        return (found.stdout + found.stderr).splitlines()

    def walk(self, tree: str, tool: str = "snmpwalk") -> list[str]:
        return self.ask(tool, tree)

    def traps(self) -> list[str]:
        """What was told, without the moment."""
        text = self._traps.read_text("utf-8", "replace") if self._traps.exists() else ""
        found = [re.sub(r"\s+", " ", line.partition(TRAP)[2]) for line in text.splitlines() if TRAP in line]
        return [line for line in found if not line.lstrip(".").startswith(NOT_OURS)]

    def close(self) -> None:
        for process in reversed(self._processes):
            process.send_signal(signal.SIGTERM)
            process.wait(10)
