"""``resolvers``: name servers, how they are asked, how long answers are believed (section 5.3.2)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import TYPE_CHECKING, Any, Final

from evener.haproxy.addresses import Address, Allow, BadAddress, parse_address
from evener.haproxy.sections.forms import PARSING, Form, SectionTime, say, seen
from evener.haproxy.sections.reading import BAD_NAME, BARE, Place, where_of
from evener.haproxy.sections.rule_words import Reported, line_of
from evener.haproxy.sections.tables import Refused
from evener.haproxy.sections.values import Loose
from evener.text.record import dataclass
from evener.text.span import Span
from evener.vocab.arguments import Argument, Cursor, Flag
from evener.vocab.blocks import Known, Repeat, block, keyword, spans
from evener.vocab.registry import Status

if TYPE_CHECKING:
    from evener.haproxy.ir import Configuration
    from evener.text.diagnostic import Diagnostics

_NAME_SERVER: Final = Allow.DATAGRAM | Allow.DATAGRAM_FIRST | Allow.STREAM
_HOLD: Final = (
    "'hold' expects an <event> and a <time> as arguments.\n"
    "<event> can be either 'valid', 'nx', 'refused', 'timeout', or 'other'"
)


@dataclass(frozen=True, slots=True)
class NameServer:
    """``address.transport`` tells datagrams (the usual case) from streams (``tcp@``)."""

    name: str
    address: Address
    span: Span | None = field(default=None, compare=False)


class NameServerArgument(Argument[NameServer]):
    usage = "<name> <address>:<port>"

    def read(self, cursor: Cursor) -> NameServer:
        place: Place = cursor.context
        if len(cursor.words) < cursor.index + 2:
            message = f"'{cursor.name}' expects <name> and <addr>[:<port>] as arguments."
            raise cursor.bad("missing-argument", message, whole=True)
        name = cursor.take()
        if (wrong := BAD_NAME.search(name)) is not None:
            message = f"character '{wrong[0]}' is not permitted in server name '{name}'."
            raise cursor.bad("bad-name", message, whole=True)
        if before := seen(place, "nameserver", name, cursor):
            message = f"nameserver '{name}' has same name as another nameserver (declared at {before})."
            place.diagnostics.alert("duplicate-name", message, cursor.span(), lead=PARSING)
            raise Reported
        try:
            address = parse_address(cursor.take(), _NAME_SERVER, place.resolve)
        except BadAddress as error:
            raise cursor.bad("bad-address", f"'nameserver {name}' : {error}", whole=True) from None
        return NameServer(name, address, where_of(line_of(cursor)))

    def words(self, value: NameServer) -> list[str]:
        return [value.name, value.address.text]


class HoldTime(SectionTime):
    """How long an answer is believed."""

    def __init__(self) -> None:
        super().__init__("{event}", small=True)

    def read(self, cursor: Cursor) -> int:
        if not cursor.more:
            cursor.index += 1
            say(cursor.context.diagnostics, _HOLD, cursor.span())
            raise Reported
        return super().read(cursor)


def hold(event: str, doc: str) -> Any:
    return keyword(
        HoldTime(),
        doc,
        name=f"hold {event}",
        ok=("{} 10s", "{} 0"),
        bad=("{}", "{} x", "{} 25d"),
        status=Status.PLANNED,
        loose=True,
    )


def timeout(phase: str, doc: str) -> Any:
    return keyword(
        SectionTime(small=True),
        doc,
        name=f"timeout {phase}",
        ok=("{} 1s",),
        bad=("{}", "{} x", "{} 25d"),
        status=Status.PLANNED,
        loose=True,
    )


@block("resolvers line")
@dataclass(frozen=True, slots=True)
class Resolvers:
    """Times in milliseconds; None: the original's default (hold: 10s valid, 30s the rest, 0 obsolete)."""

    name: str = ""
    nameserver: tuple[NameServer, ...] = keyword(
        NameServerArgument(),
        "A name server: what it is called here, and where it is. Questions go there in "
        "datagrams, or over a connection where the address begins with ``tcp@``.",
        ok=("nameserver a 127.0.0.1:53", "nameserver b tcp@127.0.0.1:53"),
        bad=("nameserver", "nameserver a", "nameserver a/b 127.0.0.1:53", "nameserver a 127.0.0.1"),
        repeat=Repeat.COLLECT,
        status=Status.PLANNED,
        loose=True,
    )
    parse_resolv_conf: bool = keyword(
        Flag(),
        "Ask the name servers of the system (``/etc/resolv.conf``) as well.",
        ok=("parse-resolv-conf",),
        bad=("no parse-resolv-conf",),
        default=False,
        status=Status.PLANNED,
        loose=True,
    )
    accepted_payload_size: int | None = keyword(
        Loose(12, 65535),
        "Largest answer in a datagram, in bytes; announced to the name servers. 512 unless said.",
        name="accepted_payload_size",
        ok=("{} 8192",),
        bad=("{}", "{} 5", "{} 70000", "{} x"),
        missing="'{name}' expects <nb> as argument.",
        status=Status.PLANNED,
        loose=True,
        wrong="'{name}' must be between 12 and 65535 inclusive (was {got}).",
    )
    hold_valid: int | None = hold("valid", "How long an answer is used before it is asked for again; 10s.")
    hold_obsolete: int | None = hold(
        "obsolete", "How long an address that is missing in new answers is still used; not at all."
    )
    hold_nx: int | None = hold("nx", "How long the last good answer is used after 'no such name'; 30s.")
    hold_other: int | None = hold("other", "How long it is used after any other error; 30s.")
    hold_refused: int | None = hold("refused", "How long it is used after 'refused'; 30s.")
    hold_timeout: int | None = hold("timeout", "How long it is used when nobody answers; 30s.")
    resolve_retries: int | None = keyword(
        Loose(),
        "How often a question is sent before it counts as unanswered; 3 unless said.",
        name="resolve_retries",
        ok=("{} 3",),
        bad=("{}",),
        missing="'{name}' expects <nb> as argument.",
        status=Status.PLANNED,
        loose=True,
    )
    timeout_resolve: int | None = timeout("resolve", "How long between two resolutions of a name; 1s.")
    timeout_retry: int | None = timeout("retry", "How long an answer is waited for; 1s.")
    resolution_pool_size: None = keyword(
        Refused(
            "'resolution_pool_size' directive is not supported anymore (it never appeared in a "
            "stable release).",
            None,
        ),
        "Was removed before it was released.",
        name="resolution_pool_size",
        ok=("{} 1",),
        bad=("{} 1",),
        refused=True,
    )
    span: Span | None = field(default=None, compare=False)
    spans: Mapping[str, Span] = spans()
    known: tuple[Known, ...] = ()


def verify(section: Resolvers, configuration: Configuration, diagnostics: Diagnostics) -> None:
    """Without name servers nothing can be resolved."""
    if not section.nameserver and not section.parse_resolv_conf:
        message = f"resolvers '{section.name}' [{section.span}] has no nameservers configured!"
        diagnostics.warning("no-nameservers", message, section.span, lead=BARE)


_TIMEOUT: Final = "'timeout' expects 'retry' or 'resolve' and <time> as arguments"
FORM: Final = Form(
    Resolvers,
    missing="missing name for resolvers section.",
    most=None,
    twice="resolvers '{name}' has same name as another resolvers (declared at {at}).",
    ends=frozenset({"name", "twice"}),
    groups={
        "hold": (
            _HOLD,
            "'hold' unknown <event>: '{got}', expects either 'nx', 'timeout', 'valid', 'obsolete' or "
            "'other'.",
        ),
        "timeout": (f"{_TIMEOUT}.", f"{_TIMEOUT} got '{{got}}'."),
    },
    verify=verify,
)
