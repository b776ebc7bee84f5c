"""What the checkers of a real_server have in common."""

from __future__ import annotations

from evener.keepalived.arguments import UINT_MAX, Address, IpAddress, Number, OptionalBool, String, Timer
from evener.keepalived.declare import Block, word
from evener.text.record import dataclass

PORT = Number(1, 65535)
DELAY = Timer(1)
RETRY = Number(0, UINT_MAX)


@dataclass(frozen=True, slots=True)
class Checker(Block):
    """When a check is made."""

    retry: int | None = word(RETRY, "Checks in a row that have to fail.")
    delay_before_retry: int | None = word(Timer(), "Seconds until a failed check is repeated.")
    warmup: int | None = word(Timer(), "Seconds over which first checks are spread.")
    delay_loop: int | None = word(DELAY, "Seconds between checks.")
    alpha: bool | None = word(OptionalBool(), "The server is down until the check has succeeded.")
    log_all_failures: bool | None = word(OptionalBool(), "Log every failed check.")


@dataclass(frozen=True, slots=True)
class Connection(Checker):
    """Where the checker connects to, and from where."""

    connect_ip: Address | None = word(IpAddress(), "Address to connect to.")
    connect_port: int | None = word(PORT, "Port to connect to.")
    bindto: Address | None = word(IpAddress(), "Address to connect from.")
    bind_port: int | None = word(PORT, "Port to connect from.")
    bind_if: str | None = word(String("<IFNAME>"), "Interface to connect from.")
    connect_timeout: int | None = word(Timer(1, UINT_MAX), "Seconds a connection may take.")
    fwmark: int | None = word(Number(0, UINT_MAX), "Mark of the packets.")
