"""``agent-check``: what an agent beside a server says, as one line of words.

``75% maxconn:30 drain up``: a weight, a connection limit, an administrative word, an operational word,
the last maybe with a description after a sharp. Words are separated by blanks and commas; the line ends
at the first CR or LF (manual, ``agent-check``).
"""

from __future__ import annotations

import re

from evener.haproxy.checks.outcome import CheckStatus, Outcome, Said
from evener.haproxy.checks.steps import Connect, Expect, Match, Script, Send
from evener.text.record import dataclass

_WEIGHT = re.compile(r"(?:weight:)?(\d{1,9})(%)\Z|weight:(\d{1,9})\Z", re.ASCII)
_MAXCONN = re.compile(r"maxconn:(\d{1,9})\Z", re.ASCII)
_SHARP = re.compile(r"(?:^|(?<=[ \t,]))#")
"""Where a description begins; a sharp in a word belongs to the word."""
_ADMINISTRATIVE = ("ready", "drain", "maint")
_DOWN = ("down", "stopped", "fail")


@dataclass(frozen=True, slots=True)
class AgentReport:
    """None: not said. ``percent``: the weight is relative to the configured one. ``operational`` is shown
    as it was written."""

    weight: int | None = None
    percent: bool = False
    maxconn: int | None = None
    administrative: str | None = None
    operational: str | None = None
    description: str = ""
    unknown: str = ""

    def outcome(self, duration: int) -> Outcome:
        """As it is shown and logged."""
        told = self.operational or ""
        up = told.lower() == "up"
        why = self.unknown if self.unknown and (up or not self.description) else self.description
        if why:
            told += f" ({why})"
        if up:
            return Outcome(CheckStatus.L7OK, 0, f"via agent : {told}", duration)
        if self.operational is not None:
            return Outcome(CheckStatus.L7STS, 0, f"via agent : {told}", duration)
        info = f"agent reports an error : {self.unknown}" if self.unknown else ""
        return Outcome(CheckStatus.CHECKED, 0, info, duration)


def agent_line(data: bytes, closed: bool) -> Said:
    """The whole line, carried as the sentence of the outcome."""
    end = min((at for at in (data.find(b"\r"), data.find(b"\n")) if at >= 0), default=-1)
    if end < 0:
        return (CheckStatus.L7TOUT, 0, "") if closed and data else None
    return CheckStatus.CHECKED, 0, data[:end].decode("utf-8", "surrogateescape")


def parse_report(line: str) -> AgentReport:
    words, *rest = _SHARP.split(line, maxsplit=1)
    found: dict[str, int | str | bool] = {}
    for spelt in re.split(r"[ \t,]+", words.strip(" \t,")):
        word = spelt.lower()
        weight, maxconn = _WEIGHT.match(word), _MAXCONN.match(word)
        if weight:
            found |= {"weight": int(weight[1] or weight[3]), "percent": bool(weight[2])}
        elif maxconn:
            found["maxconn"] = int(maxconn[1])
        elif word in _ADMINISTRATIVE:
            found["administrative"] = word
        elif word == "up" or word in _DOWN:
            found["operational"] = spelt
        elif word:
            found.setdefault("unknown", spelt)
    return AgentReport(**found, description=rest[0].strip() if rest else "")  # type: ignore[arg-type]


def agent_script(send: str | None) -> Script:
    """Connect, say what ``agent-send`` asks for, read the line."""
    reply = Expect(Match.SPEECH, speech=agent_line)
    if send is None:
        return Script((Connect(default=True), reply))
    return Script((Connect(default=True), Send(send.encode("utf-8", "surrogateescape")), reply))
