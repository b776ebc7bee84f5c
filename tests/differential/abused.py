"""Hostile scenarios (``abuse``) played to references and to evener; also a command:

    python tests/differential/abused.py 0 1000 [HAPROXY ...]

plays those numbers to evener and to these HAProxies (Debian's unless named), and prints where evener does
what none of them does, and how many. Many are played at once: each is connected to an address of its own,
127.x.x.x, and so is its server (``server s 0.0.0.0``). Timeouts end what nobody ends.
"""

from __future__ import annotations

import contextlib
import re
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Final

sys.path.insert(0, str(Path(__file__).parent))
from abuse import Abuse, scenario

EVENER: Final = [sys.executable, "-m", "evener.cli.haproxy"]
SECONDS: Final = 5.0
QUIET: Final = 0.04  # seconds after which a server takes what it got for a request
HEAD: Final = """
global
    log @LOG@ local0
    nbthread 1
    expose-experimental-directives
    h1-case-adjust x-a X-A
    h1-case-adjust content-length CONTENT-Length
    h1-case-adjust transfer-encoding Transfer-ENCODING
    h1-case-adjust connection CONNection
    h1-case-adjust host HOST
    @GLOBAL@
defaults
    mode http
    log global
    timeout connect 300ms
    timeout client 400ms
    timeout server 800ms
    timeout http-request 400ms
    timeout http-keep-alive 300ms
    retries 0
    http-reuse never
    no option abortonclose
"""
FORMAT: Final = '"%ft %fi|%b|%s|%ST|%tsc|%rc|%{+Q}r|%hr|%hs|%CC|%CS"'
COUNTED: Final = FORMAT[:-1] + '|%U|%B"'
TCP_FORMAT: Final = '"%ft %fi|%b|%s|%ts|%rc|%U|%B"'
UNSAFE: Final = "option accept-invalid-http-request"
LOOSE: Final = "option accept-invalid-http-response"
ESCAPED: Final = (
    "%[path] %[query] %[url] %[base] %[req.hdr(x-a)] %[req.ver] %[method] %[req.body_len] %[req.hdr_cnt()]"
)
DECODED: Final = "%[url_param(i),url_dec]"
KINDS: Final = (
    "fragment-encode", "fragment-strip", "path-merge-slashes", "path-strip-dot", "path-strip-dotdot",
    "path-strip-dotdot full", "percent-decode-unreserved", "percent-decode-unreserved strict",
    "percent-to-uppercase", "percent-to-uppercase strict", "query-sort-by-name",
)  # fmt: skip
#: Lines of the frontend and of the backend.
FRONTS: Final[dict[str, tuple[str, str]]] = {
    "plain": ("capture request header x-a len 10\n capture response header x-a len 9", ""),
    "counted": ("", ""),
    "loose": (UNSAFE, LOOSE),
    "buffer": ("option http-buffer-request", ""),
    "closing": ("option httpclose", "option httpclose"),
    "svclose": ("option http-server-close", ""),
    "abort": ("option abortonclose", "option abortonclose"),
    "nodelay": ("option http-no-delay", "option http-no-delay"),
    "case": ("option h1-case-adjust-bogus-client", "option h1-case-adjust-bogus-server"),
    "seen": (
        f'http-request set-header x-seen "{ESCAPED}"',
        'http-response set-header x-saw "%[status] %[res.hdr(x-a)] %[res.hdr_cnt()]"',
    ),
    "rules": (
        "http-request set-header x-a %[url_param(b),url_dec]\n http-request replace-header x-b (.*) <\\1>\n"
        "http-response add-header x-a 5",
        "http-request del-header x-b\n http-response del-header set-cookie",
    ),
    "strict": ("option http-restrict-req-hdr-names reject", ""),
    "delete": ("option http-restrict-req-hdr-names delete", ""),
    "logged": ("option logasap\n option contstats", ""),
    "forward": ("option forwardfor\n option originalto", "option http-pretend-keepalive"),
    "probes": ("option http-ignore-probes\n option dontlognull", ""),
    "wait": ("http-request wait-for-body time 200ms", ""),
    "deny": ("http-request deny if METH_POST", ""),
    "answer": ("http-request return status 200 content-type text/plain string hi hdr x-u %[url]", ""),
    "moved": ("http-request redirect location http://b%[url] code 302", ""),
    "moveto": ("http-request redirect prefix /p code 307", ""),
    "cookie": ("", "cookie SRV insert indirect"),
    "tcp": ("mode tcp", "mode tcp"),
    "switch": (
        "mode tcp\n tcp-request inspect-delay 300ms\n tcp-request content switch-mode http if HTTP",
        "",
    ),
    "decoded": (
        f"unique-id-format <{DECODED}>\n unique-id-header x-uid\n"
        "http-request set-var(txn.v) url_param(i),url_dec\n"
        f"http-request set-var-fmt(txn.w) {DECODED}\n"
        "http-request capture url_param(i),url_dec len 30\n"
        "http-request set-header x-a %[var(txn.v)]\n"
        "http-request set-header x-w %[var(txn.w),hex]\n"
        "http-request set-header x-c %[capture.req.hdr(0),hex]\n"
        "http-request set-header x-m yes if { var(txn.v) -m str a }\n"
        'log-format "%ft %fi|%hr|%ID|%[var(txn.v)]|%{+Q}[var(txn.v)]|%{+E}[var(txn.v)]|%{+Q}r"',
        "",
    ),
    "numbers": (
        "http-request set-header x-h %[req.hdr_val(x-n)]\n http-request set-header x-c %[req.cook_val(c)]\n"
        "http-request set-header x-p %[urlp_val(i)]\n http-request set-header x-i <%[url_ip]|%[url_port]>",
        "",
    ),
    "replied": (
        f"http-request return status 200 hdr x-h {DECODED} if {{ path /return }}\n"
        f"http-request deny hdr x-h {DECODED} if {{ path /deny }}\n"
        f"http-request redirect location /{DECODED}x if {{ path /location }}\n"
        "http-request set-var(txn.v) url_param(i),url_dec\n"
        "http-after-response set-header x-a <%[var(txn.v)]>",
        "",
    ),
    "upgraded": ("mode tcp", ""),
    "inspected": (
        "mode tcp\n tcp-request inspect-delay 300ms\n tcp-request content accept if HTTP",
        "mode tcp",
    ),
    "refused": (
        "mode tcp\n tcp-request inspect-delay 300ms\n tcp-request content reject if !HTTP",
        "mode tcp",
    ),
    "looked": (
        "mode tcp\n tcp-request inspect-delay 300ms\n tcp-request content reject if { path_beg /deny }\n"
        "tcp-request content reject if { req.hdr(x-a) -m found }\n"
        "tcp-request content reject if { method POST }",
        "mode tcp",
    ),
    "content": ("tcp-request inspect-delay 200ms\n tcp-request content accept if HTTP", ""),
    "proto": ("", "balance uri"),
    "param": ("", "balance url_param b check_post"),
    "retry": ("", "retry-on all-retryable-errors\n retries 1"),
    **{
        f"n{kind.replace(' ', '').replace('-', '')}": (f"http-request normalize-uri {kind}", "")
        for kind in KINDS
    },
    "lall": (UNSAFE + "".join(f"\n http-request normalize-uri {kind}" for kind in KINDS[:7]), LOOSE),
}


