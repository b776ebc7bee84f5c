"""What keeps a client with its server: cookies, stick tables, and the rules that override them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from evener.haproxy.sample import Place as Evaluated
from evener.haproxy.sections.persistence_values import Cookie, CookieArgument
from evener.haproxy.sections.rule_words import Conditional, OnlyIf
from evener.haproxy.sections.sides import ANY_PROXY, BACK, BACK_PROXY
from evener.haproxy.sections.stick_values import Stick, StickArgument, StickTable, StickTableArgument
from evener.text.record import dataclass
from evener.text.span import Span
from evener.vocab.arguments import Argument, Cursor, Text
from evener.vocab.blocks import Repeat, block, keyword, spans

_TABLE: Final = "'stick-table' is not supported in 'defaults' section."


class PersistArgument(Argument[str]):
    usage = "rdp-cookie[(<name>)]"

    def read(self, cursor: Cursor) -> str:
        if not cursor.more:
            raise cursor.bad("missing-argument", "missing persist method.", whole=True)
        word = cursor.take()
        if word.partition("(")[0] != "rdp-cookie":
            raise cursor.bad("unknown-value", "unknown persist method.", whole=True)
        cursor.context.not_executed("persist rdp-cookie", cursor.span())
        return word


@block("persistence keyword")
@dataclass(frozen=True, slots=True)
class Persistence:
    cookie: Cookie | None = keyword(
        CookieArgument(), "Keep clients with their server by a cookie.",
        ok=("cookie SRV insert indirect nocache",), bad=("cookie", "cookie X foo", "cookie X insert prefix"),
        contexts=BACK,
    )  # fmt: skip
    dynamic_cookie_key: str | None = keyword(
        Text("<string>"), "Secret from which servers' cookie values are made.",
        ok=("dynamic-cookie-key x",), bad=("dynamic-cookie-key",), contexts=BACK,
        loose=True,
        missing="'dynamic-cookie-key' expects <secret_key> as argument.",
    )  # fmt: skip
    stick_table: StickTable | None = keyword(
        StickTableArgument(), "A table of keys and what is known of them.",
        ok=("stick-table type ip size 1k expire 10s store gpc0,http_req_rate(10s)",),
        bad=("{}", "{} type foo", "{} type ip", "{} type ip size 1k store foo", "{} type ip size 1kb",
             "{} type ip size 1k store gpt(200)", "{} type ip size 1k store gpc0,gpc(2)"),
        contexts=ANY_PROXY, in_defaults=_TABLE,
    )  # fmt: skip
    stick: tuple[Stick, ...] = keyword(
        StickArgument(), "Find the server in a table, or store it there.",
        ok=("stick on src",), bad=("stick", "stick foo", "stick on foo"), contexts=BACK_PROXY, unread=True,
        repeat=Repeat.COLLECT, needs="stick-table type ip size 1k",
    )  # fmt: skip
    persist: str | None = keyword(
        PersistArgument(), "Keep to a server by the cookie of the RDP protocol.",
        ok=("persist rdp-cookie",), bad=("persist", "persist foo"), contexts=BACK, any_side=True,
    )  # fmt: skip
    force_persist: tuple[Conditional, ...] = keyword(
        OnlyIf(Evaluated.BE_SERVER), "Keep to the cookie's server even when it is down.",
        ok=("force-persist if { src 10.0.0.0/8 }",), bad=("force-persist",), contexts=BACK_PROXY,
        repeat=Repeat.COLLECT,
    )  # fmt: skip
    ignore_persist: tuple[Conditional, ...] = keyword(
        OnlyIf(Evaluated.BE_SERVER), "Do not look at the cookie.",
        ok=("ignore-persist if { path_beg /static }",), bad=("ignore-persist",), contexts=BACK_PROXY,
        repeat=Repeat.COLLECT,
    )  # fmt: skip
    spans: Mapping[str, Span] = spans()
