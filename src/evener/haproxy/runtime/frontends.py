"""Commands that stop, pause and limit frontends and the process."""

from __future__ import annotations

import re
from collections.abc import Sequence

from evener.haproxy.columns import PROCESS_ROW, Column
from evener.haproxy.commands import PauseFrontend, SetCell
from evener.haproxy.plan import FrontendPlan
from evener.haproxy.runtime_api import Answer, Level, Session, Told, command

_LEADING = re.compile(r"[-+]?\d{1,10}", re.ASCII)


def find_frontend(session: Session, words: Sequence[str]) -> FrontendPlan | Told:
    if not words:
        return Told("A frontend name is expected.")
    return session.control.frontend(words[0]) or Told("No such frontend.")


def leading_number(text: str) -> int:
    """What the C library makes of ``text``: the digits it begins with, 0 without any."""
    match = _LEADING.match(text)
    return int(match[0]) if match else 0


@command(
    "disable frontend",
    "disable frontend <frontend>",
    level=Level.ADMIN,
    ok=("disable frontend f",),
    bad=("disable frontend", "disable frontend none", "disable frontend f;disable frontend f"),
)
def disable_frontend(session: Session, words: Sequence[str]) -> Answer:
    """temporarily disable specific frontend"""
    frontend = find_frontend(session, words)
    if isinstance(frontend, Told):
        return frontend
    statistics = session.control.statistics
    if frontend.index in statistics.stopped:
        return Told("Frontend was previously shut down, cannot disable.")
    if frontend.index in statistics.paused:
        return Told("All sockets are already disabled.")
    session.control.perform([PauseFrontend(frontend.index, paused=True)])
    return None


@command(
    "enable frontend",
    "enable frontend <frontend>",
    level=Level.ADMIN,
    ok=("disable frontend f;enable frontend f",),
    bad=("enable frontend", "enable frontend none", "enable frontend f"),
)
def enable_frontend(session: Session, words: Sequence[str]) -> Answer:
    """re-enable specific frontend"""
    frontend = find_frontend(session, words)
    if isinstance(frontend, Told):
        return frontend
    statistics = session.control.statistics
    if frontend.index in statistics.stopped:
        return Told("Frontend was previously shut down, cannot enable.")
    if frontend.index not in statistics.paused:
        return Told("All sockets are already enabled.")
    session.control.perform([PauseFrontend(frontend.index, paused=False)])
    return None


@command(
    "shutdown frontend",
    "shutdown frontend <frontend>",
    level=Level.ADMIN,
    ok=("shutdown frontend f",),
    bad=("shutdown frontend none", "shutdown frontend f;shutdown frontend f"),
)
def shutdown_frontend(session: Session, words: Sequence[str]) -> Answer:
    """stop a specific frontend"""
    frontend = find_frontend(session, words)
    if isinstance(frontend, Told):
        return frontend
    if frontend.index in session.control.statistics.stopped:
        return Told("Frontend was already shut down.")
    session.control.perform([PauseFrontend(frontend.index, paused=True, final=True)])
    return None


@command(
    "set maxconn frontend",
    "set maxconn frontend <frontend> <value>",
    level=Level.ADMIN,
    ok=("set maxconn frontend f 10",),
    bad=("set maxconn frontend", "set maxconn frontend f", "set maxconn frontend none 10"),
)
def set_maxconn_frontend(session: Session, words: Sequence[str]) -> Answer:
    """change a frontend's maxconn setting"""
    frontend = find_frontend(session, words)
    if isinstance(frontend, Told):
        return frontend
    if len(words) < 2:
        return Told("Integer value expected.")
    wanted = leading_number(words[1])
    if wanted < 0:
        return Told("Value out of range.")
    frontend.maxconn = wanted
    session.control.perform([SetCell(frontend.row, Column.MAXCONN, frontend.maxconn)])
    return None


@command(
    "set maxconn global",
    "set maxconn global <value>",
    level=Level.ADMIN,
    ok=("set maxconn global 100",),
    bad=("set maxconn global", "set maxconn global 99999999"),
)
def set_maxconn_global(session: Session, words: Sequence[str]) -> Answer:
    """change the per-process maxconn setting"""
    if not words:
        return Told("Expects an integer value.")
    facts = session.control.facts
    value = leading_number(words[0])
    if value > facts.hard_maxconn:
        return Told("Value out of range.")
    facts.maxconn = value or facts.hard_maxconn
    session.control.perform([SetCell(PROCESS_ROW, Column.MAXCONN, facts.maxconn)])
    return None
