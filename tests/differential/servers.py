"""Random configurations of servers and connections, with traffic, from a seed: ``cases(seed, number)``.

Each family is a function of a random generator that makes one case: how servers are chosen, what happens
when they fail, what is stuck to, kept, counted, reused. What a case does depends on its seed alone.
"""

# ruff: noqa: E501  (rows of words)
from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from functools import partial
from itertools import count

from fleet import OK, Case, Peer, Place, Script

Family = Callable[[random.Random, str], Case]
FAMILIES: dict[str, Family] = {}


def family(make: Family) -> Family:
    FAMILIES[make.__name__] = make
    return make


def cases(seed: int, number: int, only: Sequence[str] = ()) -> list[Case]:
    """``number`` of them, the families in turn."""
    names = [name for name in FAMILIES if not only or name in only]
    made = []
    for index in range(number):
        name = names[index % len(names)]
        rng = random.Random(f"{seed} {name} {index}")
        made.append(FAMILIES[name](rng, f"{name}{index}"))
    return made


def req(target: str, *lines: str, method: str = "GET", body: str = "", version: str = "1.1") -> bytes:
    head = "\r\n".join([f"{method} {target} HTTP/{version}", "host: a", *lines])
    return f"{head}\r\n\r\n{body}".encode("latin-1")


def res(status: int, *lines: str, body: str = "ok") -> bytes:
    head = "\r\n".join([f"HTTP/1.1 {status} X", *lines, f"content-length: {len(body)}"])
    return f"{head}\r\n\r\n{body}".encode("latin-1")


def some(rng: random.Random, among: Sequence[str], most: int = 3) -> list[str]:
    return rng.sample(among, rng.randint(0, min(most, len(among))))


def indent(lines: Sequence[str]) -> str:
    return "".join(f"    {line}\n" for line in lines if line)


def pair(front: Sequence[str], back: Sequence[str]) -> str:
    return f"frontend f_@N@\n    bind @F@\n    default_backend b_@N@\n{indent(front)}backend b_@N@\n{indent(back)}"


# -- where keys go ---------------------------------------------------------------------------------------

HASHED = ("uri", "uri whole", "uri depth 2", "uri len 9", "url_param k", "hdr(x-k)", "hash req.hdr(x-k)",
          "hash path,lower", "url_param k check_post", "hash req.hdr(x-n),add(1)", "uri path-only len 5",
          "hash req.hdr(x-e)", "hash hdr_ip(x-ip),ipmask(20)", "hash src", "hdr(host) use_domain_only",
          "hash req.hdr(x-k),bool", "uri whole len 7 depth 2")  # fmt: skip
TURNS = ("roundrobin", "static-rr", "leastconn", "first", "source")


def weights(rng: random.Random) -> str:
    return rng.choice(["", "", f"weight {rng.choice([0, 1, 2, 3, 5, 10, 50, 100, 128, 255, 256])}"])


@family
def placement(rng: random.Random, name: str) -> Case:
    """Servers are doors of the program itself, which say who was asked."""
    many = rng.randint(1, 9)
    kind = rng.choice(
        ["", *(f"hash-type {shape} {function} {end}".rstrip()
               for shape in ("map-based", "consistent") for function in ("", "sdbm", "djb2", "wt6", "crc32")
               for end in ("", "avalanche") if function or not end)]
    )  # fmt: skip
    way = rng.choice(HASHED if rng.random() < 0.8 else TURNS)
    back = [f"balance {way}", kind, "http-response set-header x-s %s", "retries 0"]
    if kind.startswith("hash-type consistent") and rng.random() < 0.4:
        back.append(f"hash-balance-factor {rng.choice([0, 101, 125, 150, 200, 1000])}")
    allbackups = rng.random() < 0.3
    back += ["option allbackups"] if allbackups else []
    every_backup = rng.random() < 0.2
    for index in range(many):
        words = [weights(rng), "backup" if every_backup or rng.random() < 0.15 else "",
                 "disabled" if rng.random() < 0.1 else "", f"id {rng.randint(1, 99) * 10 + index}" if rng.random() < 0.2 else ""]  # fmt: skip
        if rng.random() < 0.1:
            words.append("hash-key " + rng.choice(["id", "addr", "addr-port"]) if False else "")
        back.append(f"server s{index} @O1@ {' '.join(words)}")
    keys = [f"{rng.choice('abcdXYZ')}{rng.randint(0, 10 ** rng.randint(1, 9))}" for _ in range(60)]

    def play(place: Place) -> None:
        peer = place.connect()
        for key in keys:
            peer.send(
                req(
                    f"/{key}/b/c?k={key}&z={key[:2]}",
                    f"x-k: {key}",
                    f"x-n: {len(key) * 7}",
                    f"x-e: {key[3:]}",
                    f"x-ip: 10.{len(key)}.{ord(key[0])}.9",
                )
            )
            peer.response()

    return Case(name, pair([], back), play)


