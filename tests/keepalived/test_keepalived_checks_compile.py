"""Checkers from text to the plan: what is inherited, and from where."""

from __future__ import annotations

import socket

import pytest
from kadtext import read

from evener.keepalived.arguments import SECOND
from evener.keepalived.compile_checks import compile_checks
from evener.keepalived.lvs.check_plan import Check, Timing
from evener.keepalived.lvs.probes import (
    BfdProbe,
    Credentials,
    DnsProbe,
    FileProbe,
    MiscProbe,
    Regex,
    Route,
    SmtpProbe,
    TcpProbe,
    UdpProbe,
    Url,
    WebProbe,
)
from evener.keepalived.vrrp.plan import Program
from evener.keepalived.vrrp.plan_tracked import TrackedFile

RS = socket.inet_aton("10.0.0.7")
ROUTE = Route(RS, 80)
GET = b"GET / HTTP/1.0\r\nUser-Agent: KeepAliveClient\r\nHost: 10.0.0.7:80\r\n\r\n"


def checks(body: str, virtual: str = "", before: str = "", real: str = "10.0.0.7 80") -> tuple[Check, ...]:
    inner = f"protocol TCP\nlvs_method TUN\n{virtual}\nreal_server {real} {{\n{body}\n}}"
    text = f"{before}\nvirtual_server 10.0.0.5 80 {{\n{inner}\n}}\n"
    configuration, _ = read(text)
    assert configuration is not None
    (server,) = configuration.virtual_server
    return compile_checks(configuration, server, server.real_server[0])


def only(body: str, **more: str) -> Check:
    (made,) = checks(body, **more)
    return made


def test_defaults() -> None:
    assert only("TCP_CHECK {\n}") == Check(TcpProbe("TCP_CHECK", ROUTE), Timing())


@pytest.mark.parametrize(
    ("kind", "retry", "delay"),
    [
        ("TCP_CHECK {\n}", 1, 1),
        ("PING_CHECK {\n}", 1, 1),
        ("DNS_CHECK {\n}", 3, 7),
        ("SMTP_CHECK {\n}", 1, 1),
        ("HTTP_GET {\nurl {\npath /\n}\n}", 1, 3),
        ("MISC_CHECK {\nmisc_path /bin/true\n}", 0, 1),
    ],
)
def test_retries_that_are_not_set_depend_on_the_kind(kind: str, retry: int, delay: int) -> None:
    made = only(kind, virtual="delay_loop 7").timing
    assert (made.retry, made.delay_before_retry_us, made.warmup_us) == (retry, delay * SECOND, 7 * SECOND)


def test_timings_are_inherited() -> None:
    virtual = "delay_loop 7\nretry 4\ndelay_before_retry 5\nwarmup 6\nconnect_timeout 3\nalpha"
    made = only("delay_loop 8\nretry 9\nTCP_CHECK {\nretry 2\n}", virtual=virtual)
    assert made.timing == Timing(8 * SECOND, 2, 5 * SECOND, 6 * SECOND, alpha=True)
    assert made.probe == TcpProbe("TCP_CHECK", Route(RS, 80, timeout_us=3 * SECOND))
    assert not only("TCP_CHECK {\nalpha off\n}", virtual="alpha").timing.alpha
    assert only("TCP_CHECK {\n}", before="global_defs {\nchecker_log_all_failures\n}").timing.log_all_failures


def test_a_route_is_as_written() -> None:
    words = "connect_ip fd00::1\nconnect_port 81\nbindto fd00::2\nbind_port 99\nbind_if eth0\nfwmark 7"
    (probe,) = (only(f"TCP_CHECK {{\n{words}\n}}").probe,)
    assert isinstance(probe, TcpProbe)
    six = [socket.inet_pton(socket.AF_INET6, text) for text in ("fd00::1", "fd00::2")]
    assert probe.route == Route(six[0], 81, six[1], 99, "eth0", 7)
    assert str(probe.route) == "[fd00::1]:81"
    for words in ("bindto fd00::2", "bind_port 99"):
        assert only(f"TCP_CHECK {{\n{words}\n}}").probe == TcpProbe("TCP_CHECK", ROUTE)


def test_udp() -> None:
    default = (b"keepalived check - " * 2)[:32]
    assert only("UDP_CHECK {\n}").probe == UdpProbe("UDP_CHECK", ROUTE, default)
    words = "payload 0a 0b\nrequire_reply 1x 22\nmin_reply_length 2\nmax_reply_length 9"
    expected = UdpProbe("UDP_CHECK", ROUTE, b"\x0a\x0b", True, b"\x10\x22", b"\x0f\x00", 2, 9)
    assert only(f"UDP_CHECK {{\n{words}\n}}").probe == expected


