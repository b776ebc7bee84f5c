"""Opening everything a configuration listens on: frontends and runtime sockets, with the old process's help.

When an address is taken and an older process was named (``-sf``, ``-st``), it is asked to pause (SIGTTOU)
and the address is tried again for a while; if that does not help, it is told to go on (SIGTTIN).
"""

from __future__ import annotations

import errno
import os
import signal
import socket
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import field, replace

from evener.cli.haproxy_console import Console
from evener.haproxy.addresses import Address
from evener.haproxy.keep_alive import of_clients
from evener.haproxy.plan import BindPlan, FrontendPlan, Plan
from evener.haproxy.sections.bind import BindOptions
from evener.haproxy.sections.global_ import Global
from evener.haproxy.sections.global_values import StatsSocket, UnixBind
from evener.haproxy.sections.log_sections import LogForward
from evener.haproxy.sections.proxy import Proxy
from evener.haproxy.tuning import tuning
from evener.host.daemon import signal_all
from evener.host.listeners import (
    BindFailure,
    Listen,
    open_datagram,
    open_listener,
    open_patiently,
    set_options,
)
from evener.host.socket_handover import Handed
from evener.text.record import dataclass

RETRIES = 200
PAUSE = 0.005


@dataclass(slots=True)
class Listening:
    """What is open: sockets by the row of their bind plan, and the runtime sockets."""

    sockets: dict[int, socket.socket] = field(default_factory=dict)
    runtime: list[tuple[StatsSocket, socket.socket]] = field(default_factory=list)
    handed: list[Handed] = field(default_factory=list)
    """What the process that follows may have: all that listens for streams."""
    logs: list[tuple[LogForward, bool, socket.socket]] = field(default_factory=list)
    """Sockets of log-forward sections, and whether they take datagrams."""

    def descriptors(self) -> dict[int, int]:
        return {row: opened.fileno() for row, opened in self.sockets.items()}

    def count(self) -> int:
        return len(self.sockets) + len(self.runtime) + len(self.logs)

    def close(self) -> None:
        private = (*(opened for _, opened in self.runtime), *(opened for *_, opened in self.logs))
        for opened in (*self.sockets.values(), *private):
            opened.close()


class Opener:
    """Opens listeners one after the other; every failure is said, ``failed`` counts them."""

    def __init__(
        self,
        console: Console,
        global_: Global,
        old: Sequence[int],
        share_ports: bool = True,
        taken: Sequence[Handed] = (),
    ) -> None:
        self._console = console
        self._unix = global_.unix_bind or UnixBind()
        self._tuning = tuning(global_)
        self._share_ports = share_ports and self._tuning.share_ports
        self._old = old
        self._retries = RETRIES if old else 0
        self._paused = False
        self._inherited: set[int] = set()
        self._taken = {handed.place: handed for handed in taken}  #: from an older process
        self._handed: list[Handed] = []
        self.failed = 0

    def open(self, plan: Plan, sockets: Sequence[StatsSocket]) -> Listening:
        listening = Listening()
        for stats in sockets:
            for address in stats.addresses:
                opened = self._try(
                    listen_of(address, stats.options, self._unix), str(stats.span), "frontend GLOBAL"
                )
                if opened is not None:
                    listening.runtime.append((stats, opened))
        for frontend in plan.frontends:
            for bind in frontend.binds:
                proxy: Proxy = frontend.ir
                opened = self._try(
                    listen_of_bind(bind, self._unix),
                    place_of(frontend, bind),
                    f"{proxy.word} {frontend.name}",
                )
                if opened is not None:
                    listening.sockets[bind.row] = opened
                    set_options(opened, (*of_clients(proxy), *self._tuning.client))
        for section in plan.configuration.log_forwards:
            self._open_logs(section, listening)
        if self.failed and self._paused:
            signal_all(self._old, signal.SIGTTIN)
        for unused in self._taken.values():
            unused.opened.close()
        listening.handed = self._handed
        return listening

    def _open_logs(self, section: LogForward, listening: Listening) -> None:
        for datagrams, lines in ((False, section.bind), (True, section.dgram_bind)):
            for line in lines:
                for address in line.addresses:
                    listen = replace(
                        listen_of(address, line.options, self._unix),
                        backlog=section.backlog or section.maxconn,
                    )
                    whose = f"log-forward {section.name}"
                    opening = open_datagram if datagrams else open_listener
                    opened = self._try(listen, str(line.span), whose, opening)
                    if opened is not None:
                        set_options(opened, self._tuning.frontend if datagrams else ())
                        listening.logs.append((section, datagrams, opened))

    def _try(
        self,
        listen: Listen,
        where: str,
        whose: str,
        opening: Callable[[Listen], socket.socket] = open_listener,
    ) -> socket.socket | None:
        if not self._share_ports:
            listen = replace(listen, share_port=False)
        if listen.fd is not None and listen.fd in self._inherited:
            # Two lines may name one inherited socket; each of them is watched by its own descriptor.
            listen = replace(listen, fd=os.dup(listen.fd))
        elif listen.fd is not None:
            self._inherited.add(listen.fd)
        try:
            opened = self._from_older(listen) if opening is open_listener else None
            if opened is None:
                opened = open_patiently(listen, self._retry, opening)
            if opening is open_listener:
                self._handed.append(Handed(opened, listen.namespace or "", listen.interface))
            return opened
        except BindFailure as failure:
            self.failed += 1
            self._console.tell("ALERT", f"Binding [{where}] for {whose}: {failure}")
            return None

    def _from_older(self, listen: Listen) -> socket.socket | None:
        """The socket that an older process has handed over for that place; it goes on listening."""
        place = (listen.family, listen.address, listen.port, listen.interface, listen.namespace or "")
        found = self._taken.pop(place, None) if listen.fd is None else None
        if found is None:
            return None
        found.opened.listen(listen.backlog_or_default)
        return found.opened

    def _retry(self, number: int) -> bool:
        if number != errno.EADDRINUSE or self._retries <= 0:
            return False
        if not self._paused:
            self._paused = True
            if not signal_all(self._old, signal.SIGTTOU):
                self._retries = 0
                return False
        self._retries -= 1
        time.sleep(PAUSE)
        return True


