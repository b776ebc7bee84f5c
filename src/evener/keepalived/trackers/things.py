"""What can be tracked: vrrp_script, vrrp_track_process, track_file and bfd_instance."""

from __future__ import annotations

from typing import Any

from evener.keepalived.arguments import (
    SECOND,
    Address,
    Decimal,
    Flag,
    IpAddress,
    Number,
    OptionalBool,
    OptionalString,
    String,
    Strings,
)
from evener.keepalived.declare import Block, block, word
from evener.keepalived.numbers import INT_MAX, whole
from evener.keepalived.scripts import Script, ScriptCommand, User, UserArgument, known_user
from evener.keepalived.tracks import WeightArgument
from evener.text.record import dataclass
from evener.text.span import Span
from evener.vocab.arguments import BadArgument, Cursor

INTERVAL = Decimal(0, 4_294_000, places=3)

DELAY = Decimal(1, 3600 * SECOND)
PROCESS = "for vrrp_track_process {name} must be between"
BETWEEN_WEIGHTS = "must be between [-254..254] inclusive. Ignoring..."
BAD_QUORUM = f"Quorum ({{word}}) {PROCESS} [1..65535] inclusive. Ignoring..."
BAD_MOST = f"quorum_max ({{word}}) {PROCESS} [0..65535] inclusive. Ignoring..."
BAD_DELAY = f"{{keyword}} ({{word}}) {PROCESS} [0.000001..3600] inclusive. Ignoring..."
MILLISECONDS = Decimal(1000, 4_294_967_000, places=3, lenient=False)
IDLE_MILLISECONDS = Decimal(1_000_000, 4_294_967_000, places=3, lenient=False)
HOPS = Number(1, 255)
BFD = "Configuration error: BFD instance {name}"
BAD_HOPS = f"{BFD} ttl/hoplimit value {{word}} not valid (must be in range [1-255]), ignoring"
BAD_NEIGHBOUR = f"{BFD} has malformed neighbor address {{word}}, ignoring instance"
SENSIBLE = 254


def some_time(what: str) -> Any:
    """A time of 0 is a second."""

    def check(reading: Any, builder: Any, value: int, span: Span) -> int:
        if not value:
            text = f"({reading.name}): vrrp script {what} must be greater than 0, setting to 1"
            reading.warn("no-time", text, span)
        return value or 1000

    return check


def set_once(keyword: str, message: str) -> Any:
    """The check of a keyword of which the first one counts."""

    def check(reading: Any, builder: Any, value: Any, span: Span) -> Any:
        if not builder.get((keyword,)):
            return value
        shown = value if isinstance(value, str) else value[0]
        reading.alert("already-specified", message.format(name=reading.name, word=shown), span)
        return None

    return check


def weight_once(kind: str, usual: int) -> Any:
    """The guard of a weight: what is not the usual one stays."""

    def guard(reading: Any, builder: Any, span: Span) -> bool:
        before = builder.get(("weight",))
        if before is None or before[0] == usual or not reading.word:
            return True
        text = f"Weight already set for track {kind} {reading.name} - ignoring {reading.word}"
        reading.alert("already-specified", text, span)
        return False

    return guard


def known_match(reading: Any, builder: Any, value: str, span: Span) -> str | None:
    if value in ("", "initial", "partial"):
        return value
    reading.alert("unknown-value", f"Invalid param_match type {value} - ignoring", span)
    return None


def below_most(reading: Any, builder: Any, value: int, span: Span) -> int | None:
    most = builder.get(("quorum_max",))
    if most is None or value <= most:
        return value
    reading.alert("quorum-beyond-most", "Quorum is greater than quorum_max - ignoring", span)
    return None


def above_least(reading: Any, builder: Any, value: int, span: Span) -> int | None:
    """0 means that none may run, unless a quorum was asked for."""
    least = builder.get(("quorum",)) or 1
    if value >= least or (value == 0 and least == 1):
        return value
    reading.alert("most-below-quorum", "quorum_max is less than quorum - ignoring", span)
    return None


