"""Random scenarios (``dice``) played to a reference and to evener; also a command:

    python tests/differential/rolled.py 0 200 [HAPROXY]

plays those numbers to evener and to that HAProxy (Debian's unless named), prints what differs, and how many.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

sys.path.insert(0, str(Path(__file__).parent))
from dice import FILES, Case, Dice
from pair import Stand, await_service, neutral, read_response

HEAD: Final = """
global
    log @LOG@ local0
    nbthread 1
    expose-experimental-directives
defaults
    mode http
    log global
    timeout connect 300ms
    timeout client 2s
    timeout server 2s
    retries 0
http-errors mine
    errorfile 403 @DIR@/403.http
    errorfile 404 @DIR@/404.http
    errorfile 503 @DIR@/503.http
userlist ul
    group g1 users u
    user u insecure-password p
    user foo insecure-password bar
backend tab
    stick-table type ip size 100 expire 1h store gpc0,gpt0,http_req_cnt,sess_cnt
frontend main
    bind @MAIN_FD@
    log-format "%HU %ST"
    http-request return status 299
backend be0
    server s1 @ORIGIN@
"""
PORT: Final = re.compile(r":\d{4,5}\b")
ALERT: Final = re.compile(r"\[ALERT\][^\n]*\[[^\]\n]*cfg:(\d+)\]")


def section(kind: str, name: str, lines: Sequence[str]) -> list[str]:
    return [f"{kind} {name}", *(f"    {line}" for line in lines)]


def template(cases: dict[str, Case]) -> str:
    lines = HEAD.split("\n")
    for name, case in cases.items():
        lines += section("frontend", name, [f"bind @{name.upper()}_FD@", *case.front])
        lines += section("backend", f"{name}b", case.back)
    return "\n".join(lines) + "\n"


def accepted(programs: Sequence[Sequence[str]], text: str, folder: Path) -> str:
    """Without the lines that one of the programs refuses."""
    lines = text.split("\n")
    for _ in range(100):
        (folder / "cfg").write_text(re.sub(r"@[A-Z0-9_]+@", "127.0.0.1:9", "\n".join(lines)))
        refused: set[int] = set()
        for program in programs:
            command = [*program, "-c", "-f", str(folder / "cfg")]
            said = subprocess.run(command, capture_output=True, text=True)
            refused |= {int(number) for number in ALERT.findall(said.stderr)}
            assert refused or said.returncode == 0, said.stderr
        if not refused:
            return "\n".join(lines)
        for number in refused:
            lines[number - 1] = ""
    raise AssertionError("never accepted")


def play(stand: Stand, front: str, case: Case) -> dict[str, Any]:
    """What the client and the server hear, and the log lines."""
    stand.origin.answer, stand.origin.close_after = case.answer, False
    stand.origin.received.clear()
    heard: list[bytes | None] = []
    for requests in case.visits:
        with stand.connect(front) as peer:
            data = bytearray()
            for request in requests:
                peer.sendall(request)
                one = final(peer, data, request.startswith(b"HEAD "))
                heard.append(one)
                if one is None or b"\r\nconnection: close\r\n" in one:
                    break
    lines = [PORT.sub(":P", line) for line in stand.lines()]
    return {"client": heard, "origin": [neutral(bytes(got)) for got in stand.origin.received], "log": lines}


def final(peer: Any, data: bytearray, head: bool) -> bytes | None:
    """A response with the interim ones before it; None when the connection has ended."""
    before = b""
    while (one := read_response(peer, data, head)) is not None:
        before += neutral(one)
        if not one.startswith((b"HTTP/1.1 1", b"HTTP/1.0 1")):
            return before
    return before or None


@contextmanager
def stands(
    programs: dict[str, Sequence[str]], numbers: Sequence[int], folder: Path
) -> Iterator[tuple[dict[str, Stand], dict[str, Case]]]:
    """Each program with one configuration for all those scenarios."""
    for name, text in FILES.items():
        (folder / name).write_text(text)
    cases = {f"r{number}": Dice(number).case(f"r{number}") for number in numbers}
    text = template(cases).replace("@DIR@", str(folder))
    text = accepted(list(programs.values()), text, folder)
    made: dict[str, Stand] = {}
    try:
        for name, command in programs.items():
            (folder / name).mkdir()
            made[name] = Stand(command, text, ["main", *cases], folder / name)
        for stand in made.values():
            await_service(stand)
        yield made, cases
    finally:
        for stand in made.values():
            stand.stop()


EVENER: Final = [sys.executable, "-m", "evener.cli.haproxy"]


def main(first: int, last: int, reference: str) -> None:
    differing = 0
    for start in range(first, last, 25):
        numbers = range(start, min(start + 25, last))
        programs: dict[str, Sequence[str]] = {"reference": [reference], "evener": EVENER}
        with (
            tempfile.TemporaryDirectory() as folder,
            stands(programs, numbers, Path(folder)) as (both, cases),
        ):
            for name, case in cases.items():
                expected, seen = (play(both[program], name, case) for program in programs)
                differing += seen != expected
                for what in seen:
                    if seen[what] != expected[what]:
                        print(f"{name} {what}\n  reference {expected[what]}\n  evener    {seen[what]}")
    print(f"{last - first} scenarios, {differing} differ")


if __name__ == "__main__":
    given = sys.argv[3] if len(sys.argv) > 3 else shutil.which("haproxy", path="/usr/sbin:/usr/bin")
    assert given, "no haproxy"
    main(int(sys.argv[1]), int(sys.argv[2]), given)
