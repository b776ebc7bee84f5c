"""crt-lists: files that ``bind ... crt-list`` names, with a certificate, options and server names a line.

    <certificate> [ "[" <option>... "]" ] [ [!]<name>... ]

The options are those TLS options of ``bind`` lines that may differ between certificates, and the words of
``certificate_words``. Files are looked for, not into; what is wrong is said in the original's words.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Final

from evener.haproxy.sections.bind import OPTIONS as BIND
from evener.haproxy.sections.certificate_words import FILE, WORDS, complaint
from evener.haproxy.sections.reading import Place
from evener.text.record import dataclass
from evener.text.span import Span
from evener.vocab.blocks import Keyword

LONGEST: Final = 65535
NAMES: Final = (
    "allow-0rtt", "alpn", "ca-file", "ca-verify-file", "ciphers", "ciphersuites", "client-sigalgs",
    "crl-file", "curves", "ecdhe", "ktls", "no-alpn", "no-ca-names", "npn", "sigalgs", "ssl-max-ver",
    "ssl-min-ver", "verify",
)  # fmt: skip
"""The options of ``bind`` that may stand between the brackets."""
VERSIONS: Final = ("SSLv3", "TLSv1.0", "TLSv1.1", "TLSv1.2", "TLSv1.3")
METHODS: Final = ("none", "optional", "required")
AUTHORITIES: Final = ("ca-file", "ca-verify-file", "crl-file")
SYSTEM: Final = "@system-ca"


@dataclass(frozen=True, slots=True)
class Entry:
    """One line: ``options`` with their values, ``filters`` as written."""

    certificate: str
    options: tuple[tuple[str, ...], ...] = ()
    filters: tuple[str, ...] = ()
    number: int = 0


class BadList(Exception):
    """What the line that names the file is refused with."""


def words() -> Iterator[Keyword]:
    """The declarations of the options that are ``bind``'s."""
    return (BIND.registry[name] for name in NAMES)


def arity(name: str) -> int | None:
    """How many words follow an option; None: it is none."""
    if name in NAMES:
        return BIND.registry[name].least
    return 1 if name in WORDS or name == "alias" else None


def read_list(path: str, place: Place, span: Span) -> tuple[Entry, ...]:
    """The entries of a file; raises BadList. ``span`` is the line that names it."""
    try:
        with open(path, "rb") as file:
            data = file.read()
    except (OSError, ValueError) as error:
        reason = os.strerror(error.errno) if isinstance(error, OSError) and error.errno else str(error)
        raise BadList(f"cannot open file '{path}' : {reason}") from None
    made: list[Entry] = []
    for number, raw in enumerate(data.decode("utf-8", "surrogateescape").split("\n"), 1):
        entry = read_entry(raw, path, number, place, span)
        if entry is not None:
            check(entry, place, span)
            made.append(entry)
    whole(data, path)
    return tuple(made)


def whole(data: bytes, path: str) -> None:
    """The last line must have an end."""
    if not data.endswith(b"\n") and data:
        number, last = data.count(b"\n") + 1, data.rpartition(b"\n")[2]
        text = f"Missing LF on last line, file might have been truncated at position {len(last) + 1}."
        raise BadList(f"parsing [{path}:{number}]: {text}\n")


def read_entry(raw: str, path: str, number: int, place: Place, span: Span) -> Entry | None:
    """One line, cut at blanks and brackets; None for a comment or an empty one."""
    at = f"parsing [{path}:{number}]"
    if len(raw) >= LONGEST:
        raise BadList(f"{at}: line too long, limit is {LONGEST} characters")
    if raw.startswith("#") or not raw.strip():
        return None
    cut = brackets(raw, at)
    before, inside, after = (part.split() for part in cut)
    if not inside and "[" not in raw:
        return Entry(before[0], (), tuple(before[1:]), number)
    if len(before) > 1:
        text = f"{at}: malformated line, filters can't be between filename and options!"
        place.warning("malformed-line", f"'crt-list' : {text}", span)
    return Entry(before[0], tuple(options(inside, at, place)), tuple(after), number)


def brackets(raw: str, at: str) -> tuple[str, str, str]:
    """What stands before, between and behind the brackets. One that is not closed holds no options."""
    if raw.count("[") > 1:
        raise BadList(f"{at}: too many '['")
    if raw.count("]") > 1:
        raise BadList(f"{at}: too many ']'")
    opened, closed = raw.find("["), raw.find("]")
    if closed >= 0 and not 0 <= opened < closed:
        raise BadList(f"{at}: missing '['")
    if opened < 0:
        return raw, "", ""
    if not raw[:opened].strip():
        raise BadList(f"{at}: file must start with a cert")
    if closed < 0:
        return raw[:opened], "", raw[opened + 1 :]
    return raw[:opened], raw[opened + 1 : closed], raw[closed + 1 :]


def options(inside: list[str], at: str, place: Place) -> Iterator[tuple[str, ...]]:
    index = 0
    while index < len(inside):
        name = inside[index]
        taken = arity(name)
        if taken is None:
            raise BadList(f"{at}: unknown ssl keyword {name}")
        if index + taken >= len(inside):
            raise BadList(f"{at}: ssl args out of '[]' for {name}")
        if name == "ktls" and not place.experiments.allow():
            allowed = "must be allowed via a global 'expose-experimental-directives'"
            raise BadList(f"'ktls' directive is experimental, {allowed}")
        value = inside[index + 1] if taken else ""
        wrong = wrong_value(name, value)
        if wrong:
            raise BadList(f"{at} : {wrong}" if name in WORDS else wrong)
        yield tuple(inside[index : index + 1 + taken])
        index += 1 + taken


def wrong_value(name: str, value: str) -> str:
    if name in WORDS:
        return complaint(name, value)
    if name in ("ssl-min-ver", "ssl-max-ver") and value not in VERSIONS:
        return f"'{value}' : unknown ssl/tls version"
    if name == "verify" and value not in METHODS:
        known = "only 'none', 'optional', and 'required' are supported"
        return f"'verify' : unknown verify method '{value}', {known}"
    return ""


def check(entry: Entry, place: Place, span: Span) -> None:
    """The files must be there."""
    from evener.haproxy.sections.certificate_files import bundle, customs, full_name

    how = customs(place)
    path = full_name(entry.certificate, how.base)
    if path not in place.stored and not bundle(path, how) and (reason := missing(path)):
        raise BadList(f"unable to stat SSL certificate from file '{path}' : {reason}.")
    for option in entry.options:
        name, value = option[0], option[-1]
        if name in AUTHORITIES and value != SYSTEM and (reason := unusable(value)):
            place.diagnostics.alert(
                "no-authorities", f"Couldn't open the ca-file '{value}' ({reason}).", span, lead="config : "
            )
            raise BadList(f"'{name}' : unable to load {value}")
        if name in WORDS and name != "crt" and WORDS[name].facts["kind"] is FILE and missing(value, how.base):
            raise BadList(f"'{value}' cannot be read or parsed.")


def unusable(path: str) -> str:
    from evener.haproxy.certificates import authority

    return missing(path) or authority(path)


def missing(name: str, folder: str = "") -> str:
    """Why a file cannot be found; empty when it is there."""
    try:
        os.stat(os.path.join(folder, name))
    except (OSError, ValueError) as error:
        return os.strerror(error.errno) if isinstance(error, OSError) and error.errno else str(error)
    return ""


__all__ = ["NAMES", "BadList", "Entry", "read_list", "words"]