def template(fronts: Sequence[str]) -> str:
    parts = [HEAD, f"frontend mark\n bind @MARK@\n log-format {FORMAT}\n http-request return status 200\n"]
    for name in fronts:
        front, back = FRONTS[name]
        server = "server s 0.0.0.0:@ORIGIN@" + (" cookie c" if name == "cookie" else "")
        log = COUNTED if name in ("counted", "logged") else TCP_FORMAT if "mode tcp" in front else FORMAT
        parts.append(
            f"frontend {name}\n bind @{name}@\n log-format {log}\n {front}\n default_backend {name}_b\n"
        )
        parts.append(f"backend {name}_b\n {back}\n {server}\n")
    return "".join(parts)


class Player:
    """One program, with a server that answers to the address it was called by."""

    def __init__(self, command: Sequence[str], more: str = "", fronts: Sequence[str] = tuple(FRONTS)) -> None:
        self.fronts, self.cases = list(fronts), dict[str, Abuse]()
        self.seen = dict[str, list[bytes]]()
        self.origin = socket.create_server(("0.0.0.0", 0), backlog=512)
        threading.Thread(target=self.accept, daemon=True).start()
        self.log = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.log.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 23)
        self.log.bind(("127.0.0.1", 0))
        self.log.settimeout(SECONDS)
        self.doors = {name: socket.create_server(("0.0.0.0", 0), backlog=512) for name in ("MARK", *fronts)}
        values = {name: f"fd@{door.fileno()}" for name, door in self.doors.items()} | {
            "LOG": f"127.0.0.1:{self.log.getsockname()[1]}",
            "ORIGIN": str(self.origin.getsockname()[1]),
            "GLOBAL": more,
        }
        self.folder = Path(tempfile.mkdtemp(prefix="abused-"))
        config = self.folder / "cfg"
        config.write_text(re.sub(r"@(\w+)@", lambda found: values[found[1]], template(fronts)))
        self.marks = 0
        with (self.folder / "out").open("wb") as out:
            self.process = subprocess.Popen(
                [*command, "-db", "-f", str(config)],
                stdout=out,
                stderr=subprocess.STDOUT,
                pass_fds=[door.fileno() for door in self.doors.values()],
            )
        self.lines()

    def accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                peer, _ = self.origin.accept()
                threading.Thread(target=self.serve, args=(peer,), daemon=True).start()

    def serve(self, peer: socket.socket) -> None:
        address = peer.getsockname()[0]
        case = self.cases.get(address)
        if case is None:
            peer.close()
            return
        kept = self.seen[address]
        number = len(kept)
        kept.append(b"")
        with peer, contextlib.suppress(OSError):
            answers = list(case.answers)
            while True:
                peer.settimeout(QUIET if answers and kept[number] else SECONDS)
                try:
                    got = peer.recv(65536)
                except TimeoutError:
                    if not answers:
                        return
                    peer.sendall(answers.pop(0))
                    if not answers and case.server_end != "stay":
                        kept[number] += b"<OVER>"
                        leave(peer, case.server_end)
                        if case.server_end != "shut":
                            return
                    continue
                except ConnectionError:
                    kept[number] += b"<RST>"
                    return
                if not got:
                    kept[number] += b"<EOF>"
                    return
                kept[number] += got

    def play(self, address: str, case: Abuse) -> bytes:
        self.cases[address], self.seen[address] = case, []
        with socket.socket() as peer, contextlib.suppress(OSError):
            peer.settimeout(SECONDS)
            peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            peer.connect((address, self.doors[case.front].getsockname()[1]))
            end = b""
            with contextlib.suppress(ConnectionError):
                for number, piece in enumerate(case.pieces):
                    if number:
                        time.sleep(QUIET / 4)
                    peer.sendall(piece)
                if case.end == "reset":
                    time.sleep(QUIET / 4)
                    leave(peer, "reset")
                    return b"<LEFT>"
                if case.end == "shut":
                    leave(peer, "shut")
            data = b""
            try:
                while got := peer.recv(65536):
                    data += got
                end = b"<EOF>"
            except ConnectionError:
                end = b"<RST>"
            except TimeoutError:
                end = b"<SILENCE>"
            return data + end
        return b"<GONE>"

    def lines(self) -> list[str]:
        """The log lines of what came before now."""
        self.marks += 1
        limit = time.monotonic() + 4 * SECONDS
        while True:
            assert self.process.poll() is None and time.monotonic() < limit, (self.folder / "out").read_text()
            with (
                contextlib.suppress(OSError),
                socket.create_connection(self.doors["MARK"].getsockname(), timeout=SECONDS) as peer,
            ):
                peer.sendall(b"GET /mark/%d HTTP/1.1\r\nhost: m\r\nconnection: close\r\n\r\n" % self.marks)
                while peer.recv(65536):
                    pass
                break
            time.sleep(0.05)
        found: list[str] = []
        while True:
            line = self.log.recv(65536).decode("latin-1").split(": ", 1)[1].rstrip("\n")
            if f"/mark/{self.marks} " in line:
                return found
            if not line.startswith("mark "):
                found.append(line)

    def run(self, cases: dict[str, Abuse], at_once: int) -> dict[str, dict[str, list[str]]]:
        """What is seen of each case, by address."""
        with ThreadPoolExecutor(at_once) as pool:
            heard = dict(zip(cases, pool.map(self.play, cases, cases.values()), strict=True))
        time.sleep(1.0)
        logged: dict[str, list[str]] = {}
        for line in self.lines():
            front, rest = line.split(" ", 1)
            address, rest = rest.split("|", 1)
            logged.setdefault(address, []).append(f"{front}|{rest}")
        return {
            address: {
                "client": [plain(heard[address], address)],
                "origin": [ended(plain(got, address), case.front) for got in self.seen.pop(address)],
                "log": [line.replace(address, "@") for line in logged.get(address, [])],
            }
            for address, case in cases.items()
        }

    def stop(self) -> None:
        self.process.kill()
        self.process.wait()
        self.log.close()
        self.origin.close()
        for door in self.doors.values():
            door.close()
        shutil.rmtree(self.folder, ignore_errors=True)


