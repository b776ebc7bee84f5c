"""What log lines tell of answers that no server gave, and of cookies of those who are refused."""

from typing import Final

from pair import Scenario as S
from words import req

TOLD_FRONTS: Final = ("told", "told_listen", "late", "soon")
_FORMAT: Final = "%b|%s|%ST|%tsc|%CC|%U|%[capture.req.ver]"
TOLD: Final = f"""
frontend told
    bind @TOLD_FD@
    log-format "{_FORMAT}"
    capture cookie C len 12
    http-request deny if {{ path /deny-in-front }}
    default_backend told_be
backend told_be
    cookie S insert indirect nocache
    timeout tarpit 20ms
    tcp-request content reject if {{ path /content }}
    http-request deny if {{ path /deny }}
    http-request tarpit if {{ path /tarpit }}
    http-request return status 200 if {{ path /return }}
    http-request reject if {{ path /reject }}
    http-request redirect location /x if {{ path /redirect }}
    server s @ORIGIN@ cookie one
listen told_listen
    bind @TOLD_LISTEN_FD@
    log-format "{_FORMAT}"
    cookie S rewrite
    capture cookie C len 12
    timeout http-request 200ms
    tcp-request content reject if {{ path /content }}
    http-request deny if {{ path /deny }}
    http-request return status 200 if {{ path /return }}
    server s @ORIGIN@ cookie one
frontend late
    bind @LATE_FD@
    log-format "%[status]|%B|%HU"
    http-request return status 299 if {{ path_beg /probe }}
    default_backend told_be
frontend soon
    bind @SOON_FD@
    log-format "%[status]|%tsc|%HU"
    http-request return status 299 if {{ path_beg /probe }}
    http-request return status 201 if {{ path /return }}
    default_backend told_be
"""

_COOKIES: Final = {"none": (), "known": ("cookie: S=one; C=v",), "unknown": ("cookie: C=v; S=two",)}
_PATHS: Final = ("content", "deny-in-front", "deny", "tarpit", "return", "reject", "redirect", "served")

TOLD_SCENARIOS: Final = [
    *(S(f"{front}-{path}-{name}", req(f"/{path}", *cookie), front=front)
      for front in ("told", "told_listen") for path in _PATHS for name, cookie in _COOKIES.items()),
    S("told-no-request", b"GET / HTTP/1.1\r\na b\r\n\r\n", front="told_listen"),
    S("told-too-late", b"GET / HT", front="told_listen"),
    S("status-at-the-end", req("/a"), front="late"),
    S("status-before", req("/a"), front="soon"),
    S("status-of-own", req("/return"), front="soon"),
]  # fmt: skip
