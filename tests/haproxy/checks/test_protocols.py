"""Greetings of databases and others, byte by byte: what is sent, and what is made of the answers.

The packets are those of HAProxy's regression tests, recorded from real servers.
"""

import pytest

from evener.haproxy.checks.databases import ldap_script, mysql_answer, mysql_script, pgsql_script
from evener.haproxy.checks.greetings import spop_script, ssl_hello_script
from evener.haproxy.checks.outcome import CheckStatus, Outcome
from evener.haproxy.checks.run import CheckRun, Finish, Write
from evener.haproxy.checks.steps import Scene, Script
from evener.haproxy.checks.words import CheckSyntax
from evener.wire import spop

OK, RSP, STS = CheckStatus.L7OK, CheckStatus.L7RSP, CheckStatus.L7STS

GREETING = bytes.fromhex(
    "4A0000000A382E302E3139000A0000006F3C025E6249410D00FFFFFF0200FFC71500000000000000000000"
    "7C182159106E2761144322200063616368696E675F736861325F70617373776F726400"
)
REFUSED = "Client does not support authentication protocol requested by server; consider upgrading"
REFUSAL = (7 + len(REFUSED) - 4).to_bytes(3, "little") + b"\2\xff\xe3\x04" + REFUSED.encode()
LDAP = bytes.fromhex("300C020101610 70A010004000400".replace(" ", ""))


def speak(script: Script, *pieces: bytes, closed: bool = True) -> tuple[bytes, Outcome | None]:
    """What the check says and how it ends, None when it goes on waiting."""
    run = CheckRun(script, Scene(), 0)
    commands = run.start(0) + run.opened(0)
    for piece in pieces:
        commands += run.received(0, piece)
    if closed:
        commands += run.closed(0)
    sent = b"".join(c.data for c in commands if isinstance(c, Write))
    ends = [c.outcome for c in commands if isinstance(c, Finish)]
    assert len(ends) <= 1
    return sent, ends[0] if ends else None


@pytest.mark.parametrize(
    ("words", "sent"),
    [
        ((), ""),
        (("user", "user", "pre-41"), "0B00000100800000017573657200000100000001"),
        (
            ("user", "user"),
            "2600000100820000008000012100000000000000000000000000000000000000000000007573657200000100000001",
        ),
        (
            ("user", "u", "post-80"),
            "3900000100820800008000012100000000000000000000000000000000000000000000007500"
            "006D7973716C5F6E61746976655F70617373776F726400" + "0100000001",
        ),
    ],
)
def test_mysql_answers(words: tuple[str, ...], sent: str) -> None:
    assert speak(mysql_script(words))[0] == bytes.fromhex(sent)


def test_mysql_knows_three_versions() -> None:
    with pytest.raises(CheckSyntax):
        mysql_answer(b"u", "post-99")


ACCEPTED = bytes.fromhex("0700000200000002000000")


@pytest.mark.parametrize(
    ("script", "pieces", "status", "code", "info"),
    [
        (mysql_script(()), [GREETING], OK, 0, "8.0.19"),
        (mysql_script(("user", "x")), [GREETING, ACCEPTED], OK, 0, "8.0.19"),
        (mysql_script(("user", "x")), [GREETING + ACCEPTED], OK, 0, "8.0.19"),
        (mysql_script(("user", "x")), [GREETING, REFUSAL], STS, 1251, REFUSED),
        (mysql_script(("user", "x")), [GREETING], RSP, 0, ""),
        (mysql_script(()), [b"\x05\0\0\0\xff\x10"], RSP, 0, ""),
        (mysql_script(()), [b"\x03\0\0\0\xff\x10\x04"], STS, 1040, ""),
        (
            pgsql_script(("user", "p")),
            [bytes.fromhex("520000000800000000")],
            OK,
            0,
            "PostgreSQL server is ok",
        ),
        (
            pgsql_script(("user", "p")),
            [bytes.fromhex("52000000170000000A534352414D2D5348412D3235360000")],
            OK,
            0,
            "PostgreSQL server is ok",
        ),
        (pgsql_script(("user", "p")), [bytes.fromhex("450000000B53464154414C00")], RSP, 0, "FATAL"),
        (pgsql_script(("user", "p")), [b"Not a PostgreSQL response"], STS, 0, "PostgreSQL unknown error"),
        (pgsql_script(("user", "p")), [b"R"], STS, 0, "PostgreSQL unknown error"),
        (ldap_script(), [LDAP], OK, 0, "Success"),
        (ldap_script(), [LDAP.replace(b"\x61", b"\x60")], RSP, 0, "Not LDAPv3 protocol"),
        (ldap_script(), [b"x" * 14], RSP, 0, "Not LDAPv3 protocol"),
        (
            ldap_script(),
            [bytes.fromhex("300C020101610 70A010104000400".replace(" ", ""))],
            STS,
            1,
            "See RFC: http://tools.ietf.org/html/rfc4511#section-4.1.9",
        ),
        (
            ldap_script(),
            [bytes.fromhex("3084000000100201016184000000070A01"), bytes.fromhex("0004000400")],
            OK,
            0,
            "Success",
        ),
        (ldap_script(), [b"\x30\x83" + bytes(20)], RSP, 0, "Not LDAPv3 protocol"),
        (ldap_script(), [LDAP[:9]], RSP, 0, ""),
        (ssl_hello_script(), [b"\x16\3\3\0\x31"], CheckStatus.L6OK, 0, ""),
        (ssl_hello_script(), [b"\x15\3\0\0\2\2\x28"], CheckStatus.L6OK, 0, ""),
        (ssl_hello_script(), [b"HTTP/1.0 400 Bad"], CheckStatus.L6RSP, 0, ""),
    ],
)
def test_answers(script: Script, pieces: list[bytes], status: CheckStatus, code: int, info: str) -> None:
    """Whole, and byte by byte."""
    for given in (pieces, [bytes([byte]) for byte in b"".join(pieces)]):
        _, end = speak(script, *given)
        assert end is not None
        assert (end.status, end.code, end.info) == (status, code, info)


