"""Back-references in replacement texts: ``\\0`` to ``\\9`` and ``\\xNN``, as the original writes them."""

from __future__ import annotations

import re
from typing import Final

_REFERENCE: Final = re.compile(rb"\\(?:([0-9])|x([0-9A-Fa-f]{2})|(.))", re.DOTALL)


def expand(template: bytes, match: re.Match[bytes]) -> bytes:
    """The template with what the match captured; a group that does not exist is empty."""
    if b"\\" not in template:
        return template

    def piece(found: re.Match[bytes]) -> bytes:
        if found[1]:
            index = int(found[1])
            return (match[index] or b"") if index <= match.re.groups else b""
        return bytes((int(found[2], 16),)) if found[2] else found[3]

    return _REFERENCE.sub(piece, template)
