"""The course of each kind of check, as scripts: given outcomes, expect delays, log lines and reports."""

from __future__ import annotations

import socket
from dataclasses import replace

import pytest

from evener.keepalived.arguments import SECOND
from evener.keepalived.lvs.check_plan import Check, Outcome, Probe, Report, Timing
from evener.keepalived.lvs.checking import BOOTSTRAP_US, Course, Names, Step
from evener.keepalived.lvs.checking_scripts import BfdCourse, FileCourse, exited
from evener.keepalived.lvs.courses import COURSES, course_of
from evener.keepalived.lvs.probes import (
    BfdProbe,
    Credentials,
    DnsProbe,
    FileProbe,
    MiscProbe,
    PingProbe,
    Route,
    SmtpProbe,
    TcpProbe,
    UdpProbe,
    Url,
    WebProbe,
)
from evener.keepalived.vrrp.plan import Program
from evener.keepalived.vrrp.plan_tracked import TrackedFile

RS, VS = "[10.0.0.7]:tcp:80", "[10.0.0.5]:tcp:80"
ROUTE = Route(socket.inet_aton("10.0.0.7"), 80)
LOOP, RETRY = 10 * SECOND, 2 * SECOND
TIMING = Timing(delay_loop_us=LOOP, retry=2, delay_before_retry_us=RETRY, warmup_us=0)
OK, BAD = Outcome(True), Outcome(False)

TCP = TcpProbe("TCP_CHECK", ROUTE)
WEB = WebProbe("HTTP_GET", ROUTE, (Url("/a", b""), Url("/b", b"")))
MISC = MiscProbe("MISC_CHECK", Program(("/bin/check",)), 5 * SECOND, dynamic=True)
PROBES: list[Probe] = [
    TCP,
    UdpProbe("UDP_CHECK", ROUTE, b"x"),
    PingProbe("PING_CHECK", ROUTE),
    WEB,
    replace(WEB, kind="SSL_GET", tls=Credentials()),
    SmtpProbe("SMTP_CHECK", ROUTE, b"me"),
    DnsProbe("DNS_CHECK", ROUTE, "", "SOA"),
    MISC,
    FileProbe("FILE_CHECK", TrackedFile("f", "/f")),
    BfdProbe("BFD_CHECK", "b"),
]


def course(probe: Probe, **timing: object) -> Course:
    return course_of(Check(probe, replace(TIMING, **timing)), Names(RS, VS))  # type: ignore[arg-type]


def play(made: Course, *outcomes: Outcome) -> Step:
    """The step after the last of them."""
    return [made.ended(outcome) for outcome in outcomes][-1]


def test_every_kind_has_a_course() -> None:
    assert {probe.kind for probe in PROBES} == set(COURSES)


def test_warmup_spreads_first_attempts_behind_the_first_second() -> None:
    made = course(TCP, warmup_us=8 * SECOND)
    assert made.first_delay_us(0) == BOOTSTRAP_US
    assert made.first_delay_us(0.5) == BOOTSTRAP_US + 4 * SECOND


@pytest.mark.parametrize(
    ("probe", "words"),
    [(TCP, "TCP connection to"), (PROBES[1], "UDP connection to"), (PROBES[2], "ICMP connection to")],
)
def test_first_success_is_reported_and_logged(probe: Probe, words: str) -> None:
    step = play(course(probe), OK)
    assert step == Step(LOOP, (f"{words} {RS} success.",), Report(True, first=True))


def test_success_after_success_says_nothing() -> None:
    assert play(course(TCP), OK, OK) == Step(LOOP)


def test_one_failure_is_enough_at_first() -> None:
    mail = "=> TCP CHECK failed on service <="
    assert play(course(TCP), BAD) == Step(
        LOOP, (f"TCP_CHECK on service {RS} failed.",), Report(False, first=True, mail=mail)
    )


def test_later_failures_are_retried() -> None:
    made = course(TCP)
    assert play(made, OK, BAD) == Step(RETRY)
    assert play(made, BAD) == Step(RETRY)
    mail = "=> TCP CHECK failed on service <="
    assert play(made, BAD) == Step(
        LOOP, (f"TCP_CHECK on service {RS} failed after 2 retries.",), Report(False, mail=mail)
    )
    assert play(made, BAD) == Step(LOOP)
    mail = "=> TCP CHECK succeed on service <="
    assert play(made, OK) == Step(LOOP, (f"TCP connection to {RS} success.",), Report(True, mail=mail))


def test_a_success_between_failures_begins_the_count_anew() -> None:
    made = course(TCP)
    assert play(made, OK, BAD, BAD, OK, BAD, BAD) == Step(RETRY)


