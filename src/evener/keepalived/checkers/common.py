"""What the checkers of a real_server have in common."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from evener.keepalived.arguments import Address, IpAddress, Number, OptionalBool, String, Timer
from evener.keepalived.declare import Block, word
from evener.keepalived.numbers import UINT_MAX
from evener.text.record import dataclass

PORT = Number(1, 65535)
DELAY = Timer(1)
IFNAME_CHARACTERS = 15
RETRY = Number(0, UINT_MAX)


@dataclass(frozen=True, slots=True)
class Checker(Block):
    """When a check is made."""

    retry: int | None = word(
        RETRY,
        "Attempts after a failed one before the server is down.",
        complaint="Invalid retry connection value '{word}'",
    )
    delay_before_retry: int | None = word(
        Timer(),
        "Seconds until a failed check is repeated.",
        complaint="Invalid delay_before_retry connection value '{word}'",
    )
    warmup: int | None = word(
        Timer(),
        "Seconds over which first checks are spread.",
        complaint="Invalid warmup connection value '{word}'",
    )
    delay_loop: int | None = word(
        DELAY, "Seconds between checks.", complaint="delay_loop '{word}' is invalid - ignoring"
    )
    alpha: bool | None = word(
        OptionalBool(),
        "The server is down until the check has succeeded.",
        complaint="Invalid alpha parameter {word}",
    )
    log_all_failures: bool | None = word(
        OptionalBool(),
        "Log every failed check.",
        complaint="Invalid log_all_failures parameter {word}",
    )


def same_family_as(keyword: str, other: str, name: str) -> Callable[..., Address | None]:
    """An address to connect to and one to connect from are of one family; the second one given is refused."""

    def check(reading: Any, builder: Any, value: Address, span: Any) -> Address | None:
        known = builder.get((other,))
        if known is None and keyword == "bindto":
            known = _real_server(reading)
        if known is None or known.version == value.version:
            return value
        message = f"{keyword} address {value} does not match address family of {name} - skipping"
        reading.alert("wrong-family", message, span)
        return None

    return check


def _real_server(reading: Any) -> Address | None:
    """The address of the real server around the checker, if that is what is around it."""
    name = reading.builders[-2].get(("name",)) if len(reading.builders) > 1 else None
    return name[0] if isinstance(name, tuple) else None


@dataclass(frozen=True, slots=True)
class Connection(Checker):
    """Where the checker connects to, and from where."""

    connect_ip: Address | None = word(
        IpAddress(),
        "Address to connect to.",
        complaint="Invalid connect_ip address {word} - ignoring",
        check=same_family_as("connect_ip", "bindto", "bindto"),
    )
    connect_port: int | None = word(
        PORT, "Port to connect to.", complaint="Invalid checker connect_port '{word}'"
    )
    bindto: Address | None = word(
        IpAddress(),
        "Address to connect from.",
        complaint="Invalid bindto address {word} - ignoring",
        check=same_family_as("bindto", "connect_ip", "connect_ip"),
    )
    bind_port: int | None = word(
        PORT, "Port to connect from; only beside bindto.", complaint="Invalid checker bind_port '{word}'"
    )
    bind_if: str | None = word(
        String("<IFNAME>", longest=IFNAME_CHARACTERS),
        "Interface to connect from.",
        complaint="Interface name {word} is too long - ignoring",
    )
    connect_timeout: int | None = word(
        Timer(1, UINT_MAX),
        "Seconds each step of a check may take.",
        complaint="connect_timeout {word} invalid - ignoring",
    )
    fwmark: int | None = word(
        Number(0, UINT_MAX), "Mark of the packets.", complaint="Invalid fwmark connection value '{word}'"
    )
