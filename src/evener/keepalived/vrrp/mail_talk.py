"""What is said to a mail server, and what the log says about it, in keepalived's words.

    greeting 220, HELO 250, MAIL 250, RCPT 250 (for each recipient), DATA 354, the mail 250, QUIT 221

Any other answer ends the conversation with QUIT (RFC 5321, 4.1.1.10), and nothing more is tried. Of an answer
of several lines the last one counts. Knows no sockets: ``heard`` takes bytes and returns bytes.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from evener.keepalived.vrrp.plan import Mail

MOST_ANSWER = 1024
"""Bytes of a line; a server that says more without an end is not listened to."""
NO_CODE = -1


class Said(NamedTuple):
    """For the log; ``detail``: with --log-detail only."""

    text: str
    detail: bool = False


class MailTalk:
    """One mail. ``server`` is how the log calls the other side (``[192.0.2.1]:25``)."""

    def __init__(self, mail: Mail, server: str, sender: str, helo: str, content: bytes) -> None:
        self._server = server
        self._steps = _steps(mail, sender, helo, content)
        self._awaited, self._name, _ = next(self._steps)
        self._buffer = b""
        self.notes: list[Said] = [Said(f"Remote SMTP server {server} connected.", True)]
        self.sent = False
        """The server has taken the mail."""
        self.done = False

    def heard(self, data: bytes) -> bytes:
        """What to say next."""
        self._buffer += data
        said = b""
        while not self.done and b"\n" in self._buffer:
            line, _, self._buffer = self._buffer.partition(b"\n")
            if line[3:4] != b"-":
                said += self._answered(_code(line))
        if len(self._buffer) > MOST_ANSWER:
            self._buffer = b""
            self._note(
                f"Received buffer from remote SMTP server {self._server} overflow our get read buffer length."
            )
            said += self._give_up()
        return said

    def ended(self) -> None:
        """The server has closed the connection."""
        self.done = True
        self._note(f"Remote SMTP server {self._server} has closed the connection.")

    def broken(self, why: str) -> None:
        """The connection cannot be used any more."""
        self.done = True
        self._note(f"Error reading data from remote SMTP server {self._server}: {why}.")

    def late(self) -> bytes:
        """The server says nothing; what to say before leaving."""
        self._note(f"Timeout reading data to remote SMTP server {self._server}.")
        return self._give_up()

    def _answered(self, code: int) -> bytes:
        if self._name == "QUIT":
            self.done = True
        if code != self._awaited:
            self._note(
                f"Error processing {self._name} cmd on SMTP server {self._server}. SMTP status code = {code}"
            )
            return self._give_up()
        if self._name == "BODY":
            self.sent = True
            self.notes.append(Said("SMTP alert successfully sent.", True))
        return b"" if self.done else self._next()

    def _next(self) -> bytes:
        self._awaited, self._name, said = next(self._steps)
        return said

    def _give_up(self) -> bytes:
        """QUIT, unless it has been said."""
        if self._name == "QUIT":
            self.done = True
            return b""
        self._steps = iter([QUIT])
        return self._next()

    def _note(self, text: str) -> None:
        self.notes.append(Said(text))


QUIT = 221, "QUIT", b"QUIT\r\n"


def _steps(mail: Mail, sender: str, helo: str, content: bytes) -> Iterator[tuple[int, str, bytes]]:
    """The answer that is awaited, how messages call the step, and what is said to get there."""
    yield 220, "(E)SMTP", b""
    yield 250, "HELO", f"HELO {_one_line(helo)}\r\n".encode()
    yield 250, "MAIL", f"MAIL FROM:{_bracketed(sender)}\r\n".encode()
    for recipient in mail.recipients:
        yield 250, "RCPT", f"RCPT TO:{_bracketed(recipient)}\r\n".encode()
    yield 354, "DATA", b"DATA\r\n"
    yield 250, "BODY", content.replace(b"\r\n.", b"\r\n..") + b"\r\n.\r\n"
    yield QUIT


def _bracketed(address: str) -> str:
    """The address alone, of one with a name before it (``Admin <admin@example.com>``)."""
    address = _one_line(address)
    if address.endswith(">") and "<" in address:
        return address[address.rindex("<") :]
    return f"<{address}>"


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _code(line: bytes) -> int:
    digits = line[:3]
    return int(digits) if len(digits) == 3 and digits.isdigit() else NO_CODE
