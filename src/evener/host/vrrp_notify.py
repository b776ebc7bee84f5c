"""Telling the world about transitions: notify scripts, FIFOs and mail.

The specific script (notify_master...) runs first and gets no more words; ``notify`` follows with four:
INSTANCE or GROUP, its name, the state, the priority. A FIFO gets the same four on a line.
"""

from __future__ import annotations

import socket
from collections.abc import Callable

from evener.host.notify_fifo import Fifos
from evener.host.scripts import ScriptClient
from evener.keepalived.vrrp.messages import Notify, Told
from evener.keepalived.vrrp.plan import GlobalOptions, Notifications, Program

# The states that ``notify`` hears of; the rest is for FIFOs and specific scripts.
STATES = (Told.MASTER, Told.BACKUP, Told.FAULT, Told.STOP, Told.DELETED)


# Told: the subject, and the body of an instance's mail and of a sync group's.
MAILS: dict[Told, tuple[str, str, str]] = {
    Told.MASTER: (
        "Entering MASTER state",
        "VRRP Instance is now owning VRRP VIPs",
        "All VRRP group instances are now in MASTER state",
    ),
    Told.BACKUP: (
        "Entering BACKUP state",
        "VRRP Instance is no longer owning VRRP VIPs",
        "All VRRP group instances are now in BACKUP state",
    ),
    Told.FAULT: (
        "Entering FAULT state",
        "VRRP Instance is no longer owning VRRP VIPs",
        "All VRRP group instances are now in FAULT state",
    ),
    Told.STOP: ("Stopping", "VRRP Instance stopping", "All VRRP group instances are now stopping"),
    Told.DELETED: ("Deleted", "VRRP Deleted at reload", "VRRP Deleted at reload"),
}


class Notifier:
    """Runs scripts through the helper; owns the FIFOs."""

    def __init__(
        self, options: GlobalOptions, scripts: ScriptClient, complain: Callable[[str], None]
    ) -> None:
        self._scripts = scripts
        self._options = options
        self._mailed: dict[tuple[bool, str], Told] = {}
        self._fifos = Fifos((options.notify_fifo, options.vrrp_notify_fifo), options, scripts, complain)

    def __call__(self, name: str, command: Notify, wanted: Notifications) -> None:
        kind = "GROUP" if command.group else "INSTANCE"
        specific = specific_program(command.told, wanted)
        if specific is not None:
            self._scripts.run(specific)
        if wanted.any is not None and command.told in STATES:
            self._scripts.run(wanted.any, (kind, name, command.told.value, str(command.priority)))
        if wanted.mail:
            self._mail(name, command)
        self.write(name, command)

    def write(self, name: str, command: Notify) -> None:
        """A line for every FIFO."""
        self._fifos.write(fifo_line(name, command))

    def _mail(self, name: str, command: Notify) -> None:
        """One mail for each state that is new; as the original words it."""
        mail, told = self._options.mail, command.told
        key = (command.group, name)
        if mail is None or told not in MAILS or self._mailed.get(key) is told:
            return
        if told is Told.FAULT and not self._options.mail_faults:
            return
        self._mailed[key] = told
        what, of_instance, of_group = MAILS[told]
        kind, body = ("VRRP Group", of_group) if command.group else ("VRRP Instance", of_instance)
        router = self._options.router_id or socket.gethostname()
        subject = f"[{router}] {kind} {name} - {what}"
        self._scripts.mail(mail, subject, f"=> {body} <=")

    def close(self) -> None:
        self._fifos.close()


def fifo_line(name: str, command: Notify) -> str:
    kind = "GROUP" if command.group else "INSTANCE"
    return f'{kind} "{name}" {command.told.value} {command.priority}\n'


def specific_program(told: Told, wanted: Notifications) -> Program | None:
    """The script that is run for exactly this."""
    return {
        Told.MASTER: wanted.master,
        Told.BACKUP: wanted.backup,
        Told.FAULT: wanted.fault,
        Told.STOP: wanted.stop,
        Told.DELETED: wanted.deleted,
        Told.MASTER_RX_LOWER_PRI: wanted.master_rx_lower_pri,
    }.get(told)
