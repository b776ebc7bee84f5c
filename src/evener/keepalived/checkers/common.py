"""What the checkers of a real_server have in common."""

from __future__ import annotations

from evener.keepalived.arguments import UINT_MAX, Address, IpAddress, Number, OptionalBool, String, Timer
from evener.keepalived.declare import Block, planned
from evener.text.record import dataclass

PORT = Number(1, 65535)
DELAY = Timer(1)
RETRY = Number(0, UINT_MAX)


@dataclass(frozen=True, slots=True)
class Checker(Block):
    """When a check is made."""

    retry: int | None = planned(RETRY, "Checks in a row that have to fail.")
    delay_before_retry: int | None = planned(Timer(), "Seconds until a failed check is repeated.")
    warmup: int | None = planned(Timer(), "Seconds over which first checks are spread.")
    delay_loop: int | None = planned(DELAY, "Seconds between checks.")
    alpha: bool | None = planned(OptionalBool(), "The server is down until the check has succeeded.")
    log_all_failures: bool | None = planned(OptionalBool(), "Log every failed check.")


@dataclass(frozen=True, slots=True)
class Connection(Checker):
    """Where the checker connects to, and from where."""

    connect_ip: Address | None = planned(IpAddress(), "Address to connect to.")
    connect_port: int | None = planned(PORT, "Port to connect to.")
    bindto: Address | None = planned(IpAddress(), "Address to connect from.")
    bind_port: int | None = planned(PORT, "Port to connect from.")
    bind_if: str | None = planned(String("<IFNAME>"), "Interface to connect from.")
    connect_timeout: int | None = planned(Timer(1, UINT_MAX), "Seconds a connection may take.")
    fwmark: int | None = planned(Number(0, UINT_MAX), "Mark of the packets.")