def listen_of_bind(bind: BindPlan, unix: UnixBind) -> Listen:
    options: BindOptions = bind.options if bind.options is not None else BindOptions()
    return _listen(bind.family, bind.address, bind.port, bind.fd, options, unix, bind.backlog or bind.maxconn)


def listen_of(address: Address, options: BindOptions, unix: UnixBind) -> Listen:
    return _listen(address.family, address.host, address.port, address.fd, options, unix, 0)


def _listen(
    family: int, host: str, port: int, fd: int | None, options: BindOptions, unix: UnixBind, backlog: int
) -> Listen:
    return Listen(
        family=family,
        address=host,
        port=port,
        fd=fd,
        backlog=options.backlog or backlog,
        interface=options.interface or "",
        namespace=options.namespace,
        save_syn=options.tcp_ss or 0,
        v4v6=options.v4v6,
        v6only=options.v6only,
        transparent=options.transparent,
        defer_accept=options.defer_accept,
        fast_open=options.tfo,
        mss=options.mss or 0,
        md5=options.tcp_md5sig.encode() if options.tcp_md5sig is not None else None,
        user_timeout=options.tcp_ut or 0,
        mode=options.mode if options.mode is not None else unix.mode,
        uid=_uid(options) if _uid(options) is not None else unix.owner,
        gid=_gid(options) if _gid(options) is not None else unix.group,
    )


def _uid(options: BindOptions) -> int | None:
    if options.user is not None:
        import pwd

        return pwd.getpwnam(options.user).pw_uid
    return options.uid


def _gid(options: BindOptions) -> int | None:
    if options.group is not None:
        import grp

        return grp.getgrnam(options.group).gr_gid
    return options.gid


def place_of(frontend: FrontendPlan, bind: BindPlan) -> str:
    """``file:line`` of the bind line, as messages name it."""
    proxy: Proxy = frontend.ir
    for line in proxy.bind:
        if line.options is bind.options and line.span is not None:
            return str(line.span)
    return str(proxy.span)


def addresses_of(listening: Listening) -> Iterator[tuple[str, str]]:
    """(address, level) of each runtime socket, as ``show cli sockets`` tells them."""
    for stats, _ in listening.runtime:
        level = stats.options.level or "operator"
        for address in stats.addresses:
            if address.fd is not None:
                yield f"sockpair@{address.fd}", level
            elif address.family == socket.AF_UNIX:
                kind = "abns" if address.host.startswith("\0") else "unix"
                yield f"{kind}@{address.host.lstrip(chr(0))}", level
            else:
                kind = "ipv6" if address.family == socket.AF_INET6 else "ipv4"
                yield f"{kind}@{address.host}:{address.port}", level
