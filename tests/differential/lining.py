"""Random cases of servers, continued: full servers, and in what order those who wait are served."""

from __future__ import annotations

import random
import threading
import time

from fleet import OK, SECONDS, Case, Peer, Place
from servers import family, pair, req

# ruff: noqa: E501  (rows of words)
SEEN = ("%ft %b/%s %ST %tsc %sc %sq/%bq %rc %[srv_queue(b_@N@/s0)] %[queue(b_@N@)] %[srv_conn(b_@N@/s0)]"
        " %[be_conn(b_@N@)] %[connslots(b_@N@)] %[srv_conn_free(b_@N@/s0)] %[be_conn_free(b_@N@)] %r")  # fmt: skip


@family
def lined_up(rng: random.Random, name: str) -> Case:
    """All come while nobody is served, then they are answered one by one."""
    many = rng.randint(1, 3)
    balance = rng.choice(["roundrobin", "leastconn", "leastconn", "first", "static-rr", "hash path"])
    back = ["timeout queue 3s", "timeout server 3s", f"balance {balance}",
            rng.choice(["", "", "fullconn 4"]),
            rng.choice(["", "", "", "http-request set-priority-class hdr(x-p)"])]  # fmt: skip
    for index in range(many):
        most = rng.randint(1, 3)
        words = [f"maxconn {most}", rng.choice(["", f"maxqueue {rng.randint(1, 4)}"]),
                 rng.choice(["", "", "", f"minconn {rng.randint(1, most)}"]), rng.choice(["", "", "weight 3"])]  # fmt: skip
        back.append(f"server s{index} @O{index + 1}@ {' '.join(words)}")
    asked = [rng.choice([0, 0, 1, -1]) for _ in range(rng.randint(2, 10))]

    def play(place: Place) -> None:
        serving: dict[int, threading.Event] = {}

        def serve(peer: Peer, _: int) -> None:
            while request := peer.request():
                answered = serving[int(request.split(b" ")[1][1:])] = threading.Event()
                if answered.wait(SECONDS):
                    peer.send(OK)

        place.everywhere(serve)
        peers = []
        for number, importance in enumerate(asked):
            peers.append(place.connect())
            peers[-1].send(req(f"/{number}", f"x-p: {importance}"))
            time.sleep(0.02)
        for _ in peers:
            if serving:
                serving.pop(min(serving)).set()
            time.sleep(0.02)
        for peer in peers:
            peer.response()

    return Case(name, pair(["timeout client 3s", f'log-format "{SEEN}"'], back), play)
