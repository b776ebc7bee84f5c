"""Random cases of what a proxy keeps: stick tables and their rules, cached and compressed responses."""

# ruff: noqa: E501  (rows of words)
from __future__ import annotations

import random
import re
import time
from functools import partial

from fleet import OK, Case, Peer, Place
from servers import family, indent, pair, req, res, some

STORES = (
    "conn_cnt", "conn_cur", "http_req_cnt", "http_err_cnt", "http_fail_cnt", "bytes_in_cnt", "bytes_out_cnt",
    "gpc0", "gpc1", "gpt0", "gpc(3)", "gpt(2)", "conn_rate(10s)", "http_req_rate(20s)", "http_err_rate(10s)",
    "http_fail_rate(9s)", "bytes_in_rate(10s)", "bytes_out_rate(10s)", "gpc0_rate(10s)", "gpc1_rate(10s)",
    "gpc_rate(3,10s)", "sess_cnt", "sess_rate(10s)", "server_id",
)  # fmt: skip
KEYS = {
    "string len 6": ("path", "req.hdr(x-k)", "req.cook(sid)", "url_param(k)"),
    "integer": ("req.hdr(x-n)", "path,length", "req.hdr_cnt(x-k)"),
    "ip": ("src", "req.hdr_ip(x-ip)"),
    "ipv6": ("src", "req.hdr_ip(x-ip)"),
    "binary len 4": ("path", "req.hdr(x-k)", "src"),
}


def counted(name: str) -> str:
    return name.partition("(")[0]


@family
def tracked(rng: random.Random, name: str) -> Case:
    kind = rng.choice(list(KEYS))
    key = rng.choice(KEYS[kind])
    stores = rng.sample(STORES, rng.randint(1, 6))
    if "gpc(3)" not in stores and "gpc_rate(3,10s)" in stores:
        stores.remove("gpc_rate(3,10s)")
    if any(s.startswith("gpc(") for s in stores):
        stores = [s for s in stores if not s.startswith(("gpc0", "gpc1"))]
    if "gpt(2)" in stores:
        stores = [s for s in stores if s != "gpt0"]
    stores = stores or ["http_req_cnt"]
    layer = rng.choice(["http-request", "http-request", "tcp-request content"])
    front = [
        f"{layer} track-sc{{n}} {key} table b_{name}{rng.choice(['', '', ' if { path_beg /t }'])}",
        *(
            rng.choice([
                "http-request sc-inc-gpc0({n})", "http-request sc-inc-gpc1({n})", "http-request sc-inc-gpc(1,{n})",
                "http-request sc-set-gpt0({n}) 7", "http-request sc-set-gpt(1,{n}) 9",
                "http-request set-var(txn.x) sc_get_gpc0({n})", "http-request sc-set-gpt0({n}) req.hdr(x-n)",
                "http-request deny if { sc_http_req_cnt({n}) gt 3 }", "http-request deny if { sc_http_err_rate({n}) gt 2 }",
                "http-response sc-inc-gpc0({n}) if { status 404 }", "http-response sc-inc-gpc1({n})",
                "http-request sc-inc-gpc0({n}) if { sc_clr_gpc0({n}) gt 1 }",
            ])
            for _ in range(rng.randint(0, 3))
        ),
        "http-request deny if { path /deny }",
    ]  # fmt: skip
    number = rng.randint(0, 2)
    front = [line.replace("{n}", str(number)) for line in front]
    shown = [f"sc_{s}" for s in ("http_req_cnt", "conn_cur", "get_gpc0", "bytes_in_rate", "kbytes_out", "http_err_cnt", "get_gpt0", "trackers", "sess_cnt", "http_fail_cnt", "gpc0_rate", "conn_rate")]  # fmt: skip
    back = [
        f"http-response set-header x-{i} %[{fetch}({number})]" for i, fetch in enumerate(rng.sample(shown, 3))
    ]
    back += [f"http-response set-header x-t %[{key},{rng.choice(['table_http_req_cnt', 'in_table', 'table_gpc0', 'table_trackers', 'table_conn_rate', 'table_idle' if False else 'table_gpt0'])}(b_{name})]"] if key == "src" else []  # fmt: skip
    back += [f"stick-table type {kind} size {rng.choice(['100', '1k', '3'])} expire {rng.choice(['10s', '1m'])} "
             f"{rng.choice(['', 'nopurge'])} store {','.join(stores)}", "server s1 @O1@"]  # fmt: skip
    sends = [
        req(rng.choice(["/t", "/u", "/deny", "/404", "/503"]),
            *some(rng, ["x-k: aa", "x-k: abcdefgh", "x-n: 5", "x-n: -1", "x-n: z", "x-ip: 10.0.0.1", "x-ip: 2001:db8::1",
                        "cookie: sid=q1", "x-k: "], 3))
        for _ in range(rng.randint(3, 9))
    ]  # fmt: skip
    apart = rng.random() < 0.5
    commands = some(rng, [f"set table b_{name} key 77 data.gpc0 5", f"clear table b_{name} data.http_req_cnt gt 3",
                          f"show table b_{name} data.http_req_cnt gt 1", f"clear table b_{name} key /t", f"show table b_{name} key aa"], 2)  # fmt: skip

    def serve(peer: Peer, _: int) -> None:
        while data := peer.request():
            peer.send(res(int(data[5:8])) if data[5:8].isdigit() else OK)

    def play(place: Place) -> None:
        place.everywhere(serve)
        peer = place.connect()
        for data in sends:
            peer.send(data)
            peer.response()
            if apart:
                peer.close()
                peer = place.connect()
        peer.close()
        time.sleep(0.1)
        for command in [*commands, f"show table b_{name}"]:
            place.notes.append(table(place.command(command)))

    return Case(name, pair(front, back), play)


