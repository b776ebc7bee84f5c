"""The order of a backend's servers, alike in all workers.

The control process changes servers, one after another, and so it alone knows how the turns stood at each
change. It writes that into the shared cells before it raises the backend's EPOCH; a worker lays the order
out from the cells whenever it looks next, and however many changes it has missed, it has the same order
from the same turn on as the others. While nothing has changed the cells are empty: everybody is new.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import gcd
from typing import Protocol

from evener.haproxy.balance import ring
from evener.haproxy.balance.rotation import Place, Rotation, Standing, Turns, coarsen
from evener.haproxy.columns import Column
from evener.haproxy.plan import BackendPlan, Layout, ServerPlan

_USUAL = (Column.TURN_ROUND, Column.TURN_NOW, Column.TURN_SINCE)
_BACKUP = (Column.BACKUP_ROUND, Column.BACKUP_NOW, Column.BACKUP_SINCE)
_PLACE = (Column.TURN_DUE, Column.TURN_LAST, Column.TURN_CARRIED, Column.TURN_RANK)


class Cells(Protocol):
    def get(self, row: int, column: int) -> int: ...
    def set(self, row: int, column: int, value: int) -> None: ...


def chosen(plan: BackendPlan, cells: Cells) -> tuple[list[ServerPlan], bool]:
    """The servers that take turns, and whether they are backups: those come in when nobody else is left."""
    usable = [s for s in plan.servers if cells.get(s.row, Column.USABLE)]
    usual = [s for s in usable if not s.backup]
    if usual or not usable:
        return usual, False
    return (usable if plan.ir.option.allbackups else usable[:1]), True


def weights(servers: list[ServerPlan], cells: Cells) -> dict[int, int]:
    return {s.index: cells.get(s.row, Column.WEIGHT) for s in servers}


def order(plan: BackendPlan, cells: Cells) -> tuple[list[int], int, int]:
    """Indexes of servers by turn, how many of them are not repeated, and the turn of the first."""
    servers, on_backup = chosen(plan, cells)
    round_, now, since = (cells.get(plan.row, column) for column in (_BACKUP if on_backup else _USUAL))
    places = {s.index: Place(*(cells.get(s.row, column) for column in _PLACE)) for s in servers}
    known = {index: weight for index, weight in weights(servers, cells).items() if weight > 0}
    wanted = coarsen(known) if known else {}
    return *Turns.at(Standing(round_, now, places), wanted).order(), since


def table(plan: BackendPlan, cells: Cells) -> tuple[list[int], int]:
    """Indexes of servers by slot, and the turn of the first."""
    return _slots(plan, cells), cells.get(plan.row, Column.TURN_SINCE)


def _slots(plan: BackendPlan, cells: Cells) -> list[int]:
    """Without ``allbackups`` the table is as large as the first backup server alone would make it, but all of
    them compete for its slots: the heaviest has them where weights differ much, as in the original."""
    servers, on_backup = chosen(plan, cells)
    unit = gcd(*(s.weight for s in plan.servers if s.weight)) or 1
    if on_backup and not plan.ir.option.allbackups:
        servers = [s for s in plan.servers if cells.get(s.row, Column.USABLE)]
    shares = [
        (index, ring.share(-(-weight // ring.SCALE), unit))
        for index, weight in weights(servers, cells).items()
        if weight
    ]
    alone = on_backup and not plan.ir.option.allbackups and bool(shares)
    return ring.table(shares, shares[0][1] if alone else sum(share for _, share in shares))


class Layouts:
    """How the turns of every backend stand; of the control process."""

    def __init__(self, cells: Cells) -> None:
        self._cells = cells
        self._rotations: dict[tuple[int, bool], Rotation] = {}

    def change(self, plan: BackendPlan) -> None:
        """Servers of this backend have other cells than before."""
        servers, on_backup = chosen(plan, self._cells)
        found = weights(servers, self._cells)
        if plan.layout is Layout.TURNS and not plan.least:
            self._turn(plan, found, on_backup)
        elif plan.layout is Layout.TABLE:
            self._place(plan)

    def _turn(self, plan: BackendPlan, found: Mapping[int, int], on_backup: bool) -> None:
        cells, taken = self._cells, self._cells.get(plan.row, Column.ROTATION)
        rotation = self._rotations.setdefault((plan.row, on_backup), Rotation())
        rotation.move(taken, found)
        standing = rotation.turns.standing()
        for index, place in standing.places.items():
            for column, value in zip(_PLACE, place, strict=True):
                cells.set(plan.servers[index].row, column, value)
        for column, value in zip(
            _BACKUP if on_backup else _USUAL, (standing.round, standing.now, taken), strict=True
        ):
            cells.set(plan.row, column, value)

    def _place(self, plan: BackendPlan) -> None:
        taken = self._cells.get(plan.row, Column.ROTATION)
        rotation = self._rotations.setdefault((plan.row, False), Rotation())
        size = len(_slots(plan, self._cells))
        self._cells.set(plan.row, Column.TURN_SINCE, taken - rotation.place(taken, size))