def leave(peer: socket.socket, how: str) -> None:
    if how == "shut":
        with contextlib.suppress(OSError):
            peer.shutdown(socket.SHUT_WR)
        return
    if how == "reset":
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    peer.close()


def plain(data: bytes, address: str) -> str:
    text = data.decode("latin-1").replace(address, "@")
    return re.sub(r"(?i)(\r\ndate: )\w{3}, [^\r]*GMT", r"\1@", text)


def ended(text: str, front: str) -> str:
    """What a server saw: how an HTTP connection ends is a question of what was still to be read."""
    return text if front == "tcp" else text.replace("<RST>", "<EOF>")


@contextmanager
def players(commands: Sequence[Sequence[str]], more: str = "") -> Iterator[list[Player]]:
    made: list[Player] = []
    try:
        for command in commands:
            made.append(Player(command, more))
        yield made
    finally:
        for player in made:
            player.stop()


def addresses(numbers: Sequence[int], turn: int) -> dict[int, str]:
    return {
        number: f"127.{turn % 200 + 1}.{index // 250 + 1}.{index % 250 + 1}"
        for index, number in enumerate(numbers)
    }


Seen = dict[int, dict[str, list[str]]]


def seen_by(player: Player, numbers: Sequence[int], turn: int, at_once: int) -> Seen:
    place = addresses(numbers, turn)
    found = player.run({place[number]: scenario(number, list(FRONTS)) for number in numbers}, at_once)
    return {number: found[place[number]] for number in numbers}


