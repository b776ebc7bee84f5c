"""Random cases of servers, continued: what operators tell them, and what is said of it."""

# ruff: noqa: E501  (rows of words)
from __future__ import annotations

import random

from fleet import Case, Place
from servers import family, pair

STEPS = (
    "enable server S", "disable server S", "set server S state drain", "set server S state maint",
    "set server S state ready", "set server S health down", "set server S health up",
    "set server S health stopping", "set server S weight 0", "set server S weight 50%", "set server S agent up",
    "set server S agent down", "disable health S", "enable health S", "disable agent S", "enable agent S",
    "disable server T", "enable server T", "set server T health down", "set server T health up",
    "set server T state drain", "set server S weight 3", "get weight S", "set maxconn server S 7",
    "set server S check-port 70000", "set server S addr 127.0.0.9", "set server S addr 127.0.0.8 port 9",
    "shutdown sessions server S", "set server S fqdn localhost", "set weight S 300", "set server S name x",
)  # fmt: skip
WORDS = (
    "", "check inter 100s", "backup", "track b_@N@/s1", "weight 0", "disabled", "check inter 100s disabled",
    "check inter 100s agent-check agent-port 1 agent-inter 100s", "slowstart 9s check inter 100s",
    "track b_@N@/s1 weight 3", "check inter 100s backup cookie a maxconn 5",
)  # fmt: skip


@family
def commanded(rng: random.Random, name: str) -> Case:
    words = rng.choice(WORDS)
    other = "check inter 100s" if "track" in words else rng.choice(["", "backup"])
    chosen = [rng.choice(STEPS) for _ in range(rng.randint(3, 7))]
    steps = [step.replace("S", f"b_{name}/s0").replace("T", f"b_{name}/s1") for step in chosen]

    def play(place: Place) -> None:
        for step in steps:
            said = place.command(step)
            rows = place.command(f"show servers state b_{name}").split(b"\n")[2:]
            seen = [b" ".join(row.split(b" ")[3:9] + row.split(b" ")[10:17]) for row in rows]
            place.notes.append(b"\n".join([step.encode(), said, *seen]))

    return Case(name, pair([], [f"server s0 @O1@ {words}", f"server s1 @O1@ {other}"]), play)
