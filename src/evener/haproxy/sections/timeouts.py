"""``timeout``: how long each phase of a connection may last, in milliseconds.

None means not said, 0 means no limit. A time written without a unit is milliseconds; small ones are
probably seconds, and the original says so.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from evener.haproxy.sections.reading import Place
from evener.haproxy.sections.sides import ANY, BACK, FRONT
from evener.haproxy.sections.values import Time
from evener.text.record import dataclass
from evener.text.span import Span
from evener.vocab.arguments import Cursor, decimal
from evener.vocab.blocks import Planned, Repeat, block, keyword, spans

SMALL = 100
"""Bare values below this are suspicious; the original draws the line here as well."""

KNOWN = (
    "'timeout' supports 'client', 'server', 'connect', 'check', 'queue', 'handshake', 'http-keep-alive', "
    "'http-request', 'tunnel', 'tarpit', 'client-fin' and 'server-fin' (got '{got}')"
)


class Timeout(Time):
    """The time after ``timeout <phase>``."""

    def read(self, cursor: Cursor) -> int:
        if not cursor.more:
            message = f"'{cursor.name}' expects an integer value (in milliseconds)"
            raise cursor.bad("missing-argument", message, whole=True)
        value = super().read(cursor)
        text = cursor.words[cursor.index - 1]
        if cursor.peek() is not None:
            extra = cursor.take()
            message = f"'{cursor.name}' : unexpected extra argument '{extra}' after value '{text}'."
            raise cursor.bad("unexpected-argument", message, whole=True)
        place: Place = cursor.context
        if 0 < value < SMALL and decimal(text) is not None:
            place.warning(
                "suspiciously-small-time",
                f"'{cursor.name} {text}' in {proxy_word(place)} '{place.name}' is suspiciously small for a "
                f"value in milliseconds. Please use an explicit unit ('{text}ms') if that was the intent.",
                cursor.span(),
            )
        return value


def proxy_word(place: Place) -> str:
    """What the original calls a proxy in messages: a listen section is simply a proxy."""
    return "proxy" if place.kind == "listen" else place.kind


def timeout(doc: str, contexts: Sequence[str], argument: Any = None) -> Any:
    return keyword(
        argument or Timeout(),
        doc,
        ok=("{} 30s", "{} 500", "{} 0"),
        bad=("{}", "{} 1.5s", "{} 1S", "{} 25d", "{} 1s 2s"),
        contexts=contexts,
        repeat=Repeat.WARN,
        ignored="'{word}' will be ignored because {kind} '{name}' has no {capability} capability",
    )


@block("timeout")
@dataclass(frozen=True, slots=True)
class Timeouts:
    check: int | None = timeout("Longest wait for the answer to a check, once connected.", BACK)
    client: int | None = timeout("Longest inactivity of the client.", FRONT)
    client_fin: int | None = timeout("The same once one side has closed.", FRONT)
    client_hs: int | None = timeout("Longest TLS handshake with the client.", FRONT, Planned(Timeout()))
    connect: int | None = timeout("Longest wait for a connection to a server.", BACK)
    http_keep_alive: int | None = timeout("Longest wait for the next request of a client.", ANY)
    http_request: int | None = timeout("Longest wait for a complete request head.", ANY)
    queue: int | None = timeout("Longest wait for a free connection slot.", BACK)
    server: int | None = timeout("Longest inactivity of the server.", BACK)
    server_fin: int | None = timeout("The same once one side has closed.", BACK)
    tarpit: int | None = timeout("How long a tarpitted request is held.", ANY)
    tunnel: int | None = timeout("Longest inactivity of a tunnel, in both directions.", BACK)
    spans: Mapping[str, Span] = spans()
