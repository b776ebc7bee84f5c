"""HTTP_GET and SSL_GET."""

from __future__ import annotations

from typing import Any

from evener.keepalived.arguments import (
    Flag,
    Number,
    OneOf,
    OnlyName,
    OptionalBool,
    OptionalString,
    String,
    Strings,
)
from evener.keepalived.blocks.common import overwriting
from evener.keepalived.checkers.common import RETRY, Connection
from evener.keepalived.declare import Block, Nested, block, collected, word
from evener.keepalived.numbers import UINT_MAX
from evener.keepalived.regex_options import ELSEWHERE, FLAGS, NOT_HONOURED, WITHOUT_EFFECT
from evener.text.pcre import RegexError, translate
from evener.text.record import dataclass
from evener.vocab.arguments import decimal

DIGEST = 32
HEX_DIGITS = "0123456789abcdefABCDEF"
LEAST_STATUS, MOST_STATUS = 100, 599


def digest(reading: Any, builder: Any, value: str, span: Any) -> str | None:
    """An MD5 digest in hexadecimal, once. Digits are looked at from the end, as the original does."""
    if builder.get(("digest",)) is not None:
        reading.alert("duplicate-digest", f"Digest '{value}' is a duplicate", span)
        return None
    if len(value) != DIGEST:
        message = f"digest '{value}' character length should be {DIGEST} rather than {len(value)}"
        reading.alert("bad-digest", message, span)
        return None
    for at in range(DIGEST - 2, -1, -2):
        if any(digit not in HEX_DIGITS for digit in value[at : at + 2]):
            message = f"Unable to interpret hex digit in '{value[: at + 2]}' at offset {at}/{at + 1}"
            reading.alert("bad-digest", message, span)
            return None
    return value


def status_codes(reading: Any, builder: Any, value: tuple[str, ...], span: Any) -> tuple[str, ...]:
    """Codes add up, over several lines too."""
    for text in value:
        if status_range(text) is None:
            reading.alert("bad-status", f"Invalid HTTP_GET status code '{text}'", span)
    return (*builder.get(("status_code",)), *(text for text in value if status_range(text) is not None))


def status_range(text: str) -> tuple[int, int] | None:
    """``N`` or ``N-M`` as a range; None when it is none of good codes."""
    low, dash, high = text.partition("-")
    numbers = [decimal(word) for word in (low, high if dash else low)]
    first, last = numbers
    if first is None or last is None or not LEAST_STATUS <= first <= last <= MOST_STATUS:
        return None
    return first, last


def pattern(reading: Any, builder: Any, value: str, span: Any) -> str | None:
    """A pattern that can be matched."""
    before = builder.get(("regex",))
    if before is not None:
        text = f"Duplicate regex specified - replacing {before} with {value}"
        reading.warn("already-specified", text, span)
    try:
        translate(value)
    except RegexError as error:
        reading.alert("bad-regex", f"Invalid regex: {error} - ignoring", span)
        return None
    return value


def regex_options(reading: Any, builder: Any, value: tuple[str, ...], span: Any) -> tuple[str, ...]:
    """Those that have no counterpart here are named; what is no option the original passes over."""
    for option in value:
        if option in NOT_HONOURED:
            reading.warn("regex-option", f"regex option '{option}' is not honoured", span)
    known = NOT_HONOURED | WITHOUT_EFFECT | ELSEWHERE | FLAGS.keys()
    return (*builder.get(("regex_options",)), *(option for option in value if option in known))


def sni_name(reading: Any, builder: Any, value: str, span: Any) -> str | None:
    """The last name counts; none does not undo one."""
    before = builder.get(("sni_name",))
    if before and not value:
        text = f"sni_name already specified as {before} - ignoring setting to default"
        reading.alert("already-specified", text, span)
        return None
    if before:
        text = f"Duplicate sni_name - overwriting {before} with {value}"
        reading.warn("already-specified", text, span)
    return value


