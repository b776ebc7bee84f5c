"""Fetches of stick tables: tracked counters and counters of the client's address (manual section 7.3.3).

There are no stick tables yet; the words are declared so that they are recognised and say so.
"""

from __future__ import annotations

from typing import Final

from evener.haproxy.sample import Source, declare_planned_fetches

_DOC: Final = "Known; there are no stick tables yet."
#: Counters read by every family, and those with a number of their own as first argument.
_COUNTERS: Final = (
    "bytes_in_rate",
    "bytes_out_rate",
    "clr_gpc0",
    "clr_gpc1",
    "conn_cnt",
    "conn_cur",
    "conn_rate",
    "get_gpc0",
    "get_gpc1",
    "get_gpt0",
    "glitch_cnt",
    "glitch_rate",
    "gpc0_rate",
    "gpc1_rate",
    "http_err_cnt",
    "http_err_rate",
    "http_fail_cnt",
    "http_fail_rate",
    "http_req_cnt",
    "http_req_rate",
    "inc_gpc0",
    "inc_gpc1",
    "sess_cnt",
    "sess_rate",
)
_INDEXED: Final = ("clr_gpc", "get_gpc", "get_gpt", "gpc_rate", "inc_gpc")
_AMOUNTS: Final = ("kbytes_in", "kbytes_out")


def _lines(prefix: str, names: tuple[str, ...], arguments: str, out: str = "sint") -> list[str]:
    return [f"{prefix}{name}({arguments}): {out}" for name in names]


for _number in ("0", "1", "2"):
    _rows = _lines(f"sc{_number}_", (*_COUNTERS, "trackers"), "[table]")
    _rows += _lines(f"sc{_number}_", ("tracked",), "[table]", "bool")
    declare_planned_fetches("\n".join([*_rows, f"sc{_number}_key: any"]), Source.INTERNAL, _DOC)
    declare_planned_fetches("\n".join(_lines(f"sc{_number}_", _AMOUNTS, "[table]")), Source.TRACKED, _DOC)
declare_planned_fetches("sc1_clr_gpc(integer[,table]): sint", Source.INTERNAL, _DOC)
declare_planned_fetches(
    "\n".join(
        _lines("sc_", (*_COUNTERS, "trackers"), "integer[,table]")
        + _lines("sc_", _INDEXED, "integer,integer[,table]")
        + _lines("sc_", ("tracked",), "integer[,table]", "bool")
        + ["sc_key(integer): any"]
    ),
    Source.INTERNAL,
    _DOC,
)
declare_planned_fetches("\n".join(_lines("sc_", _AMOUNTS, "integer[,table]")), Source.TRACKED, _DOC)
declare_planned_fetches(
    "\n".join(
        _lines("src_", (*_COUNTERS, *_AMOUNTS, "updt_conn_cnt"), "table")
        + _lines("src_", _INDEXED, "integer,table")
    ),
    Source.CLIENT_ADDRESS,
    _DOC,
)
