"""Where checks go, from where, and how long they may take: each keyword, for every kind that has it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from keyword_lab import BODIES, FIRST, LOST, OTHER_PORT, PORT, SECOND, KeywordLab, opened, shows, trial

pytestmark = [pytest.mark.netns, pytest.mark.timeout(60)]

KINDS = pytest.mark.parametrize("kind", BODIES)


@pytest.fixture(scope="module")
def lab() -> Iterator[KeywordLab]:
    yield from opened()


def of_all(keyword: str) -> tuple[str, ...]:
    return tuple(f"{kind} {keyword}" for kind in BODIES)


def address_of_visitor(lab: KeywordLab, kind: str, words: str) -> str:
    with trial(lab, kind, words) as made:
        return made.visits()[0].peer[0]


@KINDS
@shows(*of_all("connect_ip"))
def test_connect_ip(lab: KeywordLab, kind: str) -> None:
    for words, address in (("", FIRST), (f"connect_ip {SECOND}", SECOND)):
        with trial(lab, kind, words) as made:
            assert made.visits()[0].at[0] == address
            assert made.reports()[0].up


@KINDS
@shows(*of_all("connect_port"))
def test_connect_port(lab: KeywordLab, kind: str) -> None:
    """Pings have no port, here and in keepalived."""
    for words, port in (("", PORT), (f"connect_port {OTHER_PORT}", OTHER_PORT)):
        with trial(lab, kind, words) as made:
            assert made.visits()[0].at[1] == (0 if kind == "PING_CHECK" else port)
            assert made.reports()[0].up


@KINDS
@shows(*of_all("bindto"))
def test_bindto(lab: KeywordLab, kind: str) -> None:
    assert address_of_visitor(lab, kind, "") == "10.6.1.1"
    assert address_of_visitor(lab, kind, "bindto 10.6.1.2") == "10.6.1.2"


@pytest.mark.parametrize(("kind", "port"), [(kind, 23000 + number) for number, kind in enumerate(BODIES)])
@shows(*of_all("bind_port"))
def test_bind_port(lab: KeywordLab, kind: str, port: int) -> None:
    """For a ping it is the identifier. Without an address it is ignored, as in keepalived."""
    with trial(lab, kind, f"bindto 10.6.1.2\nbind_port {port}") as made:
        assert made.visits()[0].peer == ("10.6.1.2", port)
    with trial(lab, kind, f"bind_port {port}") as made:
        assert made.visits()[0].peer[1] != port


@KINDS
@shows(*of_all("bind_if"))
def test_bind_if(lab: KeywordLab, kind: str) -> None:
    assert address_of_visitor(lab, kind, "bind_if vb") == "10.6.2.1"


@KINDS
@shows(*of_all("fwmark"))
def test_fwmark(lab: KeywordLab, kind: str) -> None:
    assert address_of_visitor(lab, kind, "fwmark 5") == "10.6.2.1"


@KINDS
@shows(*of_all("connect_timeout"))
def test_connect_timeout(lab: KeywordLab, kind: str) -> None:
    with trial(lab, kind, "connect_timeout 0.1", real=LOST, connect_timeout="3600") as made:
        assert not made.reports()[0].up