def initial_value(reading: Any, builder: Any, value: tuple[str, ...], span: Span) -> tuple[str, ...]:
    """Numbers and ``overwrite``; everything else is said and left out."""
    kept: list[str] = []
    for word_ in value:
        if word_ == "overwrite":
            kept.append(word_)
        elif not word_[:1].isdecimal() and word_[:1] != "-":
            reading.alert("unknown-option", f"Unknown track file init option {word_}", span)
        else:
            kept.append(_initial_number(reading, word_, span))
    return tuple(kept)


def _initial_number(reading: Any, text: str, span: Span) -> str:
    code, said, number = whole(text, -INT_MAX - 1, INT_MAX)
    if code:
        reading.alert(code, said, span)
        message = f"Track file {reading.name} init value {text} is invalid"
        reading.alert("bad-number", message, span)
        return "0"
    if abs(number) > SENSIBLE:
        outside = f"is outside sensible range [{-SENSIBLE}, {SENSIBLE}]"
        reading.alert("beyond-sense", f"Track file {reading.name} init value {number} {outside}", span)
    return str(number)


@block("vrrp_script")
@dataclass(frozen=True, slots=True)
class VrrpScript(Block):
    """A script that is run again and again; instances track its result."""

    script: ScriptCommand | None = word(Script(with_user=False), "What is run.", missing="", bad=("SCRIPT",))
    interval: int | None = word(
        INTERVAL,
        "Seconds between runs (default 1), kept as milliseconds.",
        complaint="({name}): vrrp script interval '{word}' must be between 0.001 and 4294 - ignoring",
        check=some_time("interval"),
    )
    timeout: int | None = word(
        INTERVAL,
        "Seconds after which a run has failed (default: interval), kept as milliseconds.",
        complaint="({name}): vrrp script timeout '{word}' invalid - ignoring",
        check=some_time("timeout"),
    )
    weight: tuple[int, bool] | None = word(
        WeightArgument(
            253,
            "vrrp_script {name} unknown weight option {word}",
            "vrrp_script {name} weight {word} must be in [-253, 253]",
        ),
        "What the result adds to the priority; 0: a failure is a fault.",
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
    user: User | None = word(
        UserArgument(),
        "Who runs it (default: script_user).",
        check=known_user("Unable to set uid/gid for script {script}", "script"),
    )
    init_fail: bool = word(Flag(), "It is down until it has succeeded.", default=False)


@block("vrrp_track_process")
@dataclass(frozen=True, slots=True)
class VrrpTrackProcess(Block):
    """A process that has to run."""

    process: tuple[str, ...] = word(
        Strings("<CMD> [<PARAM>]..."),
        "The command line.",
        default=(),
        check=set_once("process", "Process already set for track process {name} - ignoring {word}"),
    )
    param_match: str | None = word(
        OptionalString("[initial|partial]"),
        "How parameters are compared; without a word they have to be exactly the same.",
        ok=("param_match", "param_match initial"),
        bad=("param_match fuzzy",),
        check=known_match,
    )
    weight: tuple[int, bool] | None = word(
        WeightArgument(254, "vrrp_track_process {name} unknown weight option {word}"),
        "What it adds to the priority.",
        complaint=f"Weight ({{word}}) for vrrp_track_process {{name}} {BETWEEN_WEIGHTS}",
        missing="No weight specified for track process {name} - ignoring",
        guard=weight_once("process", 0),
    )
    quorum: int | None = word(
        Number(1, 65535), "How many have to run (default 1).", complaint=BAD_QUORUM, check=below_most
    )
    quorum_max: int | None = word(
        Number(0, 65535), "How many may run (default: any number).", complaint=BAD_MOST, check=above_least
    )
    delay: int | None = word(DELAY, "Seconds until a change counts.", complaint=BAD_DELAY)
    terminate_delay: int | None = word(DELAY, "The same, for an end.", complaint=BAD_DELAY)
    fork_delay: int | None = word(DELAY, "The same, for a start.", complaint=BAD_DELAY)
    full_command: bool = word(Flag(), "Compare the command's path rather than its name.", default=False)


@block("track_file")
@dataclass(frozen=True, slots=True)
class TrackFile(Block):
    """A file that holds a number."""

    file: str | None = word(
        String("<PATH>"),
        "Its name.",
        ok=("file /a",),
        missing="track file file name missing",
        check=set_once("file", "File already set for track file {name} - ignoring {word}"),
    )
    weight: tuple[int, bool] | None = word(
        WeightArgument(
            254,
            "track_file {name} unknown weight option {word}",
            f"Weight ({{word}}) for track_file {{name}} {BETWEEN_WEIGHTS}",
        ),
        "What its number is multiplied by (default 1).",
        missing="No weight specified for track file {name} - ignoring",
        guard=weight_once("file", 1),
    )
    init_file: tuple[str, ...] | None = word(
        Strings("[<VALUE>] [overwrite]", least=0, good="0"),
        "Write a number (default 0) at the start: where there is no file, or in any case.",
        bad=("init_file often",),
        check=initial_value,
    )


class Neighbour(IpAddress):
    """An address without which the session is not read any further."""

    def read(self, cursor: Cursor) -> Any:
        try:
            return super().read(cursor)
        except BadArgument as error:
            if error.code != "missing-argument":
                cursor.context.said.setdefault("bfd_ignored", set()).add(cursor.context.name)
            raise


@block("bfd_instance")
@dataclass(frozen=True, slots=True)
class BfdInstance(Block):
    """A BFD session with a neighbour. Times are kept as microseconds, written as milliseconds."""

    source_ip: Address | None = word(
        IpAddress(), "Our address.", complaint=f"{BFD} has malformed source address {{word}}, ignoring"
    )
    neighbor_ip: Address | None = word(Neighbour(), "The neighbour's address.", complaint=BAD_NEIGHBOUR)
    neighbour_ip: Address | None = word(
        Neighbour(), "Another spelling of neighbor_ip.", sets="neighbor_ip", complaint=BAD_NEIGHBOUR
    )
    min_rx: int | None = word(
        MILLISECONDS,
        "Least interval in milliseconds between packets that we take (default 10).",
        complaint=f"{BFD} min_rx value {{word}} is not valid (must be in range [1-4294967]), ignoring",
    )
    min_tx: int | None = word(
        MILLISECONDS,
        "Least interval in milliseconds between packets that we send (default 10).",
        complaint=f"{BFD} min_tx value {{word}} is not valid (must be in range [1-4294967]), ignoring",
    )
    idle_tx: int | None = word(
        IDLE_MILLISECONDS,
        "Interval in milliseconds between packets while the session is down (default 1000).",
        complaint=f"{BFD} idle_tx value {{word}} is not valid (must be in range [1000-4294967]), ignoring",
    )
    multiplier: int | None = word(
        Number(1, 255),
        "Packets missed until the neighbour takes the session for down (default 5).",
        complaint=f"{BFD} multiplier value {{word}} not valid (must be in range [1-255]), ignoring",
    )
    passive: bool = word(Flag(), "Wait for the neighbour to begin.", default=False)
    ttl: int | None = word(HOPS, "TTL of our packets (IPv4, default 255).", complaint=BAD_HOPS)
    hoplimit: int | None = word(HOPS, "Hop limit of our packets (IPv6, default 64).", complaint=BAD_HOPS)
    max_hops: int | None = word(
        Number(-1, 255),
        "Hops that a packet may have made (default 0; 255: any number).",
        complaint=f"{BFD} max_hops value {{word}} not valid (must be in range [-1-255]), ignoring",
    )
    multihop: bool | None = word(
        OptionalBool(),
        "The neighbour is not on our link (RFC 5883): use its port, 4784.",
        complaint=f"{BFD} multihop setting not valid - {{word}}",
    )
    weight: tuple[int, bool] | None = word(
        WeightArgument(
            253,
            f"{BFD} unknown weight option {{word}}",
            f"{BFD} weight value {{word}} not valid (must be in range [-253-253]), ignoring",
        ),
        "What it adds to the priority; 0: while it is down, those who track it are in fault.",
    )
    vrrp: bool = word(Flag(), "Tell the VRRP process only.", default=False)
    checker: bool = word(Flag(), "Tell the checker process only.", default=False)
