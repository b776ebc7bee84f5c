"""Syslog messages on a stream (RFC 6587): by octet count, or each ended by a new line.

A frame whose first byte is a digit other than 0 begins with its length; one that begins with ``<`` ends
with a new line (or NUL). Anything else is no syslog, unless new lines are all that counts.
"""

from __future__ import annotations

LONGEST = 65536
_ENDS = b"\n\0"


class NotSyslog(Exception):
    """The stream cannot be read on."""


class Frames:
    """Bytes in, messages out; ``only_lines``: never look for a length."""

    def __init__(self, only_lines: bool = False, longest: int = LONGEST) -> None:
        self._held = b""
        self._only_lines = only_lines
        self._longest = longest

    def feed(self, data: bytes) -> list[bytes]:
        """The messages that are complete now. Raises NotSyslog when there is none and cannot be any."""
        held = self._held + data
        found: list[bytes] = []
        while held:
            try:
                step = self._line(held) if self._only_lines or held[:1] == b"<" else self._counted(held)
            except NotSyslog:
                if not found:
                    raise
                break  # what came before is told first
            if step is None:
                break
            message, used = step
            if message:
                found.append(message)
            held = held[used:]
        self._held = held
        return found

    def _line(self, held: bytes) -> tuple[bytes, int] | None:
        ends = [at for at in (held.find(end) for end in (b"\n", b"\0")) if at >= 0]
        if ends:
            return held[: min(ends)].rstrip(b"\r"), min(ends) + 1
        if len(held) > self._longest:
            raise NotSyslog("message too long")
        return None

    def _counted(self, held: bytes) -> tuple[bytes, int] | None:
        digits, blank, _ = held[:8].partition(b" ")
        if not digits[:1].isdigit() or digits[:1] == b"0":
            if held[:1] in (b"\n", b"\0"):  # between messages
                return b"", 1
            raise NotSyslog("neither a length nor a priority")
        if not blank:
            if len(digits) >= 7 or not digits.isdigit():
                raise NotSyslog("bad length")
            return None
        if not digits.isdigit() or int(digits) > self._longest:
            raise NotSyslog("bad length")
        start, size = len(digits) + 1, int(digits)
        return (held[start : start + size], start + size) if len(held) >= start + size else None


def counted(message: bytes) -> bytes:
    """A message with its length in front."""
    return b"%d %b" % (len(message), message)


def line(message: bytes) -> bytes:
    """A message with a new line behind it."""
    return message + b"\n"
