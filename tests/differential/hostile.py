"""Bytes that mean to mislead: numbers that are none, both ways, and values that would end their line."""

from __future__ import annotations

from typing import Final

from pair import Scenario as S
from words import req, res

CHUNKED: Final = "transfer-encoding: chunked"
NUMBERS: Final = {
    "underscore": "_3", "inner-underscore": "3_0", "plus": "+3", "minus": "-3", "0x": "0x3", "two": "3 3",
    "nul": "3\x00", "vertical-tab": "3\x0b", "superscript": "\xb2", "20-digits": "99999999999999999999",
    "comma": "3,3", "fraction": "3.0",
}  # fmt: skip
SMUGGLED: Final = req("/smuggled").decode("latin-1")


def answer(*lines: str, body: str) -> bytes:
    return res(*lines, body=body, length=False)


ALL: Final = [
    S("res-length-most", req(), answer("content-length: 9223372036854775807", body="abc"), close=True),
    *(
        S(f"chunk-{name}", req("/", CHUNKED, method="POST", body=f"{text}\r\nabc\r\n0\r\n\r\n{SMUGGLED}"))
        for name, text in NUMBERS.items()
    ),
    *(
        S(f"res-chunk-{name}", req(), answer(CHUNKED, body=f"{text}\r\nabc\r\n0\r\n\r\n"), close=True)
        for name, text in NUMBERS.items()
    ),
    *(
        S(f"length-{name}", req("/", f"content-length: {text}", method="POST", body=f"abc{SMUGGLED}"))
        for name, text in NUMBERS.items()
        if name not in ("nul", "comma")  # other scenarios
    ),
    *(
        S(f"res-length-{name}", req(), answer(f"content-length: {text}", body="abc"), close=True)
        for name, text in NUMBERS.items()
        if name not in ("nul", "comma")
    ),
    *(
        S(f"inject-{name}", req(f"/?inject={text}"), front="rules")
        for name, text in {
            "line": "a%0d%0ax-evil:%201", "lf": "a%0ax-evil:%201", "cr": "a%0dx", "nul": "a%00b",
            "head": "a%0d%0a%0d%0aGET%20/smuggled", "utf-8": "%c3%a9%ff",
        }.items()
    ),
]  # fmt: skip
