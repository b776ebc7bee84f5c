"""A syslog message that is passed on: taken apart, and put together again in another format.

Both RFC 3164 (as it is found in the wild, with or without a host name) and RFC 5424 are understood; what is
neither is text. What a format needs and the message has not is made up: now, no host, ``-``.
"""

from __future__ import annotations

import re
import time
from dataclasses import field
from typing import Final

from evener.haproxy.dates import MONTHS
from evener.text.record import dataclass

_PRIORITY: Final = re.compile(rb"<(\d{1,3})>")
_BSD_DATE: Final = re.compile(rb"[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d ")
_TAG: Final = re.compile(rb"([^\s\[:]{1,64})(?:\[([^\]\s]*)\])?:? ?")
_RFC5424: Final = re.compile(rb"1 (\S+) (\S+) (\S+) (\S+) (\S+) ")
_DATA: Final = re.compile(rb'-|(?:\[(?:[^\]"]|"(?:[^"\\]|\\.)*")*\])+')
_ISO: Final = re.compile(rb"\d{4}-(\d\d)-(\d\d)T(\d\d:\d\d:\d\d)")
_UNKNOWN: Final = b"-"
_HIGHEST: Final = 191
LOCAL0, NOTICE = 16, 5


@dataclass(frozen=True, slots=True)
class SyslogMessage:
    """``form`` is the format it came in, empty for none; ``facility`` and ``level`` are -1 when not said."""

    text: bytes
    form: str = ""
    facility: int = -1
    level: int = -1
    date: bytes = b""
    host: bytes = b""
    tag: bytes = b""
    pid: bytes = b""
    id: bytes = _UNKNOWN
    data: bytes = _UNKNOWN
    raw: bytes = field(default=b"", compare=False)


def parse(raw: bytes) -> SyslogMessage:
    """Whatever the bytes are, they are some message."""
    raw = raw.rstrip(b"\r\n\0")
    found = _PRIORITY.match(raw)
    if found is None or int(found[1]) > _HIGHEST:
        return SyslogMessage(raw, raw=raw)
    facility, level = divmod(int(found[1]), 8)
    rest = raw[found.end() :]
    new = _RFC5424.match(rest)
    if new is not None:
        return _modern(raw, facility, level, rest, new)
    date = _BSD_DATE.match(rest)
    if date is None:
        return SyslogMessage(rest, "", facility, level, raw=raw)
    return _traditional(raw, facility, level, date[0][:-1], rest[date.end() :])


def _modern(raw: bytes, facility: int, level: int, rest: bytes, head: re.Match[bytes]) -> SyslogMessage:
    after = rest[head.end() :]
    data = _DATA.match(after)
    size = data.end() if data is not None else 0
    date, host, tag, pid, name = (b"" if part == _UNKNOWN else part for part in head.groups())
    return SyslogMessage(
        after[size:].removeprefix(b" "), "rfc5424", facility, level, date, host, tag, pid,
        name or _UNKNOWN, after[:size] or _UNKNOWN, raw,
    )  # fmt: skip


def _traditional(raw: bytes, facility: int, level: int, date: bytes, rest: bytes) -> SyslogMessage:
    """A first word with a bracket or a colon is the tag: local senders leave the host name out."""
    first, blank, after = rest.partition(b" ")
    host = b""
    if blank and b"[" not in first and not first.endswith(b":"):
        host, rest = first, after
    found = _TAG.match(rest)
    if found is None:
        return SyslogMessage(rest, "rfc3164", facility, level, date, host, raw=raw)
    return SyslogMessage(
        rest[found.end() :], "rfc3164", facility, level, date, host, found[1], found[2] or b"", raw=raw
    )


def host_of(message: SyslogMessage, strategy: str, source: bytes) -> bytes:
    """The host name that is passed on: ``option host``. Without a source address names are kept."""
    if not source or strategy == "keep":
        return message.host
    if strategy == "replace" or not message.host:
        return source
    return message.host + b"," + source if strategy == "append" else message.host


def render(message: SyslogMessage, form: str, priority: int, host: bytes, now: float) -> bytes:
    """The message in a format; an empty one is that in which it came."""
    form = form or message.form or ("priority" if message.level >= 0 else "raw")
    if form == "raw":
        return message.text
    if form in ("short", "priority"):
        return b"<%d>%b" % (priority & 7 if form == "short" else priority, message.text)
    if form in ("timed", "iso"):
        date = _iso(message, now)
        return b"%b %b" % (date if form == "iso" else b"<%d>%b" % (priority & 7, date), message.text)
    tag, pid = message.tag or _UNKNOWN, message.pid
    if form == "rfc5424":
        parts = (_iso(message, now), host or _UNKNOWN, tag, pid or _UNKNOWN, message.id, message.data)
        return b"<%d>1 %b %b" % (priority, b" ".join(parts), message.text)
    where = b"%b " % (host or b"localhost") if form == "rfc3164" else b""
    process = b"[%b]" % pid if pid else b""
    return b"<%d>%b %b%b%b: %b" % (priority, _bsd(message, now), where, tag, process, message.text)


def _bsd(message: SyslogMessage, now: float) -> bytes:
    if message.form == "rfc3164":
        return message.date
    found = _ISO.match(message.date)
    if found is not None and 1 <= int(found[1]) <= 12:
        return b"%b %2d %b" % (MONTHS[int(found[1]) - 1].encode(), int(found[2]), found[3])
    t = time.localtime(now)
    return f"{MONTHS[t.tm_mon - 1]} {t.tm_mday:2d} {t.tm_hour:02d}:{t.tm_min:02d}:{t.tm_sec:02d}".encode()


def _iso(message: SyslogMessage, now: float) -> bytes:
    if message.form == "rfc5424" and message.date:
        return message.date
    t = time.localtime(now)
    zone = time.strftime("%z", t)
    return (
        time.strftime("%Y-%m-%dT%H:%M:%S", t) + f".{int(now % 1 * 1e6):06d}{zone[:3]}:{zone[3:]}"
    ).encode()
