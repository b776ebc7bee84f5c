"""What checks ask and want to hear: the keywords that belong to one kind, or to the web."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from keyword_lab import FIRST, SECOND, URL, KeywordLab, Trial, opened, shows, trial
from keyword_servers import PAGE, Visit

pytestmark = [pytest.mark.netns, pytest.mark.timeout(60)]

WEB = pytest.mark.parametrize("kind", ["HTTP_GET", "SSL_GET"])
BODY = PAGE.rpartition(b"\n")[2]
"""``hello world``"""


@pytest.fixture(scope="module")
def lab() -> Iterator[KeywordLab]:
    yield from opened()


def both(keyword: str) -> tuple[str, str]:
    return f"HTTP_GET{keyword}", f"SSL_GET{keyword}"


def url(words: str) -> str:
    return f"url {{\npath /a\n{words}\n}}"


def visit(lab: KeywordLab, kind: str, words: str = "", body: str | None = None) -> Visit:
    with trial(lab, kind, words, body=body) as made:
        return made.visits()[0]


def is_up(lab: KeywordLab, kind: str, body: str, answer: bytes = PAGE) -> bool:
    with trial(lab, kind, body=body, answer=answer) as made:
        return made.reports()[0].up


# -- the web


@WEB
@shows(*both("/url path"))
def test_path(lab: KeywordLab, kind: str) -> None:
    assert visit(lab, kind, body="url {\npath /b?c=d\n}").heard.startswith(b"GET /b?c=d HTTP/1.0\r\n")


@WEB
@shows(*both(" url"))
def test_several_urls(lab: KeywordLab, kind: str) -> None:
    body = "url {\npath /1\n}\nurl {\npath /2\n}"
    with trial(lab, kind, "alpha", body=body, delay_loop="0.05") as made:
        assert made.reports()[0].up
        assert [one.heard.split()[1] for one in made.visits(2)[:2]] == [b"/1", b"/2"]


@WEB
@shows(*both("/url digest"))
def test_digest(lab: KeywordLab, kind: str) -> None:
    digest = hashlib.md5(BODY).hexdigest()
    assert is_up(lab, kind, url(f"digest {digest}"))
    assert not is_up(lab, kind, url(f"digest {digest[::-1]}"))


@WEB
@shows(*both("/url status_code"))
@pytest.mark.parametrize(
    ("words", "up"),
    [
        ("", False),
        ("status_code 404", True),
        ("status_code 200 400-403", False),
        ("status_code 200 400-404", True),
    ],
)
def test_status_code(lab: KeywordLab, kind: str, words: str, up: bool) -> None:
    assert is_up(lab, kind, url(words), PAGE.replace(b"200 OK", b"404 No")) is up


@WEB
@shows(*both("/url virtualhost"), *both(" virtualhost"))
def test_virtualhost(lab: KeywordLab, kind: str) -> None:
    """That of the url counts before that of the checker."""
    assert b"\r\nHost: 10.6.9.1:8000\r\n" in visit(lab, kind).heard
    assert b"\r\nHost: www.example\r\n" in visit(lab, kind, "virtualhost www.example").heard
    made = visit(lab, kind, "virtualhost www.example", url("virtualhost of.url.example"))
    assert b"\r\nHost: of.url.example\r\n" in made.heard


@WEB
@shows(*both("/url regex"), *both("/url regex_no_match"), *both("/url regex_options"))
@shows(*both("/url regex_min_offset"), *both("/url regex_max_offset"), *both("/url regex_stack"))
@pytest.mark.parametrize(
    ("words", "up"),
    [
        ('regex "l+o w"', True),
        ('regex "good ?bye"', False),
        ('regex "good ?bye"\nregex_no_match', True),
        ('regex "l+o w"\nregex_no_match', False),
        ("regex HELLO", False),
        ("regex HELLO\nregex_options caseless", True),
        ("regex world\nregex_min_offset 6", True),
        ("regex world\nregex_min_offset 7", False),
        ("regex world\nregex_max_offset 6", True),
        ("regex world\nregex_max_offset 5", False),
        ("regex hello\nregex_stack 1024 65536", True),
    ],
)
def test_regex(lab: KeywordLab, kind: str, words: str, up: bool) -> None:
    """A stack is nothing that this matcher needs."""
    assert is_up(lab, kind, url(words)) is up


@WEB
@shows(*both(" http_protocol"))
@pytest.mark.parametrize(
    ("word", "version", "close"), [("1.0", b"1.0", False), ("1.0C", b"1.0", True), ("1.1", b"1.1", True)]
)
def test_http_protocol(lab: KeywordLab, kind: str, word: str, version: bytes, close: bool) -> None:
    heard = visit(lab, kind, f"http_protocol {word}").heard
    assert heard.startswith(b"GET /a HTTP/" + version + b"\r\n")
    assert (b"\r\nConnection: close\r\n" in heard) is close


@WEB
@shows(*both(" fast_recovery"))
def test_fast_recovery(lab: KeywordLab, kind: str) -> None:
    """Urls are asked for without waiting in between."""
    body = "url {\npath /1\n}\nurl {\npath /2\n}"
    with trial(lab, kind, "alpha\nfast_recovery", body=body) as made:  # delay_loop is an hour
        assert made.reports()[0].up
        assert len(made.visits(2)) == 2


@shows(*both(" enable_sni"), *both(" sni_name"))
def test_sni(lab: KeywordLab) -> None:
    assert visit(lab, "SSL_GET", "virtualhost www.example").name is None
    assert visit(lab, "SSL_GET", "virtualhost www.example\nenable_sni").name == "www.example"
    assert visit(lab, "SSL_GET", "virtualhost www.example\nsni_name other.example").name == "other.example"
    assert visit(lab, "SSL_GET", "virtualhost www.example\nsni_name").name == "www.example"
    assert visit(lab, "HTTP_GET", "virtualhost www.example\nenable_sni\nsni_name a.example").name is None


@shows("SSL_GET tls_compliant", "SSL_GET/url tls_compliant")
@pytest.mark.parametrize(
    ("words", "body", "closed"),
    [("", URL, False), ("tls_compliant", URL, True), ("", url("tls_compliant"), True)],
)
def test_tls_compliant(lab: KeywordLab, words: str, body: str, closed: bool) -> None:
    """TLS is closed from this side, too."""
    assert visit(lab, "SSL_GET", words, body).closed is closed


# -- mail, names, packets


@shows("SMTP_CHECK helo_name")
def test_helo_name(lab: KeywordLab) -> None:
    assert visit(lab, "SMTP_CHECK", "helo_name me.example").heard == b"HELO me.example\r\nQUIT\r\n"


@shows("SMTP_CHECK host")
def test_hosts(lab: KeywordLab) -> None:
    """Each is a check of its own."""
    hosts = f"host {{\nconnect_ip {FIRST}\n}}\nhost {{\nconnect_ip {SECOND}\n}}"
    with trial(lab, "SMTP_CHECK", hosts) as made:
        assert {one.at[0] for one in made.visits(2)} == {FIRST, SECOND}
        assert len(made.reports(2)) == 2


@shows("DNS_CHECK type", "DNS_CHECK name")
def test_dns(lab: KeywordLab) -> None:
    """SOA of the root, or what is asked for: a name in labels, a type, the class IN."""
    assert visit(lab, "DNS_CHECK").heard[12:] == b"\0\0\x06\0\x01"
    made = visit(lab, "DNS_CHECK", "type AAAA\nname www.example")
    assert made.heard[12:] == b"\3www\7example\0\0\x1c\0\x01"


@shows("UDP_CHECK payload")
def test_payload(lab: KeywordLab) -> None:
    assert visit(lab, "UDP_CHECK", "payload 00ff6869").heard == b"\0\xffhi"


@shows("UDP_CHECK require_reply", "UDP_CHECK min_reply_length", "UDP_CHECK max_reply_length")
@pytest.mark.parametrize(
    ("words", "answer", "up"),
    [
        ("", b"", True),
        ("require_reply", b"", False),
        ("require_reply", b"hi", True),
        ("require_reply 6869", b"hi there", True),
        ("require_reply 6869", b"ho there", False),
        ("require_reply 68x9", b"h(", False),
        ("require_reply 68x9", b"hy", True),
        ("require_reply 6869\nmin_reply_length 3", b"hi", False),
        ("require_reply 6869\nmin_reply_length 2", b"hi", True),
        ("require_reply 6869\nmax_reply_length 3", b"hiya", False),
        ("require_reply 6869\nmax_reply_length 4", b"hiya", True),
    ],
)
def test_replies(lab: KeywordLab, words: str, answer: bytes, up: bool) -> None:
    with trial(
        lab, "UDP_CHECK", "connect_timeout 0.3" if not answer else "", body=words, answer=answer
    ) as made:
        assert made.reports()[0].up is up


# -- programs, files, sessions


def program(text: str) -> str:
    return f"misc_path \"/bin/sh -c '{text}'\""


@shows("MISC_CHECK misc_path")
def test_misc_path(lab: KeywordLab, tmp_path: Path) -> None:
    """With its arguments."""
    script = tmp_path / "check"
    script.write_text(f'#!/bin/sh\necho "$#:$1:$2" >{tmp_path}/told\n')
    script.chmod(0o755)
    with trial(lab, "MISC_CHECK", f"misc_path \"{script} one 'two three'\"", body="") as made:
        assert made.reports()[0].up
    assert (tmp_path / "told").read_text() == "2:one:two three\n"


@shows("MISC_CHECK misc_timeout")
def test_misc_timeout(lab: KeywordLab) -> None:
    with trial(lab, "MISC_CHECK", "misc_timeout 1", body=program("exec sleep 60")) as made:
        assert not made.reports()[0].up
        assert "timed out" in made.lines[-1]


@shows("MISC_CHECK misc_dynamic")
@pytest.mark.parametrize(
    ("words", "code", "up", "weight"),
    [
        ("", 12, False, None),
        ("misc_dynamic", 12, True, 10),
        ("misc_dynamic", 1, False, None),
        ("misc_dynamic", 2, True, 0),
    ],
)
def test_misc_dynamic(lab: KeywordLab, words: str, code: int, up: bool, weight: int | None) -> None:
    with trial(lab, "MISC_CHECK", words, body=program(f"exit {code}")) as made:
        report = made.reports()[0]
        assert (report.up, report.weight) == (up, weight)


@shows("MISC_CHECK user")
@pytest.mark.parametrize("words", ["", "user root", "user nobody", "user nobody root"])
def test_user(lab: KeywordLab, words: str) -> None:
    ids = {"user nobody": "65534:65534", "user nobody root": "65534:0"}.get(words, "0:0")
    with trial(lab, "MISC_CHECK", words, body=program(f"test $(id -u):$(id -g) = {ids}")) as made:
        assert made.reports()[0].up


TRACK = "track_file f {{\nfile {}\n{}\n}}\n"


def tracked(lab: KeywordLab, path: Path, words: str, number: int, own: str = "") -> tuple[bool, int]:
    path.write_text(f"{number}\n")
    before = TRACK.format(path, own)
    with trial(lab, "FILE_CHECK", "track_file f", body=words, before=before) as made:
        report = made.reports()[0]
        return report.up, report.offset


@shows("FILE_CHECK track_file")
def test_track_file(lab: KeywordLab, tmp_path: Path) -> None:
    """The number is added to the weight; when the file changes, again."""
    path = tmp_path / "f"
    path.write_text("3\n")
    with trial(lab, "FILE_CHECK", "track_file f\nweight 1", body="", before=TRACK.format(path, "")) as made:
        assert made.reports()[0].offset == 3
        (tmp_path / "new").write_text("-7\n")
        (tmp_path / "new").replace(path)
        assert made.reports(2)[1].offset == -7


@shows("FILE_CHECK weight")
@pytest.mark.parametrize(
    ("words", "own", "number", "found"),
    [
        ("weight 5", "", 3, (True, 15)),
        ("weight 5 reverse", "", 3, (True, -15)),
        ("weight -2", "", 3, (True, -6)),
        ("", "weight 4", 3, (True, 12)),
        ("weight 5", "weight 4", 3, (True, 15)),
        ("weight 0", "", 1, (False, 0)),
        ("weight 0", "", 0, (True, 0)),
        ("weight 0 reverse", "", 0, (False, 0)),
    ],
)
def test_weight_of_files(
    lab: KeywordLab, tmp_path: Path, words: str, own: str, number: int, found: object
) -> None:
    assert tracked(lab, tmp_path / "f", words, number, own) == found


SESSION = "bfd_instance b {\nneighbor_ip 10.6.1.9\nsource_ip 10.6.1.1\n}\n"


@shows("BFD_CHECK name")
def test_sessions(lab: KeywordLab) -> None:
    with session(lab, "name b") as made:
        made.farm.house.bfd("other", False)
        made.farm.house.bfd("b", False)
        assert [report.up for report in made.reports()] == [False]


@shows("BFD_CHECK alpha")
def test_alpha_of_sessions(lab: KeywordLab) -> None:
    for words, up in (("", True), ("alpha", False)):
        with session(lab, f"name b\n{words}") as made:
            assert made.up == [up]


def session(lab: KeywordLab, words: str) -> AbstractContextManager[Trial]:
    return trial(lab, "BFD_CHECK", words, body="", before=SESSION)
