"""The command line of ``genhash``, as getopt_long(3) reads it: all faults are told, then the usage."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from dataclasses import field

from evener.text.record import dataclass
from evener.vocab.arguments import decimal

USAGE = """\
Usage: {program} COMMAND [OPTIONS]
Commands:
   -s server-address -p port -u url
   -S -s server-address -p port -u url
   -h

Options:
Either long or short options are allowed.
   --use-ssl         -S       Use SSL connection to remote server.
   --use-sni         -I       Use SNI during SSL handshake (uses virtualhost setting; see -V).
   --server          -s       Use the specified remote server address.
   --port            -p       Use the specified remote server port.
   --url             -u       Use the specified remote server url.
   --use-virtualhost -V       Use the specified virtualhost in GET query.
   --verbose         -v       Use verbose mode output.
   --help            -h       Display this short inlined help screen.
   --fwmark          -m       Use the specified FW mark.
   --protocol        -P       Use the specified HTTP protocol - '1.0', 1.0c', '1.1'.
                                1.0c means 1.0 with 'Connection: close'
   --timeout         -t       Timeout in seconds
"""

LONG = {
    "help": "h",
    "verbose": "v",
    "use-ssl": "S",
    "use-sni": "I",
    "server": "s",
    "use-virtualhost": "V",
    "port": "p",
    "url": "u",
    "fwmark": "m",
    "protocol": "P",
    "timeout": "t",
}
WITH_VALUE = frozenset("sVpumPt")
LONGEST_S = 4294.967295
"""Without --timeout: 2^32 - 1 microseconds."""


class Refused(Exception):
    """The command line is wrong; the text (several lines, maybe none) says why."""


@dataclass(slots=True)
class Order:
    """What to fetch, and how."""

    address: bytes = b""
    port: int = 0
    path: str | None = None
    virtualhost: str | None = None
    protocol: str = "1.0"
    tls: bool = False
    sni: bool = False
    verbose: bool = False
    mark: int = 0
    timeout_s: float = LONGEST_S
    complaints: list[str] = field(default_factory=list)
    usage: bool = False


def parse(words: Sequence[str]) -> Order:
    """Raises Refused."""
    order, rest, left = Order(), list(words), []
    while rest:
        word = rest.pop(0)
        if word == "--":
            left += rest
            break
        if word.startswith("--"):
            _long(order, word[2:], rest)
        elif word.startswith("-") and word != "-":
            _short(order, word[1:], rest)
        else:
            left.append(word)
    if left and not order.usage:
        order.complaints.append(f"Unexpected argument(s): {' '.join(left)}")
    if order.complaints or order.usage or not (order.address and order.port and order.path is not None):
        raise Refused("\n".join(order.complaints))
    return order


def _long(order: Order, word: str, rest: list[str]) -> None:
    name, given, value = word.partition("=")
    exact = [long for long in LONG if long == name] or [long for long in LONG if long.startswith(name)]
    if len(exact) != 1:
        return _wrong(order, f"Unknown option --{word}")
    letter = LONG[exact[0]]
    if letter not in WITH_VALUE:
        return _wrong(order, f"Unknown option --{word}") if given else _take(order, letter, "")
    if not given and not rest:
        return _wrong(order, f"Missing parameter for option --{exact[0]}")
    return _take(order, letter, value if given else rest.pop(0))


def _short(order: Order, letters: str, rest: list[str]) -> None:
    for at, letter in enumerate(letters):
        if letter not in LONG.values():
            _wrong(order, f"Unknown option -{letter}")
        elif letter not in WITH_VALUE:
            _take(order, letter, "")
        elif letters[at + 1 :] or rest:
            return _take(order, letter, letters[at + 1 :] or rest.pop(0))
        else:
            return _wrong(order, f"Missing parameter for option -{letter}")
    return None


def _wrong(order: Order, complaint: str) -> None:
    order.complaints.append(complaint)
    order.usage = True


def _take(order: Order, letter: str, value: str) -> None:
    """A bad value ends it all."""
    if letter in "hvSI":
        order.usage |= letter == "h"
        order.verbose |= letter == "v"
        order.tls |= letter == "S"
        order.sni |= letter == "I"
    elif letter in "Vu":
        setattr(order, "virtualhost" if letter == "V" else "path", value)
    elif letter == "s":
        order.address = _address(order, value)
    elif letter == "p":
        order.port = _number(order, value, 1, 65535, "port number")
    elif letter == "m":
        order.mark = _number(order, value.lstrip(" \t"), 0, 2**32 - 1, "fwmark")
    elif letter == "t":
        order.timeout_s = _number(order, value.lstrip(" \t"), 0, 4294, "timeout")
    elif value in ("1.0", "1.0c", "1.0C", "1.1"):
        order.protocol = value
    else:
        raise _stop(order, f"invalid HTTP protocol version '{value}'")


def _address(order: Order, text: str) -> bytes:
    try:
        return ipaddress.ip_address(text.partition("/")[0].partition("-")[0]).packed
    except ValueError:
        raise _stop(order, f"server should be an IP, not {text}") from None


def _number(order: Order, text: str, low: int, high: int, what: str) -> int:
    number = decimal(text) if len(text) <= 10 else None
    if number is None or not low <= number <= high:
        raise _stop(order, f"invalid {what} '{text}'")
    return number


def _stop(order: Order, complaint: str) -> Refused:
    return Refused("\n".join([*order.complaints, complaint]))
