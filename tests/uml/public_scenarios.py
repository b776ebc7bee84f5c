"""Scenarios of public configurations (EVENER_CORPUS): all servers up, the first fails, all fail, all recover,
a reload with other weights and schedulers.

Every address counts as one of the namespace, so that servers are ports that are open or closed. Times of
checks are shortened, nothing else is changed. A file that the original does not run is compared as well: then
neither runs. Left out are files with BFD, which not every keepalived has, with scripts, which are not here,
and some by name: see OTHERS.
"""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from pathlib import Path

from ipvs_scenarios import Scenario

from evener.cli import keepalived as command
from evener.cli import keepalived_args
from evener.keepalived.lvs.plan import CheckerPlan, RealServer

LARGEST = 20_000
"""Bytes; larger ones are stress tests of one pattern."""
EVERYWHERE = "route add local 0.0.0.0/0 dev lo\nroute add local ::/0 dev lo\n"
BALANCES = re.compile(r"^\s*virtual_server\s+[^{}\n]*\{", re.MULTILINE)
SECONDS = re.compile(r"\b(delay_loop|connect_timeout|delay_before_retry|misc_timeout|warmup)\s+[\d.]+")
TIMES = re.compile(r"\b(retry|nb_get_retry)\s+\d+")
ELSEWHERE = re.compile(r"\bbfd_|\bMISC_CHECK", re.IGNORECASE)
OTHERS = {
    "pqarmitage__keepalived-devel-tools__47.conf": "a group with a port behind its name",
    "pqarmitage__keepalived-devel-tools__282.conf": "wrong on purpose, in some thirty places",
    "pqarmitage__keepalived-devel-tools__284.conf": "servers of another family than their group's",
}
"""Differ, and why."""
WEIGHT = re.compile(r"\bweight\s+(\d+)")
SCHEDULER = re.compile(r"\b(lb_algo|lvs_sched)\s+\w+")
MOST_TARGETS = 60
CONNECTING = {"TCP_CHECK", "HTTP_GET", "SSL_GET", "SMTP_CHECK"}


def files(folder: Path) -> list[Path]:
    """Configurations with virtual servers."""
    found = sorted((folder / "keepalived").glob("*.conf"))
    found = [path for path in found if path.name not in OTHERS]
    small = ((path, path.read_text(errors="replace")) for path in found if path.stat().st_size <= LARGEST)
    return [path for path, text in small if BALANCES.search(text) and not ELSEWHERE.search(text)]


def hurried(text: str) -> str:
    text = TIMES.sub(r"\1 1", SECONDS.sub(r"\1 1", text))
    return BALANCES.sub(lambda found: f"{found[0]}\n    delay_loop 1\n", text)


def changed(text: str) -> str:
    """What a reload finds."""
    text = WEIGHT.sub(lambda found: f"weight {min(int(found[1]) + 1, 65535)}", text)
    return SCHEDULER.sub(r"\1 sh", text)


def public(folder: Path) -> list[Scenario]:
    return [scenario(path) for path in files(folder)]


def scenario(path: Path) -> Scenario:
    text = hurried(path.read_text(errors="replace"))
    groups = targets(text)
    first = groups[0] if groups else []
    all_of_them = list(dict.fromkeys(target for group in groups for target in group))[:MOST_TARGETS]
    first = [target for target in first if target in all_of_them]
    others = [target for target in all_of_them if target not in first]
    steps = []
    if first:
        steps.append(" ".join(["down", *first]))
    if others:
        steps.append(" ".join(["down", *others]))
    if all_of_them:
        steps.append(" ".join(["up", *all_of_them]))
    return Scenario(
        path.name, text, (*steps, "reload"), changed(text), ports=tuple(all_of_them), prepare=EVERYWHERE,
        words=("-C",),
    )  # fmt: skip


def targets(text: str) -> list[list[str]]:
    """First those of the first real server of each virtual server, then all others."""
    file = Path("/run/lvs/public.conf")
    file.write_text(text)
    plan, _ = command.runnable(keepalived_args.parse(["-C", "-f", str(file)]), lambda line: None)
    if plan is None:
        return []
    return [list(reached(plan.checker, True)), list(reached(plan.checker, False))]


def reached(plan: CheckerPlan, first: bool) -> Iterator[str]:
    for virtual in plan.virtual_servers:
        for real in virtual.real_servers[:1] if first else virtual.real_servers[1:]:
            yield from checked(real)


def checked(real: RealServer) -> Iterator[str]:
    for check in real.checks:
        route = getattr(check.probe, "route", None)
        if route is not None and check.probe.kind in CONNECTING:
            yield f"{socket.inet_ntop(route.family, route.address)}@{route.port}"