def table(data: bytes) -> bytes:
    """The lines of ``show table`` without what is an address or a moment, in order."""
    text = re.sub(
        rb"^0x[0-9a-f]+: ", b"", re.sub(rb" exp=-?\d+|, used:\d+| shard=\d| use=\d+", b"", data), flags=re.M
    )
    return b"\n".join(sorted(text.split(b"\n")))


@family
def stuck(rng: random.Random, name: str) -> Case:
    kind = rng.choice(["string len 20", "ip", "integer", "binary len 8"])
    asked = {"ip": ["src", "req.hdr_ip(x-ip)"], "integer": ["req.hdr(x-n)", "path,length"]}.get(
        kind, ["req.cook(sid)", "path", "req.hdr(x-k)", "req.hdr(x-k),lower"]
    )
    told = ["res.cook(sid)", "res.hdr(x-k)"] if "len" in kind else ["res.hdr(x-n)"]
    rules = [
        rng.choice([f"stick on {rng.choice(asked)}", f"stick match {rng.choice(asked)}", f"stick store-request {rng.choice(asked)}",
                    f"stick store-response {rng.choice(told)}", f"stick on {rng.choice(asked)} if {{ path_beg /t }}"])
        for _ in range(rng.randint(1, 3))
    ]  # fmt: skip
    back = [f"stick-table type {kind} size 1k expire 1m {rng.choice(['', 'store gpc0'])}", *rules,
            rng.choice(["", "option persist", "option redispatch", "no option persist"]), "http-response set-header x-s %s"]  # fmt: skip
    back += [
        f"server s{i} @O{i}@ {rng.choice(['', '', 'id 9' if i == 2 else '', 'non-stick', 'weight 5'])}"
        for i in (1, 2, 3)
    ]
    sends = [
        req(rng.choice(["/t", "/tt", "/u"]), *some(rng, ["cookie: sid=q1", "cookie: sid=q2", "x-k: AA", "x-k: bb", "x-n: 5", "x-n: 6",
                                                        "x-ip: 10.0.0.1", "x-ip: 10.0.0.2"], 3))
        for _ in range(rng.randint(4, 10))
    ]  # fmt: skip
    lines = some(rng, ["set-cookie: sid=q1; path=/", "set-cookie: sid=q3", "x-k: bb", "x-n: 6"], 2)
    at = rng.randrange(len(sends))
    change = rng.choice(
        ["", f"disable server b_{name}/s1", f"set server b_{name}/s2 state drain", f"clear table b_{name}"]
    )

    def serve(peer: Peer, _: int) -> None:
        while peer.request():
            peer.send(res(200, *lines))

    def play(place: Place) -> None:
        place.everywhere(serve)
        for number, data in enumerate(sends):
            if number == at and change:
                place.command(change)
            place.ask(data)
        place.notes.append(table(place.command(f"show table b_{name}")))

    return Case(name, pair([], back), play)


