"""Where a release after Debian's is followed (3.5): why, and what must be seen instead.

Each entry was compared byte by byte with that release when it was written: EVENER_DIFF_HAPROXY runs the
scenarios against such a binary, and then these are compared like all others.
"""

from __future__ import annotations

from typing import Final

from cuts import HEAD_END

_REFUSED: Final = (b"HTTP/1.1 400 ", b"<NOSRV>|400|PR--")
_HOST: Final = ("a host with bytes that none has is refused since 3.3", *_REFUSED)

NEWER: Final[dict[str, tuple[str | bytes, ...]]] = {
    "header-value-nul": ("NUL in values is refused since 2.7 (CVE-2023-25725 and its kin)", *_REFUSED),
    "res-value-nul": ("NUL in values is refused since 2.7", b"502 Bad Gateway", b"|PH--|"),
    "too-long-header": ("431 instead of 400 since 3.4", b"HTTP/1.1 431 ", b"|431|PR--"),
    "too-long-target": ("414 instead of 400 since 3.4", b"HTTP/1.1 414 ", b"|414|PR--"),
    "http2-preface-later": ("HTTP/2 where it cannot be spoken", b"HTTP/1.1 405 ", b"|405|PR--"),
    "get-star": ("the asterisk form is for OPTIONS only", *_REFUSED),
    "relative": ("a target that is in no form of RFC 9112 3.2 is refused", *_REFUSED),
    "absolute-no-path": ("an absolute target gets its slash", b"GET http://a/ HTTP/1.1\r\n"),
    "absolute-query-no-path": ("an authority ends at the question mark", b"GET http://a?x=1 HTTP/1.1\r\n"),
    "connect": ("no framing line before a tunnel", b"HTTP/1.1 200 OK\r\n\r\nok"),
    "host-blank-inside": _HOST,
    "host-slash": _HOST,
    "host-user": _HOST,
    "host-comma": _HOST,
    "host-high-byte": _HOST,
    "length-leading-zeros": ("a length is written again", b"content-length: 3\r\n"),
    "chunked-upper": ("the coding is written again", b"transfer-encoding: chunked\r\n"),
    "sent-get": (
        "the connection is kept",
        b"no-cache\r\ncontent-length: 0\r\nlocation: http://other.example/base/a?b",
        b"|LC--|",
    ),
    "sent-head": (
        "the connection is kept",
        b"no-cache\r\ncontent-length: 0\r\nlocation: http://other.example/base/a?b",
        b"|LC--|",
    ),
    "files-bad": ("an own page answers what is no request", b"HTTP/1.1 403 Nope\r\n", b"|400|PR--|"),
    "chunk-size-bare-lf": ("chunk lines end by CR LF only", *_REFUSED),
    "chunk-extension-lf": ("chunk lines end by CR LF only", *_REFUSED),
    "res-chunked-cut": (
        "what came of a chunk is forwarded under its own size",
        b"chunked\r\n\r\n5\r\nabc",
        b"|SD--|",
    ),
    "res-half-a-head": ("half a head is a protocol error", b"502 Bad Gateway", b"|PH--|"),
    "res-no-reason": ("a phrase is made up", b"HTTP/1.1 200 OK\r\n"),
    "res-no-reason-blank": ("a phrase is made up", b"HTTP/1.1 200 OK\r\n"),
    "res-status-two-digits": ("a short status is no 1xx", b"HTTP/1.1 20 Hm\r\ncontent-length: 2\r\n"),
    "res-upgrade-header": ("h2c is never offered", b"connection: upgrade\r\ncontent-length: 2\r\n\r\n"),
    "closing": ("httpclose in a frontend is about clients", b"GET / HTTP/1.1\r\nhost: a\r\n\r\n"),
    "closing-1.0-keep-alive": ("httpclose in a frontend is about clients", b"connection: keep-alive\r\n"),
    "rule-redirect-post": ("a redirected body is drained", b"301 Moved Permanently\r\ncontent-length: 0\r\n"),
    "after-502": ("an error page has a version too", b"502 HTTP/1.1 HTTP/1.1 GET /x"),
    "cached-s-maxage-last": ("an s-maxage behind max-age=0 counts", b"<CACHE> 200 90 LR--"),
    "res-103-to-1.0": ("RFC 9110 15.2: no 1xx to a 1.0 client; the reference sends it", b"200 OK"),
}
OURS: Final = frozenset({"res-103-to-1.0"})
"""Differences from every release, on purpose."""
_HALF: Final = ("half a head is a protocol error", b"502 Bad Gateway", b"|PH--|")
_PIECE: Final = "what came of a chunk is forwarded under its own size"
_NO_TRAILER: Final = "trailers are read like the lines of a head"
NEWER.update({f"res-cut-{name}-{end}": _HALF for name in HEAD_END for end in range(1, HEAD_END[name])})
NEWER.update(
    {f"trailer-{name}": (_NO_TRAILER, *_REFUSED) for name in ("blank-in-name", "nul", "leading-blank")}
)
NEWER.update(
    {
        f"res-trailer-{name}": (_NO_TRAILER, b"502 Bad Gateway", b"|PH--|")
        for name in ("blank-in-name", "nul", "leading-blank")
    }
)
NEWER.update(
    {
        "res-cut-chunks-51": (_PIECE, b"\r\n\r\n3\r\na", b"|SD--|"),
        "res-cut-chunks-52": (_PIECE, b"\r\n\r\n3\r\nab", b"|SD--|"),
        "res-cut-chunks-58": (_PIECE, b"\r\n\r\n5\r\nabc", b"|SD--|"),
        "res-cut-chunks-59": (_PIECE, b"\r\n\r\n5\r\nabcd", b"|SD--|"),
    }
)
NEWER["asks-no-query"] = ("blanks merge around a query that is not there", b"GET /x")
