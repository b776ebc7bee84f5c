"""Random cases of connections: time limits, TCP, PROXY headers, upgrades, queues and what is told of addresses."""

# ruff: noqa: E501  (rows of words)
from __future__ import annotations

import random
import time

from fleet import OK, Case, Peer, Place
from servers import family, pair, req, res, some

LIMITS = ("timeout client 250ms", "timeout server 250ms", "timeout http-request 250ms", "timeout http-keep-alive 200ms",
          "timeout tunnel 300ms", "timeout client-fin 150ms", "timeout server-fin 150ms", "timeout queue 150ms",
          "timeout connect 150ms", "timeout tarpit 150ms")  # fmt: skip
FRONT = ("client ", "http-", "client-fin", "tarpit")
BACK = ("server ", "server-fin", "tunnel", "queue", "connect", "tarpit")


def limits(rng: random.Random) -> tuple[list[str], list[str]]:
    every = some(rng, LIMITS, 4)
    return (
        [line for line in every if line[8:].startswith(FRONT)],
        [line for line in every if line[8:].startswith(BACK)],
    )


def client_steps(peer: Peer, steps: list[str], data: bytes) -> None:
    """What a client does, one thing after another."""
    for step in steps:
        if step == "whole":
            peer.send(data)
        elif step == "head":
            peer.send(data[: len(data) // 2])
        elif step == "tail":
            peer.send(data[len(data) // 2 :])
        elif step == "wait":
            time.sleep(0.12)
        elif step == "long":
            time.sleep(0.45)
        elif step == "read":
            peer.response()
        elif step == "shut":
            peer.shut()
        elif step == "reset":
            peer.reset()
            return
        elif step == "more":
            peer.send(b"more")
    peer.rest()


ANSWERS = ("ok", "ok", "late", "silent", "half", "body", "close", "reset", "chunks", "early", "hints", "fast")


def answer(peer: Peer, way: str) -> None:
    while data := peer.request():
        if way == "late":
            time.sleep(0.12)
        if way in ("ok", "late", "fast"):
            peer.send(OK)
        elif way == "silent":
            return peer.drain()
        elif way == "half":
            peer.send(b"HTTP/1.1 200 OK\r\nconten")
            return peer.drain()
        elif way == "body":
            peer.send(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nabc")
            time.sleep(0.45)
            peer.send(b"defghij")
        elif way == "close":
            peer.send(b"HTTP/1.1 200 OK\r\n\r\nuntil the end")
            return None
        elif way == "reset":
            return peer.reset()
        elif way == "chunks":
            peer.send(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n")
            time.sleep(0.12)
            peer.send(b"0\r\n\r\n")
        elif way == "early":
            peer.send(b"HTTP/1.1 100 Continue\r\n\r\n")
            peer.send(OK)
        elif way == "hints":
            peer.send(b"HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n")
            time.sleep(0.03)
            peer.send(OK)
        elif way == "switch":
            if b"upgrade" in data.lower() or data.startswith(b"CONNECT"):
                switch = b"HTTP/1.1 200 OK\r\n\r\n" if data.startswith(b"CONNECT") else (
                    b"HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n"
                    b"sec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n")  # fmt: skip
                peer.send(switch + b"hello")
                while not peer.fill():
                    peer.send(bytes(peer.data))
                    peer.data.clear()
                return None
            peer.send(OK)
    return None


@family
def timed(rng: random.Random, name: str) -> Case:
    front, back = limits(rng)
    front += some(rng, ["option http-buffer-request", "option httpclose", "option http-server-close", "http-request tarpit if { path /tarpit }",
                        "option dontlognull", "option logasap", "option http-ignore-probes", "option abortonclose" if False else ""], 2)  # fmt: skip
    back += [rng.choice(["", "", "option abortonclose", "option nolinger", "option http-pretend-keepalive"]),
             rng.choice(["", "retry-on all-retryable-errors"]), "server s1 @O1@"]  # fmt: skip
    data = rng.choice([req("/a"), req("/tarpit"), req("/p", "content-length: 8", method="POST", body="abcdefgh"),
                       req("/c", "transfer-encoding: chunked", method="POST", body="3\r\nabc\r\n0\r\n\r\n"),
                       req("/e", "expect: 100-continue", "content-length: 3", method="PUT", body="abc"), req("/z", version="1.0"),
                       b"", b"GET", b"\r\n\r\n"])  # fmt: skip
    way = rng.choice(ANSWERS)
    steps = rng.choice([
        ["whole", "read"], ["whole", "read", "whole", "read", "long"], ["head", "wait", "tail", "read"], ["head", "long"],
        ["head", "shut"], ["whole", "shut", "read"], ["whole", "wait", "reset"], ["head", "reset"], ["long"], ["shut"], ["reset"],
        ["whole", "read", "shut"], ["whole", "read", "head", "long"], ["whole", "read", "head", "shut"], ["head", "wait", "shut"],
        ["whole", "whole", "read", "read"], ["wait", "whole", "read", "wait", "whole", "read"],
    ])  # fmt: skip

    def play(place: Place) -> None:
        place.everywhere(lambda peer, _: answer(peer, way))
        client_steps(place.connect(), steps, data)
        time.sleep(0.5)

    return Case(name, pair(front, back), play)


@family
def switched(rng: random.Random, name: str) -> Case:
    front, back = limits(rng)
    back += [rng.choice(["", "option http-server-close", "option nolinger"]), "server s1 @O1@"]
    front += [rng.choice(["", "", "option httpclose", "option http-buffer-request"])]
    upgrade = [
        "connection: Upgrade",
        "upgrade: websocket",
        "sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==",
        "sec-websocket-version: 13",
    ]
    data = rng.choice([req("/ws", *upgrade), req("/ws", *upgrade[:2]), req("/ws", *upgrade[:3]), req("/ws", *upgrade[1:]),
                       req("a:443", method="CONNECT"), req("/plain"), req("/ws", *upgrade, version="1.0"),
                       req("/ws", *upgrade, "content-length: 2", method="POST", body="ab")])  # fmt: skip
    way = rng.choice(["switch", "switch", "switch", "ok"])
    steps = rng.choice([["whole", "read", "more", "wait", "shut"], ["whole", "more", "long"], ["whole", "read", "long"],
                        ["whole", "read", "more", "wait", "reset"], ["head", "wait", "tail", "read", "shut"]])  # fmt: skip

    def play(place: Place) -> None:
        place.everywhere(lambda peer, _: answer(peer, way))
        client_steps(place.connect(), steps, data)
        time.sleep(0.4)

    return Case(name, pair(front, back), play)


TCP_RULES = (
    "tcp-request content accept if { req.len gt 3 }", "tcp-request content reject if { req.payload(0,1) -m str r }",
    "tcp-request content accept if WAIT_END", "tcp-request content reject if { req.len gt 100 }",
    "tcp-request content accept if { req.payload(0,2) -m bin 6865 }", "tcp-request content set-dst ipv4(10.9.9.9)",
    "tcp-request content set-dst-port int(99)", "tcp-request connection set-src ipv4(10.1.1.1)", "tcp-request content capture req.len len 5",
    "tcp-request content set-var(sess.a) req.payload(0,2)", "tcp-request content accept if HTTP", "tcp-request content set-log-level notice",
    "tcp-request session set-var(sess.b) src", "tcp-request content reject if { req.payload_lv(0,1) -m found }",
)  # fmt: skip
TCP_ANSWERS = (
    "tcp-response content reject if { res.payload(0,1) -m str b }", "tcp-response content accept if { res.len gt 2 }",
    "tcp-response content close if { res.len eq 2 }", "tcp-response content set-var(sess.c) res.len",
)  # fmt: skip


@family
def raw(rng: random.Random, name: str) -> Case:
    front, back = limits(rng)
    front = [line for line in front if "http" not in line and "tarpit" not in line]
    back = [line for line in back if "tarpit" not in line]
    form = 'log-format "%ft %b/%s %ts %B %U %rc %[var(sess.a)] %[var(sess.c)] %[capture.req.hdr(0)] %fi"'
    front += ["mode tcp", form if rng.random() < 0.5 else "option tcplog", rng.choice(["", "tcp-request inspect-delay 150ms"]),
              rng.choice(["", "", "option dontlognull", "option nolinger", "option logasap"]), *some(rng, TCP_RULES, 3)]  # fmt: skip
    if "capture" not in " ".join(front):
        front = [line.replace(" %[capture.req.hdr(0)]", "") for line in front]
    if "option tcplog" in front:
        front[front.index("option tcplog")] = 'log-format "%ft %b/%s %ts %B %U %sc/%rc %sq/%bq"'
    back += ["mode tcp", rng.choice(["", "tcp-response inspect-delay 150ms"]), *some(rng, TCP_ANSWERS, 2),
             rng.choice(["", "", "option redispatch", "option nolinger", "retries 0"]),
             rng.choice(["balance roundrobin", "balance source", "balance first"]),
             f"server s1 {rng.choice(['@O1@', '@O1@', '@O1@', '@DEAD@'])} {rng.choice(['', '', 'send-proxy', 'send-proxy-v2', 'maxconn 1'])}",
             rng.choice(["", "server s2 @O2@", "server s2 @O2@ backup"])]  # fmt: skip
    data = rng.choice([b"hello", b"he", b"r", b"x" * 200, b"GET / HTTP/1.0\r\n\r\n", b"\x02ab", b""])
    reply = rng.choice([b"okay", b"b", b"ab", b"", b"y" * 70000])
    server = rng.choice(["echo", "first", "shut", "reset", "silent", "wait"])
    steps = rng.choice([["whole", "wait", "shut"], ["head", "wait", "tail", "wait", "shut"], ["whole", "shut"], ["whole", "long"],
                        ["whole", "wait", "reset"], ["long"], ["shut"], ["whole", "wait", "more", "wait", "shut"]])  # fmt: skip

    def serve(peer: Peer, _: int) -> None:
        if server == "first":
            peer.send(reply)
        elif server == "silent":
            return peer.drain()
        peer.fill()
        if server == "reset":
            return peer.reset()
        if server == "wait":
            time.sleep(0.4)
        peer.send(reply)
        if server == "shut":
            peer.shut()
        return peer.drain()

    def play(place: Place) -> None:
        place.everywhere(serve)
        client_steps(place.connect(), steps, data)
        time.sleep(0.5)

    return Case(name, pair(front, back), play)


@family
def addressed(rng: random.Random, name: str) -> Case:
    """PROXY headers both ways, and what is told of addresses in header fields."""
    accept = rng.random() < 0.5
    front = some(rng, ["option forwardfor", "option forwardfor except 127.0.0.0/8", "option forwardfor header X-Client if-none",
                       "option originalto", "option originalto header X-Was", "option forwardfor if-none"], 2)  # fmt: skip
    front += ["http-request set-header x-src %[src]:%[src_port]", "http-request set-header x-dst %[dst]", "http-request set-header x-fc %[fc_pp_authority]_%[fc_pp_unique_id]"] if accept else []  # fmt: skip
    front += [rng.choice(["", "", "http-request set-src hdr_ip(x-ip)", "http-request set-dst hdr_ip(x-ip)"])]
    back = some(rng, ["option forwardfor", "option forwardfor header X-Fwd", "option originalto"], 2)  # fmt: skip
    send = rng.choice(
        [
            "",
            "",
            "send-proxy",
            "send-proxy-v2",
            "send-proxy-v2 proxy-v2-options unique-id",
            "send-proxy-v2 set-proxy-v2-tlv-fmt(0xE1) %[path]" if False else "send-proxy-v2",
        ]
    )
    back.append(f"server s1 @O1@ {send} {rng.choice(['', '', 'source 127.0.0.5'])}")
    front += ["unique-id-format %{+X}o%[path]", "unique-id-header x-uid"] if "unique-id" in send else []
    v2 = bytes.fromhex("0d0a0d0a000d0a515549540a")
    tlv = b"\x02\x00\x03a.b\x05\x00\x02id"
    heads = [
        b"PROXY TCP4 1.2.3.4 5.6.7.8 1111 2222\r\n", b"PROXY TCP6 2001:db8::1 ::2 1 2\r\n", b"PROXY UNKNOWN\r\n", b"PROXY UNKNOWN a b c d\r\n",
        b"PROXY TCP4 1.2.3.4 5.6.7.8 1111\r\n", b"PROXY TCP4 1.2.3.4 5.6.7.8 99999 2\r\n", b"PROXY TCP5 1.2.3.4 5.6.7.8 1 2\r\n", b"",
        v2 + b"\x21\x11\x00\x0c" + bytes([1, 2, 3, 4, 5, 6, 7, 8, 4, 87, 8, 174]), v2 + b"\x20\x00\x00\x00",
        v2 + b"\x21\x11\x00\x17" + bytes([1, 2, 3, 4, 5, 6, 7, 8, 4, 87, 8, 174]) + tlv, v2 + b"\x31\x11\x00\x0c" + bytes(12),
        v2 + b"\x21\x21\x00\x24" + bytes(15) + b"\x01" + bytes(15) + b"\x02\x00\x01\x00\x02", v2 + b"\x21\x12\x00\x0c" + bytes(12),
    ]  # fmt: skip
    head = rng.choice(heads) if accept else b""
    sends = [req("/a", *some(rng, ["x-forwarded-for: 9.9.9.9", "x-ip: 10.0.0.7", "x-client: 1.1.1.1", "x-k: kk", "x-original-to: 8.8.8.8",
                                   "forwarded: for=1.1.1.1", "x-ip: 2001:db8::7"], 3)) for _ in range(2)]  # fmt: skip
    text = pair(front, back)
    if accept:
        text = text.replace("bind @F@", "bind @F@ accept-proxy")

    def serve(peer: Peer, _: int) -> None:
        while peer.request():
            peer.send(OK)

    def play(place: Place) -> None:
        place.everywhere(serve)
        peer = place.connect()
        peer.send(head)
        for data in sends:
            peer.send(data)
            peer.response()
        peer.close()

    return Case(name, text, play)


@family
def queued(rng: random.Random, name: str) -> Case:
    many = rng.randint(1, 2)
    back = [
        rng.choice(["timeout queue 200ms", "timeout queue 2s", "timeout queue 2s"]),
        rng.choice(
            [
                "balance roundrobin",
                "balance leastconn",
                "balance first",
                "balance static-rr",
                "balance hash path",
            ]
        ),
        rng.choice(["", "", "option redispatch", "cookie C insert indirect"]),
        rng.choice(["", "fullconn 3", "fullconn 10"]),
        rng.choice(
            ["", "http-request set-priority-class hdr(x-p)", "http-request set-priority-offset hdr(x-p)"]
        ),
    ]
    for index in range(many):
        back.append(
            f"server s{index} @O{index + 1}@ cookie s{index} maxconn {rng.choice([1, 1, 2])} {rng.choice(['', '', 'maxqueue 1', 'minconn 1'])}"
        )
    front = [
        f'log-format "%ft %b/%s %ST %tsc %sq/%bq %rc %[srv_queue(b_{name}/s0)] %[queue(b_{name})] %[be_conn(b_{name})] %[connslots(b_{name})] %r"'
    ]
    sends = [(req(f"/{number}", rng.choice(["x-p: 1", "x-p: 5", "x-p: -3", "x: y"]), *(["cookie: C=s0"] if rng.random() < 0.3 else []), "connection: close"))
             for number in range(rng.randint(2, 6))]  # fmt: skip
    leaver = rng.choice([-1, -1, 1, 2])

    def serve(peer: Peer, _: int) -> None:
        while peer.request():
            time.sleep(0.35)
            peer.send(res(200, "connection: close"))
            return

    def play(place: Place) -> None:
        place.everywhere(serve)
        peers = []
        for data in sends:
            peers.append(place.connect())
            peers[-1].send(data)
            time.sleep(0.02)
        if 0 <= leaver < len(peers):
            peers.pop(leaver).reset()
        for peer in peers:
            peer.response()

    return Case(name, pair(front, back), play)
