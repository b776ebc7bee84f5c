"""The blocks authentication and auth_hmac of a vrrp_instance."""

from __future__ import annotations

from evener.keepalived.arguments import Number, OneOf, String, Strings
from evener.keepalived.blocks.instance_checks import password
from evener.keepalived.declare import Block, block, collected, planned, word
from evener.text.record import dataclass
from evener.vocab.registry import Status


@block("vrrp_instance/authentication")
@dataclass(frozen=True, slots=True)
class Authentication(Block):
    """Simple password (or AH, which is known only)."""

    auth_type: str | None = word(
        OneOf("PASS", "AH"), "PASS or AH.", complaint="({name}) unknown authentication type '{word}'"
    )
    auth_pass: str | None = word(String(), "The password; eight characters of it count.", check=password)


@block("vrrp_instance/auth_hmac")
@dataclass(frozen=True, slots=True)
class AuthHmac(Block):
    """A trailer with a hash and a sequence number on every advert."""

    key: tuple[tuple[str, ...], ...] = collected(
        Strings("<ID> <VALUE>", least=2, good="1 hex:00"),
        "A key: hex:, file: or text.",
        status=Status.PLANNED,
    )
    active_key: int | None = planned(Number(1, 255), "The key that signs.")
    time_window: int | None = planned(Number(1, 300), "Seconds that clocks may differ.")
    anti_replay: str | None = planned(OneOf("time", "monotonic"), "How old adverts are recognised.")
    mode: str | None = planned(
        OneOf("enforce", "permissive", "receive-only"), "Whether unsigned adverts pass."
    )
