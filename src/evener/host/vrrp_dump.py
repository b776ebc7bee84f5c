"""The files that signals ask for: keepalived.data (SIGUSR1), .stats (SIGUSR2) and .json, in $TMPDIR or /tmp.

Their lines are those of the original, which exporters parse; what it does not count itself (versions,
checksums, packets for nobody) is in the metrics of the status socket. Files are written beside their place
and renamed, so that a reader never sees half of one, and only their owner may read them.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path

from evener.host.netlink.link import Interfaces
from evener.host.script_user import shown_account
from evener.host.vrrp_announce import Announcer
from evener.host.vrrp_json import JSON_NAME, document, wall_clock
from evener.host.vrrp_loop import clock
from evener.host.vrrp_ports import Ports
from evener.keepalived.described import told
from evener.keepalived.vrrp.admission import Stats
from evener.keepalived.vrrp.describe import World, text
from evener.keepalived.vrrp.metrics import exposition
from evener.keepalived.vrrp.plan import GarpGroup, GlobalOptions
from evener.keepalived.vrrp.plan_machine import DumpFiles
from evener.keepalived.vrrp.router import Router

STATS_NAME, DATA_NAME = "keepalived.stats", "keepalived.data"


class Dumps:
    """What the signals of one VRRP process do."""

    def __init__(
        self,
        router: Router,
        ports: Ports,
        interfaces: Interfaces,
        announcer: Announcer,
        log: Callable[[str], None],
    ) -> None:
        self._router, self._ports, self._interfaces, self._log = router, ports, interfaces, log
        self._announcer = announcer

    @property
    def _files(self) -> DumpFiles:
        return self._router.plan.options.files

    def statistics(self) -> None:
        members = self._router.members.items()
        counted = ((name, member.admission.stats) for name, member in members)
        self._write(self._files.stats, STATS_NAME, statistics(counted))

    def json(self) -> None:
        self._write(self._files.json, JSON_NAME, self._document())

    def _document(self) -> str:
        now = clock()
        members = self._router.members.values()
        rows = ((m.machine, m.admission.stats, wall_clock(m.since, now)) for m in members)
        second = self._router if self._router.plan.options.json_version == 2 else None
        return document(rows, second)

    def answer(self, path: str) -> tuple[str, str] | None:
        """What the status socket says."""
        if path == "/metrics":
            return "text/plain; version=0.0.4", exposition(self._router, self._ports.foreign)
        return ("application/json", self._document()) if path in ("/", "/status") else None

    def clear_statistics(self) -> None:
        """Written, then forgotten."""
        self.statistics()
        for member in self._router.members.values():
            member.admission.stats = Stats()

    def data(self) -> None:
        from evener.host.mail import local_name
        from evener.host.track_processes import running
        from evener.host.vrrp_dump_interfaces import interface_lines

        now = clock()
        world = World(
            lambda moment: wall_clock(moment, now),
            partial(shown_account, options=self._router.plan.options),
            tuple(interface_lines(self._router, self._interfaces)),
            tuple(self._ports.described()),
            local_name(),
            self._interfaces.index_of,
            self._ports.descriptors,
            lambda group, kind: self._next_frame(group, kind, now),
            running,
        )
        self._write(self._files.state, DATA_NAME, text(self._router, world))

    def _next_frame(self, group: GarpGroup, kind: str, now: int) -> float:
        due = self._announcer.pacing.next_of(group, kind)
        return 0.0 if due is None else wall_clock(due, now)

    def _write(self, told: str | None, name: str, content: str) -> None:
        write_dump(place(told, name, self._files.suffix), content, self._log)


def write_parent(options: GlobalOptions, log: Callable[[str], None]) -> None:
    """keepalived_parent.data: the settings of the whole daemon."""
    path = place(options.files.state, DATA_NAME, options.files.suffix)
    from evener.host.mail import local_name

    lines = told(options.described_parent, partial(shown_account, options=options), local_name())
    content = "".join(f"{line}\n" for line in lines)
    write_dump(path.with_stem(path.stem + "_parent"), content, log)


def place(told: str | None, name: str, suffix: str) -> Path:
    if told is not None:
        return Path(told)
    default = dump_directory() / name
    return default.with_stem(default.stem + suffix)


def write_dump(path: Path, content: str, log: Callable[[str], None]) -> None:
    try:
        write_private(path, content)
    except OSError as error:
        log(f"Can't open {path} ({error.errno}: {error.strerror})")


def dump_directory() -> Path:
    return Path(os.environ.get("TMPDIR", "/tmp"))


def statistics(instances: Iterable[tuple[str, Stats]]) -> str:
    """The text of the file."""
    parts = [_one(name, stats) for name, stats in instances]
    return "".join(parts)


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
  Authentication Errors:
    Invalid Type: {stats.invalid_authtype}
    Type Mismatch: {stats.authtype_mismatch}
    Failure: {stats.auth_failure}
  Authentication Extension Errors:
    Missing: {stats.auth_ext_missing}
    Malformed: {stats.auth_ext_malformed}
    Unknown Key: {stats.auth_ext_unknown_key}
    Invalid HMAC: {stats.auth_ext_invalid_hmac}
    Stale: {stats.auth_ext_stale}
    Replay: {stats.auth_ext_replay}
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
