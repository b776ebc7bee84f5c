"""``agent-check``: what an agent beside a server says, as one line of words.

``75% maxconn:30 drain up``: a weight, a connection limit, an administrative word, an operational word,
the last maybe with a description after a word that begins with a sharp. Words are separated by blanks and
commas; the line ends at the first CR or LF, and is none without (manual, ``agent-check``).
"""

from __future__ import annotations

import re

from evener.haproxy.checks.outcome import CheckStatus, Outcome, Said
from evener.haproxy.checks.steps import Connect, Expect, Match, Script, Send
from evener.text.record import dataclass

_WEIGHT = re.compile(r"(?:weight:(.*)|(\d.*%))\Z", re.ASCII)
_MAXCONN = re.compile(r"maxconn:(.*)\Z", re.ASCII)
_PERCENT = re.compile(r"\+?(\d{1,9})(%?)\Z", re.ASCII)
_NUMBER = re.compile(r"[-+]?\d{1,9}\Z", re.ASCII)
_ADMINISTRATIVE = ("ready", "drain", "maint")
_DOWN = ("down", "stopped", "fail")


@dataclass(frozen=True, slots=True)
class AgentReport:
    """None: not said. ``percent``: the weight is relative to the configured one."""

    weight: int | None = None
    percent: bool = False
    maxconn: int | None = None
    administrative: str | None = None
    operational: str | None = None
    description: str = ""
    unknown: str = ""
    warning: str = ""
    spelt: str = ""  #: the operational word as the agent wrote it

    def outcome(self, duration: int) -> Outcome:
        """As it is shown and logged."""
        told = self.spelt or self.operational or ""
        if self.description:
            told += f" ({self.description})"
        if self.operational == "up":
            return Outcome(CheckStatus.L7OK, 0, f"via agent : {told}", duration)
        if self.operational is not None:
            return Outcome(CheckStatus.L7STS, 0, f"via agent : {told}", duration)
        info = f"agent warns : {self.warning}" if self.warning else ""
        if self.unknown:
            info = f"agent reports an error : {self.unknown}"
        return Outcome(CheckStatus.CHECKED, 0, info, duration)


def agent_line(data: bytes, closed: bool) -> Said:
    """The whole line, carried as the sentence of the outcome."""
    end = min((at for at in (data.find(b"\r"), data.find(b"\n")) if at >= 0), default=-1)
    if end >= 0:
        return CheckStatus.CHECKED, 0, data[:end].decode("utf-8", "surrogateescape")
    if closed and data:
        return CheckStatus.L7TOUT, 0, "Ignoring incomplete line from agent"
    return None


def parse_report(line: str) -> AgentReport:
    words, _, description = _DESCRIBED.match(line).groups("")  # type: ignore[union-attr]
    found: dict[str, int | str | bool] = {}
    for spelt in re.split(r"[ \t,]+", words.strip(" \t,")):
        word = spelt.lower()
        weight, maxconn = _WEIGHT.match(word), _MAXCONN.match(word)
        if weight:
            found |= _weight(weight[1] if weight[1] is not None else weight[2])
        elif maxconn:
            found |= _maxconn(maxconn[1])
        elif word in _ADMINISTRATIVE:
            found["administrative"] = word
        elif word == "up" or word in _DOWN:
            found |= {"operational": word, "spelt": spelt}
        elif word:
            found.setdefault("unknown", spelt)
    return AgentReport(**found, description=description.strip())  # type: ignore[arg-type]


_DESCRIBED = re.compile(r"(.*?)(?:(\A|[ \t,])#(.*))?\Z", re.DOTALL)


def _weight(text: str) -> dict[str, int | str | bool]:
    """What it says, or how it is complained about, as for ``set weight``."""
    if not text:
        return {"warning": "Require <weight> or <weight%>."}
    match = _PERCENT.match(text)
    if match is not None:
        return {"weight": int(match[1]), "percent": bool(match[2])}
    digits = text[:1].isascii() and text[:1].isdigit()
    told = (
        "Trailing garbage in weight string" if digits else "Empty weight string empty or preceded by garbage"
    )
    return {"warning": told}


def _maxconn(text: str) -> dict[str, int | str | bool]:
    if not text:
        return {"warning": "Require <maxconn>."}
    if _NUMBER.match(text):
        return {"maxconn": max(int(text), 0)}
    digits = text[:1].isascii() and text[:1].isdigit()
    told = "Trailing garbage in maxconn string" if digits else "maxconn string empty or preceded by garbage"
    return {"warning": told}


def agent_script(send: str | None) -> Script:
    """Connect, say what ``agent-send`` asks for, read the line."""
    reply = Expect(Match.SPEECH, speech=agent_line)
    if send is None:
        return Script((Connect(default=True), reply))
    return Script((Connect(default=True), Send(send.encode("utf-8", "surrogateescape")), reply))
