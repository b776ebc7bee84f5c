"""What checks meet: targets that are good, and bad in every way that the log tells apart.

A case is a checker and two kinds of target. Each is played twice, to a real server of its own: one meets the
good target, then the bad one, then the good one again, the other meets them the other way around.
"""

from __future__ import annotations

from dataclasses import dataclass

DIGEST = "5d41402abc4b2a76b9719d911017c592"
"""Of ``hello``, which is what good web servers say."""
WEB_TARGETS = ("missing", "hangs", "resets", "garbage", "short", "empty", "closed", "moved")
LATE = "connect_timeout 1"


@dataclass(frozen=True)
class Case:
    name: str
    checker: str
    """With ``{where}`` for the words that say where it goes."""
    good: str
    """Of ``checker_targets``; empty where there is no target."""
    bad: str
    datagrams: bool = False
    address: str = "127.0.0.1"


def _web() -> list[Case]:
    url = f"HTTP_GET {{\n{{where}}\nurl {{\npath /a\nstatus_code 200\n}}\n{LATE}\n}}"
    cases = [Case(f"http-{bad}", url, "page", bad) for bad in WEB_TARGETS]
    for name, words in (
        ("digest", f"digest {DIGEST}"),
        ("regex", 'regex "hel+o"'),
        ("no-match", 'regex "good ?bye"\nregex_no_match'),
        ("status", "status_code 100-199 200"),
    ):
        checker = url.replace("status_code 200", words)
        cases += [
            Case(f"http-{name}", checker, "page", "other"),
            Case(f"http-{name}-404", checker, "page", "missing"),
        ]
    two = url.replace("url {", "url {\npath /first\n}\nurl {")
    cases.append(Case("http-two", two, "page", "missing"))
    cases.append(Case("http-two-fast", two.replace("{where}", "{where}\nfast_recovery"), "page", "missing"))
    cases.append(
        Case("http-host", url.replace("path /a", "path /a\nvirtualhost www.example"), "page", "short")
    )
    tls = url.replace("HTTP_GET", "SSL_GET")
    cases += [
        Case(f"ssl-{bad}", tls, "tls-page", bad)
        for bad in ("tls-missing", "page", "hangs", "empty", "closed", "tls-hangs", "tls-cut")
    ]
    cases.append(
        Case("ssl-digest", tls.replace("status_code 200", f"digest {DIGEST}"), "tls-page", "tls-other")
    )
    return cases


def _others() -> list[Case]:
    def block(kind: str, words: str = "") -> str:
        return f"{kind} {{\n{{where}}\n{LATE}\n{words}\n}}"

    smtp = ("mail-554", "mail-500", "mail-lines", "hangs", "closes", "closed")
    dns = (
        "dns-servfail",
        "dns-nxdomain",
        "dns-refused",
        "dns-number",
        "dns-query",
        "dns-short",
        "silent",
        "closed-udp",
    )
    question = block("DNS_CHECK", "type A\nname www.example\nretry 1")
    reply = "payload 6869\nrequire_reply 68656c6c6f"
    return [
        Case("tcp-closed", block("TCP_CHECK"), "page", "closed"),
        *(Case(f"smtp-{bad}", block("SMTP_CHECK", "helo_name me"), "mail", bad) for bad in smtp),
        *(Case(f"dns-{bad}", question, "dns", bad, True) for bad in dns),
        Case("udp-closed", block("UDP_CHECK"), "hello", "closed-udp", True),
        Case("udp-silent", block("UDP_CHECK", reply), "hello", "silent", True),
        Case("udp-other", block("UDP_CHECK", reply), "hello", "other-udp", True),
        Case("udp-long", block("UDP_CHECK", f"{reply}\nmax_reply_length 5"), "hello", "long-udp", True),
        Case("udp-short", block("UDP_CHECK", f"{reply}\nmin_reply_length 5"), "hello", "short-udp", True),
    ]  # fmt: skip


def _nowhere() -> list[Case]:
    """What goes to an address where nobody answers, and to one where no route leads."""
    url = "url {\npath /a\n}"
    kinds = {
        "HTTP_GET": url, "SSL_GET": url, "TCP_CHECK": "", "SMTP_CHECK": "", "DNS_CHECK": "retry 1",
        "UDP_CHECK": "require_reply", "PING_CHECK": "",
    }  # fmt: skip
    return [
        Case(f"{kind}-{name}", f"{kind} {{\n{{where}}\n{LATE}\n{words}\n}}", "", "", address=address)
        for kind, words in kinds.items()
        for name, address in (("late", LATE_ADDRESS), ("no-route", NO_ROUTE))
    ]


def _programs() -> list[Case]:
    ways = ("exit 0", "exit 1", "exit 12", "kill -9 $$", "exec sleep 9")
    block = "MISC_CHECK {{\nmisc_path \"{} -c '{}'\"\nmisc_timeout 1\n{}\n}}"
    return [
        Case(f"misc {text} {word}".strip(), block.format(SHELL, text, word), "", "")
        for text in ways
        for word in ("", "misc_dynamic")
    ]


LATE_ADDRESS, NO_ROUTE = "10.98.0.9", "10.97.0.9"
SHELL = "/usr/bin/dash"
CASES = (*_web(), *_others(), *_nowhere(), *_programs())
FIRST_PORT = 7000


def port_of(index: int, turned: bool) -> int:
    return FIRST_PORT + 2 * index + turned


def server_of(port: int) -> str:
    return f"10.9.1.{port - FIRST_PORT + 1}"


def configuration(cases: tuple[Case, ...] = CASES) -> str:
    """A virtual server for each: what becomes of it does not depend on others."""
    made = []
    for index, case in enumerate(cases):
        for turned in (False, True) if case.good else (False,):
            port = port_of(index, turned)
            checker = case.checker.replace("{where}", f"connect_ip {case.address}\nconnect_port {port}")
            made.append(
                f"virtual_server 10.9.0.1 {port} {{\nlvs_sched rr\nlvs_method NAT\nprotocol TCP\n"
                "delay_loop 0.4\nretry 1\ndelay_before_retry 0.3\nwarmup 0\n"
                f"real_server {server_of(port)} 80 {{\n{checker}\n}}\n}}\n"
            )
    return "global_defs {\nchecker_log_all_failures\nenable_script_security\nscript_user root\n}\n" + "".join(
        made
    )
