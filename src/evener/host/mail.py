"""Mail about transitions, sent from the script helper by processes of their own.

A mail server may be slow, or not there at all: that is the business of a child that has a timeout, never
of the VRRP process. Mails leave one after the other, in the order of the transitions; more than
``MOST_WAITING`` are not kept: a flapping network makes many, and nobody reads them.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import time
from collections import deque
from collections.abc import Callable

from evener.host.reactor import READABLE, Reactor
from evener.keepalived.vrrp.mail_talk import MailTalk, Said
from evener.keepalived.vrrp.plan import Mail

MOST_WAITING = 50
MOST_HEADER, MOST_BODY = 255, 511
TIMEOUTS_ALTOGETHER = 10
READ_BYTES, NOTES_BYTES = 4096, 65536


class Mailer:
    """The mails that wait, and the child that sends the first of them. ``log`` gets what is to be said."""

    def __init__(self, reactor: Reactor, log: Callable[[str, bool], None]) -> None:
        self._reactor, self._log = reactor, log
        self._waiting: deque[tuple[Mail, str, str]] = deque()
        self._busy = False

    def send(self, mail: Mail, subject: str, body: str) -> None:
        if len(self._waiting) >= MOST_WAITING:
            self._log(f"too many mails are waiting: '{subject}' is not sent", False)
            return
        self._waiting.append((mail, subject, body))
        self._next()

    def _next(self) -> None:
        if self._busy or not self._waiting:
            return
        mail, subject, body = self._waiting.popleft()
        self._busy = True
        notes, written = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        pid = os.fork()
        if pid == 0:
            _become_sender(mail, subject, body, written)
        os.close(written)
        self._reactor.watch(notes, READABLE, lambda _events: self._sent(pid, notes, mail, subject))

    def _sent(self, pid: int, notes: int, mail: Mail, subject: str) -> None:
        """The child writes its notes at once, and ends."""
        said = os.read(notes, NOTES_BYTES)
        self._reactor.unwatch(notes)
        os.close(notes)
        _, status = os.waitpid(pid, 0)
        for text, detail in json.loads(said) if said else ():
            self._log(text, detail)
        if status and not said:
            self._log(f"SMTP alert '{subject}' could not be sent by way of {mail.host}:{mail.port}", False)
        self._busy = False
        self._next()


def _become_sender(mail: Mail, subject: str, body: str, notes: int) -> None:
    status = 1
    try:
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, signal.SIG_DFL)
        signal.alarm(TIMEOUTS_ALTOGETHER * mail.timeout_s)  # each byte may come in time
        sent, said = deliver(mail, subject, body)
        os.write(notes, json.dumps(said).encode())
        status = not sent
    finally:
        os._exit(status)


def deliver(mail: Mail, subject: str, body: str) -> tuple[bool, list[Said]]:
    """Hand the mail to its server: whether it took it, and what the log is to say."""
    try:
        found = socket.getaddrinfo(mail.host, mail.port, type=socket.SOCK_STREAM)
    except OSError as error:
        return False, [Said(f"SMTP server {mail.host}: {error.strerror}")]
    family, kind, protocol, _, address = found[0]
    host, port = address[:2]
    server = f"[{host!s}]:{port!s}"
    with socket.socket(family, kind, protocol) as connection:
        connection.settimeout(mail.timeout_s)
        try:
            connection.connect(address)
        except TimeoutError:
            return False, [Said(f"Timeout opening connection to remote SMTP server {server}.")]
        except OSError:
            return False, [Said(f"SMTP connection ERROR to {server}.")]
        content = text(mail, subject, body)
        talk = MailTalk(mail, server, sender_of(mail), mail.helo or local_name(), content)
        _converse(connection, talk)
    return talk.sent, talk.notes


def _converse(connection: socket.socket, talk: MailTalk) -> None:
    try:
        while not talk.done:
            try:
                data = connection.recv(READ_BYTES)
            except TimeoutError:
                connection.sendall(talk.late())
                continue
            if not data:
                talk.ended()
                return
            connection.sendall(talk.heard(data))
    except OSError as error:
        talk.broken(error.strerror or "failed")


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
        "\r\n".join(body[:MOST_BODY].splitlines()),
        "",
    ]
    return "\r\n".join(lines).encode("utf-8", "replace")