def test_alpha_counts_as_failed_until_it_has_succeeded() -> None:
    made = course(TCP, alpha=True)
    assert not made.up
    assert play(made, BAD).report == Report(False, first=True)
    assert play(made, OK).report == Report(True, mail="=> TCP CHECK succeed on service <=")


def test_a_failed_ping_names_the_virtual_server_only_after_retries() -> None:
    made = course(PROBES[2])
    assert play(made, BAD).log == (f"ICMP CHECK on service {RS} failed.",)
    assert play(made, OK, BAD, BAD, BAD).log == (
        f"ICMP CHECK on service {RS} of {VS} failed after 2 retries.",
    )


def test_log_all_failures_says_how_each_attempt_failed() -> None:
    late = Outcome(False, "TCP connection to {rs} timeout.")
    made = course(TCP, log_all_failures=True)
    assert play(made, OK, late).log == (f"TCP connection to {RS} timeout.",)
    assert play(course(TCP), OK, late).log == ()
    play(made, late, late)
    assert not made.up and play(made, late).log == ()


def test_an_attempt_that_was_not_made_changes_nothing() -> None:
    made = course(TCP)
    lost = Outcome(False, made=False, notes=("no socket",))
    assert play(made, lost) == Step(LOOP, ("no socket",))
    assert (made.up, made.run) == (True, False)


def test_all_urls_have_to_answer() -> None:
    made = course(WEB, alpha=True)
    good = Outcome(True, "HTTP status code")
    assert made.part == 0
    assert play(made, good) == Step(LOOP, (f"HTTP status code success to {RS} url(/a)",))
    assert made.part == 1
    assert play(made, good) == Step(
        LOOP,
        (f"HTTP status code success to {RS} url(/b)", f"Remote Web server {RS} succeed on service."),
        Report(True, first=True, mail="=> CHECK succeed on service <="),
    )
    assert made.part == 0


def test_a_failed_url_is_repeated_and_then_all_are() -> None:
    made, good, late = course(WEB), Outcome(True, "MD5 digest"), Outcome(False, "Timeout HTTP read")
    play(made, good, good, good)
    assert (made.part, play(made, late)) == (1, Step(RETRY))
    play(made, late)
    step = play(made, late)
    assert step.log == (f"HTTP_CHECK on service {RS} failed after 2 retries.",)
    assert step.report == Report(False, mail="=> CHECK failed on service : HTTP/SSL request failed <=")
    assert (made.part, step.delay_us) == (1, LOOP)
    assert play(made, good) == Step(LOOP, (f"MD5 digest success to {RS} url(/b)",))
    assert made.part == 0
    assert play(made, good, good).log[-1] == f"Remote Web server {RS} succeed on service."


def test_the_first_failure_of_a_web_server_is_reported_as_its_first_result() -> None:
    report = play(course(WEB), BAD).report
    assert report is not None and report.first and not report.up


def test_fast_recovery_does_not_wait_between_urls() -> None:
    fast = replace(WEB, fast_recovery=True)
    made, good = course(fast, alpha=True), Outcome(True, "HTTP status code")
    assert play(made, good).delay_us == 0
    assert play(made, good).delay_us == LOOP
    assert play(made, BAD, BAD, BAD).delay_us == LOOP
    assert play(made, good).delay_us == 0


def test_a_remark_on_an_url_is_made_once() -> None:
    noted = Outcome(True, "HTTP status code", notes=("odd",))
    made = course(replace(WEB, urls=WEB.urls[:1]))
    assert "odd" in play(made, noted).log
    assert "odd" not in play(made, noted).log
    assert "odd" in play(made, OK, noted).log


def test_a_mail_server_is_retried_even_at_first() -> None:
    made, text = course(PROBES[5]), "Read timeout from server [10.0.0.7]:25"
    bad = Outcome(False, text)
    assert play(made, bad) == Step(RETRY)
    assert play(made, bad, bad) == Step(
        LOOP,
        (f"SMTP_CHECK {text}",),
        Report(False, first=True, mail=f"=> CHECK failed on service : {text} <="),
    )
    assert play(made, bad).log == ()
    assert play(made, OK).log == (f"Remote SMTP server {RS} succeed on service.",)


def test_a_name_server_recovers_silently() -> None:
    made, bad = course(PROBES[6]), Outcome(False, "read timeout from socket")
    assert play(made, bad).log == (f"DNS_CHECK ({RS}) read timeout from socket",)
    assert play(made, OK) == Step(LOOP, (), Report(True, mail="=> DNS_CHECK: succeed on service <="))
    assert play(made, bad, bad).delay_us == RETRY
    step = play(made, bad)
    assert step.log == (f"DNS_CHECK ({RS}) read timeout from socket after 2 retries",)
    assert step.report == Report(False, mail="=> DNS_CHECK: failed on service <=")


