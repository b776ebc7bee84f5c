"""Values of LVS that consist of several words: forwarding methods, IPVS timeouts, the sync daemon, netmasks.

What is wrong with one word is said, and the others count, as in the original.
"""

from __future__ import annotations

import socket
from typing import Any

from evener.keepalived.arguments import Value, address
from evener.keepalived.line import quoted
from evener.keepalived.numbers import whole
from evener.text.record import dataclass
from evener.vocab.arguments import Cursor

METHODS = ("NAT", "DR", "TUN")
TUNNELS = ("ipip", "gue", "gre")
CHECKSUMS = ("nocsum", "csum", "remcsum")
MOST_TIMEOUT = 2_678_400
IFNAME_BYTES = 16


class Method(Value):
    """A forwarding method and the options of tunnels. ``whose`` server it is of, for messages."""

    usage = "NAT|DR|TUN [type ipip|gue port <N>|gre] [nocsum|csum|remcsum]"
    good = ("NAT", "TUN type gue port 6080", "TUN type gre csum")
    bad = ("", "nat", "TUN type", "TUN type gue", "TUN csum", "TUN type gre remcsum", "TUN type gue port x")

    def __init__(self, whose: str) -> None:
        self.whose = whose

    def read(self, cursor: Cursor) -> tuple[str, ...]:
        method = cursor.take()
        if method not in METHODS:
            raise cursor.bad(
                "unknown-method", f"PARSER : unknown [{method}] routing method for {self.whose} server."
            )
        start = cursor.index
        tunnel, port, checksum = "ipip", 0, "nocsum"
        while cursor.more:
            word = cursor.take()
            if word == "type":
                tunnel = self._tunnel(cursor)
            elif word == "port":
                port = self._port(cursor)
            elif word in CHECKSUMS:
                checksum = word
            else:
                raise cursor.bad("unknown-option", f"Invalid tunnel option {word} for {self.whose} server.")
        if (tunnel == "gue") != (port != 0):
            raise cursor.bad("tunnel-port", "gue tunnels require port, otherwise cannot have port.")
        if tunnel == "ipip" and checksum != "nocsum":
            raise cursor.bad("tunnel-checksum", "ipip tunnels do not support checksum option.")
        if tunnel == "gre" and checksum == "remcsum":
            raise cursor.bad("tunnel-checksum", "gre tunnels do not support remote checksum option.")
        return (method, *cursor.words[start:])

    def _tunnel(self, cursor: Cursor) -> str:
        if not cursor.more:
            raise cursor.bad("missing-tunnel", f"Missing tunnel type for {self.whose} server.")
        word = cursor.take()
        if word not in TUNNELS:
            raise cursor.bad("unknown-tunnel", f"Unknown tunnel type {word} for {self.whose} server.")
        return word

    def _port(self, cursor: Cursor) -> int:
        if not cursor.more:
            raise cursor.bad("missing-port", f"Missing port for {self.whose} server gue tunnel.")
        word = cursor.take()
        code, message, number = whole(word, 1, 65535)
        if code:
            cursor.context.alert(code, message, cursor.span())
            raise cursor.bad(code, f"Invalid gue tunnel port {word} for {self.whose} server.")
        return number

    def words(self, value: tuple[str, ...]) -> list[str]:
        return list(value)


def _setting(cursor: Cursor, low: int, high: int, missing: str, invalid: str) -> int | None:
    """The number after the word that was taken; what is wrong with it is said, and nothing is set."""
    if not cursor.more:
        cursor.context.alert("missing-value", missing, cursor.span())
        return None
    word = cursor.take()
    code, message, number = whole(word, low, high)
    if not code:
        return number
    cursor.context.alert(code, message, cursor.span())
    cursor.context.alert(code, invalid.format(word=word), cursor.span())
    return None


class Timeouts(Value):
    """``tcp N tcpfin N udp N``, each of them optional, as a tuple of pairs."""

    usage = "[tcp <SECS>] [tcpfin <SECS>] [udp <SECS>]"
    good = ("tcp 7200 udp 60", "tcpfin 30")
    bad = ("", "tcp", "tcp x", "sctp 5")

    def read(self, cursor: Cursor) -> tuple[tuple[str, int], ...]:
        if len(cursor.words) - cursor.index < 2:
            raise cursor.bad("missing-value", "lvs_timeouts requires at least one option")
        found: dict[str, int] = {}
        while cursor.more:
            word = cursor.take()
            if word not in ("tcp", "tcpfin", "udp"):
                text = f"Unknown option {word} specified for lvs_timeouts"
                cursor.context.alert("unknown-option", text, cursor.span())
                continue
            number = _setting(
                cursor, 0, MOST_TIMEOUT, f"No value specified for lvs_timeout {word} - ignoring",
                f"Invalid lvs_timeout {word} ({{word}}) - ignoring",
            )  # fmt: skip
            if number is not None:
                found[word] = number
        return tuple(found.items())

    def words(self, value: tuple[tuple[str, int], ...]) -> list[str]:
        return [word for name, number in value for word in (name, str(number))]


@dataclass(frozen=True, slots=True)
class SyncWords:
    """lvs_sync_daemon. What was not given is None."""

    interface: str
    instance: str | None = None
    id: int | None = None
    maxlen: int | None = None
    port: int | None = None
    ttl: int | None = None
    group: Any = None


SYNC_NUMBERS = {"maxlen": (1, 65535 - 20 - 8), "port": (1, 65535), "ttl": (1, 255)}


