"""The conversation with a mail server: answers that are none, too many, too long or too late."""

from __future__ import annotations

import pytest

from evener.keepalived.vrrp.mail_talk import MOST_ANSWER, MailTalk
from evener.keepalived.vrrp.plan import Mail

MAIL = Mail("192.0.2.1", 25, "", ("Admin <admin@example.com>", "b@example.com"), "")
ANSWERS = (
    b"220 hi",
    b"250-here\r\n250 it is",
    b"250 ok",
    b"250 ok",
    b"250 ok",
    b"354 go on",
    b"250 ok",
    b"221 bye",
)
SAID = [
    b"HELO me.example\r\n", b"MAIL FROM:<me@example.com>\r\n", b"RCPT TO:<admin@example.com>\r\n",
    b"RCPT TO:<b@example.com>\r\n", b"DATA\r\n", b"Subject: x\r\n\r\n..body\r\n\r\n.\r\n", b"QUIT\r\n", b"",
]  # fmt: skip
WRONG = "Error processing {} cmd on SMTP server [192.0.2.1]:25. SMTP status code = {}"


def talk() -> MailTalk:
    return MailTalk(MAIL, "[192.0.2.1]:25", "me@example.com", "me.example", b"Subject: x\r\n\r\n.body\r\n")


def noted(talk: MailTalk) -> list[str]:
    return [note.text for note in talk.notes if not note.detail]


def test_a_mail_is_taken() -> None:
    it = talk()
    assert [it.heard(answer + b"\r\n") for answer in ANSWERS] == SAID
    assert it.sent and it.done and not noted(it)
    assert it.notes[-1] == ("SMTP alert successfully sent.", True)


def test_it_may_come_byte_by_byte() -> None:
    it = talk()
    answers = b"".join(answer + b"\r\n" for answer in ANSWERS)
    assert b"".join(it.heard(bytes([byte])) for byte in answers) == b"".join(SAID)
    assert it.sent and it.done


@pytest.mark.parametrize(
    ("place", "name"),
    list(enumerate(("(E)SMTP", "HELO", "MAIL", "RCPT", "RCPT", "DATA", "BODY"))),
)
def test_another_answer_ends_it(place: int, name: str) -> None:
    it = talk()
    for answer in ANSWERS[:place]:
        it.heard(answer + b"\r\n")
    assert it.heard(b"451 later\r\n") == b"QUIT\r\n"
    assert noted(it) == [WRONG.format(name, 451)]
    assert it.heard(b"221 bye\r\n") == b"" and it.done and not it.sent


def test_no_code_and_no_end() -> None:
    it = talk()
    assert it.heard(b"\xd9\xa1\xd9\xa2\xd9\xa3 hello\n") == b"QUIT\r\n"
    assert noted(it) == [WRONG.format("(E)SMTP", -1)]
    it = talk()
    assert it.heard(b"x" * (MOST_ANSWER + 1)) == b"QUIT\r\n"
    assert it.heard(b"x" * (MOST_ANSWER + 1)) == b"" and it.done


def test_silence_and_the_end() -> None:
    it = talk()
    assert it.late() == b"QUIT\r\n"
    assert it.late() == b"" and it.done
    assert noted(it) == ["Timeout reading data to remote SMTP server [192.0.2.1]:25."] * 2
    it = talk()
    it.ended()
    assert noted(it) == ["Remote SMTP server [192.0.2.1]:25 has closed the connection."] and it.done
