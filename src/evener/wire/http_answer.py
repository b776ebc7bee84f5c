"""The answer of an HTTP server as a health check reads it: until the connection ends, and bounded.

Only three things of the head matter: the status, Content-Length, and where it ends. The body is what follows,
as it comes (chunks are not taken apart); its first ``Content-Length`` bytes are digested, and its beginning
may be kept. What is not understood is status 0 or no length, never an error: the caller decides.
"""

from __future__ import annotations

from typing import Any, Final

HEAD_BYTES: Final = 65536
"""A head longer than that is none."""
_END: Final = b"\r\n\r\n"
_LENGTH: Final = b"content-length:"


class HttpAnswer:
    """``feed`` it; ``keep`` is how much of the body is kept."""

    __slots__ = ("_digest", "_head", "body", "head", "keep", "length", "received", "status")

    def __init__(self, digest: bool = False, keep: int = 0) -> None:
        self.head: bytes | None = None
        self.status = 0
        self.length: int | None = None
        self.received = 0
        self.keep = keep
        self.body = bytearray()
        self._head = bytearray()
        self._digest = _md5() if digest else None

    @property
    def digest(self) -> bytes:
        return self._digest.digest() if self._digest is not None else b""

    @property
    def hopeless(self) -> bool:
        """More than a head has come, and no head."""
        return self.head is None and len(self._head) > HEAD_BYTES

    def feed(self, data: bytes) -> bytes:
        """More of the answer; what of it is part of the digested body."""
        if self.head is None:
            begun = max(0, len(self._head) - len(_END) + 1)
            self._head += data
            end = self._head.find(_END, begun)
            if end < 0:
                return b""
            end += len(_END)
            self.head, data = bytes(self._head[:end]), bytes(self._head[end:])
            self._head.clear()
            self.status, self.length = status_of(self.head), length_of(self.head)
        return self._take(data)

    def _take(self, data: bytes) -> bytes:
        if len(self.body) < self.keep:
            self.body += data[: self.keep - len(self.body)]
        counted = data if self.length is None else data[: max(0, self.length - self.received)]
        self.received += len(data)
        if self._digest is not None:
            self._digest.update(counted)
        return counted


def status_of(head: bytes) -> int:
    """The three digits between the first two blanks (RFC 9112 section 4); 0 when there are none."""
    line = head.partition(b"\r")[0]
    digits = line.partition(b" ")[2]
    if len(digits) < 4 or digits[3:4] != b" " or not digits[:3].isdigit():
        return 0
    return int(digits[:3])


def length_of(head: bytes) -> int | None:
    for line in head.split(b"\r\n")[1:]:
        if line[: len(_LENGTH)].lower() == _LENGTH:
            text = line[len(_LENGTH) :].strip()
            return int(text) if text.isdigit() and len(text) < 19 else None
    return None


def _md5() -> Any:
    """What a configured digest is made with; loading it takes longer than all other checks together."""
    import hashlib

    return hashlib.md5(usedforsecurity=False)
