"""The keys of auth_hmac that lie in files: read by the VRRP process, checked before they are believed.

A key file that others may read is no secret: that is said, and the key is used, as in the original. Keys
never travel further than this process.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from dataclasses import replace

from evener.keepalived.vrrp.hmac_keys import key_bytes
from evener.keepalived.vrrp.plan import HmacKey, Instance, VrrpPlan

MOST_BYTES = 1024


def with_keys(plan: VrrpPlan, complain: Callable[[str], None]) -> VrrpPlan:
    """The plan with the contents of its key files; a file that cannot be used leaves its key out."""
    if not any(config.hmac for config in plan.instances):
        return plan
    return replace(plan, instances=tuple(_keyed(config, complain) for config in plan.instances))


def _keyed(config: Instance, complain: Callable[[str], None]) -> Instance:
    auth = config.hmac
    if auth is None:
        return config

    def said(message: str) -> None:
        complain(f"({config.name}) auth_hmac {message}")

    keys = tuple(key if key.path is None else replace(key, data=read_key(key, said)) for key in auth.keys)
    return replace(config, hmac=replace(auth, keys=keys))


def read_key(key: HmacKey, complain: Callable[[str], None]) -> bytes:
    """The bytes of a key file; empty when it must not be used."""
    path = key.path or ""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except (OSError, ValueError):
        complain(f"key file '{path}' cannot be opened")
        return b""
    with os.fdopen(descriptor, "rb") as file:
        if stat.S_IMODE(os.fstat(descriptor).st_mode) & 0o077:
            complain(f"key file '{path}' is readable by group or others")
        content = file.read(MOST_BYTES + 1)
    data = key_bytes(content.rstrip(b"\r\n").decode("utf-8", "surrogateescape"))
    if data is None or len(content) > MOST_BYTES:
        complain(f"key {key.number} length not in range [32, 64]")
        return b""
    return data