class SyncDaemon(Value):
    """Interface, then options in any order; an instance and a number may stand alone, as in old files."""

    usage = "<IF> [[inst] <VI>] [id N] [maxlen N] [port N] [ttl N] [group <IPADDR>]"
    good = ("eth0 VI_1", "eth0 inst VI_1 id 5 group 224.0.0.81")
    bad = ("", "an_interface_name_too_long", "eth0 id x", "eth0 VI_1 ttl 0")

    def read(self, cursor: Cursor) -> SyncWords:
        if cursor.peek() is None:
            raise cursor.bad("missing-value", "lvs_sync_daemon requires interface")
        interface = cursor.take()
        if len(interface) >= IFNAME_BYTES:
            text = f"lvs_sync_daemon interface name '{interface}' too long - ignoring"
            raise cursor.bad("name-too-long", text)
        found: dict[str, Any] = {}
        first = cursor.index
        while cursor.more:
            place, word = cursor.index - first, cursor.take()
            if word == "inst":
                self._instance(cursor, found)
            elif word == "id":
                missing = "No value specified for lvs_sync_daemon id, defaulting to vrid"
                self._keep(found, "id", _setting(
                    cursor, 0, 255, missing, "Invalid syncid ({word}) - defaulting to vrid"
                ))  # fmt: skip
            elif word in SYNC_NUMBERS:
                missing = f"No value specified for lvs_sync_daemon {word} - ignoring"
                invalid = f"Invalid lvs_sync_daemon {word} ({{word}}) - ignoring"
                self._keep(found, word, _setting(cursor, *SYNC_NUMBERS[word], missing, invalid))
            elif word == "group":
                self._group(cursor, found)
            else:
                self._old(cursor, found, place, word)
        return SyncWords(interface, **found)

    def _keep(self, found: dict[str, Any], name: str, value: Any) -> None:
        if value is not None:
            found[name] = value

    def _instance(self, cursor: Cursor, found: dict[str, Any]) -> None:
        name = cursor.take("a name")
        if "instance" in found:
            text = (
                f"lvs_sync_daemon vrrp instance has already been specified as {found['instance']} - ignoring"
            )
            cursor.context.alert("said-twice", text, cursor.span())
        else:
            found["instance"] = name

    def _group(self, cursor: Cursor, found: dict[str, Any]) -> None:
        if not cursor.more:
            text = "No value specified for lvs_sync_daemon group - ignoring"
            cursor.context.alert("missing-value", text, cursor.span())
            return
        word = cursor.take()
        made = address(word)
        if made is not None and made.is_multicast:
            found["group"] = made
            return
        text = f"Invalid lvs_sync_daemon group ({word}) - ignoring"
        if made is not None:
            text = f"lvs_sync_daemon group address {word} is not multicast - ignoring"
        cursor.context.alert("bad-group", text, cursor.span())

    def _old(self, cursor: Cursor, found: dict[str, Any], place: int, word: str) -> None:
        """``lvs_sync_daemon IF INSTANCE ID``."""
        if place == 0:
            found["instance"] = word
        elif place == 1:
            code, message, number = whole(word, 0, 255)
            if code:
                cursor.context.alert(code, message, cursor.span())
                text = f"Invalid syncid ({word}) - defaulting to vrid"
            else:
                found["id"], text = number, 'Please use keyword "id" before lvs_sync_daemon SYNCID'
            cursor.context.alert(code or "old-spelling", text, cursor.span())
        else:
            text = f"Unknown option {word} specified for lvs_sync_daemon"
            cursor.context.alert("unknown-option", text, cursor.span())

    def words(self, value: SyncWords) -> list[str]:
        made = [quoted(value.interface)]
        if value.instance is not None:
            made += ["inst", quoted(value.instance)]
        for name in ("id", "maxlen", "port", "ttl", "group"):
            given = getattr(value, name)
            if given is not None:
                made += [name, str(given)]
        return made


class FlushOnStop(Value):
    """Nothing, or ``VS``."""

    usage = "[VS]"
    good = ("", "VS")
    bad = ("vs",)

    def read(self, cursor: Cursor) -> str:
        if not cursor.more:
            return ""
        word = cursor.take()
        if word != "VS":
            raise cursor.bad("unknown-value", f"Unknown lvs_flush_on_stop type {word}")
        return word

    def words(self, value: str) -> list[str]:
        return [value] if value else []


class Granularity(Value):
    """Which part of a client's address counts: a netmask (IPv4), or the length of a prefix (IPv6)."""

    usage = "<NETMASK>|<PREFIX>"
    good = ("255.255.255.0",)
    bad = ("", "400.3")

    def read(self, cursor: Cursor) -> str:
        word = cursor.take()
        if self._version(cursor, word) == 4:
            try:
                socket.inet_aton(word)
            except (OSError, UnicodeError):
                text = f"Invalid IPv4 persistence_granularity specified - {word}"
                raise cursor.bad("bad-granularity", text) from None
            return word
        code, message, _ = whole(word, 1, 128)
        if code:
            cursor.context.alert(code, message, cursor.span())
            raise cursor.bad(code, f"Invalid IPv6 persistence_granularity specified - {word}")
        return word

    def _version(self, cursor: Cursor, word: str) -> int:
        """Of the virtual server, if that is known yet; else of the word."""
        builders = getattr(cursor.context, "builders", None) or ()
        identity = builders[-1].get(("name",)) if builders else None
        known = getattr(identity, "address", None)
        if known is not None:
            return int(known.version)
        return 4 if "." in word else 6
