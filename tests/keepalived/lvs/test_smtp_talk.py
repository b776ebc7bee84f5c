"""What is said to a mail server."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evener.keepalived.lvs.smtp_talk import SmtpTalk


def talk(*lines: bytes) -> tuple[SmtpTalk, list[bytes]]:
    made = SmtpTalk(b"me", "[10.0.0.7]:25")
    return made, [made.heard(line) for line in lines]


def test_a_talk() -> None:
    made, said = talk(b"220 hello\r\n", b"250 fine\r\n", b"whatever\n")
    assert said == [b"HELO me\r\n", b"QUIT\r\n", b""]
    assert made.done and not made.failed


def test_lines_may_come_in_pieces() -> None:
    made, said = talk(b"22", b"0 he", b"llo\r", b"\n")
    assert said == [b"", b"", b"", b"HELO me\r\n"]
    assert not made.done


@pytest.mark.parametrize(
    "banner", [b"554 no\n", b"220-more\n", b"220\r\n", b"22 x\n", b"2200 x\n", b"hello\n"]
)
def test_bad_banners(banner: bytes) -> None:
    made, said = talk(banner)
    assert said == [b""]
    assert made.failed == "Bad greeting banner from server [10.0.0.7]:25"


def test_a_bad_answer_to_helo() -> None:
    made, _ = talk(b"220 \n", b"550 go away\n")
    assert made.failed == "Bad HELO response from server [10.0.0.7]:25"


def test_the_code_alone_is_enough() -> None:
    assert talk(b"220\n")[1] == [b"HELO me\r\n"]


@given(st.lists(st.binary(max_size=700), max_size=6))
def test_any_bytes(lines: list[bytes]) -> None:
    made = SmtpTalk(b"me", "x")
    for line in lines:
        if made.done or made.failed:
            break
        assert made.heard(line) in (b"", b"HELO me\r\n", b"QUIT\r\n")
        assert len(made._line) <= 512