@dataclass(frozen=True, slots=True)
class UrlSettings(Block):
    """What is asked for, and what has to come back."""

    path: str | None = word(String("<PATH>"), "The path.", check=overwriting("path"))
    digest: str | None = word(
        String("<MD5>"),
        "MD5 of the body.",
        ok=("digest 0123456789abcdef0123456789abcdef",),
        check=digest,
    )
    status_code: tuple[str, ...] = word(
        Strings("<N>|<N>-<M>...", good="200 300-399"),
        "Codes that are good (200-299 when none is named).",
        default=(),
        bad=("status_code 20", "status_code 300-200"),
        check=status_codes,
        missing="",
    )
    virtualhost: str | None = word(
        String(),
        "The Host header.",
        missing="Missing HTTP_GET virtualhost name",
        check=overwriting("virtualhost", "url virtualhost"),
    )
    regex: str | None = word(
        OnlyName("<REGEX>"),
        "What the body (its first megabyte) has to match; ^ and $ are its ends, which keepalived misses.",
        bad=("regex (",),
        check=pattern,
        missing="regex missing or too many fields",
    )
    regex_no_match: bool = word(Flag(), "It must not match.", default=False)
    regex_options: tuple[str, ...] = word(
        Strings("<OPTION>...", good="multiline"),
        "Options of PCRE2; the user is told which have no effect here.",
        default=(),
        bad=("REGEX_OPTIONS",),
        check=regex_options,
        missing="",
    )
    regex_min_offset: int | None = word(
        Number(0, UINT_MAX), "Where a match may begin.", missing="", bad=("regex_min_offset x",)
    )
    regex_max_offset: int | None = word(
        Number(0, UINT_MAX), "Where it may begin at last.", missing="", bad=("regex_max_offset x",)
    )
    regex_stack: tuple[str, ...] = word(
        Strings("<START> <MAX>", least=2, good="1024 4096"),
        "Stack of PCRE's matcher; Python's needs none.",
        default=(),
        missing="",
        bad=("REGEX_STACK",),
    )


@block("HTTP_GET/url")
@dataclass(frozen=True, slots=True)
class HttpUrl(UrlSettings):
    """One request."""


@block("SSL_GET/url")
@dataclass(frozen=True, slots=True)
class SslUrl(UrlSettings):
    """One request over TLS."""

    tls_compliant: bool | None = word(
        OptionalBool(),
        "The server has to close TLS properly.",
        complaint="Invalid tls_compliant option {word}",
    )


@dataclass(frozen=True, slots=True)
class HttpSettings(Connection):
    """What both have."""

    nb_get_retry: int | None = word(
        RETRY,
        "Old spelling of retry.",
        sets="retry",
        told="nb_get_retry is deprecated - please use 'retry'",
        complaint="Invalid nb_get_retry value '{word}'",
    )
    virtualhost: str | None = word(
        String(),
        "The Host header.",
        missing="HTTP_GET virtualhost name missing",
        check=overwriting("virtualhost"),
    )
    http_protocol: str | None = word(
        OneOf("1.0", "1.0C", "1.0c", "1.1"),
        "Version of HTTP; 1.0C says Connection: close, as 1.1 does.",
        complaint="Invalid http_protocol version {word}",
        missing="Missing http_protocol version",
    )
    enable_sni: bool | None = word(
        OptionalBool(),
        "Send the virtualhost's name in the handshake (SNI).",
        complaint="Invalid enable_sni parameter {word}",
    )
    sni_name: str | None = word(
        OptionalString(), "The name to send; without one as enable_sni.", check=sni_name
    )
    fast_recovery: bool | None = word(
        OptionalBool(),
        "One good answer is enough to be up.",
        complaint="Invalid fast_recovery parameter {word}",
    )


@block("HTTP_GET")
@dataclass(frozen=True, slots=True)
class HttpGet(HttpSettings):
    """Ask a web server."""

    url: tuple[HttpUrl, ...] = collected(Nested(HttpUrl, good="{ path / }"), "What to ask for.")


@block("SSL_GET")
@dataclass(frozen=True, slots=True)
class SslGet(HttpSettings):
    """Ask a web server over TLS."""

    tls_compliant: bool | None = word(
        OptionalBool(),
        "The server has to close TLS properly.",
        complaint="Invalid tls_compliant option {word}",
    )
    url: tuple[SslUrl, ...] = collected(Nested(SslUrl, good="{ path / }"), "What to ask for.")