def misc(code: int, timed_out: bool = False) -> Outcome:
    return exited(MISC, code, timed_out)


def test_an_exit_status_is_a_weight() -> None:
    made = course(MISC)
    mail = "=> MISC CHECK succeeded on service <="
    log = (f"Misc check for [{RS} VS {VS}] by [/bin/check] succeeded.",)
    assert play(made, misc(12)) == Step(LOOP, log, Report(True, True, 10, mail=mail), from_start=True)
    assert play(made, misc(12)).report is None
    assert play(made, misc(255)).report == Report(True, weight=253)
    assert play(made, misc(0)).report == Report(True, weight=None)
    assert not exited(replace(MISC, dynamic=False), 2, False).ok


@pytest.mark.parametrize(
    ("outcome", "retry", "said"),
    [
        (misc(1), 0, "failed with retry disabled (exited with status 1)."),
        (misc(-9), 1, "failed after 1 retry (due to signal 9)."),
        (misc(-15, True), 2, "timed out after 2 retries."),
    ],
)
def test_how_a_program_fails_is_said(outcome: Outcome, retry: int, said: str) -> None:
    step = play(course(MISC, retry=retry), outcome)
    assert step.log == (f"Misc check for [{RS} VS {VS}] by [/bin/check] {said}",)
    how = "timed out" if "timed out" in said else "failed"
    assert step.report == Report(False, first=True, mail=f"=> MISC CHECK {how} on service <=")


def test_retries_of_a_program_are_counted_in_the_log() -> None:
    made = course(MISC, log_all_failures=True)
    before = f"Misc check for [{RS} VS {VS}] by [/bin/check] failed"
    assert play(made, misc(0), misc(1)).log == (f"{before}, will do 2 retries (exited with status 1).",)
    step = play(made, misc(1))
    assert step == Step(RETRY, (f"{before} on retry 1/2 (exited with status 1).",), from_start=True)
    assert play(made, misc(1)).log == (f"{before} after 2 retries (exited with status 1).",)
    assert play(made, misc(1)) == Step(LOOP, from_start=True)


def test_a_weight_ends_with_the_check() -> None:
    made = course(MISC, retry=0)
    play(made, misc(7), misc(1))
    assert made.weight is None


@pytest.mark.parametrize(
    ("weight", "reverse", "value", "up", "offset"),
    [
        (1, False, 5, True, 5),
        (2, True, 5, True, -10),
        (0, False, 0, True, 0),
        (0, False, 3, False, 0),
        (0, True, 3, True, 0),
        (0, True, 0, False, 0),
        (1, False, -(2**31), False, 0),
        (2**31 - 1, False, 9, True, 2**31 - 1),
    ],
)
def test_the_number_in_a_file(weight: int, reverse: bool, value: int, up: bool, offset: int) -> None:
    made = course(FileProbe("FILE_CHECK", TrackedFile("f", "/f"), weight, reverse))
    assert isinstance(made, FileCourse)
    assert made.holds(value) == Report(up, first=True, offset=offset)
    assert made.holds(value) is None


def test_a_file_that_changes_the_weight_only_is_reported() -> None:
    made = course(PROBES[8])
    assert isinstance(made, FileCourse)
    made.holds(0)
    assert made.holds(4) == Report(True, offset=4)


def test_a_session_is_up_or_down() -> None:
    made = course(PROBES[9])
    assert isinstance(made, BfdCourse)
    assert made.is_up(True) == Step(0, (f"BFD check of [b] RS({RS}) is UP",), Report(True, first=True))
    assert made.is_up(True) is None
    mail = "=> BFD CHECK b failed on service <="
    assert made.is_up(False) == Step(0, (f"BFD check of [b] RS({RS}) is DOWN",), Report(False, mail=mail))


def test_a_new_timing_goes_on_from_the_old_state() -> None:
    old = course(TCP, retry=5)
    play(old, OK, BAD, BAD, BAD)
    new = course(TCP, retry=2)
    new.adopt(old)
    assert (new.up, new.run, new.retried) == (True, True, 2)
    down = course(WEB)
    play(down, Outcome(True), BAD, BAD, BAD)
    again = course(WEB, retry=1)
    again.adopt(down)
    assert (again.up, again.part) == (False, 1)


def test_a_new_check_counts_as_failed_only_where_things_are_in_doubt() -> None:
    made = course(TCP, alpha=True)
    made.join(doubtful=False)
    assert made.up and play(made, BAD) == Step(RETRY)
    made.join(doubtful=True)
    assert not made.up
