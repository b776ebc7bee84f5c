"""Random cases of servers, continued: what checks, agents and the traffic itself say of servers."""

# ruff: noqa: E501  (rows of words)
from __future__ import annotations

import random
import time

from fleet import OK, Case, Peer, Place
from servers import family, pair, req, res, some

HTTP_CHECKS = (
    ["option httpchk"], ["option httpchk GET /check"], ["option httpchk OPTIONS /check HTTP/1.1", "http-check send hdr host a"],
    ["option httpchk GET /check", "http-check expect status 200-299"], ["option httpchk GET /check", "http-check disable-on-404"],
    ["option httpchk GET /check", "http-check expect ! rstatus ^5"], ["option httpchk GET /check", "http-check expect string ok"],
    ["option httpchk GET /check", "http-check expect rstring k$"], ["option httpchk", "http-check send meth GET uri /check ver HTTP/1.1 hdr host b hdr x-y z"],
    ["option httpchk GET /check", "http-check disable-on-404", "http-check send-state"],
    ["option httpchk GET /check", "http-check expect hdr name x-up value yes"],
    ["option tcp-check", "tcp-check send PING", "tcp-check expect string PONG"], ["option tcp-check", "tcp-check connect", "tcp-check send-binary 50494e47", "tcp-check expect rstring ^P", "tcp-check expect rstring ONG"],
    ["option tcp-check"], [],
)  # fmt: skip
MOODS = ("200", "200", "404", "500", "302", "silent", "reset", "junk", "up", "empty")
SAID = ("up", "down", "down#broken", "maint", "drain", "ready", "50%", "0%", "100%", "up 75%", "stopped", "fail", "bla",
        "ready up", "maxconn:5", "up maxconn:9", "", "UP,", "  down  # so")  # fmt: skip


def sees(mood: list[str], traffic: str) -> object:
    def serve(peer: Peer, _: int) -> None:
        now = mood[0]
        if now == "reset":
            peer.reset()
            return
        while request := peer.request() or (b"PING" if peer.data.startswith(b"PING") else b""):
            now = mood[0]
            if not request.split(b" ")[1:2] or (b"/check" not in request and b"OPTIONS" not in request):
                if request == b"PING":
                    peer.send(b"PONG\n" if now in ("200", "up") else b"NO\n")
                    return
                peer.send(OK if traffic == "200" else res(int(traffic)) if traffic.isdigit() else b"")
                if not traffic.isdigit():
                    return
            elif now.isdigit():
                peer.send(res(int(now), "x-up: no", body="no"))
            elif now == "up":
                peer.send(res(200, "x-up: yes", body="ok"))
            elif now == "junk":
                peer.send(b"junk\r\n\r\n")
            elif now == "silent":
                peer.drain()
            else:
                return

    return serve


def state(place: Place) -> bytes:
    """Name, states, weights, the last check and the level; not whether a check is under way."""
    rows = place.command(f"show servers state b_{place.name}").split(b"\n")[2:]
    return b"\n".join(b" ".join(row.split(b" ")[n] for n in (3, 5, 6, 7, 8, 10, 12)) for row in rows)


@family
def checked(rng: random.Random, name: str) -> Case:
    lines = rng.choice(HTTP_CHECKS)
    words = [f"check inter 150ms rise {rng.choice([1, 2])} fall {rng.choice([1, 2, 3])}",
             rng.choice(["", "", "fastinter 100ms", "downinter 100ms"]), rng.choice(["", "", "on-marked-down shutdown-sessions", "slowstart 20s"]),
             rng.choice(["", "", "on-marked-up shutdown-backup-sessions", ""]),
             rng.choice(["", "", "weight 100", "backup"])]  # fmt: skip
    back = [*lines, "timeout check 120ms", *some(rng, ["option log-health-checks", "option persist", "option allbackups"], 2),
            f"server s1 @O1@ {' '.join(words)}", rng.choice(["server s2 @O2@", "server s2 @O2@ backup", "server s2 @O2@ track b_@N@/s1", ""])]  # fmt: skip
    moods = [rng.choice(MOODS) for _ in range(rng.randint(2, 4))]

    def play(place: Place) -> None:
        mood = ["up"]
        place.everywhere(sees(mood, "200"))  # type: ignore[arg-type]
        for now in ["up", *moods]:
            mood[0] = now
            time.sleep(1.0)
            place.notes.append(now.encode() + b"\n" + state(place))
            place.ask(req("/x"))
        place.origins.clear()  # how often they were asked is no matter

    return Case(name, pair([], back), play)


@family
def advised(rng: random.Random, name: str) -> Case:
    """An agent speaks."""
    words = ["agent-check agent-port @P3@ agent-inter 150ms agent-send hello\\n", rng.choice(["", "check inter 150ms"]),
             rng.choice(["", "weight 10", "weight 200", "backup"]), rng.choice(["", "", "rise 1 fall 1", "rise 3"]),
             rng.choice(["", "", "slowstart 20s", "maxconn 30"])]  # fmt: skip
    back = [rng.choice(["", "option httpchk GET /check"]),
            f"server s1 @O1@ {' '.join(words)}", "server s2 @O2@" + rng.choice(["", " backup", " track b_@N@/s1" if "check inter" in words[1] else ""]), "# @O3@"]  # fmt: skip
    said = [rng.choice(SAID) for _ in range(rng.randint(2, 4))]

    def play(place: Place) -> None:
        spoken = ["up"]
        place.everywhere(sees(["up"], "200"))  # type: ignore[arg-type]

        def agent(peer: Peer, _: int) -> None:
            peer.send(spoken[0].encode() + b"\n")

        place.origins["O3"].script = agent
        for now in ["up", *said]:
            spoken[0] = now
            time.sleep(1.0)
            place.notes.append(now.encode() + b"\n" + state(place))
        place.origins.clear()

    return Case(name, pair([], back), play)


@family
def observed(rng: random.Random, name: str) -> Case:
    """The traffic tells."""
    layer = rng.choice(["layer4", "layer7"])
    words = [f"check inter 20s observe {layer} error-limit {rng.choice([1, 2, 3])}",
             rng.choice(["", "on-error fastinter", "on-error fail-check", "on-error sudden-death", "on-error mark-down"]),
             rng.choice(["", "fall 1", "fall 2 rise 1"]), rng.choice(["", "fastinter 10s", "on-marked-down shutdown-sessions"])]  # fmt: skip
    back = ["retries 0", "option httpchk GET /check", rng.choice(["", "balance first", "option redispatch"]),
            f"server s1 @O1@ {' '.join(words)}", rng.choice(["server s2 @O2@ backup", ""])]  # fmt: skip
    answers = rng.choice(["200", "500", "503", "404", "501", "bad"])
    many = rng.randint(1, 6)

    def play(place: Place) -> None:
        place.everywhere(sees(["up"], "200"))  # type: ignore[arg-type]
        place.origins["O1"].script = sees(["up"], answers)  # type: ignore[assignment]
        for _ in range(many):
            place.ask(req("/x"))
            time.sleep(0.15)
        place.notes.append(state(place))
        place.origins.clear()

    return Case(name, pair([], back), play)
