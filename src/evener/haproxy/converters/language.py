"""The converter that chooses a language (RFC 9110 section 12.5.4)."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final

from evener.haproxy.cast import to_bytes
from evener.haproxy.sample import Type, converter

Run = Callable[..., Any]
_WEIGHT: Final = re.compile(rb"[ \t]*;[ \t]*q=([01](?:\.[0-9]{0,3})?)[ \t]*\Z")


def _weigh(parameters: bytes) -> int:
    """Thousandths; what is no weight counts as none given."""
    match = _WEIGHT.match(parameters)
    return 1000 if match is None else min(int(float(match[1]) * 1000), 1000)


@converter(
    "language",
    Type.STR,
    Type.STR,
    ok=["language(es;fr;en)", "language(en-us;en,en)"],
    bad=["language(a,b,c)"],
)
def language(value: str, default: str = "") -> Run:
    """The language of a list (separated by semicolons) that an Accept-Language header wants most.

    The first one wins among equals. A language with a variant that is not in the list counts as its base
    language. The default is given, if there is one, when none is wanted.
    """
    offered = frozenset(to_bytes(value).split(b";"))
    otherwise = to_bytes(default) or None

    def run(header: bytes) -> bytes | None:
        best, weight = otherwise, 0
        for item in header.split(b","):
            wanted, semicolon, parameters = item.partition(b";")
            wanted = wanted.strip(b" \t")
            if wanted not in offered:
                wanted = wanted.partition(b"-")[0]
            if wanted and wanted in offered:
                quality = _weigh(semicolon + parameters) if semicolon else 1000
                if quality > weight:
                    best, weight = wanted, quality
        return best

    return run
