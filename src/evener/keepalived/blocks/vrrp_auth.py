"""The blocks authentication and auth_hmac of a vrrp_instance."""

from __future__ import annotations

from dataclasses import field
from typing import Any

from evener.keepalived.arguments import Number, OneOf, String, Value
from evener.keepalived.blocks.instance_checks import password
from evener.keepalived.declare import Block, block, collected, word
from evener.keepalived.line import quoted
from evener.keepalived.numbers import whole
from evener.keepalived.vrrp.hmac_keys import LEAST_BYTES, MOST_BYTES, key_bytes
from evener.text.record import dataclass
from evener.text.span import Span
from evener.vocab.arguments import Cursor


@block("vrrp_instance/authentication")
@dataclass(frozen=True, slots=True)
class Authentication(Block):
    """A simple password, or the IP authentication header (IPv4 only)."""

    auth_type: str | None = word(
        OneOf("PASS", "AH"), "PASS or AH.", complaint="({name}) unknown authentication type '{word}'"
    )
    auth_pass: str | None = word(String(), "The password; eight characters of it count.", check=password)


HEX_KEY = "hex:" + "".join(f"{number:02x}" for number in range(32))


@dataclass(frozen=True, slots=True)
class KeyEntry:
    """A key as written: its number, and ``hex:``, ``file:`` or the text itself."""

    number: int
    text: str = field(repr=False)


class KeyLine(Value):
    """``ID VALUE``."""

    usage = "<1..255> hex:<HEX>|file:<PATH>|<STRING>"
    good = (f"1 {HEX_KEY}", "2 file:/etc/keepalived/keys/a")
    bad = (f"0 {HEX_KEY}", "1 hex:00", "1 tooshort")

    def read(self, cursor: Cursor) -> KeyEntry:
        reading: Any = cursor.context
        place = f"({reading.name}) auth_hmac key"
        if len(cursor.words) - cursor.index < 2:
            raise cursor.missing("an id and a value")
        word_ = cursor.take()
        code, message, number = whole(word_, 1, 255)
        if code:
            reading.alert(code, message, cursor.span())
            raise cursor.bad("bad-key", f"{place} id '{word_}' must be between 1 and 255")
        text = cursor.take()
        if not text.startswith("file:") and key_bytes(text) is None:
            length = (len(text) - 4) // 2 if text.startswith("hex:") else len(text)
            limits = f"[{LEAST_BYTES}, {MOST_BYTES}]"
            raise cursor.bad("bad-key", f"{place} {number} length {length} not in range {limits}")
        return KeyEntry(number, text)

    def words(self, value: KeyEntry) -> list[str]:
        return [str(value.number), quoted(value.text)]


def new_number(reading: Any, builder: Any, value: KeyEntry, span: Span) -> KeyEntry | None:
    if any(held.number == value.number for held in builder.get(("key",)) or ()):
        message = f"({reading.name}) duplicate auth_hmac key id {value.number}"
        reading.alert("duplicate-key", message, span)
        return None
    return value


BAD_ACTIVE = "({name}) auth_hmac active_key '{word}' must be between 1 and 255"
BAD_WINDOW = "({name}) auth_hmac time_window '{word}' must be between 1 and 300 seconds"
BAD_REPLAY = "({name}) auth_hmac anti_replay '{word}' must be time or monotonic"
BAD_MODE = "({name}) auth_hmac mode '{word}' must be enforce, permissive or receive-only"


@block("vrrp_instance/auth_hmac")
@dataclass(frozen=True, slots=True)
class AuthHmac(Block):
    """A trailer with a hash and a sequence number on every advert."""

    key: tuple[KeyEntry, ...] = collected(
        KeyLine(),
        "A key: hex:, file: or text.",
        check=new_number,
        missing="({name}) auth_hmac key needs an id and a value",
    )
    active_key: int | None = word(
        Number(1, 255), "The number of the key that signs; without it nothing is signed nor asked for.",
        complaint=BAD_ACTIVE,
    )  # fmt: skip
    time_window: int | None = word(
        Number(1, 300), "Seconds that clocks may differ (default: three intervals, at least 5).",
        complaint=BAD_WINDOW,
    )  # fmt: skip
    anti_replay: str | None = word(
        OneOf("time", "monotonic"), "How old adverts are recognised (default time).", complaint=BAD_REPLAY
    )
    mode: str | None = word(
        OneOf("enforce", "permissive", **{"receive-only": "receive-only"}),
        "Whether unsigned adverts pass (default enforce).",
        complaint=BAD_MODE,
    )
