"""Where keywords of checkers are tried: from the text of a configuration to packets, in two namespaces.

    checks   va: 10.6.1.1 10.6.1.2   vb: 10.6.2.1   to 10.6.9.0/24 by va; with mark 5, or from vb, by vb
    servers  va: 10.6.1.9            vb: 10.6.2.9   lo: 10.6.9.1 10.6.9.2; what is sent to 10.6.9.3 is lost

``shows`` above a test names the keywords whose effect it shows; ``test_every_keyword`` looks for those that
nobody does.
"""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from itertools import count
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "host"))
sys.path.insert(0, str(Path(__file__).parents[1] / "keepalived"))

from checking_farm import PATIENCE_S, Farm, farm, helped
from kadtext import read
from keyword_servers import PAGE, Notes, PacketServer, PingServer, StreamServer, Visit
from lab import ip, why_not
from spaces import CLONE_NEWNET

from evener.keepalived.compile_lvs import compile_lvs
from evener.keepalived.lvs import checking
from evener.keepalived.lvs.check_plan import Report
from evener.text.diagnostic import Severity

FIRST, SECOND, LOST = "10.6.9.1", "10.6.9.2", "10.6.9.3"
PORT, OTHER_PORT = 8000, 8001
USUAL = {"delay_loop": "3600", "delay_before_retry": "0.01", "warmup": "0", "connect_timeout": "20"}
URL = "url {\npath /a\n}"
BODIES = {
    "TCP_CHECK": "", "HTTP_GET": URL, "SSL_GET": URL, "SMTP_CHECK": "", "SMTP_CHECK/host": "",
    "DNS_CHECK": "", "UDP_CHECK": "require_reply", "PING_CHECK": "",
}  # fmt: skip
PROGRAMS = ("MISC_CHECK", "FILE_CHECK")
shown: dict[str, str] = {}
serial = count()


def shows(*keywords: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """The test shows what these do: ``HTTP_GET/url path``."""

    def note(test: Callable[..., None]) -> Callable[..., None]:
        shown.update(dict.fromkeys(keywords, test.__name__))
        return test

    return note


class KeywordLab:
    """The namespaces. Close it."""

    def __init__(self) -> None:
        name = f"ek{os.getpid()}-{next(serial)}"
        self.here, self.there = f"{name}c", f"{name}s"
        try:
            self._build()
        except BaseException:
            self.close()
            raise

    def _build(self) -> None:
        for namespace in (self.here, self.there):
            ip("netns", "add", namespace)
            ip("link", "set", "lo", "up", namespace=namespace)
        for number, link in enumerate(("va", "vb"), 1):
            peer = ("peer", "name", link, "netns", self.there)
            ip("link", "add", link, "type", "veth", *peer, namespace=self.here)
            for namespace, host in ((self.here, 1), (self.there, 9)):
                ip("addr", "add", f"10.6.{number}.{host}/24", "dev", link, namespace=namespace)
                ip("link", "set", link, "up", namespace=namespace)
            metric = ("metric", str(number))
            ip("route", "add", "10.6.9.0/24", "via", f"10.6.{number}.9", *metric, namespace=self.here)
        ip("addr", "add", "10.6.1.2/24", "dev", "va", namespace=self.here)
        ip("route", "add", "10.6.9.0/24", "via", "10.6.2.9", "table", "5", namespace=self.here)
        ip("rule", "add", "fwmark", "5", "table", "5", namespace=self.here)
        for address in (FIRST, SECOND):
            ip("addr", "add", f"{address}/32", "dev", "lo", namespace=self.there)

    def close(self) -> None:
        for namespace in (self.here, self.there):
            subprocess.run(["ip", "netns", "del", namespace], check=False)

    def deaf(self, deaf: bool) -> None:
        """The servers' kernel does not answer pings."""
        script = f"echo {int(deaf)} >/proc/sys/net/ipv4/icmp_echo_ignore_all"
        subprocess.run(["ip", "netns", "exec", self.there, "sh", "-c", script], check=True)


def opened() -> Iterator[KeywordLab]:
    reason = why_not()
    if reason:
        pytest.skip(reason)
    lab = KeywordLab()
    try:
        yield lab
    finally:
        lab.close()


@contextmanager
def entered(namespace: str) -> Iterator[None]:
    """This thread is in a namespace."""
    setns = ctypes.CDLL(None, use_errno=True).setns
    with open("/proc/thread-self/ns/net", "rb") as old, open(f"/run/netns/{namespace}", "rb") as new:
        if setns(new.fileno(), CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), "setns")
        try:
            yield
        finally:
            setns(old.fileno(), CLONE_NEWNET)


