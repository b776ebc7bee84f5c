"""``stats`` in proxies: the statistics page: where it is, who may see and use it, and how much it shows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any, Final

from evener.haproxy.rule import Rule
from evener.haproxy.sample import Place as Evaluated
from evener.haproxy.sections.reading import Place
from evener.haproxy.sections.rule_words import Conditional, OnlyIf, Reported, RuleArgument
from evener.haproxy.sections.sides import ANY, ANY_PROXY
from evener.haproxy.sections.values import Sentence, Time
from evener.text.record import dataclass
from evener.text.span import Span
from evener.vocab.arguments import Argument, Cursor, Flag, Text
from evener.vocab.blocks import Repeat, block, keyword, spans

KNOWN: Final = (
    "'admin', 'uri', 'realm', 'auth', 'scope', 'enable', 'hide-version', 'show-node', 'show-desc' , "
    "'show-legends' or 'show-version'."
)
TIGHT: Final = "config : parsing [{place}]: "


class NodeName(Argument[str]):
    """The name shown, or empty for that of the global section."""

    usage = "[<name>]"

    def read(self, cursor: Cursor) -> str:
        return cursor.take() if cursor.more else ""

    def words(self, value: str) -> list[str]:
        return [value] if value else []


class Description(Sentence):
    """The text shown, or empty for that of the global section, which must have one by then."""

    def __init__(self) -> None:
        super().__init__(0)

    def read(self, cursor: Cursor) -> str:
        place: Place = cursor.context
        if not cursor.more and not place.described:
            message = "'show-desc' requires a parameter or 'desc' to be set in the global section."
            place.diagnostics.warning("no-description", message, cursor.line.span(0), lead=TIGHT)
        return super().read(cursor)


class Account(Text):
    """``user:password``; the first password of a user holds."""

    def __init__(self) -> None:
        super().__init__("<user>:<password>")

    def read(self, cursor: Cursor) -> str:
        text, place = super().read(cursor), cursor.context
        user = text.partition(":")[0]
        if place.seen.setdefault(("stats auth", user), cursor.span()) == cursor.span():
            return text
        message = f"uri auth: ignoring duplicated user '{user}'."
        place.diagnostics.warning("duplicate-user", message, cursor.span(), lead="config : ")
        raise Reported


def flag(doc: str) -> Any:
    return keyword(Flag(), doc, ok=("{}",), bad=("no-{}",), contexts=ANY, loose=True)


@block("stats keyword")
@dataclass(frozen=True, slots=True)
class Stats:
    enable: bool | None = keyword(
        Flag(), "Serve the statistics page.", ok=("{}",), bad=("no-{}",), contexts=ANY, loose=True
    )
    uri: str | None = keyword(
        Text("<prefix>"), "Where the page is.", ok=("{} /stats",), bad=("{}",), contexts=ANY,
        missing="'uri' needs an URI prefix.", loose=True,
    )  # fmt: skip
    realm: str | None = keyword(
        Text("<realm>"), "Name of the protected area.", ok=("{} Statistics",), bad=("{}",), contexts=ANY,
        missing="'realm' needs an realm name.", loose=True,
    )  # fmt: skip
    auth: tuple[str, ...] = keyword(
        Account(), "Who may see the page.", ok=("{} a:b",), bad=("{}",), contexts=ANY,
        repeat=Repeat.COLLECT, missing="'auth' needs a user:password account.", loose=True,
    )  # fmt: skip
    scope: tuple[str, ...] = keyword(
        Text("{ <name> | . }"), "Which proxies are shown.", ok=("{} .",), bad=("{}",), contexts=ANY,
        repeat=Repeat.COLLECT, missing="'scope' needs a proxy name.", loose=True,
    )  # fmt: skip
    refresh: int | None = keyword(
        Time("unexpected character '{char}' in argument to stats refresh interval.", unit=1000),
        "How often the page reloads itself.", ok=("{} 10s",), bad=("{} x", "{}"), contexts=ANY, lead=TIGHT,
        loose=True,
    )  # fmt: skip
    admin: tuple[Conditional, ...] = keyword(
        OnlyIf(Evaluated.FE_REQUEST), "Who may change servers from the page.",
        ok=("{} if LOCALHOST",), bad=("{}",), contexts=ANY_PROXY, repeat=Repeat.COLLECT,
        in_defaults="'{word}' not allowed in 'defaults' section.", lead_in_defaults=TIGHT,
    )  # fmt: skip
    http_request: tuple[Rule, ...] = keyword(
        RuleArgument("http-request"), "Rules for requests of the page.", ok=("{} allow",),
        bad=("{} no-such",),
        contexts=ANY_PROXY, repeat=Repeat.COLLECT,
    )  # fmt: skip
    show_desc: str | None = keyword(
        Description(), "Show a description.", ok=("{} a text",), bad=("no-{}",), contexts=ANY
    )
    show_node: str | None = keyword(
        NodeName(), "Show the name of the node.", ok=("{} n1",), bad=("no-{}",), contexts=ANY, loose=True
    )
    hide_version: bool | None = flag("Do not show the version.")
    show_version: bool | None = flag("Show the version.")
    show_legends: bool | None = flag("Show more about each proxy and server.")
    show_modules: bool | None = flag("Show the columns of modules.")
    spans: Mapping[str, Span] = spans()


def in_force(proxy: Any) -> Stats | None:
    """The settings of the page of a proxy; None when it has none.

    Any ``stats`` keyword brings the page into being, and the first one in a proxy makes it forget those of
    its defaults section.
    """
    stats: Stats = proxy.stats
    if not stats.spans:
        return None
    inherited: Stats | None = proxy.origin.stats if proxy.origin is not None else None
    if inherited is None or not inherited.spans:
        return stats
    own = {name for name, span in stats.spans.items() if span != inherited.spans.get(name)}
    if not own:
        return stats
    blank = Stats()
    kept: dict[str, Any] = {"spans": {name: stats.spans[name] for name in own}}
    for field in fields(Stats):
        if field.name == "spans":
            continue
        value, before = getattr(stats, field.name), getattr(inherited, field.name)
        if isinstance(value, tuple):
            value = value[len(before) :]
        elif field.name not in own:
            value = getattr(blank, field.name)
        kept[field.name] = value
    return replace(blank, **kept)
