"""What ``genhash`` does: an attempt of HTTP_GET or SSL_GET that prints the digest instead of judging it.

The pieces are of the size in which the original reads, since ``--verbose`` shows them piece by piece.
"""

from __future__ import annotations

import signal
import sys
import time

from evener.host.checks import tls, web
from evener.host.reactor import Reactor
from evener.keepalived.lvs.check_plan import Outcome
from evener.keepalived.lvs.probes import WebProbe
from evener.wire.http_answer import HttpAnswer

READ_BYTES = 4095
COLUMNS = 16
OFFSETS = 0x10000


def title(text: str) -> str:
    """As wide as a line, or nearly: the blanks on both sides are as many."""
    rule, blanks = "-" * 23, " " * ((27 - len(text)) // 2)
    return f"{rule}[{blanks}{text}{blanks}]{rule}\n"


def dump(data: bytes) -> str:
    """Sixteen bytes a line: in hexadecimal, and as far as they are printable."""
    lines = []
    for start in range(0, len(data), COLUMNS):
        row = data[start : start + COLUMNS]
        digits = [f" {byte:02x}" for byte in row] + ["   "] * (COLUMNS - len(row))
        shown = "".join(chr(byte) if 0x20 <= byte <= 0x7E else "." for byte in row).ljust(COLUMNS)
        lines.append(f"{start % OFFSETS:04d} {''.join(digits[:8])} -{''.join(digits[8:])}   {shown}\n")
    return "".join(lines)


class _Hashing:
    """Goes before an attempt's class: what becomes of the answer is printed."""

    verbose = False
    _answer: HttpAnswer

    def _take(self, data: bytes) -> None:
        fresh = self._answer.head is None
        counted = self._answer.feed(data)
        if not self.verbose:
            return
        if fresh:
            _print(title("HTTP Header Buffer"))
            if self._answer.head is None:
                return
            text = self._answer.head.decode("latin-1")
            _print(f"{dump(self._answer.head)}{title('HTTP Header Ascii Buffer')}{text}\n")
        if counted:
            _print((title("HTML Buffer") if fresh else "") + dump(counted))

    def _complete(self) -> None:
        answer = self._answer
        if not getattr(self, "cut", False):
            self._show_digest()
        if answer.head is None:
            sys.stderr.write("no data received from remote webserver\n")
        else:
            _print(f"{answer.digest.hex()}\n")
        self._finish(Outcome(True))

    def _show_digest(self) -> None:
        if self.verbose:
            digest = dump(self._answer.digest)
            _print(f"\n{title('HTML hash resulting')}{digest}{title('HTML hash final resulting')}")

    def _fail(self, how: str, *notes: str) -> None:
        _print(f"{how}\n")
        self._finish(Outcome(False, how))

    def _finish(self, outcome: Outcome) -> None:
        super()._finish(outcome)  # type: ignore[misc]


class PlainHash(_Hashing, web.WebAttempt):
    pass


class TlsHash(_Hashing, tls.TlsAttempt):
    def _over(self) -> None:
        if self._answer.head is None:
            self._show_digest()
        super()._over()


def _print(text: str) -> None:
    sys.stdout.buffer.write(text.encode("latin-1"))


def fetch(probe: WebProbe, verbose: bool) -> None:
    """Fetch the one url of ``probe`` and print; a signal ends it."""
    started = time.monotonic_ns()
    reactor = Reactor()
    url = probe.urls[0]
    made: PlainHash | TlsHash
    if probe.tls is None:
        made = PlainHash(reactor, probe, url, lambda _outcome: reactor.stop())
    else:
        context = tls.context_of(probe.tls)
        made = TlsHash(reactor, context, probe, url, lambda _outcome: reactor.stop())
    made.verbose = verbose
    made.read_bytes = READ_BYTES
    for number in (signal.SIGINT, signal.SIGTERM):
        reactor.on_signal(number, reactor.stop)
    reactor.later(0, made.start)
    reactor.run()
    made.close()
    if verbose:
        spent = (time.monotonic_ns() - started) // 1000
        _print(f"\nGlobal response time for [{url.path}] = {spent} usecs\n")
    sys.stdout.flush()
    reactor.close()
