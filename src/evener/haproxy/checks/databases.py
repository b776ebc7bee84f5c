"""Checks that greet a database: ``option mysql-check``, ``pgsql-check`` and ``ldap-check``.

Like those of ``canned``: what is sent is fixed by the configuration, what comes is judged by a function
of everything received so far. None of them logs in; a server that asks for a password is a good one.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from evener.haproxy.checks.outcome import CheckStatus, Said
from evener.haproxy.checks.steps import Connect, Expect, Match, Script, Send
from evener.haproxy.checks.words import CheckSyntax

_QUIT: Final = b"\1\0\0\0\1"
_PROTOCOL_41: Final = bytes.fromhex("008200000080000121") + bytes(23)
_PLUGIN_AUTH: Final = bytes.fromhex("008208000080000121") + bytes(23)
"""Capabilities, largest packet, character set and 23 zeroes of a MySQL client's answer."""
_PLUGIN: Final = b"mysql_native_password\0"
_AUTHENTICATION: Final = re.compile(rb"R\0\0\0[0-9A-Z\x00-\xff]\0\0\0[\0\2-\7\t\n]", re.DOTALL)
_MESSAGE: Final = 8192  #: what is waited for of an error message, at most
_NOT_LDAP: Final = "Not LDAPv3 protocol"
_LDAP_BIND: Final = bytes.fromhex("300C020101600702010304008000")


def mysql_script(words: Sequence[str]) -> Script:
    """``option mysql-check [user <name> [pre-41|post-41|post-80]]``."""
    greeting = Expect(Match.SPEECH, speech=mysql_greeting)
    if not words:
        return Script((Connect(default=True, linger=True), greeting))
    answer = mysql_answer(
        words[1].encode("utf-8", "surrogateescape"), words[2] if len(words) > 2 else "post-41"
    )
    accepted = Expect(Match.SPEECH, speech=mysql_accepted)
    return Script((Connect(default=True, linger=True), Send(answer), greeting, accepted))


def mysql_answer(user: bytes, version: str) -> bytes:
    """The client's answer to the greeting, and that it leaves at once."""
    name = user + b"\0\0"
    if version == "pre-41":
        body = b"\0\x80\0\0\1" + name
    elif version == "post-80":
        body = _PLUGIN_AUTH + name + _PLUGIN
    elif version == "post-41":
        body = _PROTOCOL_41 + name
    else:
        raise CheckSyntax(
            f"keyword 'user' only supports 'post-41', 'pre-41' and 'post-80' (got '{version}')."
        )
    return len(body).to_bytes(3, "little") + b"\1" + body + _QUIT


def mysql_greeting(data: bytes, closed: bool) -> Said:
    """The server's first packet: its version, or what is wrong with us."""
    return _mysql_packet(data, 0, closed)


def mysql_accepted(data: bytes, closed: bool) -> Said:
    """The packet after the greeting."""
    return _mysql_packet(data, 4 + int.from_bytes(data[:3], "little"), closed)


def _mysql_packet(data: bytes, at: int, closed: bool) -> Said:
    length = int.from_bytes(data[at : at + 3], "little")
    if len(data) < at + 4 or len(data) < at + 4 + length:
        return (CheckStatus.L7RSP, 0, "") if closed and data else None
    packet = data[at + 4 :]
    if packet[:1] == b"\xff":
        told = packet[3:].partition(b"\0")[0].decode("utf-8", "surrogateescape")
        return CheckStatus.L7STS, int.from_bytes(packet[1:3], "little"), told
    return CheckStatus.L7OK, 0, data[5:].partition(b"\0")[0].decode("utf-8", "surrogateescape")


def pgsql_script(words: Sequence[str]) -> Script:
    """``option pgsql-check user <name>``: a startup packet of protocol 3.0."""
    user = words[1].encode("utf-8", "surrogateescape")
    body = b"\0\3\0\0user\0" + user + b"\0\0"
    # The length is counted as the original counts it: without the last byte but with itself.
    packet = (15 + len(user)).to_bytes(4, "big") + body
    return Script(
        (Connect(default=True, linger=True), Send(packet), Expect(Match.SPEECH, speech=pgsql_reply))
    )


def pgsql_reply(data: bytes, closed: bool) -> Said:
    """An error message, or any demand for authentication."""
    if not data or (len(data) < 5 and not closed):
        return None
    if data.startswith(b"E"):
        length = int.from_bytes(data[1:5], "big")
        if len(data) < min(1 + length, _MESSAGE) and not closed:
            return None
        return CheckStatus.L7RSP, 0, data[6:].partition(b"\0")[0].decode("utf-8", "surrogateescape")
    if len(data) < 9 and not closed:
        return None
    if _AUTHENTICATION.match(data):
        return CheckStatus.L7OK, 0, "PostgreSQL server is ok"
    return CheckStatus.L7STS, 0, "PostgreSQL unknown error"


def ldap_script() -> Script:
    """An anonymous bind (RFC 4511 4.2)."""
    return Script((Send(_LDAP_BIND), Expect(Match.SPEECH, speech=ldap_reply)))


def ldap_reply(data: bytes, closed: bool) -> Said:
    """A bind response with result code 0."""
    if not data or (len(data) < 14 and not closed):
        return None
    short: Said = (CheckStatus.L7RSP, 0, "") if closed else None
    if data[0] != 0x30:
        return CheckStatus.L7RSP, 0, _NOT_LDAP
    header = _ber_length(data, 1)
    if header is None:
        return short
    at, length = header
    if length < 0:
        return CheckStatus.L7RSP, 0, _NOT_LDAP
    if len(data) < at + length or len(data) < at + 4:
        return short
    if data[at : at + 4] != b"\2\1\1\x61":
        return CheckStatus.L7RSP, 0, _NOT_LDAP
    size = data[at + 4 : at + 5]
    at += 5 + (size[0] & 0x7F if size and size[0] & 0x80 else 0)
    if len(data) < at + 3:
        return short
    if data[at : at + 2] != b"\n\1":
        return CheckStatus.L7RSP, 0, _NOT_LDAP
    if data[at + 2]:
        return CheckStatus.L7STS, data[at + 2], "See RFC: http://tools.ietf.org/html/rfc4511#section-4.1.9"
    return CheckStatus.L7OK, 0, "Success"


def _ber_length(data: bytes, at: int) -> tuple[int, int] | None:
    """(where the contents begin, their length); None when more is needed, length -1 when it is strange.
    Of the long forms only two and four bytes are used by servers."""
    if len(data) <= at:
        return None
    if not data[at] & 0x80:
        return at + 1, data[at]
    count = data[at] & 0x7F
    if len(data) < at + 1 + count:
        return None
    if count not in (2, 4):
        return at + 1, -1
    return at + 1 + count, int.from_bytes(data[at + 1 : at + 1 + count], "big")
