"""What the flags of haproxy's command line change in the running process; the figures are the reference's."""

import os
import re

import pytest
from place import Place, children_of, eventually

pytest.importorskip("evener.engine.core")

ROOT_ONLY = pytest.mark.skipif(os.geteuid() != 0, reason="changing root directory and user needs root")


@pytest.mark.parametrize(
    ("words", "process", "proxy"),
    [
        (("-n", "100"), "100", "100"),
        (("-n", "100", "-N", "200"), "100", "200"),
        (("-n", "100", "-N", "50"), "100", "50"),
        (("-m", "33"), "930", "930"),
        (("-m", "33", "-N", "20"), "930", "20"),
    ],
)
def test_limits_from_the_command_line(place: Place, words: tuple[str, ...], process: str, proxy: str) -> None:
    """The figures are those of the reference's ``show info`` and ``show stat`` with the same words."""
    place.serving(*words)
    info = dict(line.split(": ", 1) for line in place.ask("show info").splitlines() if ": " in line)
    assert (info["Maxconn"], info["Hard_maxconn"]) == (process, process)
    rows = [line.split(",") for line in place.ask("show stat").splitlines()]
    assert [row[6] for row in rows if row[:2] == ["f", "FRONTEND"]] == [proxy]


def test_the_local_peer_from_the_command_line(place: Place) -> None:
    place.serving("-L", "peerX")
    assert "HAPROXY_LOCALPEER=peerX" in place.ask("show env HAPROXY_LOCALPEER")


def start_up(place: Place, *words: str) -> str:
    """Everything that is said until the first answer."""
    place.serving("-db", *words)
    return place.out()


def test_verbose_says_what_it_works_with(place: Place) -> None:
    out = start_up(place, "-V")
    assert re.search(r"^ +epoll : pref=300,  test result OK$", out, re.MULTILINE)
    assert "will use epoll.\n" in out
    listed = out.partition("Available filters :\n")[2].splitlines()
    assert {"\t[BWLIM] bwlim-in", "\t[CACHE] cache", "\t[COMP] compression"} <= set(listed)
    assert "Using epoll() as the polling mechanism.\n" in out


def test_quiet_says_nothing_not_even_of_a_failed_check(place: Place) -> None:
    place.write(server="server s1 127.0.0.1:9 check inter 50ms")
    place.serving("-db", "-q")
    eventually(lambda: ",DOWN," in place.ask("show stat b 4 -1"), "a failed check")
    assert place.out() == ""


def test_verbose_wins_over_quiet(place: Place) -> None:
    place.write(extra="quiet")
    assert "Automatically setting global.maxconn" in start_up(place, "-V")


@ROOT_ONLY
@pytest.mark.parametrize(
    ("extra", "told"),
    [
        ("", ["without any 'chroot' directive", "started as the root user"]),
        ("chroot /", ["started as the root user"]),
        ("uid 0", ["without any 'chroot' directive"]),
        ("chroot /\n    user root", []),
    ],
)
def test_privileges_that_are_kept_without_a_word(place: Place, extra: str, told: list[str]) -> None:
    place.write(extra=extra)
    warnings = re.findall(r"\[WARNING\] .*main\(\)\] (.*)", start_up(place))
    assert len(warnings) == len(told)
    assert all(part in warning for part, warning in zip(told, warnings, strict=True))


@ROOT_ONLY
def test_a_jail_without_a_name(place: Place) -> None:
    place.write(extra="chroot auto\n    user nobody", server="server s1 127.0.0.1:9 check inter 50ms")
    process = place.serving("-db")
    for one in (process.pid, *children_of(process.pid)):
        assert os.readlink(f"/proc/{one}/root").endswith(" (deleted)")
        assert os.listdir(f"/proc/{one}/root") == []
    eventually(lambda: ",DOWN," in place.ask("show stat b 4 -1"), "a failed check")
    assert b" 503 " in place.get("/b")
