"""``email-alert``: who is told by mail when a server changes its state."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from evener.haproxy.sections.global_values import Optional
from evener.haproxy.sections.sides import ANY
from evener.text.record import dataclass
from evener.text.span import Span
from evener.vocab.arguments import Argument, Cursor
from evener.vocab.blocks import block, keyword, spans

LEVELS: Final = ("emerg", "alert", "crit", "err", "warning", "notice", "info", "debug")


def said(name: str, usage: str, doc: str, needs: str = "") -> Any:
    """The original looks no closer at these words, not even whether there is one."""
    facts: dict[str, Any] = {"needs": needs} if needs else {}
    return keyword(
        Optional(usage), doc, name=name, ok=("{} x", "{} x y"), bad=("no {} x",), contexts=ANY, loose=True,
        **facts,
    )  # fmt: skip


class LevelArgument(Argument[str]):
    usage = "<level>"

    def read(self, cursor: Cursor) -> str:
        level = cursor.take() if cursor.more else ""
        if level not in LEVELS:
            raise cursor.bad("unknown-value", f"unknown log level 'level' after '{level}'", whole=True)
        return level


@block("email alert")
@dataclass(frozen=True, slots=True)
class EmailAlerts:
    sender: str | None = said("from", "<emailaddr>", "Sender of the mails.")
    level: str | None = keyword(
        LevelArgument(), "What is mailed: changes of that level and more important ones; alert.",
        ok=("{} notice",), bad=("{}", "{} loud"), contexts=ANY, loose=True,
    )  # fmt: skip
    mailers: str | None = said("mailers", "<mailersect>", "The section with the mail servers.", "mailers x")
    myhostname: str | None = said("myhostname", "<hostname>", "What mail servers are greeted with.")
    to: str | None = said("to", "<emailaddr>", "Receiver of the mails.")
    spans: Mapping[str, Span] = spans()

    @property
    def complete(self) -> bool:
        return bool(self.sender and self.to and self.mailers)
