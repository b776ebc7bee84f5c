"""Which kind of check takes which course."""

from __future__ import annotations

from evener.keepalived.lvs.check_plan import Check
from evener.keepalived.lvs.checking import ConnectCourse, Course, Names
from evener.keepalived.lvs.checking_scripts import BfdCourse, FileCourse, MiscCourse
from evener.keepalived.lvs.checking_talks import DnsCourse, SmtpCourse, WebCourse

COURSES: dict[str, type[Course]] = {
    "TCP_CHECK": ConnectCourse,
    "UDP_CHECK": ConnectCourse,
    "PING_CHECK": ConnectCourse,
    "HTTP_GET": WebCourse,
    "SSL_GET": WebCourse,
    "SMTP_CHECK": SmtpCourse,
    "DNS_CHECK": DnsCourse,
    "MISC_CHECK": MiscCourse,
    "FILE_CHECK": FileCourse,
    "BFD_CHECK": BfdCourse,
}


def course_of(check: Check, names: Names) -> Course:
    return COURSES[check.probe.kind](check, names)