class Trial:
    """A virtual server with one real server and one checker that is being made."""

    def __init__(self, lab: KeywordLab, kind: str, notes: Notes, made: Farm) -> None:
        self._lab, self._kind, self.notes, self.farm = lab, kind, notes, made
        self.ends = ExitStack()
        self._serve()

    def _serve(self) -> None:
        kind = self._kind.partition("/")[0]
        if kind == "PING_CHECK":
            self._lab.deaf(False)
            self.ends.callback(PingServer(self.notes, self._lab.there).close)
        elif kind in BODIES:
            server: Any = PacketServer if kind in ("UDP_CHECK", "DNS_CHECK") else StreamServer
            for at in ((FIRST, PORT), (SECOND, PORT), (FIRST, OTHER_PORT)):
                self.ends.callback(server(self.notes, kind, self._lab.there, at).close)

    def turn_bad(self) -> None:
        self.notes.good = False
        if self._kind == "TCP_CHECK":
            self.ends.close()
        elif self._kind == "PING_CHECK":
            self._lab.deaf(True)

    def use(self, text: str, files: dict[str, str] | None = None) -> None:
        configuration, found = read(text, files=files)
        assert configuration is not None
        assert not [each for each in found if each.severity is Severity.ALERT], list(found)
        self.farm.house.use(compile_lvs(configuration))

    def visits(self, wanted: int = 1) -> list[Visit]:
        """Turn until so many were noted."""
        self.until(lambda: len(self.notes.visits) >= wanted)
        return self.notes.visits

    def reports(self, wanted: int = 1) -> list[Report]:
        return [report for _, report in self.farm.until(wanted)]

    @property
    def lines(self) -> list[str]:
        return self.farm.lines

    @property
    def up(self) -> list[bool]:
        """What checks count as now."""
        return [state.up for state in self.farm.house.states().values()]

    def until(self, done: Callable[[], bool]) -> None:
        end = time.monotonic() + PATIENCE_S
        while time.monotonic() < end:
            if done():
                return
            self.farm.reactor.turn(0.02)
        raise AssertionError(f"visits {self.notes.visits}, said {self.lines}")


def configuration(kind: str, words: str, body: str | None = None, real: str = FIRST, **usual: str) -> str:
    """Of one checker of ``kind``; ``usual`` are settings of the virtual server, in the place of USUAL."""
    body = BODIES[kind] if body is None else body
    outer, _, inner = kind.partition("/")
    inside = f"{inner} {{\n{words}\n}}\n{body}" if inner else f"{words}\n{body}"
    settings = "\n".join(f"{name} {value}" for name, value in {**USUAL, **usual}.items())
    return (
        f"virtual_server 10.0.0.5 80 {{\nprotocol TCP\nlvs_sched rr\nlvs_method NAT\n{settings}\n"
        f"real_server {real} {PORT} {{\n{outer} {{\n{inside}\n}}\n}}\n}}\n"
    )


@contextmanager
def trial(
    lab: KeywordLab,
    kind: str,
    words: str = "",
    *,
    chance: float = 0.0,
    answer: bytes = PAGE,
    before: str = "",
    files: dict[str, str] | None = None,
    **more: Any,
) -> Iterator[Trial]:
    """The checker is being made while this is open."""
    with pytest.MonkeyPatch.context() as patch, farm(chance) as made:
        patch.setattr(checking, "BOOTSTRAP_US", 0)
        one = Trial(lab, kind, Notes(answer), made)
        with one.ends, entered(lab.here), helped(made) if kind in PROGRAMS else nullcontext():
            one.use(before + configuration(kind, words, **more), files)
            yield one
            made.house.close()
