"""Mail about transitions, sent from the script helper by processes of their own.

A mail server may be slow, or not there at all: that is the business of a child that has a timeout, never
of the VRRP process. Mails leave one after the other, in the order of the transitions; more than
``MOST_WAITING`` are not kept: a flapping network makes many, and nobody reads them.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import time
from collections import deque
from collections.abc import Callable

from evener.host.reactor import READABLE, Reactor
from evener.keepalived.vrrp.plan import Mail

MOST_WAITING = 50
MOST_HEADER, MOST_BODY = 255, 511


class Mailer:
    """The mails that wait, and the child that sends the first of them."""

    def __init__(self, reactor: Reactor, complain: Callable[[str], None]) -> None:
        self._reactor, self._complain = reactor, complain
        self._waiting: deque[tuple[Mail, str, str]] = deque()
        self._busy = False

    def send(self, mail: Mail, subject: str, body: str) -> None:
        if len(self._waiting) >= MOST_WAITING:
            self._complain(f"too many mails are waiting: '{subject}' is not sent")
            return
        self._waiting.append((mail, subject, body))
        self._next()

    def _next(self) -> None:
        if self._busy or not self._waiting:
            return
        mail, subject, body = self._waiting.popleft()
        self._busy = True
        pid = os.fork()
        if pid == 0:
            _become_sender(mail, subject, body)
        pidfd = os.pidfd_open(pid)
        self._reactor.watch(pidfd, READABLE, lambda _events: self._sent(pid, pidfd, mail, subject))

    def _sent(self, pid: int, pidfd: int, mail: Mail, subject: str) -> None:
        self._reactor.unwatch(pidfd)
        os.close(pidfd)
        _, status = os.waitpid(pid, 0)
        if status:
            self._complain(f"SMTP alert '{subject}' could not be sent by way of {mail.host}:{mail.port}")
        self._busy = False
        self._next()


def _become_sender(mail: Mail, subject: str, body: str) -> None:
    status = 1
    try:
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, signal.SIG_DFL)
        deliver(mail, subject, body)
        status = 0
    except Exception:
        pass  # the helper says that it failed; why is between the servers
    finally:
        os._exit(status)


def deliver(mail: Mail, subject: str, body: str) -> None:
    """Hand the mail to its server; raises OSError or SMTPException."""
    import smtplib

    helo = mail.helo or local_name()
    with smtplib.SMTP(mail.host, mail.port, local_hostname=helo, timeout=mail.timeout_s) as server:
        server.sendmail(sender_of(mail), list(mail.recipients), text(mail, subject, body))


def local_name() -> str:
    """The full name of this machine, where one can find it out."""
    name = socket.gethostname()
    with contextlib.suppress(OSError):
        return socket.getaddrinfo(name, None, flags=socket.AI_CANONNAME)[0][3] or name
    return name


def sender_of(mail: Mail) -> str:
    """As in keepalived: who runs the daemon, and where."""
    if mail.sender:
        return mail.sender
    import pwd

    try:
        user = pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        user = str(os.getuid())
    return f"{user}@{local_name()}"


def text(mail: Mail, subject: str, body: str) -> bytes:
    """The mail as it travels. A header cannot break out of its line."""

    def header(value: str) -> str:
        return " ".join(value.split())[:MOST_HEADER]

    lines = [
        f"Date: {time.strftime('%a, %d %b %Y %H:%M:%S %z')}",
        f"From: {header(sender_of(mail))}",
        f"Subject: {header(subject)}",
        "X-Mailer: Keepalived",
        "To: " + ",\r\n ".join(header(recipient) for recipient in mail.recipients),
        "",
        body[:MOST_BODY],
        "",
        "",
    ]
    return "\r\n".join(lines).encode("utf-8", "replace")
