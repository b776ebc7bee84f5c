"""What is said of checkers that are wrong, line by line as keepalived 2.4 says it."""

from __future__ import annotations

import pytest
from kadtext import said

from evener.keepalived.reading import Surroundings


def complaints(body: str, **more: object) -> list[str]:
    return said(
        "track_file f {\nfile /f\n}\n"
        "virtual_server 10.0.0.5 80 {\nprotocol TCP\nlvs_sched rr\nlvs_method NAT\n"
        f"real_server 10.0.0.7 80 {{\n{body}\n}}\n}}\n",
        **more,
    )


def line(number: int) -> str:
    return f"(Line {number + 8})"


@pytest.mark.parametrize(
    ("body", "at", "message"),
    [
        ("TCP_CHECK {\nconnect_ip 10.0.0.300\n}", 2, "Invalid connect_ip address 10.0.0.300 - ignoring"),
        ("TCP_CHECK {\nbindto 10.0.0.300\n}", 2, "Invalid bindto address 10.0.0.300 - ignoring"),
        (
            "TCP_CHECK {\nbindto fd00::1\n}",
            2,
            "bindto address fd00::1 does not match address family of connect_ip - skipping",
        ),
        (
            "PING_CHECK {\nbindto 10.0.0.1\nconnect_ip fd00::3\n}",
            3,
            "connect_ip address fd00::3 does not match address family of bindto - skipping",
        ),
        ("TCP_CHECK {\nconnect_ip fe80::1\n}", 3, "Checker link local address fe80::1 requires a bind_if"),
        (
            "TCP_CHECK {\nbind_if averyveryverylongname\n}",
            2,
            "Interface name averyveryverylongname is too long - ignoring",
        ),
        ("TCP_CHECK {\nalpha maybe\n}", 2, "Invalid alpha parameter maybe"),
        ("HTTP_GET {\nhttp_protocol 2.0\nurl {\npath /\n}\n}", 2, "Invalid http_protocol version 2.0"),
        ("HTTP_GET {\nurl {\npath /\nstatus_code 20\n}\n}", 4, "Invalid HTTP_GET status code '20'"),
        ("HTTP_GET {\nurl {\npath /\nstatus_code 300-200\n}\n}", 4, "Invalid HTTP_GET status code '300-200'"),
        (
            "HTTP_GET {\nurl {\npath /\ndigest 0123\n}\n}",
            4,
            "digest '0123' character length should be 32 rather than 4",
        ),
        (
            "HTTP_GET {\nurl {\npath /\ndigest 01234567x9abcdef0123456789abcdef\n}\n}",
            4,
            "Unable to interpret hex digit in '01234567x9' at offset 8/9",
        ),
        ("HTTP_GET {\nurl {\npath /\n}\nurl {\n}\n}", 6, "HTTP/SSL_GET checker url has no path - ignoring"),
        ("HTTP_GET {\n}", 2, "HTTP/SSL_GET checker has no urls specified - ignoring"),
        ("UDP_CHECK {\npayload zz\n}", 2, "Invalid hex string for UDP_CHECK payload"),
        ("UDP_CHECK {\npayload\n}", 2, "UDP_CHECK payload requires a payload"),
        ("UDP_CHECK {\nrequire_reply yy\n}", 2, "Invalid hex string for UDP_CHECK reply"),
        (
            "UDP_CHECK {\nmin_reply_length 10\nmax_reply_length 5\n}",
            4,
            "UDP_CHECK min_reply length 10 > max_reply_length 5 - will always fail",
        ),
        ("DNS_CHECK {\ntype ZZ\n}", 2, "Unknown DNS check type ZZ - ignoring"),
        ("DNS_CHECK {\nname aa..b\n}", 2, "DNS_CHECK name 'aa..b' has empty label - ignoring"),
        ("DNS_CHECK {\nname aa.b\nname aa.c\n}", 3, "DNS_CHECK name already specified - ignoring"),
        ("SMTP_CHECK {\nhelo_name a\nhelo_name b\n}", 3, "SMTP_CHECK helo name already specified"),
    ],
)
def test_one_thing_wrong(body: str, at: int, message: str) -> None:
    assert complaints(body) == [f"{line(at)} {message}"]


def test_a_file_that_is_not_tracked() -> None:
    assert complaints("FILE_CHECK {\ntrack_file nope\n}") == [
        f"{line(2)} track_file nope not found",
        f"{line(3)} FILE_CHECK has no track_file specified - ignoring",
    ]


def test_a_user_that_does_not_exist() -> None:
    body = 'MISC_CHECK {\nmisc_path "/bin/check a"\nuser nobody\n}\n'
    body += "MISC_CHECK {\nmisc_path /bin/true\nuser me\n}"
    there = Surroundings(user_exists=lambda user, group: user == "me")
    assert complaints(body, surroundings=there) == [
        f"{line(3)} Failed to set uid/gid for misc checker script '/bin/check' 'a' - removing"
    ]


def test_numbers_are_explained_first() -> None:
    assert complaints("TCP_CHECK {\nretry x\nconnect_port 0\n}") == [
        f"{line(2)} invalid number 'x'",
        f"{line(2)} Invalid retry connection value 'x'",
        f"{line(3)} number '0' outside range [1, 65535]",
        f"{line(3)} Invalid checker connect_port '0'",
    ]


def test_the_second_digest_is_refused() -> None:
    digest = "digest 0123456789abcdef0123456789abcdef"
    assert complaints(f"HTTP_GET {{\nurl {{\npath /\n{digest}\n{digest}\n}}\n}}") == [
        f"{line(5)} Digest '{digest.split()[1]}' is a duplicate"
    ]


def test_what_a_regex_cannot_have() -> None:
    """Said by evener alone: the original matches with PCRE."""
    body = "HTTP_GET {\nurl {\npath /\nregex (\n}\nurl {\npath /\nregex a\nregex_options utf caseless\n}\n}"
    refused, option = complaints(body)
    assert refused.startswith(f"{line(4)} Invalid regex: ")
    assert option == f"{line(9)} regex option 'utf' is not honoured"


def test_right_ones_are_silent() -> None:
    assert complaints("DNS_CHECK {\ntype mx\nname www.example.\n}\nFILE_CHECK {\ntrack_file f\n}") == []
    assert complaints("TCP_CHECK {\nconnect_ip fe80::1\nbind_if eth0\n}") == []
