"""Questions and answers of DNS, and packets that pretend to be answers."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evener.wire import dns

ASKED = dns.question(0x1234, "www.example", "A")
RECORD = b"\xc0\x0c\0\x01\0\x01\0\0\0\x3c\0\x04\x0a\0\0\x01"


def answer(
    flags: int = 0x8180, answers: int = 1, rest: bytes = RECORD, question: bytes = ASKED[12:]
) -> bytes:
    return (
        ASKED[:2]
        + flags.to_bytes(2, "big")
        + b"\0\x01"
        + answers.to_bytes(2, "big")
        + bytes(4)
        + question
        + rest
    )


def test_a_question() -> None:
    assert ASKED == b"\x12\x34\x01\x00\0\x01\0\0\0\0\0\0\x03www\x07example\0\0\x01\0\x01"
    assert dns.question(1, "", "SOA")[12:] == b"\0\0\x06\0\x01"
    assert dns.question(1, "a.", "DNSKEY")[12:] == b"\x01a\0\0\x30\0\x01"


@pytest.mark.parametrize("name", ["a..b", ".a", "..", "a" * 64, ".".join(["abc"] * 64)])
def test_names_that_cannot_be_asked_for(name: str) -> None:
    with pytest.raises(dns.BadName):
        dns.question(1, name, "A")


def test_answers() -> None:
    assert dns.code(ASKED, answer()) == 0
    assert dns.code(ASKED, answer(0x8183, 0, b"")) == 3
    assert dns.code(ASKED, answer(question=ASKED[12:].upper())) == 0, "servers may answer in capitals"
    assert dns.code(ASKED, answer() + b"and more") == 0


@pytest.mark.parametrize(
    "packet",
    [
        b"",
        ASKED,
        b"\0\0" + answer()[2:],
        answer()[:11],
        answer(question=dns.question(0, "other.example", "A")[12:]),
        answer(question=dns.question(0, "www.example", "MX")[12:]),
    ],
)
def test_what_is_not_the_answer(packet: bytes) -> None:
    assert dns.code(ASKED, packet) is None


@pytest.mark.parametrize(
    "packet",
    [
        answer(answers=2),
        answer(rest=RECORD[:-1]),
        answer(rest=b"\xc0\x1d" + RECORD[2:]),
        answer(rest=b"\xc0\xff" + RECORD[2:]),
        answer(rest=b"\x01a\xc0\x1d" + RECORD[2:]),
        answer(rest=b"\x40" * 100),
        answer(rest=b"\x3f" + b"a" * 63 + (b"\x3f" + b"a" * 63) * 4 + b"\0" + RECORD[2:]),
    ],
)
def test_answers_that_make_no_sense(packet: bytes) -> None:
    with pytest.raises(dns.BadAnswer):
        dns.code(ASKED, packet)


@given(st.binary(max_size=600))
def test_any_bytes_are_read_or_refused(rest: bytes) -> None:
    for packet in (rest, answer(rest=rest), ASKED[:2] + b"\x81\x80" + rest):
        try:
            code = dns.code(ASKED, packet)
        except dns.BadAnswer:
            continue
        assert code is None or 0 <= code <= 15


def chained(hops: int) -> bytes:
    """An answer whose second record has a name that is a chain of so many pointers."""
    start = len(ASKED) + 12
    chain = b"".join(
        (0xC000 | (start + 2 * at - 2 if at else 12)).to_bytes(2, "big") for at in range(hops - 1)
    )
    first = RECORD[:10] + len(chain).to_bytes(2, "big") + chain
    last = (0xC000 | (start + len(chain) - 2)).to_bytes(2, "big")
    return answer(answers=2, rest=first + last + RECORD[2:])


def test_a_chain_of_pointers_has_an_end() -> None:
    assert dns.code(ASKED, chained(3)) == 0
    assert dns.code(ASKED, chained(dns.HOPS)) == 0
    with pytest.raises(dns.BadAnswer):
        dns.code(ASKED, chained(dns.HOPS + 1))


def test_a_packet_that_nobody_may_send_is_not_read() -> None:
    with pytest.raises(dns.BadAnswer):
        dns.code(ASKED, answer(answers=9999, rest=RECORD * 4000))
