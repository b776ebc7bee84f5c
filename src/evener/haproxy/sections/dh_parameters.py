"""Diffie-Hellman parameters: whether a file has some, and certificates whose own default is too short.

The TLS library of the original refuses the parameters of 1024 bits that ``tune.ssl.default-dh-param 1024``
asks for. What is in a certificate is not looked at otherwise.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Final

from evener.haproxy.line import Line
from evener.haproxy.sections.reading import Place, where_of

WEAK: Final = "1024"
_BEGINS: Final = b"-----BEGIN DH PARAMETERS-----"
_SENTENCE: Final = (
    "{where} : \n  {lead}unable to load default 1024 bits DH parameter for certificate '{file}'.\n"
    "  , DH ciphers won't be available."
)


def has_parameters(path: str) -> bool:
    try:
        with open(path, "rb") as file:
            return _BEGINS in file.read(1 << 20)
    except (OSError, ValueError):
        return False


def warn_weak(path: str, line: Line, place: Place, where: str, lead: str = "") -> None:
    """Certificates without parameters of their own get the default ones."""
    for name in _files(path):
        if not has_parameters(name):
            message = _SENTENCE.format(where=where, lead=lead, file=name)
            place.diagnostics.warning("weak-parameters", message, where_of(line))


def _files(path: str) -> Iterator[str]:
    if not os.path.isdir(path):
        yield path
        return
    try:
        names = sorted(name for name in os.listdir(path) if name[:1] != ".")
    except OSError:
        return
    yield from (os.path.join(path, name) for name in names)
