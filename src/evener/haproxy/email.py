"""Mails about servers, as ``email-alert`` asks for them: who gets one, what it says, how it is handed over.

A ``Delivery`` is the client of one SMTP conversation (RFC 5321) without a socket: ``feed`` takes what the
mail server said and returns what it is told next.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import field
from typing import Final

from evener.haproxy.ir import Configuration
from evener.haproxy.sections.email_alerts import LEVELS
from evener.haproxy.sections.mailers import Mailer, Mailers
from evener.haproxy.sections.proxy import Proxy
from evener.text.record import dataclass

LONGEST_LINE: Final = 4096  #: of a mail server; one that says more is not believed
TIMEOUT_MS: Final = 10_000


@dataclass(frozen=True, slots=True)
class Letter:
    mailer: Mailer
    sender: str
    to: str
    helo: str
    text: bytes
    timeout_ms: int


def letters(
    configuration: Configuration, proxy: Proxy, level: int, told: str, node: str, when: float
) -> Iterator[Letter]:
    """One for each mailer of the proxy, if it wants to know changes of that level."""
    said = proxy.alerts
    if not said.complete or level > LEVELS.index(said.level or "alert"):
        return
    section = configuration.section("mailers", said.mailers or "")
    if section is None or not isinstance(section.block, Mailers):
        return
    sender, to = one_line(said.sender or ""), one_line(said.to or "")
    timeout = section.block.timeout_mail
    for mailer in section.block.mailer:
        yield Letter(
            mailer, sender, to, one_line(said.myhostname or node), text(sender, to, told, when),
            TIMEOUT_MS if timeout is None else timeout,
        )  # fmt: skip


def one_line(value: str) -> str:
    return " ".join(value.split())


def text(sender: str, to: str, told: str, when: float) -> bytes:
    told = one_line(told)
    date = time.strftime("%a, %d %b %Y %H:%M:%S %z (%Z)", time.localtime(when))
    lines = [f"From: {sender}", f"To: {to}", f"Date: {date}", f"Subject: [HAProxy Alert] {told}", "", told]
    # RFC 5321 4.5.2: a line that begins with a full stop would end the mail
    stuffed = [f".{line}" if line.startswith(".") else line for line in lines]
    return "\r\n".join([*stuffed, ".", ""]).encode("utf-8", "surrogateescape")


@dataclass(slots=True)
class Delivery:
    """``over`` says that there is nothing more to say, ``failure`` why the mail was not taken."""

    letter: Letter
    over: bool = False
    failure: str = ""
    _step: int = 0
    _received: bytes = b""
    _steps: tuple[tuple[bytes, bytes], ...] = field(default=())

    def __post_init__(self) -> None:
        letter = self.letter
        self._steps = (
            (b"2", f"HELO {letter.helo}\r\n".encode()),
            (b"2", f"MAIL FROM: <{letter.sender}>\r\n".encode()),
            (b"2", f"RCPT TO: <{letter.to}>\r\n".encode()),
            (b"2", b"DATA\r\n"),
            (b"3", letter.text),
            (b"2", b"QUIT\r\n"),
        )

    def feed(self, data: bytes) -> bytes:
        answer = b""
        self._received += data
        while not self.over and b"\n" in self._received:
            line, _, self._received = self._received.partition(b"\n")
            if line[:3].isdigit() and line[3:4] != b"-":  # the last line of a reply
                answer += self._advance(line.strip())
        if len(self._received) > LONGEST_LINE:
            self.fail("the mail server talks too much")
        return answer

    def _advance(self, line: bytes) -> bytes:
        if self._step == len(self._steps):  # the goodbye
            self.over = True
            return b""
        wanted, following = self._steps[self._step]
        if line[:1] != wanted:
            self.fail(line.decode("latin-1"))
            return b""
        self._step += 1
        return following

    def ended(self) -> None:
        """The other end has closed; once the mail was taken that is no failure."""
        if self._step < len(self._steps):
            self.fail("Connection unexpectedly closed")
        self.over = True

    def fail(self, why: str) -> None:
        self.over = True
        self.failure = self.failure or why