def own_ways(
    both: Sequence[Player], numbers: Sequence[int], turn: int, at_once: int
) -> dict[int, list[Seen]]:
    """The numbers at which the last player does what none of the others does."""
    with ThreadPoolExecutor(len(both)) as pool:
        seen = list(pool.map(lambda player: seen_by(player, numbers, turn, at_once), both))
    return {
        number: [each[number] for each in seen]  # type: ignore[misc]
        for number in numbers
        if any(
            all(each[number][what] != seen[-1][number][what] for each in seen[:-1])
            for what in seen[-1][number]
        )
    }


def report(number: int, seen: Sequence[dict[str, list[str]]]) -> None:
    print(f"== {number}: {scenario(number, list(FRONTS))}")
    for what in seen[-1]:
        if all(each[what] != seen[-1][what] for each in seen[:-1]):
            print(
                *(f"   {what} {index}: {each[what]}" for index, each in enumerate(seen)), sep="\n", flush=True
            )


def main(first: int, last: int, references: Sequence[str]) -> None:
    differing, turn = 0, 0
    with players([*([program] for program in references), EVENER]) as all_players:
        for start in range(first, last, 200):
            numbers = range(start, min(start + 200, last))
            left = own_ways(all_players, numbers, turn := turn + 1, 30)
            for _ in range(2):  # what depends on who is faster does not do so each time
                if left:
                    left = own_ways(all_players, list(left), turn := turn + 1, 4)
            for number, seen in left.items():
                report(number, seen)  # type: ignore[arg-type]
            differing += len(left)
    print(f"{last - first} scenarios, {differing} differ")


if __name__ == "__main__":
    given = sys.argv[3:] or [shutil.which("haproxy", path="/usr/sbin:/usr/bin") or "haproxy"]
    main(int(sys.argv[1]), int(sys.argv[2]), given)
