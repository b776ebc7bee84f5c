"""The checkers of a real_server that are not HTTP: MISC, SMTP, TCP, PING, UDP, DNS, FILE and BFD."""

from __future__ import annotations

from typing import Any

from evener.keepalived.arguments import SAID, SECOND, Flag, Number, OptionalBool, String, Value
from evener.keepalived.checkers.common import Checker, Connection
from evener.keepalived.declare import Block, Nested, block, collected, word
from evener.keepalived.hexadecimal import Hexadecimal, MaskedHexadecimal
from evener.keepalived.numbers import INT_MAX, UINT_MAX
from evener.keepalived.scripts import Script, ScriptCommand, User, UserArgument, known_user
from evener.keepalived.tracks import WeightArgument
from evener.text.record import dataclass
from evener.vocab.arguments import Cursor
from evener.wire.dns import TYPES, BadName, encoded


class RecordType(Value):
    """A type of DNS records, in any case."""

    usage = "|".join(TYPES)
    good = ("MX", "aaaa")
    bad = ("", "X25")

    def read(self, cursor: Cursor) -> str:
        word = cursor.take()
        if word.upper() not in TYPES:
            raise cursor.bad("unknown-type", "")
        return word.upper()


def domain(reading: Any, builder: Any, value: str, span: Any) -> str | None:
    """A name that can be asked for, once."""
    if builder.get(("dns_name",)) is not None:
        reading.alert("duplicate-name", "DNS_CHECK name already specified - ignoring", span)
        return None
    # The original takes a first label of one letter for an empty one.
    what = "has empty label" if value[1:2] == "." or ".." in value or value[:1] == "." != value else ""
    try:
        encoded(value)
    except BadName:
        what = what or "is too long"
    if what:
        reading.alert("bad-name", f"DNS_CHECK name '{value}' {what} - ignoring", span)
        return None
    return value


def said_before(reading: Any, builder: Any, value: str, span: Any) -> str:
    """The last name counts."""
    if builder.get(("helo_name",)) is not None:
        reading.alert("duplicate-name", "SMTP_CHECK helo name already specified", span)
    return value


