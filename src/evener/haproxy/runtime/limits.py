"""``set rate-limit``: the limits of the whole process, while it runs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from evener.haproxy.columns import PROCESS_ROW, Column
from evener.haproxy.commands import SetCell
from evener.haproxy.runtime.frontends import leading_number
from evener.haproxy.runtime_api import Answer, Level, Session, Told, command

#: By name: where the limit stands, and the unit it is told in.
_LIMITS: Final = {
    "connections": (Column.CONN_RATE_LIMIT, 1),
    "sessions": (Column.SESS_RATE_LIMIT, 1),
    "ssl-sessions": (Column.SSL_RATE_LIMIT, 1),
    "http-compression": (Column.COMP_RATE_LIMIT, 1024),
}
_KNOWN: Final = """'set rate-limit' only supports :
   - 'connections global' to set the per-process maximum connection rate
   - 'sessions global' to set the per-process maximum session rate
   - 'ssl-sessions global' to set the per-process maximum SSL session rate
   - 'http-compression global' to set the per-process maximum compression speed in kB/s
"""


@command(
    "set rate-limit",
    "set rate-limit <setting> <value>",
    level=Level.ADMIN,
    ok=("set rate-limit connections global 5", "set rate-limit http-compression global 100"),
    bad=("set rate-limit", "set rate-limit x global 1", "set rate-limit sessions global"),
)
def set_rate_limit(session: Session, words: Sequence[str]) -> Answer:
    """change a rate limiting value"""
    if len(words) < 2 or words[0] not in _LIMITS or words[1] != "global":
        return Told(_KNOWN)
    if len(words) < 3:
        return Told("Expects an integer value.")
    column, unit = _LIMITS[words[0]]
    session.control.perform([SetCell(PROCESS_ROW, column, max(0, leading_number(words[2])) * unit)])
    return None