@family
def cached(rng: random.Random, name: str) -> Case:
    lines = [
        some(rng, ["cache-control: max-age=60", "cache-control: max-age=0", "cache-control: s-maxage=30, max-age=0",
                   "cache-control: no-store", "cache-control: private", "cache-control: no-cache", "cache-control: public",
                   "vary: accept-encoding", "vary: referer", "vary: x-k", "vary: accept-encoding,referer", "vary: *",
                   'etag: "e1"', 'etag: W/"e2"', "last-modified: Sun, 06 Nov 1994 08:49:37 GMT", "age: 10", "age: 100", "age: x",
                   "expires: Sun, 06 Nov 2094 08:49:37 GMT", "expires: 0", "set-cookie: a=1", "pragma: no-cache", "x-a: b"], 4)
        for _ in range(2)
    ]  # fmt: skip
    if rng.random() < 0.7:
        lines = [
            ["cache-control: max-age=60", *(x for x in one if not x.startswith(("cache-c", "pragma")))]
            for one in lines
        ]
    cache = (f"cache c_{name}\n    total-max-size {rng.choice([1, 4])}\n    max-age {rng.choice([1, 60])}\n"
             + indent(some(rng, ["max-object-size 40", "process-vary on", "max-secondary-entries 1", "process-vary off"], 2)))  # fmt: skip
    back = [
        f"http-request cache-use c_{name}{rng.choice(['', '', ' if { path_beg /c }'])}",
        f"http-response cache-store c_{name}",
        "http-response set-header x-hit %[res.cache_hit]" if rng.random() < 0.4 else "",
        "http-response del-header age" if rng.random() < 0.1 else "",
        "compression algo gzip\n    compression type text/plain" if rng.random() < 0.2 else "",
        "server s1 @O1@",
    ]
    statuses = [rng.choice([200, 200, 200, 404, 301, 410, 501, 206, 204, 302]) for _ in range(2)]
    bodies = ["a" * rng.choice([0, 5, 200]), "b" * 30]
    sends = [
        req(rng.choice(["/c", "/c", "/c?q", "/d"]),
            *some(rng, ["accept-encoding: gzip", "accept-encoding: br, gzip;q=0", "referer: r1", "x-k: 1", 'if-none-match: "e1"',
                        'if-none-match: W/"e2"', "if-none-match: *", "if-modified-since: Sun, 06 Nov 1994 08:49:37 GMT",
                        "if-modified-since: Sun, 06 Nov 1993 08:49:37 GMT", "cache-control: no-cache", "authorization: x",
                        "pragma: no-cache", "range: bytes=0-1", "cache-control: max-age=0", "cookie: a=b"], 2),
            method=rng.choice(["GET", "GET", "GET", "HEAD", "POST", "DELETE"]))
        for _ in range(rng.randint(3, 8))
    ]  # fmt: skip
    chunked = rng.random() < 0.3

    def serve(peer: Peer, _: int) -> None:
        number = 0
        while data := peer.request():
            which = number % 2
            number += 1
            body = bodies[which]
            if chunked and statuses[which] != 204:
                head = "\r\n".join(
                    [f"HTTP/1.1 {statuses[which]} X", *lines[which], "transfer-encoding: chunked"]
                )
                whole = f"{head}\r\n\r\n".encode()
                if not data.startswith(b"HEAD"):
                    whole += (f"{len(body):x}\r\n{body}\r\n" if body else "").encode() + b"0\r\n\r\n"
            else:
                whole = res(
                    statuses[which],
                    "content-type: text/plain",
                    *lines[which],
                    body="" if statuses[which] == 204 else body,
                )
                whole = whole.partition(b"\r\n\r\n")[0] + b"\r\n\r\n" if data.startswith(b"HEAD") else whole
            peer.send(whole)

    def play(place: Place) -> None:
        place.everywhere(serve)
        peer = place.connect()
        for data in sends:
            peer.send(data)
            peer.response(data.startswith(b"HEAD"))
            place.notes[-1] = unpacked(place.notes[-1])

    return Case(name, cache + pair([], back), play)


