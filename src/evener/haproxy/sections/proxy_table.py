"""Proxy keywords that are known without being executed, and those that the language no longer has."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from evener.haproxy.sections.sides import ANY, BACK_PROXY, FRONT, FRONT_PROXY
from evener.haproxy.sections.tables import absent, planned, refused
from evener.vocab.blocks import Keyword

if TYPE_CHECKING:
    from evener.haproxy.sections.reading import Place

_REQ: Final = (
    "Use 'http-request replace-path', 'http-request replace-uri' or 'http-request replace-header' instead."
)
#: Removed words, and what the original says after "The '...' directive is not supported anymore".
_GONE: Final = {
    "cliexp reqrep": _REQ,
    "reqirep": "Use 'http-request replace-header' instead.",
    "reqdel reqidel": "Use 'http-request del-header' instead.",
    "reqallow reqiallow": "Use 'http-request allow' instead.",
    "reqtarpit reqitarpit": "Use 'http-request tarpit' instead.",
    "reqadd": "Use 'http-request add-header' instead.",
    "rspadd": "Use 'http-response add-header' instead.",
    "rspdel": "Use 'http-response del-header' .",
    "rspidel": "Use 'http-response del-header' instead.",
    "rspdeny rspideny": "Use 'http-response deny' instead.",
    "rsprep rspirep srvexp": "Use 'http-response replace-header' instead.",
    "block": "Use 'http-request deny' which uses the exact same syntax.",
}
_SINCE: Final = "directive is not supported anymore since HAProxy 2.1."
_NOT: Final = "not supported anymore since HAProxy 2.1."
_TIMEOUTS: Final = (("clitimeout", "client"), ("srvtimeout", "server"), ("contimeout", "connect"))
_REMOVED: Final = "\n".join(
    [
        *(f"{name} | The '{name}' {_SINCE} {how}" for names, how in _GONE.items() for name in names.split()),
        f"reqdeny | The 'reqdeny' {_NOT} Use 'http-request deny' instead.",
        f"reqideny | The 'reqideny' {_SINCE} Use 'http-request deny' instead.",
        f"reqpass | The 'reqpass' {_NOT}",
        f"reqipass | The 'reqipass' {_SINCE}",
        *(
            f"{name} | keyword '{name}' {_SINCE} Use 'option redispatch'."
            for name in ("redisp", "redispatch")
        ),
        *(f"{name} | the '{name}' {_SINCE} Use 'timeout {new}'." for name, new in _TIMEOUTS),
        "appsession | 'appsession' is not supported anymore since HAProxy 1.6.",
        "monitor-net | 'monitor-net' doesn't exist anymore. "
        "Please use 'http-request return status 200 if { src {got} }' instead.",
    ]
)
_TIGHT: Final = "config : parsing [{place}]: "
_REMOVED_TIGHT = """
grace        | the 'grace' keyword is not supported any more since HAProxy version 2.5.
bind-process | 'bind-process' is not supported anymore.
dispatch     | support for 'dispatch' was removed in version 3.5. The modern way to do the same is to create a server with the same address, and possibly to assign any extra server a weight of zero if any:
transparent  | support for 'transparent' was removed in version 3.5. The modern way to do the same is to create a server with address 0.0.0.0.
"""  # noqa: E501


_APPLICATION: Final = (
    "use-fcgi-app 1+ | The servers speak FastCGI, for that application. "
    "| 'use-fcgi-app' expects <name> as argument"
)


def _only_servers(words: Iterable[Keyword]) -> Iterator[Keyword]:
    """Words that are refused where there are no servers, rather than ignored."""
    for word in words:
        sentence = f"'{word.name}' only available in backend or listen section"
        yield replace(word, facts=MappingProxyType({**word.facts, "wrong_side": sentence}))


def uses(arguments: tuple[str, ...], place: Place) -> str:
    """``ssl-f-use`` takes what a line of a crt-list does."""
    from evener.haproxy.sections.frontend_certificates import wrong_words

    return wrong_words(arguments if arguments[0] else (), place)


TABLE: Final = (
    *_only_servers(planned(_APPLICATION, BACK_PROXY)),
    *planned(
        "ssl-f-use 0+ | Certificates of the frontend.", ANY, {"ssl-f-use": (uses, "crt server.pem alpn h2")}
    ),
    *absent("crt 1+ | Certificates of the frontend.", FRONT_PROXY),
    *absent("quic-initial 1+ | Rules for the first packet of QUIC.", FRONT),
    *refused(_REMOVED),
    *refused(_REMOVED_TIGHT, lead=_TIGHT, after={"dispatch": "\n    server dispatch {got}"}),
    *refused("usesrc | 'usesrc' only allowed after a 'source' statement."),
)
