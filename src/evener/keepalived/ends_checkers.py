"""What is looked at when a checker ends: what it lacks, and what does not go together (see ``ends``)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from evener.keepalived.checkers.common import Connection
from evener.keepalived.checkers.http import HttpGet, HttpUrl, SslGet, SslUrl, UrlSettings
from evener.keepalived.checkers.probes import (
    BfdCheck,
    DnsCheck,
    FileCheck,
    MiscCheck,
    PingCheck,
    SmtpCheck,
    TcpCheck,
    UdpCheck,
)
from evener.keepalived.reading import Reading
from evener.keepalived.scripts import NOBODY, shown_command
from evener.text.span import Span


def _connected(reading: Reading, made: Connection, span: Span) -> Any:
    """A link local address means nothing without an interface."""
    address = made.connect_ip or reading.builders[-1].get(("name",))[0]
    if address.version == 4 or not address.is_link_local or made.bind_if is not None:
        return made
    reading.alert("no-interface", f"Checker link local address {address} requires a bind_if", span)
    return None


def _udp(reading: Reading, made: UdpCheck, span: Span) -> Any:
    least, most = made.min_reply_length or 0, 255 if made.max_reply_length is None else made.max_reply_length
    if least > most:
        message = f"UDP_CHECK min_reply length {least} > max_reply_length {most} - will always fail"
        reading.alert("lengths-contradict", message, span)
    return _connected(reading, made, span)


def _misc(reading: Reading, made: MiscCheck, span: Span) -> MiscCheck | None:
    if made.user is NOBODY:
        return None
    if made.misc_path is None:
        reading.alert("no-script", "No script path has been specified for MISC_CHECKER - skipping", span)
        return None
    if made.user is None and reading.lacks_default_user(span):
        shown = shown_command(made.misc_path)
        message = f"Unable to set default user for misc script {shown} - removing"
        reading.alert("no-default-user", message, span)
        return None
    return made


def _http(reading: Reading, made: HttpGet | SslGet, span: Span) -> Any:
    if made.url:
        return _connected(reading, made, span)
    reading.alert("no-url", "HTTP/SSL_GET checker has no urls specified - ignoring", span)
    return None


def _url(reading: Reading, made: UrlSettings, span: Span) -> UrlSettings | None:
    if made.path is None:
        reading.alert("no-path", "HTTP/SSL_GET checker url has no path - ignoring", span)
        return None
    low, high = made.regex_min_offset or 0, made.regex_max_offset
    if made.regex is None and (
        made.regex_options or made.regex_no_match or low or high is not None or made.regex_stack
    ):
        reading.notice("no-regex", "regex parameters specified without regex", span)
    elif high is not None and low > high:
        message = f"regex min offset {low} > regex_max_offset {high} - ignoring"
        reading.notice("offsets-contradict", message, span)
        return replace(made, regex_min_offset=None, regex_max_offset=None)
    return made


def _file(reading: Reading, made: FileCheck, span: Span) -> FileCheck | None:
    if made.track_file is not None:
        return made
    reading.alert("no-file", "FILE_CHECK has no track_file specified - ignoring", span)
    return None


def _session(reading: Reading, made: BfdCheck, span: Span) -> BfdCheck | None:
    if made.bfd_name is None:
        virtual, real = reading.builders[-2], reading.builders[-1].get(("name",))
        place = f"[{real[0]}]:{(virtual.get(('protocol',)) or 'none').lower()}:{real[1]}"
        message = f"({place}) No name has been specified for BFD_CHECKER - skipping"
        reading.alert("no-name", message, span)
    return made if made.bfd_name else None


CHECKER_ENDS: dict[type, Callable[[Reading, Any, Span], Any]] = {
    TcpCheck: _connected,
    PingCheck: _connected,
    DnsCheck: _connected,
    SmtpCheck: _connected,
    UdpCheck: _udp,
    MiscCheck: _misc,
    HttpGet: _http,
    SslGet: _http,
    HttpUrl: _url,
    SslUrl: _url,
    FileCheck: _file,
    BfdCheck: _session,
}
