"""Where the parts of a certificate are, and how one is renewed: words of ``crt-store`` and of crt-lists.

Both kinds of lines take the same words, each followed by its value. What is wrong is said by whoever
reads the line; files are looked for, not into.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from evener.vocab.arguments import signed
from evener.vocab.registry import Declaration, Registry, Status


class Kind(NamedTuple):
    """What the value of a word must be, and how the manual shows it."""

    name: str
    usage: str


FILE: Final = Kind("file", "<filename>")
TEXT: Final = Kind("text", "<string>")
LIST: Final = Kind("list", "<value>,<value>,...")
NUMBER: Final = Kind("number", "<number>")
SWITCH: Final = Kind("switch", "{ on | off }")

_WORDS: Final = (
    ("crt", FILE, "The certificate, perhaps with its key and chain in the same file.", "a.pem"),
    ("key", FILE, "The private key, where it is not in the certificate's file.", "a.key"),
    ("ocsp", FILE, "An OCSP response that is stapled in handshakes.", "a.ocsp"),
    ("issuer", FILE, "The issuer's certificate, with which OCSP responses are asked for.", "ca.pem"),
    ("sctl", FILE, "Signed certificate timestamps that are sent in handshakes.", "a.sctl"),
    ("ocsp-update", SWITCH, "Whether the OCSP response is asked for again before it expires.", "on"),
    ("jwt", SWITCH, "Whether web tokens may be verified and opened with this certificate.", "on"),
    ("acme", TEXT, "The ``acme`` section by which the certificate is renewed.", "letsencrypt"),
    ("domains", LIST, "The names that a renewed certificate is asked for.", "a.example,b.example"),
    ("ips", LIST, "The addresses that a renewed certificate is asked for.", "192.0.2.1"),
    ("generate-dummy", SWITCH, "Whether a certificate is made up when the file is not there.", "on"),
    ("keytype", TEXT, "The kind of key that is made: RSA or ECDSA.", "ECDSA"),
    ("bits", NUMBER, "The size of an RSA key that is made.", "2048"),
    ("curves", TEXT, "The curve of an ECDSA key that is made.", "P-384"),
)

_WORKING: Final = frozenset({"crt", "key", "jwt"})


def _declared() -> Registry[Declaration]:
    made: Registry[Declaration] = Registry("certificate word")
    for name, kind, doc, example in _WORDS:
        bad = {SWITCH: f"{name} maybe", NUMBER: f"{name} x"}.get(kind, f"no-{name} {example}")
        made.declare(
            Declaration(
                name,
                f"{name} {kind.usage}",
                doc,
                (f"{name} {example}",),
                (bad,),
                Status.WORKING if name in _WORKING else Status.PLANNED,
                facts={"kind": kind},
            )
        )
    made.freeze()
    return made


WORDS: Final = _declared()


def complaint(name: str, value: str) -> str:
    """What is wrong with the value of a word; empty when nothing is."""
    kind = WORDS[name].facts["kind"]
    if kind is SWITCH and value not in ("on", "off"):
        return f"cannot parse '{name}' value '{value}', 'on' or 'off' is expected."
    if kind is NUMBER and signed(value) is None:
        return f"cannot parse '{name}' value '{value}', an integer is expected."
    return ""


__all__ = ["FILE", "WORDS", "complaint"]
