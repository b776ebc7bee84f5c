"""auth_hmac from the IR to the plan: defaults, and keys as bytes (those in files are read later)."""

from __future__ import annotations

from evener.keepalived.arguments import SECOND
from evener.keepalived.blocks.vrrp_auth import KeyEntry
from evener.keepalived.blocks.vrrp_instance import VrrpInstance
from evener.keepalived.instance_facts import DEFAULT_ADVERT
from evener.keepalived.vrrp.hmac_keys import key_bytes
from evener.keepalived.vrrp.plan import HmacAuth, HmacKey

LEAST_WINDOW_S, MOST_WINDOW_S = 5, 300


def hmac_of(made: VrrpInstance) -> HmacAuth | None:
    auth = made.auth_hmac
    if auth is None:
        return None
    interval_s = (made.advert_int or DEFAULT_ADVERT) // SECOND
    return HmacAuth(
        keys=tuple(_key(entry) for entry in auth.key),
        active=auth.active_key or 0,
        window_s=auth.time_window or max(LEAST_WINDOW_S, min(MOST_WINDOW_S, 3 * interval_s)),
        timed=auth.anti_replay != "monotonic",
        signs=auth.mode != "receive-only",
        insists=auth.mode in (None, "enforce"),
    )


def _key(entry: KeyEntry) -> HmacKey:
    if entry.text.startswith("file:"):
        return HmacKey(entry.number, path=entry.text.removeprefix("file:"))
    return HmacKey(entry.number, key_bytes(entry.text) or b"")
