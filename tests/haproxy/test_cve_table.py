"""Every number that a weakness of HAProxy has got: the test that keeps it out here, or why there is none.

Of other parts, and so of other tests: HTTP/2 and HPACK (CVE-2018-10184, CVE-2018-14645, CVE-2018-20615,
CVE-2019-19330, CVE-2020-11100, CVE-2021-39240, CVE-2023-44487, CVE-2024-45506), QUIC and HTTP/3
(CVE-2024-49214, CVE-2026-26080, CVE-2026-26081, CVE-2026-33555), names looked up in resolvers sections
(CVE-2018-20102, CVE-2018-20103), FastCGI (CVE-2023-0836, CVE-2026-55203), keys of TLS tickets
(CVE-2019-11323). Those parts are planned: nothing of them is spoken. CVE-2012-2391 is CVE-2012-2942 by
another number, and CVE-2016-2102 was the permission of a file in one distribution's package.
"""

from __future__ import annotations

import ast
import itertools
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from samples import run, txn

from evener.engine.http1 import Request, to_bytes
from evener.haproxy import cache
from evener.haproxy.cookie_lines import join, pieces, set_cookie
from evener.haproxy.text_txn import TextTxn
from evener.haproxy.txn import REPLIED

HERE = Path(__file__).parents[1]
#: Numbers about HTTP/1, cookies, samples, converters, logs and the cache, and the words a test's name has.
TABLE = {
    "CVE-2012-2942": "a rule cannot outgrow the buffer",
    "CVE-2013-1912": "rules wait while the next request is there",
    "CVE-2013-2175": "occurrences that are not there",
    "CVE-2014-6269": "a body larger than any buffer",
    "CVE-2015-3281": "nothing of one request is in the next",
    "CVE-2016-5360": "a denial needs no status of its own",
    "CVE-2018-11469": "what is authorized is not kept for others",
    "CVE-2019-14241": "cookies that begin with a delimiter",
    "CVE-2019-18277": "only chunked is chunked",
    "CVE-2021-39241": "a method is one word",
    "CVE-2021-39242": "host and authority agree",
    "CVE-2021-40346": "a long name is no other name",
    "CVE-2022-0711": "set cookie2 is a field like others",
    "CVE-2023-0056": "an interim response changes nothing",
    "CVE-2023-25725": "an empty name ends nothing",
    "CVE-2023-40225": "a length has digits",
    "CVE-2023-45539": "no fragment in a target",
    "CVE-2024-53008": "h2c is never asked of a server",
    "CVE-2025-11230": "a number with a long exponent",
    "CVE-2025-32464": "a replacement longer than its match",
}


def numbered() -> set[str]:
    found: set[str] = set()
    for path in HERE.rglob("test_*.py"):
        text = path.read_text(encoding="utf-8")
        if "def test_cve_" in text:
            found |= {node.name for node in ast.walk(ast.parse(text)) if isinstance(node, ast.FunctionDef)}
    return {name for name in found if name.startswith("test_cve_")}


def test_each_number_has_its_test_and_each_test_its_number() -> None:
    wanted = {
        f"test_{number} {words}".lower().replace("-", "_").replace(" ", "_")
        for number, words in TABLE.items()
    }
    assert numbered() == wanted
    assert not set(TABLE) & set(
        re.findall(r"CVE-[0-9]+-[0-9]+", (__doc__ or "").replace("CVE-2012-2942", ""))
    )


@pytest.mark.parametrize("action", ["deny", "tarpit", "reject", "deny deny_status 429", "return"])
def test_cve_2016_5360_a_denial_needs_no_status_of_its_own(action: str) -> None:
    made = txn()
    run("http-request", action, made)
    if action not in ("reject", "tarpit"):
        assert made.replied is not None and made.replied[0] in (200, 403, 429)
    assert action == "reject" or made.replied is None or made.replied[1]
    assert REPLIED == 2


@pytest.mark.parametrize("line", ["authorization: Basic eDp5", "Authorization:Bearer a", "AUTHORIZATION: x"])
def test_cve_2018_11469_what_is_authorized_is_not_kept_for_others(line: str) -> None:
    request = TextTxn.from_text(f"GET /a HTTP/1.1\nhost: a\n{line}\n\n").req
    found = cache.enquiry(request, vary=True)
    assert (found.usable, found.storable) == (False, False)


_ODD = (b"", b";", b",", b"=", b" ", b'"', b"\\", b"a", b"SRV", b"SRV=s1", b"\t")


@pytest.mark.parametrize("parts", list(itertools.product(_ODD, repeat=3))[::7])
def test_cve_2019_14241_cookies_that_begin_with_a_delimiter(parts: tuple[bytes, ...]) -> None:
    """They are taken apart in one pass, whatever stands where, and put together as they were."""
    line = b"".join(parts)
    found = pieces(line)
    assert len(found) <= len(line) + 1
    kept = join(found)
    assert (kept or b"").replace(b" ", b"").replace(b"\t", b"").strip(b";,") in line.replace(
        b" ", b""
    ).replace(b"\t", b"")
    for piece in found:
        piece.gone = piece.name == b"SRV"
    assert all(piece.name != b"SRV" for piece in pieces(join(found) or b""))
    set_cookie(line)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.sampled_from(_ODD), max_size=40))
def test_cookies_of_any_form_are_taken_apart(parts: list[bytes]) -> None:
    line = b"".join(parts)
    assert len(pieces(line)) <= len(line) + 1
    set_cookie(line)


@pytest.mark.parametrize(
    "lines",
    [
        b"connection: upgrade, http2-settings\r\nupgrade: h2c\r\nhttp2-settings: AAMAAABkAAQCAAAA\r\n",
        b"connection: upgrade\r\nupgrade: H2C\r\n",
        b"connection: Upgrade\r\nupgrade: h2c, h2c\r\nupgrade: , h2c ,\r\n",
        b"connection: keep-alive, upgrade\r\nupgrade:h2c\r\n",
    ],
)
def test_cve_2024_53008_h2c_is_never_asked_of_a_server(lines: bytes) -> None:
    """A server that spoke HTTP/2 afterwards would take requests that no rule has seen."""
    sent = to_bytes(Request.from_bytes(b"GET / HTTP/1.1\r\nhost: a\r\n" + lines + b"\r\n")).lower()
    assert b"h2c" not in sent and b"upgrade" not in sent
