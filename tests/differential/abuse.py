"""Hostile messages both ways, from a grammar and a seed; some bytes of some are bent afterwards.

What there is to choose from stands in fixtures/dice/abuse.txt. The same number gives the same scenario.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from dice import SYMBOL, Dice, read_grammar

GRAMMAR: Final = read_grammar(Path(__file__).parents[2] / "fixtures" / "dice" / "abuse.txt")
#: Bytes that mean something somewhere.
TELLING: Final = b"\0\t\n\v\f\r\x1b \"#%'()*+,-./0159:;<=>?@AFX[\\]_afhx{|}\x7f\x80\x85\xa0\xff"
METHODS_WITHOUT: Final = ("GET", "HEAD", "DELETE", "CONNECT", "OPTIONS", "TRACE")


@dataclass(frozen=True)
class Abuse:
    """``pieces`` are sent one by one; each burst that the server gets is answered with ``answers`` in turn.

    ``end`` is what a client does after sending: ``stay``, ``shut``, ``reset``. ``server_end`` likewise, or
    ``close``, after the last answer.
    """

    front: str
    pieces: tuple[bytes, ...]
    end: str
    answers: tuple[bytes, ...]
    server_end: str

    def __str__(self) -> str:
        sends = f"{self.front} sends {self.pieces}, then {self.end}"
        return f"{sends}; answers {self.answers}, then {self.server_end}"


class Abuser(Dice):
    """Rolls one scenario."""

    grammar = GRAMMAR

    def __init__(self, seed: int) -> None:
        super().__init__(seed)
        self.calm = self.random.choice((0.0, 0.5, 0.8, 0.9))

    def roll(self, symbol: str) -> str:
        """The first alternative is the usual one, and rolled more often the calmer the scenario is."""
        if self.grammar[symbol][0] and self.often(self.calm):
            return SYMBOL.sub(lambda found: self.roll(found[1]), self.grammar[symbol][0][0])
        return super().roll(symbol)

    def bytes_of(self, symbol: str) -> bytes:
        text = self.roll(symbol)
        return re.sub(r"\\(x[0-9a-f]{2}|[rnt\\])", unescaped, text).encode("latin-1")

    def often(self, chance: float) -> bool:
        return self.random.random() < chance

    def abuse(self, fronts: list[str]) -> Abuse:
        end = self.random.choice(("stay", "stay", "stay", "stay", "shut", "reset"))
        count = self.random.choice((1, 1, 1, 2, 2, 3)) if end == "stay" else 1
        requests = [self.bent(self.request()) for _ in range(count)]
        answers = [self.bent(self.response()) for _ in range(count)]
        if self.often(0.5):  # one side only
            calm = self.random.random() < 0.5
            requests = [b"GET / HTTP/1.1\r\nhost: a\r\n\r\n"] * count if calm else requests
            answers = answers if calm else [b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"] * count
        server_end = self.random.choice(("stay", "stay", "shut", "close", "reset"))
        if end == "reset":  # an answer on its way may be seen or not
            server_end = "stay"
        return Abuse(
            self.random.choice(fronts), self.pieces(b"".join(requests)), end, tuple(answers), server_end
        )

    def pieces(self, data: bytes) -> tuple[bytes, ...]:
        """Mostly in one; else cut somewhere, and sometimes never whole."""
        if self.often(0.7) or len(data) < 2:
            return (data,)
        at = self.random.randrange(1, len(data))
        return (data[:at],) if self.often(0.3) else (data[:at], data[at:])

    def request(self) -> bytes:
        method = self.bytes_of("method")
        blank = b" " if self.often(0.95) else self.random.choice((b"  ", b"\t", b"", b" \t", b"\x0b"))
        lines = [blank.join((method, self.bytes_of("target"), self.bytes_of("version")))]
        lines += [line for line in (self.bytes_of("host"),) if line]
        lines += [self.bytes_of("line") for _ in range(self.random.choice((0, 0, 1, 1, 2, 3, 4)))]
        wants = method.decode("latin-1") not in METHODS_WITHOUT
        return self.bytes_of("lead") + self.message(lines, wants or self.often(0.25))

    def response(self) -> bytes:
        lines = [self.bytes_of("res-version") + b" " + self.bytes_of("status")]
        lines += [self.bytes_of("res-line") for _ in range(self.random.choice((0, 0, 1, 1, 2, 3)))]
        return self.bytes_of("lead") + self.message(lines, self.often(0.9))

    def message(self, lines: list[bytes], wants: bool) -> bytes:
        """A head and what belongs behind it: a body that is framed somehow when it is wanted."""
        framed = b"\r\n".join(lines).lower()
        body = self.bytes_of("body") if wants else b""
        if (
            wants
            and b"content-length" not in framed
            and b"transfer-encoding" not in framed
            and self.often(0.9)
        ):
            lines.insert(
                self.random.randint(1, len(lines)), self.bytes_of(self.random.choice(("length", "coding")))
            )
            framed = b"\r\n".join(lines).lower()
        head = b"\r\n".join(lines).replace(b"RIGHT", b"%d" % len(body))
        end = b"\r\n" if self.often(0.97) else self.bytes_of("crlf")
        if b"chunked" in framed and self.often(0.95):
            body = self.chunks(body)
        return head + b"\r\n" + end + body

    def chunks(self, body: bytes) -> bytes:
        size = self.random.choice((1, 3, 100))
        parts = [body[at : at + size] for at in range(0, len(body), size)]
        out = b"".join(
            b"%s%s%s%s" % (self.size(len(part)), self.line_end(), part, self.line_end()) for part in parts
        )
        return out + self.size(0) + self.line_end() + self.bytes_of("trailer") + self.line_end()

    def line_end(self) -> bytes:
        return b"\r\n" if self.often(0.9) else self.bytes_of("crlf")

    def size(self, length: int) -> bytes:
        if self.often(0.85):
            return b"%x" % length
        return self.bytes_of("size") + b"%x" % length + self.bytes_of("after-size")

    def bent(self, data: bytes) -> bytes:
        """One or two bytes put in, taken away, changed or doubled, now and then."""
        if self.often(0.7) or not data:
            return data
        changed = bytearray(data)
        for _ in range(self.random.choice((1, 1, 2))):
            at = self.random.randrange(len(changed))
            byte = self.random.choice(TELLING) if self.often(0.7) else self.random.randrange(256)
            kind = self.random.choice(("put", "put", "take", "change", "double"))
            if kind == "put":
                changed.insert(at, byte)
            elif kind == "take" and len(changed) > 1:
                del changed[at]
            elif kind == "change":
                changed[at] = byte
            else:
                length = self.random.randint(1, 20)
                changed[at:at] = changed[at : at + length]
        return bytes(changed)


def unescaped(found: re.Match[str]) -> str:
    text = found[1]
    return chr(int(text[1:], 16)) if len(text) == 3 else {"r": "\r", "n": "\n", "t": "\t", "\\": "\\"}[text]


def scenario(number: int, fronts: list[str]) -> Abuse:
    return Abuser(number).abuse(fronts)
