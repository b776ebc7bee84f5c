"""HTTP_GET and SSL_GET."""

from __future__ import annotations

from evener.keepalived.arguments import UINT_MAX, Flag, Number, OneOf, OptionalBool, String, Strings
from evener.keepalived.checkers.common import RETRY, Connection
from evener.keepalived.declare import Block, Nested, block, collected, word
from evener.text.record import dataclass

DIGEST = 32


def digest_length(reading: object, builder: object, value: str, span: object) -> str | None:
    """An MD5 digest in hexadecimal."""
    if len(value) == DIGEST:
        return value
    message = f"digest '{value}' character length should be {DIGEST} rather than {len(value)}"
    reading.alert("bad-digest", message, span)  # type: ignore[attr-defined]
    return None


def deprecated_retry(reading: object, builder: object, value: int, span: object) -> int:
    message = "nb_get_retry is deprecated - please use 'retry'"
    reading.warn("deprecated-keyword", message, span)  # type: ignore[attr-defined]
    return value


@dataclass(frozen=True, slots=True)
class UrlSettings(Block):
    """What is asked for, and what has to come back."""

    path: str | None = word(String("<PATH>"), "The path.")
    digest: str | None = word(
        String("<MD5>"),
        "MD5 of the body.",
        ok=("digest 0123456789abcdef0123456789abcdef",),
        check=digest_length,
    )
    status_code: tuple[str, ...] = word(
        Strings("<N>|<N>-<M>...", good="200 300-399"), "Codes that are good.", default=()
    )
    virtualhost: str | None = word(String(), "The Host header.")
    regex: str | None = word(String("<REGEX>"), "What the body has to match.")
    regex_no_match: bool = word(Flag(), "It must not match.", default=False)
    regex_options: tuple[str, ...] = word(
        Strings("<OPTION>...", good="multiline"), "PCRE options.", default=()
    )
    regex_min_offset: int | None = word(Number(0, UINT_MAX), "Where a match may begin.")
    regex_max_offset: int | None = word(Number(0, UINT_MAX), "Where it may begin at last.")
    regex_stack: tuple[str, ...] = word(
        Strings("<START> <MAX>", least=2, good="1024 4096"), "Stack of the matcher.", default=()
    )


@block("HTTP_GET/url")
@dataclass(frozen=True, slots=True)
class HttpUrl(UrlSettings):
    """One request."""


@block("SSL_GET/url")
@dataclass(frozen=True, slots=True)
class SslUrl(UrlSettings):
    """One request over TLS."""

    tls_compliant: bool | None = word(OptionalBool(), "The server has to close TLS properly.")


@dataclass(frozen=True, slots=True)
class HttpSettings(Connection):
    """What both have."""

    nb_get_retry: int | None = word(RETRY, "Old spelling of retry.", sets="retry", check=deprecated_retry)
    virtualhost: str | None = word(String(), "The Host header.")
    http_protocol: str | None = word(OneOf("1.0", "1.0C", "1.0c", "1.1", "1.0K", "1.1K"), "Version of HTTP.")
    enable_sni: bool | None = word(OptionalBool(), "Send the name of the server (SNI).")
    sni_name: str | None = word(String(), "The name to send.")
    fast_recovery: bool | None = word(OptionalBool(), "One good answer is enough to be up.")


@block("HTTP_GET")
@dataclass(frozen=True, slots=True)
class HttpGet(HttpSettings):
    """Ask a web server."""

    url: tuple[HttpUrl, ...] = collected(Nested(HttpUrl), "What to ask for.")


@block("SSL_GET")
@dataclass(frozen=True, slots=True)
class SslGet(HttpSettings):
    """Ask a web server over TLS."""

    tls_compliant: bool | None = word(OptionalBool(), "The server has to close TLS properly.")
    url: tuple[SslUrl, ...] = collected(Nested(SslUrl), "What to ask for.")