@block("MISC_CHECK")
@dataclass(frozen=True, slots=True)
class MiscCheck(Checker):
    """Run a program."""

    misc_path: ScriptCommand | None = word(
        Script(with_user=False), "The program.", missing="", bad=("MISC_PATH",)
    )
    misc_timeout: int | None = word(
        Number(0, UINT_MAX // SECOND), "Seconds it may take.", complaint="Invalid misc_timeout value '{word}'"
    )
    misc_dynamic: bool = word(Flag(), "Its exit code sets the weight.", default=False)
    user: User | None = word(
        UserArgument(),
        "Who runs it.",
        check=known_user("Failed to set uid/gid for misc checker script {script} - removing", "misc_path"),
        missing="No user specified for misc checker script {script}",
    )


@block("SMTP_CHECK/host")
@dataclass(frozen=True, slots=True)
class SmtpHost(Connection):
    """One of several addresses to check."""


@block("SMTP_CHECK")
@dataclass(frozen=True, slots=True)
class SmtpCheck(Connection):
    """Say HELO to a mail server."""

    helo_name: str | None = word(
        String(), "The name to say.", missing="SMTP_CHECK helo name missing", check=said_before
    )
    host: tuple[SmtpHost, ...] = collected(Nested(SmtpHost), "An address to check.")


@block("TCP_CHECK")
@dataclass(frozen=True, slots=True)
class TcpCheck(Connection):
    """Connect."""


@block("PING_CHECK")
@dataclass(frozen=True, slots=True)
class PingCheck(Connection):
    """Send an ICMP echo request."""


@block("UDP_CHECK")
@dataclass(frozen=True, slots=True)
class UdpCheck(Connection):
    """Send a packet."""

    payload: bytes | None = word(
        Hexadecimal(),
        "What the packet holds.",
        complaint="Invalid hex string for UDP_CHECK payload",
        missing="UDP_CHECK payload requires a payload",
    )
    require_reply: tuple[bytes, bytes] | None = word(
        MaskedHexadecimal(),
        "Something has to come back, as far as it goes these bytes; x is any digit.",
        complaint="Invalid hex string for UDP_CHECK reply",
        fallback=(b"", b""),
    )
    min_reply_length: int | None = word(
        Number(0, 65535),
        "How much has to come back.",
        complaint="UDP_CHECK min length {word} not valid - must be between 0 & 65535",
    )
    max_reply_length: int | None = word(
        Number(0, 65535),
        "How much may come back.",
        complaint="UDP_CHECK max length {word} not valid - must be between 0 & 65535",
    )


@block("DNS_CHECK")
@dataclass(frozen=True, slots=True)
class DnsCheck(Connection):
    """Ask a name server."""

    type: str | None = word(
        RecordType(), "Type of record (default SOA).", complaint="Unknown DNS check type {word} - ignoring"
    )
    dns_name: str | None = word(
        String("<DOMAIN>"),
        "Name to ask for (default the root).",
        name="name",
        bad=("name a..b",),
        check=domain,
    )


def known_file(reading: Any, builder: Any, value: str, span: Any) -> str | None:
    if reading.knows("track_file", value):
        return value
    reading.alert("unknown-track", f"track_file {value} not found", span)
    return None


@block("FILE_CHECK")
@dataclass(frozen=True, slots=True)
class FileCheck(Block):
    """The number in a track_file is the weight."""

    track_file: str | None = word(
        String(),
        "Name of the track_file.",
        ok=("track_file f",),
        bad=("track_file nowhere",),
        check=known_file,
    )
    weight: tuple[int, bool] | None = word(
        WeightArgument(INT_MAX, "unknown track file weight option {word} - ignoring"),
        "What it is multiplied by.",
        complaint=f"weight for track file must be in [-{INT_MAX}..{INT_MAX}] inclusive. Ignoring...",
        missing="track file weight missing",
    )


def shown_real(reading: Any) -> str:
    """The real server around a checker, as messages show it."""
    virtual, real = reading.builders[-3], reading.builders[-2].get(("name",))
    protocol = (virtual.get(("protocol",)) or "none").lower()
    return f"[{real[0]}]:{protocol}:{real[1]}"


class BfdName(String):
    """The name of a session, alone; the empty name stands for one that takes the checker away."""

    def read(self, cursor: Cursor) -> str:
        if len(cursor.words) - cursor.index == 1:
            return super().read(cursor)
        problem = "BFD_CHECK - No or too many names specified - skipping checker"
        reading = cursor.context
        reading.alert("no-name", f"({shown_real(reading)}) {problem}", cursor.line.span(0))
        reading.builders[-1].set(("bfd_name",), "")
        raise cursor.bad(SAID, "")


def known_session(reading: Any, builder: Any, value: str, span: Any) -> str:
    before = builder.get(("bfd_name",))
    disabled = value in reading.said.get("bfd_instance", ()) and not reading.knows("bfd_instance", value)
    if disabled and before is None:
        return ""  # which was said where it stands; nothing will ever be heard of it
    if not reading.knows("bfd_instance", value) and value not in reading.said.get("bfd_instance", ()):
        problem = f"BFD {value} not configured"
    elif before is not None:
        problem = f"BFD {value} already specified as {before}"
    else:
        return value
    reading.alert("unknown-track", f"({shown_real(reading)}) BFD_CHECK - {problem}", span)
    return ""


@block("BFD_CHECK")
@dataclass(frozen=True, slots=True)
class BfdCheck(Block):
    """The server is up while a BFD session is."""

    bfd_name: str | None = word(
        BfdName(),
        "Name of the bfd_instance.",
        name="name",
        ok=("name x",),
        bad=("name", "name nowhere"),
        check=known_session,
    )
    alpha: bool | None = word(
        OptionalBool(),
        "The server is down until the session is up.",
        complaint="Invalid alpha parameter {word}",
    )
