"""The statistics file that SIGUSR2 asks for: keepalived.stats in $TMPDIR or /tmp.

Its lines are those of the original, which exporters parse; packets that were for no instance are added at
the end. It is written beside its place and renamed, so that a reader never sees half of it, and only
its owner may read it.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from evener.keepalived.vrrp.admission import Stats

STATS_NAME = "keepalived.stats"


def dump_directory() -> Path:
    return Path(os.environ.get("TMPDIR", "/tmp"))


def statistics(instances: Iterable[tuple[str, Stats]], foreign: int) -> str:
    """The text of the file."""
    parts = [_one(name, stats) for name, stats in instances]
    return "".join(parts) + f"Packets for no VRRP instance: {foreign}\n"


def _one(name: str, stats: Stats) -> str:
    return f"""VRRP Instance: {name}
  Advertisements:
    Received: {stats.advert_rcvd}
    Sent: {stats.advert_sent}
  Became master: {stats.become_master}
  Released master: {stats.release_master}
  Packet Errors:
    Length: {stats.packet_len_err}
    TTL: {stats.ip_ttl_err}
    Invalid Type: {stats.invalid_type_rcvd}
    Advertisement Interval: {stats.advert_interval_err}
    Address List: {stats.addr_list_err}
    Version: {stats.version_err}
    Checksum: {stats.checksum_err}
  Authentication Errors:
    Invalid Type: {stats.invalid_authtype}
    Type Mismatch: {stats.authtype_mismatch}
    Failure: {stats.auth_failure}
  Priority Zero:
    Received: {stats.pri_zero_rcvd}
    Sent: {stats.pri_zero_sent}
"""


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner may read; raises OSError.

    O_EXCL and O_NOFOLLOW: the directory is usually /tmp, where anybody may have put something.
    """
    temporary = path.with_name(f"{path.name}.{os.getpid()}")
    try:
        temporary.unlink()
    except FileNotFoundError:
        pass
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    descriptor = os.open(temporary, flags, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    os.rename(temporary, path)
