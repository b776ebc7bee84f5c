"""The files that signals ask for: keepalived.stats (SIGUSR2) and keepalived.json, in $TMPDIR or /tmp.

The lines of the former are those of the original, which exporters parse; packets that were for no instance
are added at the end. Files are written beside their place and renamed, so that a reader never sees half
of one, and only their owner may read them.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from pathlib import Path

from evener.host.vrrp_json import JSON_NAME, document, wall_clock
from evener.host.vrrp_loop import clock
from evener.host.vrrp_ports import Ports
from evener.keepalived.vrrp.admission import Stats
from evener.keepalived.vrrp.router import Router

STATS_NAME = "keepalived.stats"


class Dumps:
    """What the signals of one VRRP process do."""

    def __init__(self, router: Router, ports: Ports, log: Callable[[str], None]) -> None:
        self._router, self._ports, self._log = router, ports, log

    def statistics(self) -> None:
        members = self._router.members.items()
        counted = ((name, member.admission.stats) for name, member in members)
        self._write(STATS_NAME, statistics(counted, self._ports.foreign))

    def json(self) -> None:
        now = clock()
        members = self._router.members.values()
        rows = ((m.machine, m.admission.stats, wall_clock(m.since, now)) for m in members)
        self._write(JSON_NAME, document(rows))

    def clear_statistics(self) -> None:
        for member in self._router.members.values():
            member.admission.stats = Stats()

    def data(self) -> None:
        """keepalived.data is for people, and not written yet: say where the same is to be found."""
        self._log("no data dump is written yet: use --signum=JSON or --signum=STATS")

    def _write(self, name: str, text: str) -> None:
        path = dump_directory() / name
        try:
            write_private(path, text)
        except OSError as error:
            self._log(f"Can't open {path} ({error.errno}: {error.strerror})")


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