@pytest.mark.parametrize("script", [mysql_script(()), ldap_script(), ssl_hello_script(), spop_script()])
def test_an_empty_answer(script: Script) -> None:
    _, end = speak(script)
    assert end is not None and end.status in (RSP, CheckStatus.L6RSP)
    assert end.info.startswith("TCPCHK got an empty response at step ")


def test_what_is_said_first() -> None:
    assert speak(ldap_script())[0] == bytes.fromhex("300C020101600702010304008000")
    assert speak(pgsql_script(("user", "postgres")))[0] == bytes.fromhex(
        "00000017000300007573657200706F7374677265730000"
    )
    hello = speak(ssl_hello_script())[0]
    assert hello[:11] == bytes.fromhex("1603000079010000750300") and len(hello) == 0x79 + 5
    assert speak(spop_script())[0] == bytes.fromhex(
        "0000004e0100000001000012737570706f727465642d76657273696f6e730803322e30"
        "0e6d61782d6672616d652d73697a6503fcf0060c6361706162696c697469657308000b6865616c7468636865636b11"
    )


def test_a_silent_tls_server_times_out_at_layer_6() -> None:
    run = CheckRun(ssl_hello_script(), Scene(), 0)
    run.start(0)
    run.opened(0)
    (end,) = run.expired(1)
    assert isinstance(end, Finish) and end.outcome.status is CheckStatus.L6TOUT


def hello(**values: bytes | int | None) -> bytes:
    body = b""
    for name, value in {"version": b"2.0", "max-frame-size": 16380, "capabilities": b"", **values}.items():
        if isinstance(value, bytes):
            body += spop.text(name.replace("_", "-").encode()) + bytes([spop.STRING]) + spop.text(value)
        elif value is not None:
            body += spop.text(name.replace("_", "-").encode()) + bytes([spop.UINT32]) + spop.varint(value)
    return spop.frame(spop.AGENT_HELLO, body)


@pytest.mark.parametrize(
    ("answer", "status", "info"),
    [
        (hello(), OK, "SPOA server is ok"),
        (hello(healthcheck=b"x", strange=300_000), OK, "SPOA server is ok"),
        (b"\0\0\0\0", RSP, "invalid frame received"),
        (bytes.fromhex("00000007 65 00000000 0000"), RSP, "invalid frame received"),
        (bytes.fromhex("00000007 65 00000001 0001"), RSP, "invalid frame received"),
        (hello(version=b"1.0"), RSP, "unsupported version"),
        (hello(version=None), RSP, "version value not found"),
        (hello()[:-1], RSP, "invalid frame received"),
        (b"\xff\xff\xff\xff" + hello()[4:], RSP, "invalid frame received"),
        (spop.frame(spop.AGENT_HELLO, b"\5abc"), RSP, "invalid frame received"),
        (spop.frame(spop.AGENT_HELLO, b"\1a\x0c"), RSP, "invalid frame received"),
        (spop.frame(spop.AGENT_HELLO, b"\1a\2" + b"\xff" * 12), RSP, "invalid frame received"),
    ],
)
def test_spop(answer: bytes, status: CheckStatus, info: str) -> None:
    for given in ([answer], [bytes([byte]) for byte in answer]):
        _, end = speak(spop_script(), *given)
        assert end is not None and (end.status, end.info) == (status, info)


def test_spop_limits_and_farewells() -> None:
    small = hello().replace(spop.varint(16380), spop.varint(255))
    small = (len(small) - 4).to_bytes(4, "big") + small[4:]
    assert speak(spop_script(), small)[1] == Outcome(RSP, 9, "max-frame-size too big or too small", 0)
    body = spop.text(b"status-code") + bytes([spop.UINT32]) + spop.varint(2)
    farewell = spop.frame(spop.AGENT_DISCONNECT, body)
    assert speak(spop_script(), farewell)[1] == Outcome(RSP, 5, "version value not found", 0)


@pytest.mark.parametrize("value", [0, 239, 240, 255, 2287, 2288, 16380, 264431, 264432, 2**32 - 1, 2**40])
def test_variable_length_integers(value: int) -> None:
    assert list(spop.items(b"\1a\5" + spop.varint(value))) == [(b"a", value)]
