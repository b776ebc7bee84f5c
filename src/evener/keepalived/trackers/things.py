"""What can be tracked: vrrp_script, vrrp_track_process, track_file and bfd_instance."""

from __future__ import annotations

from evener.keepalived.arguments import (
    INT_MAX,
    SECOND,
    Address,
    Decimal,
    Flag,
    IpAddress,
    Number,
    OneOf,
    OptionalBool,
    String,
    Strings,
)
from evener.keepalived.declare import Block, block, planned, word
from evener.keepalived.scripts import Script, ScriptCommand, User, UserArgument
from evener.keepalived.tracks import WeightArgument
from evener.text.record import dataclass

INTERVAL = Decimal(1, 1_000_000_000, places=3)
"""Milliseconds up to a million seconds."""

DELAY = Decimal(1, 3600 * SECOND)
NOT_VALID = "({name}): {keyword} '{word}' not valid - ignoring"
MILLISECONDS = Decimal(1000, 4_294_967_000, places=3)


@block("vrrp_script")
@dataclass(frozen=True, slots=True)
class VrrpScript(Block):
    """A script that is run again and again; instances track its result."""

    script: ScriptCommand | None = word(Script(with_user=False), "What is run.")
    interval: int | None = word(
        INTERVAL,
        "Seconds between runs (default 1), kept as milliseconds.",
        complaint="({name}): vrrp script interval '{word}' must be between 0.001 and 1000000 - ignoring",
    )
    timeout: int | None = word(
        INTERVAL,
        "Seconds after which a run has failed (default: interval), kept as milliseconds.",
        complaint="({name}): vrrp script timeout '{word}' invalid - ignoring",
    )
    weight: tuple[int, bool] | None = word(
        WeightArgument(253),
        "What the result adds to the priority; 0: a failure is a fault.",
        complaint="vrrp_script {name} weight {word} must be in [-253, 253]",
    )
    rise: int | None = word(
        Number(1, INT_MAX),
        "Successes in a row that make it up (default 1).",
        complaint="({name}): vrrp script rise value '{word}' invalid, defaulting to 1",
    )
    fall: int | None = word(
        Number(1, INT_MAX),
        "Failures in a row that make it down (default 1).",
        complaint="({name}): vrrp script fall value '{word}' invalid, defaulting to 1",
    )
    user: User | None = word(UserArgument(), "Who runs it (default: script_user).")
    init_fail: bool = word(Flag(), "It is down until it has succeeded.", default=False)


@block("vrrp_track_process")
@dataclass(frozen=True, slots=True)
class VrrpTrackProcess(Block):
    """A process that has to run."""

    process: tuple[str, ...] = planned(Strings("<CMD> [<PARAM>]..."), "The command line.", default=())
    param_match: str | None = planned(OneOf("initial", "partial"), "How parameters are compared.")
    weight: tuple[int, bool] | None = planned(WeightArgument(254), "What it adds to the priority.")
    quorum: int | None = planned(Number(1, 65535), "How many have to run.", complaint=NOT_VALID)
    quorum_max: int | None = planned(Number(0, 65535), "How many may run.", complaint=NOT_VALID)
    delay: int | None = planned(DELAY, "Seconds until a change counts.", complaint=NOT_VALID)
    terminate_delay: int | None = planned(DELAY, "The same, for an end.", complaint=NOT_VALID)
    fork_delay: int | None = planned(DELAY, "The same, for a start.", complaint=NOT_VALID)
    full_command: bool = planned(Flag(), "Compare the whole command line.", default=False)


@block("track_file")
@dataclass(frozen=True, slots=True)
class TrackFile(Block):
    """A file that holds a number."""

    file: str | None = planned(String("<PATH>"), "Its name.")
    weight: tuple[int, bool] | None = planned(WeightArgument(INT_MAX), "What its number is multiplied by.")
    init_file: tuple[str, ...] | None = planned(
        Strings("[<VALUE>] [overwrite]", least=0, good="0"), "Make the file at start."
    )


@block("bfd_instance")
@dataclass(frozen=True, slots=True)
class BfdInstance(Block):
    """A BFD session with a neighbour. Times are kept as microseconds, written as milliseconds."""

    source_ip: Address | None = planned(IpAddress(), "Our address.")
    neighbor_ip: Address | None = planned(IpAddress(), "The neighbour's address.")
    neighbour_ip: Address | None = planned(
        IpAddress(), "Another spelling of neighbor_ip.", sets="neighbor_ip"
    )
    min_rx: int | None = planned(MILLISECONDS, "Least interval between packets we take.")
    min_tx: int | None = planned(MILLISECONDS, "Least interval between packets we send.")
    idle_tx: int | None = planned(MILLISECONDS, "Interval while the session is down.")
    multiplier: int | None = planned(Number(1, 255), "Packets missed until the session is down.")
    passive: bool = planned(Flag(), "Wait for the neighbour to begin.", default=False)
    ttl: int | None = planned(Number(1, 255), "TTL of our packets (IPv4).")
    hoplimit: int | None = planned(Number(1, 255), "Hop limit of our packets (IPv6).")
    max_hops: int | None = planned(Number(-1, 255), "Hops a packet may have made.")
    multihop: bool | None = planned(OptionalBool(), "The neighbour is not on our link (RFC 5883).")
    weight: tuple[int, bool] | None = planned(WeightArgument(253), "What it adds to the priority.")
    vrrp: bool = planned(Flag(), "Tell the VRRP process only.", default=False)
    checker: bool = planned(Flag(), "Tell the checker process only.", default=False)
