"""Random configurations with traffic for them, from a grammar and a seed.

What there is to choose from stands in fixtures/dice/grammar.txt. The same number gives the same scenario,
so that a difference can be looked at again. Nothing is known here about programs: a line that a reference
refuses is left out by whoever plays the scenario.
"""

from __future__ import annotations

import random
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

GRAMMAR: Final = Path(__file__).parents[2] / "fixtures" / "dice" / "grammar.txt"
SYMBOL: Final = re.compile(r"@([a-z0-9-]+)@")
WEIGHT: Final = re.compile(r"(\d+)\* ")

FILES: Final = {
    "403.http": "HTTP/1.1 403 Nope\r\nContent-Type: text/plain\r\nX-E: 1\r\n\r\nno way\n",
    "404.http": "HTTP/1.1 404 Lost\r\ncontent-length: 4\r\n\r\nlost",
    "503.http": "HTTP/1.0 503 Down\r\nCache-Control: no-cache\r\nConnection: close\r\n\r\ndown\n",
    "body.txt": "file body\nline2\n",
    "lf.txt": "path=%[path] <%[var(txn.a)]>\n",
    "m.str": "# comment\n\nabc first\none two words\n/a slash\nexample.com host\nabc second\n b  lead\n",
    "m.ip": "10.0.0.0/8 ten\n127.0.0.0/8 loop\n127.0.0.1 self\n2001:db8::/32 doc\n",
    "m.int": "1 one\n2:4 few\n42 answer\n100: big\n",
    "m.reg": "^/a(.)(.*) got-\\1-\\2\n^one$ single\no+ os\n([a-z]+)/([0-9]+) <\\2|\\1>\n",
    "m.num": "abc 12\none -3\n/a 0x10\n1 99999999999\nexample.com 7\n",
    "m.addr": "abc 10.0.0.1\none ::1\nexample.com 9.9.9.9\n",
    "m.beg": "/a A\n/a/b AB\no O\nex EX\n1 n1\n",
    "m.end": "b endb\ncom endcom\ne ende\n.txt text\n",
    "m.dom": "example exdom\ncom comdom\none onedom\n",
    "m.dir": "a dira\nb dirb\na/b dirab\n",
    "m.sub": "xa sxa\nb sb\n/ slash\nn sn\n",
    "a.lst": "abc\n/a/b\none\n# no\n10.0.0.1\nexample.com\n1\n",
    "a.ip": "127.0.0.0/8\n10.0.0.0/8\n",
    "w.map": "/one first\n",
    "w.acl": "/one\n",
}
"""What rules read, in the folder @DIR@."""


@dataclass(frozen=True)
class Case:
    """Lines of a frontend and of its backend, the requests of each connection, and what a server answers."""

    front: list[str]
    back: list[str]
    visits: list[list[bytes]]
    answer: bytes


Grammar = dict[str, tuple[list[str], list[int]]]


@cache
def read_grammar(path: Path) -> Grammar:
    """Alternatives and their weights, by symbol."""
    found: Grammar = {}
    section = ""
    for line in path.read_text().splitlines():
        if line.startswith("[") and line.endswith("]") and re.fullmatch(r"\[[a-z-]+\]", line):
            section = line[1:-1]
            found[section] = [], []
        elif line and section:
            weight = WEIGHT.match(line)
            found[section][0].append(line[weight.end() :] if weight else line)
            found[section][1].append(int(weight[1]) if weight else 1)
    return found


class Dice:
    grammar: Grammar = read_grammar(GRAMMAR)

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def roll(self, symbol: str) -> str:
        """A text of that symbol."""
        texts, weights = self.grammar[symbol]
        if not texts:
            return ""
        (chosen,) = self.random.choices(texts, weights)
        return SYMBOL.sub(lambda found: self.roll(found[1]), chosen)

    def several(self, symbol: str, *counts: int) -> list[str]:
        return [self.roll(symbol) for _ in range(self.random.choice(counts))]

    def case(self, name: str) -> Case:
        """A whole scenario; ``name`` is the frontend's."""
        acls = [
            "acl acl1 " + self.roll("acl"),
            "acl acl1 " + self.roll("acl"),
            "acl acl2 " + self.roll("acl"),
        ]
        front = [
            "log-format " + self.roll("log"),
            *acls,
            *self.several("option", 0, 1, 1, 2),
            *self.several("tcp-rule", 0, 0, 1, 2),
            *self.several("request-rule", 1, 2, 4, 6, 9),
            *self.several("response-rule", 0, 1, 2, 4),
            *(line + self.roll("cond-req") for line in self.several("redirect", 0, 0, 0, 1)),
            *self.several("switch", 0, 0, 1, 2),
            f"default_backend {name}b",
        ]
        back = [
            *("acl " + text for text in ("acl1 " + self.roll("acl"), "acl2 " + self.roll("acl"))),
            *self.several("request-rule", 0, 0, 1, 3),
            *self.several("response-rule", 0, 1, 2, 3),
            "server s1 @ORIGIN@ cookie c1",
        ]
        visits = [[self.request() for _ in range(self.random.choice((1, 1, 2)))] for _ in range(2)]
        return Case(front, back, visits, self.answer())

    def request(self) -> bytes:
        method, version = self.roll("verb"), self.random.choice(("1.1", "1.1", "1.1", "1.0"))
        lines = [f"{method} {self.roll('target')} HTTP/{version}"]
        lines += [f"host: {self.roll('host')}"] if version == "1.1" else []
        choices = self.grammar["line"][0]
        lines += self.random.sample(choices, self.random.randint(1, 10))
        body = self.roll("body") if method in ("POST", "PUT", "PATCH") else None
        if body is None:
            return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")
        if version == "1.1" and self.random.random() < 0.4:
            pieces = [body[at : at + 4] for at in range(0, len(body), 4)]
            body = "".join(f"{len(piece):x}\r\n{piece}\r\n" for piece in pieces) + "0\r\n\r\n"
            lines.append("transfer-encoding: chunked")
        else:
            lines.append(f"content-length: {len(body)}")
        return ("\r\n".join(lines) + "\r\n\r\n" + body).encode("latin-1")

    def answer(self) -> bytes:
        choices = self.grammar["answer-line"][0]
        body = self.roll("answer-body")
        lines = ["HTTP/1.1 " + self.roll("answer-status")]
        lines += [*self.random.sample(choices, self.random.randint(0, 8)), f"content-length: {len(body)}"]
        return ("\r\n".join(lines) + "\r\n\r\n" + body).encode("latin-1")
