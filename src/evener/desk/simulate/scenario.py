"""The text of a scenario: one action per line, ``SECONDS ACTION NODE WORDS...``.

    duration 30
    5   crash a            the machine is gone: no farewell, no addresses
    8   start a            (a node starts at 0, unless its first line is a start)
    10  stop a             an orderly end
    12  cut a b            packets between a and b are lost; ``cut a`` cuts it off from everybody
    14  mend a b
    14  mute a b           packets from a to b are lost, those from b to a are not; ``mute a``: to everybody
    14  unmute a b
    15  down a eth0        the link of an interface
    16  up a eth0
    17  script a chk fail  the next runs of a vrrp_script fail (``ok``: succeed)
    18  file a offset -30  what a track_file holds
    19  process a web down the quorum of a vrrp_track_process
    20  bfd a uplink down  a BFD session whose neighbour is no node (and is up in the beginning); those
                           between nodes run by themselves, and this cuts their packets off
    21  clock a 1.05       its clock runs five percent fast

Empty lines and ``#`` comments are allowed. Times need not be in order. Everything that is wrong is said, with
its line.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import field

from evener.text.record import dataclass

SECOND_US = 1_000_000
MOST_SECONDS = 86_400
DEFAULT_DURATION_US = 30 * SECOND_US
MOST_LINES = 10_000


@dataclass(frozen=True, slots=True)
class Action:
    """What happens to ``node`` at ``at_us``. ``words`` depend on the ``kind``, a key of ``KINDS``."""

    at_us: int
    kind: str
    node: str
    words: tuple[str, ...] = ()
    line: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Scenario:
    """All actions in order of time."""

    duration_us: int = DEFAULT_DURATION_US
    actions: tuple[Action, ...] = ()


class ScenarioError(Exception):
    """The text cannot be understood; ``problems`` are sentences that begin with their line."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = tuple(problems)


def seconds(text: str) -> int | None:
    """A decimal number of seconds as microseconds."""
    whole, _, part = text.partition(".")
    if not (whole + part).isascii() or not (whole + part).isdigit() or len(part) > 6 or len(whole) > 6:
        return None
    value = int(whole or "0") * SECOND_US + int(part.ljust(6, "0"))
    return value if value <= MOST_SECONDS * SECOND_US else None


def rate(text: str) -> float | None:
    whole, _, part = text.partition(".")
    if not (whole + part).isascii() or not (whole + part).isdigit() or len(text) > 12:
        return None
    value = float(text)
    return value if 0.1 <= value <= 10 else None


def _integer(text: str) -> bool:
    digits = text.removeprefix("-")
    return digits.isascii() and digits.isdigit() and len(digits) <= 10


# kind: (how many further words at least and at most, whether the last one makes sense, what is expected)
KINDS: dict[str, tuple[int, int, Callable[[str], bool], str]] = {
    "start": (0, 0, lambda word: True, ""),
    "stop": (0, 0, lambda word: True, ""),
    "crash": (0, 0, lambda word: True, ""),
    "cut": (0, 1, lambda word: True, "[NODE]"),
    "mend": (0, 1, lambda word: True, "[NODE]"),
    "mute": (0, 1, lambda word: True, "[NODE]"),
    "unmute": (0, 1, lambda word: True, "[NODE]"),
    "down": (1, 1, lambda word: True, "INTERFACE"),
    "up": (1, 1, lambda word: True, "INTERFACE"),
    "script": (2, 2, lambda word: word in ("ok", "fail"), "NAME ok|fail"),
    "file": (2, 2, _integer, "NAME NUMBER"),
    "process": (2, 2, lambda word: word in ("up", "down"), "NAME up|down"),
    "bfd": (2, 2, lambda word: word in ("up", "down"), "NAME up|down"),
    "clock": (1, 1, lambda word: rate(word) is not None, "RATE"),
}


def parse(text: str, nodes: Sequence[str]) -> Scenario:
    """Read a scenario about ``nodes``; raises ScenarioError."""
    duration, actions, problems = DEFAULT_DURATION_US, [], []
    lines = text.splitlines()
    if len(lines) > MOST_LINES:
        raise ScenarioError([f"more than {MOST_LINES} lines"])
    for number, line in enumerate(lines, 1):
        words = line.partition("#")[0].split()
        if not words:
            continue
        if words[0] == "duration":
            found = seconds(words[1]) if len(words) == 2 else None
            if found is None:
                problems.append(f"line {number}: duration needs a number of seconds")
            duration = found or duration
            continue
        problem, action = _action(words, nodes, number)
        if problem:
            problems.append(f"line {number}: {problem}")
        elif action is not None:
            actions.append(action)
    if problems:
        raise ScenarioError(problems)
    return Scenario(duration, tuple(sorted(actions, key=lambda action: action.at_us)))


def _action(words: list[str], nodes: Sequence[str], line: int) -> tuple[str, Action | None]:
    at = seconds(words[0])
    if at is None:
        return f"'{words[0]}' is no time in seconds", None
    if len(words) < 3 or words[1] not in KINDS:
        known = ", ".join(KINDS)
        return f"expected SECONDS ACTION NODE; actions are {known}", None
    kind, node, *rest = words[1:]
    least, most, sensible, usage = KINDS[kind]
    if node not in nodes:
        return f"there is no node '{node}' (there are {', '.join(nodes)})", None
    if not least <= len(rest) <= most or (rest and not sensible(rest[-1])):
        return f"expected {kind} NODE {usage}".rstrip(), None
    if kind in ("cut", "mend", "mute", "unmute") and rest and rest[0] not in nodes:
        return f"there is no node '{rest[0]}' (there are {', '.join(nodes)})", None
    return "", Action(at, kind, node, tuple(rest), line)
