"""Random cases of servers, continued: stick tables, what is counted in them, and what operators see and set."""

# ruff: noqa: E501  (rows of words)
from __future__ import annotations

import random
import time

from fleet import Case, Place
from servers import family, pair, req, some

STORED = (
    "gpc0", "gpc0_rate(9h)", "gpc1", "gpc1_rate(9h)", "gpt0", "conn_cnt", "conn_cur", "conn_rate(9h)", "sess_cnt",
    "sess_rate(9h)", "http_req_cnt", "http_req_rate(9h)", "http_err_cnt", "http_err_rate(9h)", "http_fail_cnt",
    "http_fail_rate(9h)", "bytes_in_cnt", "bytes_in_rate(9h)", "bytes_out_cnt", "bytes_out_rate(9h)", "server_id",
    "gpc(3)", "gpc_rate(3,9h)", "gpt(2)",
)  # fmt: skip
KEYS = {
    "string len 20": ("a", "bb", "/x", "a%20b", "x" * 30),
    "integer": ("1", "42", "-3", "x"),
    "ip": ("127.0.0.1", "10.0.0.9", "x"),
    "ipv6": ("::1", "2001:db8::1", "127.0.0.1"),
    "binary len 4": ("61", "6162", "616263646566", "6"),
}  # fmt: skip
TRACKED = {
    "string len 20": "path", "integer": "req.hdr(x-n)", "ip": "src", "ipv6": "src", "binary len 4": "path",
}  # fmt: skip


def data(rng: random.Random) -> str:
    name = rng.choice(STORED)
    number = rng.choice(["0", "1", "7", "4294967295", "99999999999", "x", "-1"])
    plain = name.partition("(")[0]
    if plain in ("gpc", "gpt", "gpc_rate"):
        return (
            f"data.{plain}[{rng.choice('0123')}] {number}"
            if plain != "gpc_rate"
            else f"data.gpc_rate[{rng.choice('012')}] {number}"
        )
    return f"data.{plain} {number}"


@family
def tabled(rng: random.Random, name: str) -> Case:
    kind = rng.choice(list(KEYS))
    stored = some(rng, STORED, 9)
    if rng.random() < 0.5:
        stored = [one for one in stored if not one.startswith(("gpc(", "gpc_", "gpt("))]
    else:
        stored = [one for one in stored if not one.startswith(("gpc0", "gpc1", "gpt0"))]
    store = f"store {','.join(stored)}" if stored else ""
    table = f"stick-table type {kind} size {rng.choice(['1k', '3'])} expire 1h {store}"
    where = rng.choice(["tcp-request connection track-sc0 src", "tcp-request session track-sc0 src",
                        f"http-request track-sc0 {TRACKED[kind]}", f"http-request track-sc1 {TRACKED[kind]}",
                        f"tcp-request content track-sc2 {TRACKED[kind]}",
                        f"http-request track-sc0 {TRACKED[kind]} if {{ path /x }}",
                        f"http-response track-sc0 {'src' if TRACKED[kind] == 'src' else 'status'}"])  # fmt: skip
    if where.startswith(("tcp-request connection", "tcp-request session")):
        kind = rng.choice(["ip", "ipv6"])
        table = f"stick-table type {kind} size 10 expire 1h {store}"
    acts = some(rng, ["http-request sc-inc-gpc0(0)", "http-request sc-inc-gpc1(1)", "http-request sc-inc-gpc(2,0)",
                      "http-request sc-set-gpt0(0) 9", "http-request sc-set-gpt(1,0) 8", "http-request sc-inc-gpc(0,1)",
                      "http-request deny if { path /d }", "http-request return status 404 if { path /n }"], 3)  # fmt: skip
    front = ["mode http", where.replace("track-sc0 ", "track-sc0 ") + " table b_@N@" if " if " not in where
             else where.replace(" if ", " table b_@N@ if "), *acts]  # fmt: skip
    steps: list[str] = []
    for _ in range(rng.randint(2, 7)):
        key = rng.choice(KEYS[kind])
        steps.append(rng.choice([
            f"set table b_{name} key {key} {data(rng)}", f"set table b_{name} key {key} {data(rng)} {data(rng)}",
            f"set table b_{name} key {key}", f"clear table b_{name} key {key}", f"show table b_{name} key {key}",
            f"show table b_{name} {data(rng).replace(' ', rng.choice([' gt ', ' lt ', ' eq ', ' ne ']))}",
            f"clear table b_{name} {data(rng).replace(' ', ' gt ')}", f"clear table b_{name}", "ask /x", "ask /x", "ask /d",
            "ask /n", "ask a", f"show table b_{name} key", f"set table b_{name}",
        ]))  # fmt: skip

    if kind.startswith("binary"):  # refused, and done nevertheless in newer releases
        steps = [step for step in steps if not step.startswith(f"set table b_{name} key")]

    def play(place: Place) -> None:
        for step in [*steps, f"show table b_{name}"]:
            if step.startswith("ask "):
                place.ask(req(step[4:] if step[4] == "/" else "/" + step[4:], f"x-n: {len(step)}"))
                time.sleep(0.02)
                continue
            lines = place.command(step).split(b"\n")
            place.notes.append(step.encode() + b"\n" + b"\n".join(sorted(lines)))

    return Case(name, pair(front, [table, "server s1 @O1@"]), play)
