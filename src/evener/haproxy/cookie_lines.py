"""Cookie and Set-Cookie lines as a proxy must read and edit them: taken apart, and put together again.

A ``Cookie`` line is a list of pieces between semicolons or commas (outside quotes). What is not touched
goes on byte by byte, but for blanks around an equal sign, which servers read in different ways.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from evener.haproxy.notes import notes

_BLANKS = b" \t"


@dataclass(slots=True)
class Piece:
    """``mark`` is the delimiter in front. ``name`` is None when there is no equal sign or no value at all."""

    mark: bytes
    text: bytes
    name: bytes | None = None
    value: bytes = b""
    gone: bool = False

    def set(self, value: bytes) -> None:
        assert self.name is not None
        lead = self.text[: len(self.text) - len(self.text.lstrip(_BLANKS))]
        tail = self.text[len(self.text.rstrip(_BLANKS)) :]
        self.value, self.text = value, lead + self.name + b"=" + value + tail


def value_end(line: bytes, start: int, marks: bytes = b",;") -> int:
    """Where a value ends: at a delimiter outside quotes."""
    quoted = False
    at = start
    while at < len(line):
        byte = line[at]
        if quoted and byte == 0x5C:
            at += 1
        elif byte == 0x22:
            quoted = not quoted
        elif not quoted and byte in marks:
            return at
        at += 1
    return len(line)


def pieces(line: bytes) -> list[Piece]:
    """The pieces of a ``Cookie`` line."""
    found: list[Piece] = []
    at, mark = 0, b""
    while at < len(line):
        piece, at = read_piece(line, at, mark)
        found.append(piece)
        mark = line[at : at + 1]
        at += 1
    return found


def read_piece(line: bytes, start: int, mark: bytes) -> tuple[Piece, int]:
    equal = start
    while equal < len(line) and line[equal] not in b"=,;":
        equal += 1
    if equal >= len(line) or line[equal] != 0x3D:
        return Piece(mark, line[start:equal]), equal
    end = value_end(line, equal + 1)
    name, value = line[start:equal].strip(_BLANKS), line[equal + 1 : end].strip(_BLANKS)
    text = line[start:end]
    if line[equal - 1 : equal] in (b" ", b"\t") or line[equal + 1 : equal + 2] in (b" ", b"\t"):
        lead = text[: len(text) - len(text.lstrip(_BLANKS))]
        tail = text[len(text.rstrip(_BLANKS)) :] if value else b""
        text = lead + name + b"=" + value + tail
    return Piece(mark, text, name, value), end


def join(parts: Sequence[Piece]) -> bytes | None:
    """The line without the pieces that are gone; None when nothing is left to be said."""
    out: list[bytes] = []
    cut = False
    for piece in parts:
        if piece.gone:
            cut = True
        elif not out:
            out.append(piece.text.lstrip(_BLANKS) if cut else piece.text)
            cut = False
        elif cut:
            out[-1] = out[-1].rstrip(_BLANKS)
            out += [piece.mark, b" ", piece.text.lstrip(_BLANKS)]
            cut = False
        else:
            out += [piece.mark, piece.text]
    return b"".join(out) if out else None


def set_cookie(line: bytes) -> tuple[bytes, bytes, bytes] | None:
    """Name, value and the rest (attributes, from the end of the value) of a ``Set-Cookie`` line."""
    equal = line.find(b"=")
    semicolon = line.find(b";")
    if equal < 0 or 0 <= semicolon < equal:
        return None
    end = value_end(line, equal + 1)
    raw = line[equal + 1 : end]
    value = raw.strip(_BLANKS)
    return line[:equal].strip(_BLANKS), value, raw[len(raw.rstrip(_BLANKS)) :] + line[end:]


def capture_of(name: bytes, value: bytes, capture: tuple[bytes, int]) -> bytes | None:
    """``capture cookie`` takes the first one that begins with its name."""
    text = name + b"=" + value
    return text[: capture[1]] if text.startswith(capture[0]) else None


def note_cookie(txn: Any) -> None:
    """For the log of a request that is refused before its cookies are read."""
    capture = getattr(txn.frontend.plan, "cookie", None)
    if capture is None:
        return
    for line in txn.req.all(b"cookie"):
        for piece in pieces(line):
            if piece.name is not None and (found := capture_of(piece.name, piece.value, capture)) is not None:
                notes(txn).request_cookie = found
                return
