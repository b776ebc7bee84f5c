"""The statistics page as HTML: one table per proxy, in markup of our own.

Numbers and their names are those of ``show stat``; everything that comes from the configuration or from
outside is escaped. The page needs no script and fetches nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from html import escape
from itertools import groupby
from typing import Any, Final

from evener.haproxy.control import Control
from evener.haproxy.info import info_values
from evener.haproxy.sections.stats import Stats
from evener.haproxy.services.stats_admin import ACTIONS
from evener.haproxy.stat_fields import EXTRA, FIELDS
from evener.haproxy.stats import Row


@dataclass(frozen=True, slots=True)
class Shown:
    """Where the page is and what it was asked to show. ``flags`` are those to keep in its links."""

    prefix: str
    stats: Stats
    flags: str = ""
    scope: str = ""
    state: str = ""
    admin: bool = False

    def link(self, extra: str = "") -> str:
        query = f"?scope={self.scope}" if self.scope else ""
        return escape(f"{self.prefix}{extra}{query}", quote=True)


#: Groups of columns: (title, ((heading, name of the value), ...)).
GROUPS: Final = (
    ("Queue", (("Cur", "qcur"), ("Max", "qmax"), ("Limit", "qlimit"))),
    ("Session rate", (("Cur", "rate"), ("Max", "rate_max"), ("Limit", "rate_lim"))),
    ("Sessions", (("Cur", "scur"), ("Max", "smax"), ("Limit", "slim"), ("Total", "stot"), ("LbTot", "lbtot"),
                  ("Last", "lastsess"))),
    ("Bytes", (("In", "bin"), ("Out", "bout"))),
    ("Denied", (("Req", "dreq"), ("Resp", "dresp"))),
    ("Errors", (("Req", "ereq"), ("Conn", "econ"), ("Resp", "eresp"))),
    ("Warnings", (("Retr", "wretr"), ("Redis", "wredis"))),
    ("Server", (("Status", "status"), ("LastChk", "check_status"), ("Wght", "weight"), ("Act", "act"),
                ("Bck", "bck"), ("Chk", "chkfail"), ("Dwn", "chkdown"), ("Dwntme", "downtime"),
                ("Thrtle", "throttle"))),
)  # fmt: skip

#: With ``show-modules``: the counters that follow the bare column of the CSV.
MODULES: Final = ("Extra modules", (("Counters", ""),))
EXTRAS: Final = FIELDS[next(field.position for field in FIELDS if field.name == EXTRA) :]

#: What stands behind a number when the pointer rests on it.
HINTS: Final = {
    "stot": ("req_tot", "hrsp_1xx", "hrsp_2xx", "hrsp_3xx", "hrsp_4xx", "hrsp_5xx", "hrsp_other",
             "intercepted", "connect", "reuse", "qtime", "ctime", "rtime", "ttime", "wrew", "eint"),
    "scur": ("used_conn_cur", "idle_conn_cur", "srv_icur"),
    "rate": ("conn_rate", "req_rate"),
    "rate_max": ("conn_rate_max", "req_rate_max"),
    "eresp": ("cli_abrt", "srv_abrt"),
    "check_status": ("check_desc", "last_chk", "check_code", "check_duration"),
    "status": ("lastchg", "tracked"),
}  # fmt: skip

STATES: Final = {
    "DONE": "Action processed successfully.",
    "NONE": "Nothing has changed.",
    "PART": "Action partially processed: some of the servers were in that state already.",
    "ERRP": "Action not processed: the action, the backend or one of the servers is unknown.",
    "EXCD": "Action not processed: the form was too long, select fewer servers at a time.",
    "DENY": "Action denied.",
}
_UNKNOWN: Final = "Unexpected result."

_STYLE: Final = """\
body{font:12px sans-serif;margin:1em;color:#111;background:#fff}h1{font-size:18px}h2{font-size:14px}
table{border-collapse:collapse;margin-bottom:1em;width:100%}th,td{border:1px solid #999;padding:1px 4px}
th{background:#e4ecf4;font-weight:normal}td{text-align:right}td.t{text-align:left}caption{text-align:left;
font-weight:bold;background:#234;color:#fff;padding:3px 6px}tr.F,tr.B{background:#e8e8e8}tr.L{background:#eef}
tr.up{background:#c4f0c4}tr.down{background:#f6b0b0}tr.going{background:#fbe8a4}tr.maint{background:#d4b894}
tr.drain{background:#b8c8f8}tr.idle{background:#f4f4f4}
p.told{border:1px solid #999;padding:6px;background:#ffd}
"""


def html_page(control: Control, shown: Shown, rows: Iterable[Row]) -> str:
    """The whole page; ``rows`` come proxy by proxy."""
    title = "Statistics Report for HAProxy"
    parts = [
        f'<!DOCTYPE html>\n<html lang="en"><head><title>{title}</title><link rel="icon" href="data:,">'
        f'<meta charset="utf-8"><style>{_STYLE}</style></head>\n<body>',
        _header(control, shown),
        _told(shown),
    ]
    for name, own in groupby(rows, lambda row: str(row.values["pxname"])):
        parts.append(_proxy(control, shown, name, list(own)))
    parts.append("</body></html>\n")
    return "\n".join(parts)


def _header(control: Control, shown: Shown) -> str:
    stats, info = shown.stats, info_values(control.facts, control.cells, control.wall)
    version = f" version {escape(info['Version'])}" if stats.show_version and not stats.hide_version else ""
    node = description = ""
    if stats.show_node is not None:
        node = f" on {escape(stats.show_node or control.facts.node)}"
    if stats.show_desc is not None:
        description = f": {escape(stats.show_desc or control.facts.description)}"
    facts = [
        f"pid {info['Pid']} (nbthread {info['Nbthread']})",
        f"uptime {info['Uptime']}",
        f"ulimit-n {info['Ulimit-n']}, maxsock {info['Maxsock']}, maxconn {info['Maxconn']}",
        f"current conns {info['CurrConns']}, rate {info['ConnRate']}/s, sessions {info['SessRate']}/s",
    ]
    links = [
        (shown.link("" if ";up" in shown.flags else ";up"), "Show all servers" if ";up" in shown.flags else
         "Hide 'DOWN' servers"),
        (shown.link(shown.flags), "Refresh now"),
        (shown.link(";csv;norefresh"), "CSV export"),
        (shown.link(";json;norefresh"), "JSON export"),
        (shown.link(";json-schema"), "schema"),
    ]  # fmt: skip
    if stats.refresh:
        links.insert(1, (shown.link(";norefresh"), "Disable refresh"))
    listed = " | ".join(f'<a href="{target}">{escape(text)}</a>' for target, text in links)
    return (
        f"<h1>HAProxy{version}{node}{description}</h1>\n<ul>"
        + "".join(f"<li>{escape(fact)}</li>" for fact in facts)
        + f'</ul>\n<form method="get">Scope: <input name="scope" size="8" maxlength="20" '
        f'value="{escape(shown.scope, quote=True)}"></form>\n<p>{listed}</p>'
    )


def _told(shown: Shown) -> str:
    if not shown.state:
        return ""
    back = f'<a href="{shown.link(shown.flags)}">[X]</a>'
    return f'<p class="told">{back} {escape(STATES.get(shown.state, _UNKNOWN))}</p>'


def _proxy(control: Control, shown: Shown, name: str, rows: list[Row]) -> str:
    forms = shown.admin and any(row.kind == "S" for row in rows)
    head = '<th rowspan="2"></th>' * (2 if forms else 1)
    shown_groups = [*GROUPS, *([MODULES] if shown.stats.show_modules else [])]
    groups = "".join(f'<th colspan="{len(columns)}">{title}</th>' for title, columns in shown_groups)
    headings = "".join(f"<th>{heading}</th>" for _, columns in shown_groups for heading, _ in columns)
    lines = [_row(control, shown, row, forms) for row in rows]
    table = (
        f'<table id="{escape(name, quote=True)}"><caption>{escape(name)}{_legend(control, shown, name)}'
        f"</caption>\n<tr>{head}{groups}</tr>\n"
        f"<tr>{headings}</tr>\n" + "\n".join(lines) + "</table>"
    )
    if not forms:
        return table
    options = "".join(f'<option value="{word}">{text}</option>' for word, (text, _) in ACTIONS.items())
    return (
        f'<form method="post">{table}<select name="action"><option value=""></option>{options}</select>'
        f'<input type="hidden" name="b" value="#{rows[0].proxy}"><input type="submit" value="Apply"></form>'
    )


def _legend(control: Control, shown: Shown, name: str) -> str:
    """With ``show-legends``: the mode, the number, the description."""
    if not shown.stats.show_legends:
        return ""
    proxy = next(p for p in control.plan.configuration.proxies if p.name == name)
    text = f" (mode {proxy.mode})"
    return escape(f"{text} {proxy.description}" if proxy.description else text)


def _row(control: Control, shown: Shown, row: Row, forms: bool) -> str:
    values, name = row.values, str(row.values["svname"])
    box = ""
    if forms:
        checkbox = f'<input type="checkbox" name="s" value="{escape(name, quote=True)}">'
        box = f"<td>{checkbox if row.kind == 'S' else ''}</td>"
    title = ""
    if shown.stats.show_legends:
        known = ("addr", "cookie", "algo", "proto")
        title = _title([f"{key}: {values[key]}" for key in known if key in values] + [f"id: {row.id}"])
    cells = "".join(_cell(values, key) for _, columns in GROUPS for _, key in columns)
    if shown.stats.show_modules:
        cells += _modules(values)
    return f'<tr class="{_class(row)}">{box}<td class="t"{title}>{escape(name)}</td>{cells}</tr>'


def _cell(values: dict[str, Any], key: str) -> str:
    value = values.get(key, "")
    if key == "lastsess" and value != "":
        value = "?" if value == -1 else f"{value}s"
    hints = [f"{name}: {values[name]}" for name in HINTS.get(key, ()) if values.get(name) not in (None, "")]
    return f"<td{_title(hints)}>{escape(str(value))}</td>"


def _modules(values: dict[str, Any]) -> str:
    """The extra counters of a row, behind a word that is pointed at."""
    known = [f"{field.name}: {values[field.name]}" for field in EXTRAS if field.name in values]
    return f"<td{_title(known)}>{'view' if known else ''}</td>"


def _title(lines: list[str]) -> str:
    return f' title="{escape(chr(10).join(lines), quote=True)}"' if lines else ""


def _class(row: Row) -> str:
    """The colour of a row."""
    if row.kind != "S":
        return row.kind
    status = str(row.values["status"])
    if status.startswith("MAINT"):
        return "maint"
    if status.startswith(("DRAIN", "NOLB")):
        return "drain"
    if status.startswith("no check"):
        return "idle"
    if "/" in status:
        return "going"
    return "down" if status.startswith("DOWN") else "up"
