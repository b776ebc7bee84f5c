"""Server state files: what an older process wrote with ``show servers state``, taken over at start.

``read`` makes rows of the text of a file of version 1; ``take_over`` gives a server of the fleet the state
of its row. What the configuration says anew wins over what the file remembers: a weight that was changed
there, a server that is disabled there now (manual, ``load-server-state-from-file``). Sentences are the
original's. Nothing here opens a file.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from evener.haproxy.checks.outcome import CheckStatus, Outcome
from evener.haproxy.health import Health
from evener.haproxy.server_state import Admin, Operation, Server

FIELDS: Final = 20
"""The fewest columns of a line."""
_NUMBER: Final = re.compile(r"-?\d{1,10}\Z", re.ASCII)
_FORCED: Final = Admin.FORCED_MAINT | Admin.FORCED_DRAIN | Admin.CONFIGURED_MAINT
_KNOWN: Final = {0, 1, 4, 5, 8, 12}
"""The combinations of ``_FORCED`` that a file may hold."""
_COLUMNS: Final = (
    ("srv_op_state", 5, 3), ("srv_admin_state", 6, 255), ("srv_uweight", 7, 256), ("srv_iweight", 8, 256),
    ("srv_last_time_change", 9, 1 << 32), ("srv_check_status", 10, 31), ("srv_check_result", 11, 4),
    ("srv_check_health", 12, 1 << 31), ("srv_check_state", 13, 31), ("srv_agent_state", 14, 31),
    ("bk_f_forced_id", 15, 1), ("srv_f_forced_id", 16, 1),
)  # fmt: skip
"""Name in messages, position, greatest value."""
_STATUSES: Final = {status.number: status for status in CheckStatus}


@dataclass(frozen=True, slots=True)
class StateRow:
    """One line, by words."""

    words: tuple[str, ...]

    @property
    def backend(self) -> str:
        return self.words[1]

    @property
    def server(self) -> str:
        return self.words[3]

    @property
    def address(self) -> str | None:
        return None if self.words[4] == "-" else self.words[4]

    def number(self, position: int) -> int:
        word = self.words[position] if position < len(self.words) else "0"
        return int(word) if _NUMBER.match(word) else 0

    def wrong(self) -> list[str]:
        """What cannot be used of it."""
        found = []
        for name, position, most in _COLUMNS:
            word = self.words[position]
            if not _NUMBER.match(word) or not 0 <= int(word) <= most:
                found.append(f"invalid {name} value '{word}'")
        if not found and self.number(6) & int(_FORCED) not in _KNOWN:
            found.append(f"invalid srv_admin_state value '{self.words[6]}'")
        port = self.words[18]
        if not _NUMBER.match(port) or not 0 <= int(port) <= 65535:
            found.append(f"invalid srv_port value '{port}'")
        return found


class BadFile(Exception):
    """``kind``: ``empty``, ``version``, or the number of the line that is corrupted."""

    def __init__(self, kind: str | int) -> None:
        super().__init__(kind)
        self.kind = kind


def read(text: str) -> list[StateRow]:
    """The rows of a file. Raises BadFile."""
    first, _, rest = text.partition("\n")
    if not text:
        raise BadFile("empty")
    if first.strip() != "1":
        raise BadFile("version")
    rows = []
    for number, line in enumerate(rest.splitlines(), 1):
        words = line.split()
        if not words or words[0].startswith("#"):
            continue
        if len(words) < FIELDS:
            raise BadFile(number)
        rows.append(StateRow(tuple(words)))
    return rows


def take_over(server: Server, row: StateRow, now: float) -> str | None:
    """Give the server the state of its row, silently; what to warn about."""
    wrong = row.wrong()
    if wrong:
        return f"server-state application failed for server '{server.name}'" + "".join(
            f", {one}" for one in wrong
        )
    _operate(server, Operation(row.number(5)), row.number(12))
    _administer(server, Admin(row.number(6)) & _FORCED, row.number(8))
    server.changed = now - row.number(9)
    _check(server.health, row.number(13), row)
    _check(server.agent, row.number(14), None)
    if row.number(8) == server.plan.weight:
        server.weight = row.number(7)
    _move(server.health, row, 21, 22)
    _move(server.agent, row, 24, 23)
    return None


def _operate(server: Server, wanted: Operation, level: int) -> None:
    """The operational state, and the health that goes with it."""
    health = server.health
    if health is None:
        if server.tracked is None and server.agent is None:
            return
        server.operation = wanted
        return
    rise, fall = health.settings.rise, health.settings.fall
    if wanted is Operation.STARTING and rise == 1:
        wanted = Operation.RUNNING
    if wanted is Operation.STOPPING and fall == 1:
        wanted = Operation.STOPPED
    if wanted is Operation.STOPPED:
        level = 0
    elif wanted is Operation.RUNNING:
        level = health.top
    elif wanted is Operation.STARTING:
        level = level if 1 <= level < rise else rise - 1
    else:
        level = level if rise <= level <= rise + fall - 2 else rise
    health.level = level
    server.operation = wanted


def _administer(server: Server, before: Admin, weight: int) -> None:
    """Maintenance and drain: a change of the configuration wins, else what was so remains so."""
    configured = server.admin & Admin.CONFIGURED_MAINT
    changed = (before & Admin.CONFIGURED_MAINT) != configured
    maintenance = bool(configured) if changed else bool(before & Admin.FORCED_MAINT)
    server.admin &= ~(Admin.FORCED_MAINT | Admin.FORCED_DRAIN)
    if maintenance:
        server.admin |= Admin.FORCED_MAINT
        server.operation = Operation.STOPPED
        if server.health is not None:
            server.health.paused, server.health.level = True, 0
        return
    if server.health is not None:
        server.health.paused = False
    elif server.operation is Operation.STOPPED and server.tracked is None and server.agent is None:
        server.operation = Operation.RUNNING
    # A drain that only came from a weight of 0 in the older configuration is over with that weight.
    if before & Admin.FORCED_DRAIN and (weight > 0 or server.plan.weight == 0):
        server.admin |= Admin.FORCED_DRAIN


def _check(health: Health | None, bits: int, row: StateRow | None) -> None:
    """Only ``disable health`` and ``disable agent`` are remembered, and how the last check ended."""
    if health is None:
        return
    if bits & 2 and not bits & 4:
        health.enabled = False
    if row is not None:
        health.outcome = Outcome(_STATUSES.get(row.number(10), CheckStatus.UNKNOWN), 0, "", -1)


def _move(health: Health | None, row: StateRow, port: int, address: int) -> None:
    if health is None:
        return
    host = row.words[address] if address < len(row.words) else "-"
    health.move(None if host == "-" else host, row.number(port) or None)


Lookup = Callable[[str, str], StateRow | None]


def pairs(servers: Sequence[Server], find: Lookup) -> Iterator[tuple[Server, StateRow]]:
    for server in servers:
        row = find(server.farm.plan.name, server.plan.name)
        if row is not None:
            yield server, row