@family
def weighed(rng: random.Random, name: str) -> Case:
    """Turns while weights and states change."""
    many = rng.randint(2, 4)
    back = [f"balance {rng.choice(['roundrobin', 'roundrobin', 'static-rr', 'leastconn', 'first', 'hash path'])}",
            "http-response set-header x-s %s", "hash-type consistent" if rng.random() < 0.3 else ""]  # fmt: skip
    back += [f"server s{i} @O1@ {weights(rng)} {rng.choice(['', '', 'backup'])}" for i in range(many)]
    steps: list[str | int] = []
    for _ in range(rng.randint(3, 8)):
        server = f"b_{name}/s{rng.randrange(many)}"
        steps.append(rng.choice([
            f"set server {server} weight {rng.choice(['0', '1', '3', '50%', '100%', '200%', '256'])}",
            f"set weight {server} {rng.choice(['2', '10', '0', '25%'])}",
            f"set server {server} state {rng.choice(['maint', 'drain', 'ready'])}",
            f"disable server {server}", f"enable server {server}", f"get weight {server}",
            f"set maxconn server {server} {rng.choice([0, 1, 5])}",
            f"set server {server} check-port 5", f"set server {server} agent up", f"set server {server} health down",
        ]))  # fmt: skip
        steps.append(rng.randint(2, 7))

    def play(place: Place) -> None:
        peer = place.connect()
        for step in steps:
            if isinstance(step, str):
                place.notes.append(place.command(step))
                continue
            for number in range(step):
                peer.send(req(f"/{number}"))
                peer.response()
        rows = place.command(f"show servers state b_{name}").split(b"\n")[2:]
        place.notes.append(b"\n".join(b" ".join(row.split(b" ")[3:9]) for row in rows))

    return Case(name, pair([], back), play)


# -- servers that fail -----------------------------------------------------------------------------------


