"""What the statistics page answers: a form of the counters, or the redirection after an action.

Runs in the control process. Everything a page may be told stands in the request target behind its prefix
(manual of the page: ``;csv``, ``;json``, ``;typed``, ``;up``, ``;no-maint``, ``;norefresh``, ``scope=``).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from evener.haproxy import stats_show
from evener.haproxy.builtin_pages import builtin_reply
from evener.haproxy.control import Control
from evener.haproxy.plan import Reply
from evener.haproxy.replies import LENGTH
from evener.haproxy.sections.proxy import Proxy
from evener.haproxy.sections.stats import Stats, in_force
from evener.haproxy.services.enquiry import pack
from evener.haproxy.services.stats_admin import act
from evener.haproxy.services.stats_html import Shown, html_page
from evener.haproxy.services.stats_rules import prefix_of
from evener.haproxy.services.stats_schema import schema
from evener.haproxy.stats import Row

LONGEST_SCOPE: Final = 20
_SCOPE: Final = re.compile(r"scope=([^ &;]*)")
_STATE: Final = re.compile(r";st=([A-Z]{4})")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the request target asks for."""

    form: str = "html"
    hide_down: bool = False
    no_maint: bool = False
    no_refresh: bool = False
    scope: str = ""
    state: str = ""

    @classmethod
    def of(cls, tail: str) -> Wanted:
        form = "html"
        for word in ("csv", "json-schema", "json", "typed"):
            if f";{word}" in tail:
                form = word
                break
        scope, state = _SCOPE.search(tail), _STATE.search(tail)
        return cls(
            form,
            ";up" in tail,
            ";no-maint" in tail,
            ";norefresh" in tail,
            scope[1][:LONGEST_SCOPE] if scope else "",
            state[1] if state else "",
        )

    def flags(self) -> str:
        """As in the links of the page, and in the redirection after an action."""
        return (";up" if self.hide_down else "") + (";norefresh" if self.no_refresh else "")

    def scope_query(self) -> str:
        return f"?scope={self.scope}" if self.scope else ""


def answer(control: Control, question: list[Any]) -> bytes:
    """The packed reply to ``[proxy, uri, method, body, admin, frontend]`` (all latin-1 text but admin)."""
    name, uri, method, body, admin, _frontend = question
    proxy = next((proxy for proxy in control.plan.configuration.proxies if proxy.name == name), None)
    stats = in_force(proxy) if proxy is not None else None
    if proxy is None or stats is None:
        return pack(builtin_reply(503))
    prefix = prefix_of(stats).decode("latin-1")
    wanted = Wanted.of(uri[len(prefix) :])
    if method == "POST":
        state = act(control, proxies(control, proxy, stats), body) if admin else "DENY"
        location = f"{prefix};st={state}{wanted.flags()}{wanted.scope_query()}"
        lines = [
            (b"cache-control", b"no-cache"),
            (b"content-type", b"text/plain"),
            LENGTH,
            (b"location", location.encode("latin-1")),
        ]
        return pack((303, b"See Other", lines, b""))
    return pack(page(control, proxy, stats, wanted, bool(admin)))


def proxies(control: Control, proxy: Proxy, stats: Stats) -> set[str]:
    """The names of the proxies that the page of ``proxy`` may show."""
    every = {p.name for p in control.plan.configuration.proxies}
    if not stats.scope:
        return every
    return {proxy.name if name == "." else name for name in stats.scope} & every


def chosen(rows: Iterable[Row], shown: set[str], wanted: Wanted) -> Iterator[Row]:
    for row in rows:
        status = str(row.values["status"])
        if row.values["pxname"] not in shown or wanted.scope not in row.values["pxname"]:
            continue
        if row.kind == "S" and wanted.hide_down and status.startswith(("DOWN", "MAINT")):
            continue
        if row.kind == "S" and wanted.no_maint and status.startswith("MAINT"):
            continue
        yield row


def page(control: Control, proxy: Proxy, stats: Stats, wanted: Wanted, admin: bool) -> Reply:
    rows = chosen(control.statistics.rows(bool(stats.show_legends)), proxies(control, proxy, stats), wanted)
    refresh = 0 if wanted.no_refresh else (stats.refresh or 0) // 1000
    kind = "text/plain"
    if wanted.form == "csv":
        text = stats_show.stat_csv(rows)
    elif wanted.form == "typed":
        text = stats_show.stat_typed(rows)
    elif wanted.form == "json":
        kind, text = "application/json", stats_show.stat_json(rows)
    elif wanted.form == "json-schema":
        kind, text = "application/json", schema()
    else:
        prefix = prefix_of(stats).decode("latin-1")
        kind, shown = "text/html", Shown(prefix, stats, wanted.flags(), wanted.scope, wanted.state, admin)
        text = html_page(control, shown, rows)
    headers = [(b"cache-control", b"no-cache"), (b"content-type", kind.encode())]
    if refresh:
        headers.append((b"refresh", b"%d" % refresh))
    return 200, b"OK", headers, text.encode("utf-8", "surrogateescape")
