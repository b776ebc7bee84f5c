"""In the test kernel: one daemon after the other below a master agent, and what tools and traps say of it.

snmp_inside.py REFERENCE OUTPUT
"""

from __future__ import annotations

import ctypes
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

CLONE_NEWNET = 0x40000000
HOME = Path("/run/snmp")
KEEPALIVED = "1.3.6.1.4.1.9586.100.5"
STATUS, WEIGHT = f"{KEEPALIVED}.3.4.1.6", f"{KEEPALIVED}.3.4.1.7"
STATES = ["2", "1", "1", "1", "1"]
"""Of the real servers, in order: nobody answers at the first."""
TRAP = "1.3.6.1.6.3.1.1.4.1.0 = OID: "
PATIENCE_S = 90
LINKS = "link set lo up", "link add v0 type dummy", "addr add 10.0.0.1/24 dev v0", "link set v0 up"
ENVIRONMENT = {**os.environ, "MIBS": "", "SNMP_PERSISTENT_DIR": str(HOME), "TMPDIR": str(HOME)}
ADDRESS = "127.0.0.1"

MASTER = f"""
rocommunity public
rwcommunity private
master agentx
agentXSocket unix:{HOME}/agentx
agentaddress udp:{ADDRESS}:161
trapcommunity public
trap2sink {ADDRESS}:162
"""
CONFIGURATION = f"""
global_defs {{
 router_id lab
 snmp_socket unix:{HOME}/agentx
 enable_snmp_checker
 enable_traps
 script_user root
 enable_script_security
 lvs_timeouts tcp 100 udp 20
 lvs_sync_daemon v0 one id 7 maxlen 1400 port 8848 ttl 3 group 224.0.0.81
}}
vrrp_instance one {{
 interface v0
 virtual_router_id 51
 virtual_ipaddress {{
  10.0.0.100
 }}
}}
virtual_server_group gg {{
 10.0.0.60 80
 10.0.0.61-63 81
 fwmark 5
}}
virtual_server 10.0.0.50 80 {{
 delay_loop 2
 lvs_sched wrr
 lvs_method NAT
 persistence_timeout 50
 persistence_granularity 255.255.255.0
 protocol TCP
 quorum 2
 hysteresis 1
 quorum_up "/usr/bin/true up"
 quorum_down "/usr/bin/true down"
 weight 4
 retry 2
 delay_before_retry 1
 warmup 0
 virtualhost www.example.com
 sorry_server 10.0.0.9 8080
 smtp_alert
 snmp_name "first one"
 omega
 real_server 10.0.0.11 80 {{
  weight 3
  uthreshold 100
  lthreshold 50
  notify_up "/usr/bin/true rsup"
  notify_down "/usr/bin/true rsdown"
  snmp_name rs1
  virtualhost rs.example.com
  TCP_CHECK {{
   connect_ip 127.0.0.1
   connect_port 9
   connect_timeout 1
   retry 0
  }}
 }}
 real_server 10.0.0.12 81 {{
  inhibit_on_failure
 }}
}}
virtual_server fwmark 9 {{
 lvs_sched sh
 lvs_method DR
 sh-port
 ip_family inet
 real_server 10.0.0.13 0 {{
  weight 2
 }}
}}
virtual_server group gg {{
 delay_loop 2
 warmup 0
 lvs_sched mh
 mh-fallback
 lvs_method TUN type gue port 6000 csum
 protocol UDP
 alpha
 ops
 real_server 10.0.0.14 80 {{
  weight 2
  MISC_CHECK {{
   misc_path "/usr/bin/true"
   misc_timeout 1
  }}
 }}
}}
virtual_server fd00::50 443 {{
 lvs_sched lc
 protocol TCP
 ha_suspend
 persistence_timeout 7
 persistence_granularity 64
 real_server fd00::11 443 {{
  weight 1
 }}
}}
"""


def run(*words: str) -> list[str]:
    found = subprocess.run(words, capture_output=True, text=True, env=ENVIRONMENT, check=False)
    return (found.stdout + found.stderr).splitlines()


def ask(tool: str, *words: str, community: str = "public") -> list[str]:
    return run(tool, "-v2c", "-c", community, "-On", "-t", "5", ADDRESS, *words)


def start(*words: str, log: str = "/dev/null") -> subprocess.Popen[bytes]:
    with open(log, "ab") as file:
        return subprocess.Popen(words, env=ENVIRONMENT, stdout=file, stderr=file, stdin=subprocess.DEVNULL)


def until(condition: object) -> None:
    limit = time.monotonic() + PATIENCE_S
    while time.monotonic() < limit and callable(condition) and not condition():
        time.sleep(0.3)


def traps(path: Path) -> list[str]:
    text = path.read_text("utf-8", "replace") if path.exists() else ""
    found = (re.sub(r"\s+", " ", line.partition(TRAP)[2]) for line in text.splitlines() if TRAP in line)
    return [line for line in found if line.lstrip(".").startswith(f"{KEEPALIVED}.3.")]


def settled() -> bool:
    """A sorry server has no status."""
    return [line[-1:] for line in ask("snmpwalk", STATUS)] == STATES


def watch(name: str, command: list[str]) -> dict[str, object]:
    if ctypes.CDLL(None).unshare(CLONE_NEWNET):
        raise OSError("unshare")
    for words in (
        "link set lo up",
        "link add v0 type dummy",
        "addr add 10.0.0.1/24 dev v0",
        "link set v0 up",
    ):
        run("ip", *words.split(" "))
    told = HOME / f"{name}.traps"
    agents = [
        start(
            "snmptrapd", "-f", "-n", "-On", f"-Lf{told}", "-C", "-c", f"{HOME}/trapd", f"udp:{ADDRESS}:162"
        ),
        start("snmpd", "-f", "-LE0", "-C", "-c", f"{HOME}/snmpd"),
    ]
    until((HOME / "agentx").exists)
    pids = [f"-{letter}{HOME}/{name}.{letter}" for letter in "prc"]
    daemon = start(*command, "-nlDG", f"-f{HOME}/conf", *pids, log=f"{HOME}/{name}.log")
    until(settled)
    walk = [line for part in (1, 3) for line in ask("snmpwalk", f"{KEEPALIVED}.{part}")]
    done = [ask("snmpset", f"{WEIGHT}.{row}", "i", "9", community="private") for row in ("2.1", "1.1")]
    seen = ask("snmpwalk", WEIGHT)
    ipvs = run("ipvsadm", "-Sn")
    daemon.send_signal(signal.SIGTERM)
    daemon.wait(30)
    time.sleep(1)
    for agent in reversed(agents):
        agent.send_signal(signal.SIGTERM)
        agent.wait(10)
    (HOME / "agentx").unlink(missing_ok=True)
    log = (HOME / f"{name}.log").read_text("utf-8", "replace")
    return {"walk": walk, "set": done, "seen": seen, "ipvs": ipvs, "traps": traps(told), "log": log[-4000:]}


def main() -> None:
    reference, output = sys.argv[1:]
    HOME.mkdir(parents=True)
    (HOME / "snmpd").write_text(MASTER)
    (HOME / "trapd").write_text("disableAuthorization yes\n")
    (HOME / "conf").write_text(CONFIGURATION)
    own = [sys.executable, "-m", "evener.cli.keepalived"]
    found = {"keepalived": watch("keepalived", [reference]), "evener": watch("evener", own)}
    Path(output).write_text(json.dumps(found))


main()
