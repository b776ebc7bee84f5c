"""``mailers``: the mail servers that ``email-alert`` hands its mails to (section 12.3)."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from dataclasses import field
from typing import TYPE_CHECKING, Final

from evener.haproxy.addresses import Address, Allow, BadAddress, parse_address
from evener.haproxy.sections.forms import Form, SectionTime
from evener.haproxy.sections.reading import BAD_NAME, BARE, Place, where_of
from evener.haproxy.sections.rule_words import line_of
from evener.text.record import dataclass
from evener.text.span import Span
from evener.vocab.arguments import Argument, Cursor
from evener.vocab.blocks import Known, Repeat, block, keyword, spans

if TYPE_CHECKING:
    from evener.haproxy.ir import Configuration
    from evener.text.diagnostic import Diagnostics


@dataclass(frozen=True, slots=True)
class Mailer:
    name: str
    address: Address
    span: Span | None = field(default=None, compare=False)


class MailerArgument(Argument[Mailer]):
    usage = "<name> <address>:<port>"

    def read(self, cursor: Cursor) -> Mailer:
        place: Place = cursor.context
        if len(cursor.words) < cursor.index + 2:
            message = f"'{cursor.name}' expects <name> and <addr>[:<port>] as arguments."
            raise cursor.bad("missing-argument", message, whole=True)
        name = cursor.take()
        if (wrong := BAD_NAME.search(name)) is not None:
            message = f"character '{wrong[0]}' is not permitted in server name '{name}'."
            raise cursor.bad("bad-name", message, whole=True)
        try:
            address = parse_address(cursor.take(), Allow.STREAM, place.resolve)
        except BadAddress as error:
            raise cursor.bad("bad-address", f"'mailer {name}' : {error}", whole=True) from None
        if address.family not in (socket.AF_INET, socket.AF_INET6):
            message = f"'mailer {name}' : TCP not supported for this address family."
            raise cursor.bad("bad-address", message, whole=True)
        return Mailer(name, address, where_of(line_of(cursor)))

    def words(self, value: Mailer) -> list[str]:
        return [value.name, value.address.text]


@block("mailers line")
@dataclass(frozen=True, slots=True)
class Mailers:
    name: str = ""
    mailer: tuple[Mailer, ...] = keyword(
        MailerArgument(),
        "A mail server: what it is called here, and where it is. Each gets every mail.",
        ok=("mailer a 127.0.0.1:25",),
        bad=("mailer", "mailer a", "mailer a/b 127.0.0.1:25", "mailer a 127.0.0.1", "mailer a /tmp/x"),
        repeat=Repeat.COLLECT,
        loose=True,
    )
    timeout_mail: int | None = keyword(
        SectionTime(),
        "How long handing over a mail may take before it is given up; 10s.",
        name="timeout mail",
        ok=("{} 20s",),
        bad=("{}", "{} x", "{} 25d"),
        loose=True,
    )
    span: Span | None = field(default=None, compare=False)
    spans: Mapping[str, Span] = spans()
    known: tuple[Known, ...] = ()


def verify(section: Mailers, configuration: Configuration, diagnostics: Diagnostics) -> None:
    """A section that no proxy refers to is dropped."""
    proxies = (*configuration.defaults, *configuration.proxies)
    if not any(proxy.alerts.complete and proxy.alerts.mailers == section.name for proxy in proxies):
        message = f"Removing incomplete section 'mailers {section.name}'."
        diagnostics.warning("unused-mailers", message, section.span, lead=BARE)


_TIMEOUT: Final = "'timeout' expects 'mail' and <time> as arguments"
FORM: Final = Form(
    Mailers,
    missing="missing name for mailers section.",
    most=None,
    twice="mailers section '{name}' has the same name as another mailers section declared at {at}.",
    ends=frozenset({"name"}),
    groups={"timeout": (f"{_TIMEOUT}.", f"{_TIMEOUT} got '{{got}}'.")},
    verify=verify,
)