def test_dns_smtp_bfd() -> None:
    assert only("DNS_CHECK {\n}").probe == DnsProbe("DNS_CHECK", ROUTE, "", "SOA")
    assert only("DNS_CHECK {\ntype MX\nname ab.cd\n}").probe == DnsProbe("DNS_CHECK", ROUTE, "ab.cd", "MX")
    assert only("SMTP_CHECK {\n}").probe == SmtpProbe("SMTP_CHECK", ROUTE, b"smtpchecker.keepalived.org")
    hosts = "SMTP_CHECK {\nhelo_name me\nhost {\nconnect_port 25\n}\nhost {\nconnect_port 26\n}\n}"
    assert [check.probe for check in checks(hosts)] == [
        SmtpProbe("SMTP_CHECK", Route(RS, port), b"me") for port in (25, 26)
    ]
    bfd = "bfd_instance b {\nneighbor_ip 10.0.0.9\n}"
    made = only("BFD_CHECK {\nname b\nalpha\n}", before=bfd)
    assert made.probe == BfdProbe("BFD_CHECK", "b") and made.timing.alpha


def test_misc() -> None:
    made = only("MISC_CHECK {\nmisc_path \"/bin/check 'a b'\"\nmisc_dynamic\nmisc_timeout 9\n}")
    assert made.probe == MiscProbe("MISC_CHECK", Program(("/bin/check", "a b")), 9 * SECOND, True)
    made = only("MISC_CHECK {\nmisc_path /bin/true\nuser nobody\n}", virtual="delay_loop 4")
    assert made.probe == MiscProbe("MISC_CHECK", Program(("/bin/true",), "nobody"), 4 * SECOND)


def test_file() -> None:
    file = "track_file f {\nfile /tmp/f\nweight 3\n}"
    made = only("FILE_CHECK {\ntrack_file f\n}", before=file)
    assert made.probe == FileProbe("FILE_CHECK", TrackedFile("f", "/tmp/f"), 3, False)
    assert not made.timing.alpha
    made = only("FILE_CHECK {\ntrack_file f\nweight 0 reverse\n}", before=file)
    assert made.probe == FileProbe("FILE_CHECK", TrackedFile("f", "/tmp/f"), 0, True)


def web(body: str = "", url: str = "path /", **more: str) -> WebProbe:
    probe = only(f"HTTP_GET {{\n{body}\nurl {{\n{url}\n}}\n}}", **more).probe
    assert isinstance(probe, WebProbe)
    return probe


def test_http_defaults() -> None:
    assert web() == WebProbe("HTTP_GET", ROUTE, (Url("/", GET),))
    assert b"Host: [fd00::7]:80\r\n" in web(real="fd00::7 80").urls[0].request


@pytest.mark.parametrize(
    ("version", "expected"),
    [
        ("1.0", b"GET / HTTP/1.0\r\nUser-Agent: KeepAliveClient\r\nHost: h\r\n\r\n"),
        ("1.0C", b"GET / HTTP/1.0\r\nUser-Agent: KeepAliveClient\r\nConnection: close\r\nHost: h\r\n\r\n"),
        ("1.1", b"GET / HTTP/1.1\r\nUser-Agent: KeepAliveClient\r\nConnection: close\r\nHost: h\r\n\r\n"),
    ],
)
def test_http_versions(version: str, expected: bytes) -> None:
    assert web(f"http_protocol {version}\nvirtualhost h").urls[0].request == expected


def test_the_nearest_virtualhost_is_sent() -> None:
    def host(**words: str) -> bytes:
        url = f"path /\nvirtualhost {words['url']}" if "url" in words else "path /"
        own = f"virtualhost {words['own']}" if "own" in words else ""
        virtual = f"virtualhost {words['virtual']}" if "virtual" in words else ""
        return web(own, url, virtual=virtual).urls[0].request.split(b"Host: ")[1].strip()

    assert host(url="a", own="b", virtual="c") == b"a"
    assert host(own="b", virtual="c") == b"b"
    assert host(virtual="c") == b"c"


def test_what_has_to_come_back() -> None:
    words = "path /\nstatus_code 200 300-399\ndigest 0123456789abcdef0123456789abcdef"
    (url,) = web(url=words).urls
    assert url.statuses == ((200, 200), (300, 399))
    assert url.digest == bytes.fromhex("0123456789abcdef0123456789abcdef")
    words = "path /\nregex a+\nregex_no_match\nregex_options caseless\nregex_min_offset 3\nregex_max_offset 9"
    assert web(url=words).urls[0].regex == Regex("a+", ("caseless",), True, 3, 9)


def test_ssl() -> None:
    body = "SSL_GET {\nenable_sni\nvirtualhost h\nurl {\npath /\n}\n}"
    probe = only(body, before="SSL {\nca /ca.pem\ncertificate /c.pem\nkey /k.pem\npassword p\n}").probe
    assert isinstance(probe, WebProbe)
    assert probe.tls == Credentials("/c.pem", "/k.pem", "p", "/ca.pem")
    assert probe.urls[0].sni == "h"
    assert only(body.replace("enable_sni", "sni_name other")).probe.urls[0].sni == "other"  # type: ignore[attr-defined]
    assert only(body.replace("enable_sni", "")).probe.urls[0].sni == ""  # type: ignore[attr-defined]