@family
def compressed(rng: random.Random, name: str) -> Case:
    words = [
        f"compression algo {' '.join(rng.sample(['gzip', 'deflate', 'raw-deflate', 'identity'], rng.randint(1, 3)))}",
        rng.choice(
            [
                "",
                "compression type text/plain text/html",
                "compression type text/",
                "compression type application/json",
            ]
        ),
        rng.choice(["", "", "compression offload"]),
    ]
    lines = some(rng, ["content-type: text/plain", "content-type: text/html; charset=x", "content-type: application/json",
                       "content-encoding: identity", "content-encoding: gzip", 'etag: "x"', 'etag: W/"y"', "vary: x",
                       "cache-control: no-transform", "content-type: multipart/a", "connection: close"], 3)  # fmt: skip
    status, length = (
        rng.choice([200, 200, 200, 404, 206, 304, 201, 203]),
        rng.choice([0, 1, 10, 500, 5000, 40000]),
    )
    body = "".join(chr(97 + (i * i) % 26) for i in range(length))
    how = rng.choice(["length", "length", "chunked", "close"])
    asks = ["accept-encoding: gzip", "accept-encoding: deflate", "accept-encoding: identity", "accept-encoding: gzip;q=0, deflate;q=0.5",
            "accept-encoding: *", "accept-encoding: raw-deflate, gzip", "accept-encoding: GZIP", "accept-encoding: br,gzip;q=0.1",
            "user-agent: Mozilla/4.0 (compatible; MSIE 6.0)"]  # fmt: skip
    sends = [req("/", *some(rng, asks, 2), method=rng.choice(["GET", "GET", "HEAD", "POST"]), version=rng.choice(["1.1", "1.1", "1.0"])) for _ in range(3)]  # fmt: skip

    def serve(peer: Peer, _: int) -> None:
        while data := peer.request():
            head = [f"HTTP/1.1 {status} X", *lines]
            text = body if not data.startswith(b"HEAD") and status != 304 else ""
            if how == "length":
                peer.send("\r\n".join([*head, f"content-length: {length}", "", text]).encode())
            elif how == "chunked":
                peer.send("\r\n".join([*head, "transfer-encoding: chunked", "", ""]).encode())
                if not data.startswith(b"HEAD") and status != 304:
                    peer.send((f"{length:x}\r\n{text}\r\n" if length else "").encode() + b"0\r\n\r\n")
            else:
                peer.send("\r\n".join([*head, "", text]).encode())
                return
            if "connection: close" in lines:
                return

    def play(place: Place) -> None:
        place.everywhere(serve)
        for data in sends:
            peer = place.connect()
            peer.send(data)
            peer.response(data.startswith(b"HEAD"))
            note = place.notes[-1]
            place.notes[-1] = note if len(note) < 300 else unpacked(note)

    return Case(
        name,
        pair(words, ["server s1 @O1@"]) if rng.random() < 0.3 else pair([], [*words, "server s1 @O1@"]),
        play,
    )


def unpacked(data: bytes) -> bytes:
    """Compressed bodies depend on the library: heads and what the body means are compared."""
    import zlib

    head, _, body = data.partition(b"\r\n\r\n")
    if b"content-encoding" not in head:
        return data
    if b"chunked" in head:
        out, rest = b"", body
        while rest and (size := int(rest.partition(b"\r\n")[0] or b"0", 16)):
            rest = rest.partition(b"\r\n")[2]
            out, rest = out + rest[:size], rest[size + 2 :]
        body = out
    for bits in (47, -15):
        try:
            return head + b"\r\n\r\n" + zlib.decompressobj(bits).decompress(body)
        except zlib.error:
            pass
    return data


assert partial
