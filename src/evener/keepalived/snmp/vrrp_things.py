"""KEEPALIVED-MIB, the part about VRRP: scripts, files, processes and BFD sessions."""

from __future__ import annotations

from typing import Final

from evener.keepalived.snmp.mib import Column, Row, Table, numbered
from evener.keepalived.snmp.view import View
from evener.keepalived.snmp.vrrp_tables import GAUGE, INTEGER, OCTETS, SECOND, VRRP, column, flag
from evener.keepalived.vrrp.describe_tracked import quoted
from evener.keepalived.vrrp.plan import Script, TrackKind
from evener.keepalived.vrrp.plan_tracked import TrackedFile, TrackedProcess, TrackedSession

MATCHES: Final = {None: 0, "exact": 1, "initial": 2, "partial": 3}
"""As the original's numbers them."""


def _scripts(view: View) -> list[Row]:
    """Those that somebody tracks: the original forgets the others."""
    plan = view.router.plan
    tracks = [track for user in plan.instances for track in user.tracks]
    tracks += [track for user in plan.groups for track in user.tracks]
    tracked = {track.name for track in tracks if track.kind is TrackKind.SCRIPT}
    return numbered(script for script in plan.scripts if script.name in tracked)


def _result(view: View, script: Script) -> int:
    """vrrpScriptResult: 1 not known yet, 2 bad, 3 good, 5 failed from the start (init_fail)."""
    record = view.router.scripts.get(script.name)
    if record is None or record.up is None:
        return 1
    if not record.ran:
        return 5
    return 3 if record.up else 2


SCRIPTS: Final = Table(
    (*VRRP, 9, 1),
    _scripts,
    (
        column(2, OCTETS, lambda script: script.name),
        column(3, OCTETS, lambda script: quoted(script.program)),
        column(4, INTEGER, lambda script: script.interval_us // SECOND),
        column(5, INTEGER, lambda script: script.weight),
        Column(6, INTEGER, _result),
        column(7, GAUGE, lambda script: script.rise),
        column(8, GAUGE, lambda script: script.fall),
        flag(9, lambda script: script.reverse),
        column(10, OCTETS, lambda script: script.program.argv[0]),
        column(11, GAUGE, lambda script: script.interval_us),
        column(12, GAUGE, lambda script: script.timeout_us),
    ),
)


def _content(view: View, file: TrackedFile) -> int:
    return view.router.known.get((TrackKind.FILE, file.name)) or 0


FILES: Final = Table(
    (*VRRP, 13, 1),
    lambda view: numbered(view.router.plan.files),
    (
        column(2, OCTETS, lambda file: file.name),
        column(3, OCTETS, lambda file: file.path),
        Column(4, INTEGER, _content),
        column(5, INTEGER, lambda file: file.weight),
        flag(6, lambda file: file.reverse),
    ),
)


def _session(view: View, session: TrackedSession) -> int:
    return int(bool(view.router.known.get((TrackKind.BFD, session.name))))


SESSIONS: Final = Table(
    (*VRRP, 18, 1),
    lambda view: numbered(view.router.plan.sessions),
    (
        column(2, OCTETS, lambda session: session.name),
        Column(3, INTEGER, _session),
        column(4, INTEGER, lambda session: session.weight),
        flag(5, lambda session: session.reverse),
    ),
)


def _enough(view: View, process: TrackedProcess) -> int:
    return 1 if view.router.known.get((TrackKind.PROCESS, process.name)) else 2


PROCESSES: Final = Table(
    (*VRRP, 21, 1),
    lambda view: numbered(view.router.plan.processes),
    (
        column(2, OCTETS, lambda process: process.name),
        column(3, OCTETS, lambda process: process.argv[0]),
        column(4, OCTETS, lambda process: " ".join(process.argv[1:])),
        column(5, INTEGER, lambda process: MATCHES[process.match]),
        column(6, INTEGER, lambda process: process.weight),
        flag(7, lambda process: process.reverse),
        column(8, GAUGE, lambda process: process.quorum),
        column(9, INTEGER, lambda process: -1 if process.quorum_max is None else process.quorum_max),
        column(10, GAUGE, lambda process: process.fork_delay_us),
        column(11, GAUGE, lambda process: process.terminate_delay_us),
        flag(12, lambda process: process.full_command),
        Column(13, INTEGER, lambda view, process: view.running(process)),
        Column(14, INTEGER, _enough),
    ),
)
