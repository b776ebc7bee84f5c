"""Mail about transitions: what travels, and that a server that does not answer hurts nobody."""

from __future__ import annotations

import os
import pwd
import socket
import threading

from evener.host.mail import MOST_WAITING, Mailer, deliver, local_name, sender_of, text
from evener.host.reactor import Reactor
from evener.keepalived.vrrp.plan import Mail


class Server(threading.Thread):
    """Takes one mail on loopback, word by word."""

    def __init__(self, greeting: bytes = b"220 ready\r\n") -> None:
        super().__init__(daemon=True)
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.heard: list[str] = []
        self.greeting = greeting
        self.start()

    def run(self) -> None:
        with self.socket:
            connection, _ = self.socket.accept()
        with connection, connection.makefile("rb") as lines:
            connection.sendall(self.greeting)
            body = False
            for line in lines:
                self.heard.append(line.decode().rstrip("\r\n"))
                word = line[:4].upper()
                if body and line != b".\r\n":
                    continue
                body = word == b"DATA"
                if word == b"QUIT":
                    connection.sendall(b"221 bye\r\n")
                    return
                connection.sendall(b"354 go on\r\n" if body else b"250 fine\r\n")


def mail(port: int, **changes: object) -> Mail:
    fields: dict[str, object] = {
        "host": "127.0.0.1", "port": port, "sender": "k@here", "recipients": ("a@there", "b@there"),
        "helo": "here", "timeout_s": 2,
    }  # fmt: skip
    return Mail(**{**fields, **changes})  # type: ignore[arg-type]


def test_the_conversation() -> None:
    server = Server()
    sent, said = deliver(
        mail(server.port), "[r] VRRP Instance V - Entering MASTER state", "=> owning <=\n.\nRCPT TO:<c@x>"
    )
    server.join(5)
    heard = server.heard
    assert sent
    assert said == [
        (f"Remote SMTP server [127.0.0.1]:{server.port} connected.", True),
        ("SMTP alert successfully sent.", True),
    ]
    assert heard[:5] == ["HELO here", "MAIL FROM:<k@here>", "RCPT TO:<a@there>", "RCPT TO:<b@there>", "DATA"]
    assert heard[-6:] == ["=> owning <=", "..", "RCPT TO:<c@x>", "", ".", "QUIT"]
    assert "Subject: [r] VRRP Instance V - Entering MASTER state" in heard
    assert "X-Mailer: Keepalived" in heard and "=> owning <=" in heard


def test_who_sends_it() -> None:
    user = pwd.getpwuid(os.getuid()).pw_name
    assert sender_of(mail(25, sender="")) == f"{user}@{local_name()}"
    assert local_name()


def test_headers_stay_on_their_line() -> None:
    made = text(mail(25, recipients=("a@x\r\nBcc: c@y",)), "one\r\nBcc: d@y", "body").decode()
    assert "\r\nBcc:" not in made
    assert "Subject: one Bcc: d@y\r\n" in made


def test_mails_leave_one_after_the_other() -> None:
    first, second = Server(), Server()
    reactor, said = Reactor(), []  # type: ignore[var-annotated]
    mailer = Mailer(reactor, lambda text, detail: said.append(text))
    mailer.send(mail(first.port), "one", "body")
    mailer.send(mail(second.port), "two", "body")
    for _ in range(200):
        reactor.turn(0.05)
        if len(said) == 4:
            break
    assert "Subject: one" in first.heard and "Subject: two" in second.heard
    assert said == [
        line
        for server in (first, second)
        for line in (
            f"Remote SMTP server [127.0.0.1]:{server.port} connected.",
            "SMTP alert successfully sent.",
        )
    ]


def test_a_server_that_is_not_there() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    reactor, said = Reactor(), []  # type: ignore[var-annotated]
    mailer = Mailer(reactor, lambda text, detail: said.append(text))
    for number in range(MOST_WAITING + 2):
        mailer.send(mail(port), f"mail {number}", "body")
    assert said == [f"too many mails are waiting: 'mail {MOST_WAITING + 1}' is not sent"]
    said.clear()
    for _ in range(100):
        reactor.turn(0.05)
        if said:
            break
    assert said[0] == f"SMTP connection ERROR to [127.0.0.1]:{port}."