def acts(names: Sequence[str]) -> Script:
    """One act a connection, the last one again and again."""
    number = count()

    def script(peer: Peer, _: int) -> None:
        act = names[min(next(number), len(names) - 1)]
        if act == "refuse":
            return peer.reset()
        if act == "late":
            time.sleep(0.05)
        while peer.request():
            if act.isdigit():
                peer.send(res(int(act), *(["connection: close"] if act != "200" else [])))
                if act != "200":
                    peer.shut()
            elif act == "reset":
                return peer.reset()
            elif act == "empty":
                return None
            elif act == "junk":
                peer.send(b"junk\r\n\r\n")
            elif act == "half":
                peer.send(b"HTTP/1.1 200 OK\r\nconte")
                return None
            elif act == "short":
                peer.send(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nabc")
                return None
            elif act == "late":
                peer.send(OK)
            elif act == "silent":
                peer.drain()
        return None

    return script


ACTS = (
    "200",
    "200",
    "200",
    "503",
    "500",
    "404",
    "425",
    "reset",
    "empty",
    "junk",
    "half",
    "short",
    "silent",
    "refuse",
)
KINDS = ("conn-failure", "empty-response", "junk-response", "response-timeout", "404", "425", "500", "503",
         "all-retryable-errors", "none")  # fmt: skip
REQUESTS = (
    req("/g"), req("/g"), req("/h", method="HEAD"), req("/p", "content-length: 3", method="POST", body="abc"),
    req("/u", "transfer-encoding: chunked", method="PUT", body="3\r\nabc\r\n0\r\n\r\n"),
    req("/o", method="OPTIONS"), req("/d", "connection: close", method="DELETE"), req("/z", version="1.0"),
)  # fmt: skip


@family
def failing(rng: random.Random, name: str) -> Case:
    dead = rng.random()
    kinds = some(rng, KINDS[:8], 4) if rng.random() < 0.6 else [rng.choice(KINDS)]
    back = [
        f"retry-on {' '.join(kinds)}" if kinds and rng.random() < 0.8 else "",
        f"retries {rng.choice([0, 1, 2, 3])}",
        rng.choice(
            ["", "option redispatch", "option redispatch 1", "option redispatch 2", "no option redispatch"]
        ),
        rng.choice(["balance roundrobin", "balance leastconn", "balance static-rr", "balance first", ""]),
        rng.choice(["", "http-reuse always", "http-reuse never", "http-reuse aggressive"]),
        rng.choice(["", "", "option http-server-close", "option httpclose"]),
        rng.choice(["", "", "cookie C insert indirect nocache", "cookie C insert"]),
        rng.choice(["", "", "option persist", "http-request disable-l7-retry if { path /d }"]),
    ]
    back += ["server s1 @O1@ cookie s1", f"server s2 {'@DEAD@' if dead < 0.2 else '@O2@'} cookie s2"][
        : rng.randint(1, 2)
    ]
    if dead > 0.8:
        back.append("server s3 @DEAD@ cookie s3 backup")
    plans = [[rng.choice(ACTS) for _ in range(rng.randint(1, 5))] for _ in range(2)]
    cookie = [rng.choice(["", "cookie: C=s2", "cookie: C=zz", "cookie: C=s1"]) for _ in range(5)]
    sends = [rng.choice(REQUESTS) for _ in range(rng.randint(1, 4))]
    together = rng.random() < 0.5

    def play(place: Place) -> None:
        for origin, plan in zip(place.origins.values(), plans, strict=False):
            origin.script = acts(plan)
        peer = place.connect()
        for data, line in zip(sends, cookie, strict=False):
            text = data.replace(b"host: a", f"host: a\r\n{line}".encode()) if line else data
            peer.send(text)
            peer.response(b"HEAD" in data[:5])
            if not together:
                peer.close()
                peer = place.connect()
        peer.alive()

    return Case(name, pair([], back), play)


# -- cookies ---------------------------------------------------------------------------------------------


@family
def cookies(rng: random.Random, name: str) -> Case:
    mode = rng.choice(["insert", "insert", "insert indirect", "rewrite", "prefix", "insert dynamic", ""])
    words = some(rng, ["nocache", "postonly", "preserve", "httponly", "secure", "domain a.example", "domain .b.example",
                       "maxidle 10s", "maxlife 1h", 'attr "SameSite=None"', "attr Partitioned"], 5)  # fmt: skip
    if mode in ("rewrite", "prefix", ""):
        words = [word for word in words if not word.startswith(("max", "preserve", "postonly"))]
    back = [f"cookie C {mode} {' '.join(words)}", "dynamic-cookie-key k1" if "dynamic" in mode else "",
            rng.choice(["", "option redispatch", "force-persist if { path_beg /f }", "ignore-persist if { path_beg /i }"])]  # fmt: skip
    named = "dynamic" not in mode
    for index, state in enumerate(rng.sample(["", "", "disabled", "backup", "weight 0"], 3)):
        back.append(
            f"server s{index} @O{index + 1}@ {f'cookie v{index}' if named and rng.random() < 0.9 else ''} {state}"
        )
    values = [
        "",
        "v0",
        "v1",
        "v2",
        "zz",
        "v0~abc",
        "v1~",
        "v0|1",
        "v1|AAAAA|AAAAA",
        "v1|Zz1|Zz2",
        '"v0"',
        "v0; C=v1",
    ]
    sends = []
    for _ in range(rng.randint(3, 7)):
        value = rng.choice(values)
        line = rng.choice([f"cookie: C={value}", f"cookie: a=1; C={value}; b=2", f"cookie: a=1;C={value}",
                           f"cookie:  C = {value} ;x", f"cookie: c={value}", f"cookie: x=1\r\ncookie: C={value}"])  # fmt: skip
        sends.append(
            req(
                rng.choice(["/", "/f", "/i"]),
                *([line] if value else []),
                method=rng.choice(["GET", "GET", "POST"]),
            )
        )
    answers = [rng.choice([OK, res(200, "set-cookie: C=own; path=/"), res(200, "set-cookie: D=1", "set-cookie: C=v9"),
                           res(200, "set-cookie: C=", "cache-control: max-age=5"), res(404)]) for _ in range(3)]  # fmt: skip

    def answer(data: bytes, peer: Peer, _: int) -> None:
        while peer.request():
            peer.send(data)

    def play(place: Place) -> None:
        for origin, data in zip(place.origins.values(), answers, strict=False):
            origin.script = partial(answer, data)
        peer = place.connect()
        for data in sends:
            peer.send(data)
            peer.response()

    return Case(name, pair([], back), play)


# -- which request comes on which connection ----------------------------------------------------------


@family
def reuse(rng: random.Random, name: str) -> Case:
    back = [
        rng.choice(["", "http-reuse safe", "http-reuse never", "http-reuse aggressive", "http-reuse always"]),
        rng.choice(["", "", "", "option http-server-close", "option httpclose", "option prefer-last-server"]),
        rng.choice(["", "balance first", "balance hash path"]),
        f"server s1 @O1@ {rng.choice(['', 'pool-max-conn 1', 'pool-max-conn 0', 'max-reuse 1', 'max-reuse 0', 'pool-purge-delay 0', 'send-proxy', 'maxconn 5'])}",
        rng.choice(["", "server s2 @O2@"]),
    ]
    front = [
        rng.choice(
            [
                "",
                "",
                "option http-server-close",
                "option httpclose",
                "http-request set-src ipv4(127.0.0.9) if { path /s }",
            ]
        )
    ]
    steps = [
        (rng.randrange(3), rng.choice(["ask", "ask", "ask", "ask", "post", "close", "one", "auth", "s"]))
        for _ in range(rng.randint(4, 12))
    ]
    odd = rng.choice(["", "", "close", "401"])

    def serve(peer: Peer, _: int) -> None:
        number = count()
        if odd == "pp":
            return
        while peer.request():
            if odd == "close" and next(number) == 1:
                peer.send(res(200, "connection: close"))
                return
            peer.send(res(401, "www-authenticate: NTLM") if odd == "401" and next(number) == 0 else OK)

    def play(place: Place) -> None:
        place.everywhere(serve)
        peers: dict[int, Peer] = {}
        for number, (index, step) in enumerate(steps):
            if step == "close":
                if index in peers:
                    peers.pop(index).close()
                    time.sleep(0.03)
                continue
            peer = peers.get(index) or peers.setdefault(index, place.connect())
            lines = (
                ["connection: close"]
                if step == "one"
                else ["authorization: NTLM x"]
                if step == "auth"
                else []
            )
            if step == "post":
                peer.send(req(f"/{number}", "content-length: 2", method="POST", body="ab"))
            else:
                peer.send(req("/s" if step == "s" else f"/{number}", *lines))
            peer.response()
            if step == "one":
                peer.alive()
                peers.pop(index).close()
            time.sleep(0.02)

    return Case(name, pair(front, back), play)
