"""What log lines tell of answers that no server gave, and of cookies of those who are refused; what
sample fetches give that have nothing to look at."""

from collections.abc import Sequence
from typing import Final

from pair import Scenario as S
from words import req, res

TOLD_FRONTS: Final = ("told", "told_listen", "late", "soon", "asked", "asked_listen", "unread", "paged",
                      "kept", "kept_listen")  # fmt: skip
_FORMAT: Final = "%b|%s|%ST|%tsc|%CC|%U"
_NAMES: Final = ["req.hdr", "req.fhdr", "req.hdr_val", "req.hdr_ip", "req.hdr(,0)", "req.hdr_cnt"]
_FETCHES: Final = (
    *_NAMES, "http_auth(users)", "http_auth_group(users)", "http_auth_type", "http_auth_user",
    "http_auth_pass", "url_port", "url_ip", "req.payload(0,0)", "ssl_fc_has_sni", "ssl_fc_is_resumed",
    "sc0_inc_gpc1", "sc_inc_gpc(0,0)", "src_inc_gpc0(told_table)",
)  # fmt: skip
_ANSWER: Final = [
    "res.hdr",
    "res.hdr(,0)",
    "res.cook_cnt",
    "res.payload(0,0)",
    "req.proto_http",
    "var(req.r)",
    "var(txn.r)",
]
_TIMES: Final = ["cur_server_timeout", "be_server_timeout", "cur_tunnel_timeout", "be_tunnel_timeout"]


def _all(expressions: Sequence[str]) -> str:
    return '"' + " ".join(f"<%[{expression}]>" for expression in expressions) + '"'


TOLD = f"""
userlist users
    group known users u
    group others
    user u insecure-password p
backend told_table
    stick-table type ip size 10 expire 1h store conn_cnt
frontend asked
    bind @ASKED_FD@
    log-format {_all([*_TIMES, "var(req.r)", "var(txn.r)"])}
    option http-buffer-request
    http-request track-sc0 src table told_table
    http-request set-var(req.r) str(r)
    http-request set-var(txn.r) str(t)
    http-request return status 200 hdr x-found {_all(_FETCHES)} if {{ path_beg /asked }}
    http-request return status 200 if {{ path_beg /own }}
    http-request set-header x-any yes if {{ req.hdr -m found }}
    http-request set-header x-known yes if {{ http_auth_group(users) known }}
    http-request set-header x-other yes if {{ http_auth_group(users) others }}
    http-after-response set-header x-after {_all([*_TIMES, "var(req.r)", "var(txn.r)"])}
    default_backend asked_be
backend asked_be
    timeout tunnel 7s
    http-request set-timeout server 1234 if {{ path /set }}
    http-request set-header x-times {_all(_TIMES)}
    http-response set-header x-found {_all([*_ANSWER, *_TIMES])}
    server s @ORIGIN@
listen asked_listen
    bind @ASKED_LISTEN_FD@
    log-format {_all(_TIMES)}
    timeout tunnel 7s
    http-request set-header x-times {_all(_TIMES)}
    http-request deny if {{ path /deny }}
    http-after-response set-header x-after {_all(_TIMES)}
    server s @ORIGIN@
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
http-errors told_pages
    errorfile 404 @FOLDER@/403.http
frontend paged
    bind @PAGED_FD@
    log-format "%ST|%tsc|%HU"
    errorfile 403 @FOLDER@/403.http
    errorfile 503 @FOLDER@/503.http
    errorfile 404 @FOLDER@/404.http
    default_backend paged_be
backend paged_be
    errorfile 404 @FOLDER@/403.http
    http-request deny if {{ path /deny }}
    http-request deny deny_status 503 if {{ path /down }}
    http-request deny deny_status 404 if {{ path /lost }}
    http-request deny deny_status 429 if {{ path /many }}
    http-request deny deny_status 404 errorfiles told_pages if {{ path /section }}
    http-response deny deny_status 503 if {{ status 200 }}
    server s @ORIGIN@
frontend unread
    bind @UNREAD_FD@
    log-format "%f|{_all(["be_name", "fe_name", *_TIMES, "prio_class", "prio_offset"])[1:-1]}|%tsc"
    default_backend told_be
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

_CAPTURES: Final = ' capture response header x-kept len 6\n log-format "%b|%s|%ST|%ts|%hr|%hs"\n'
TOLD += f"""
frontend kept
    bind @KEPT_FD@
    {_CAPTURES}
    http-request return status 299 if {{ path_beg /probe }}
    http-response set-header x-kept front
    default_backend kept_be
listen kept_listen
    bind @KEPT_LISTEN_FD@
    {_CAPTURES}
    http-request return status 299 if {{ path_beg /probe }}
    stats enable
    stats uri /stats
    http-request set-var(txn.path) path
    use_backend kept_be if {{ path_beg /other }}
    http-response deny if {{ var(txn.path) -m str /deny }}
    http-response set-header x-kept own
    server s @ORIGIN@
backend kept_be
    http-request set-var(txn.path) path
    http-response set-header x-kept back
    http-response deny if {{ var(txn.path) -m end deny }}
    http-response return status 201 if {{ var(txn.path) -m end return }}
    server s @ORIGIN@
"""

_COOKIES: Final = {"none": (), "known": ("cookie: S=one; C=v",), "unknown": ("cookie: C=v; S=two",)}
_PATHS: Final = ("content", "deny-in-front", "deny", "tarpit", "return", "reject", "redirect", "served")

_SEEN: Final = (
    "Basic dTpw",
    "basic dTpw",
    "Basic dTpx",
    "Basic dQ==",
    "Basic !",
    "Basic",
    "Bearer t",
    "Bearer",
    "Other x",
)
_TARGETS: Final = ("http://1.2.3.4/asked", "https://1.2.3.4/asked", "http://1.2.3.4:81/asked", "http://a.example:82/asked",
                   "http://[::1]:83/asked")  # fmt: skip
_COOKED: Final = res("set-cookie: A=1; path=/; Secure", "set-cookie: B=2;c=3", "x: y")

TOLD_SCENARIOS: Final = [
    *(S(f"{front}-{path}-{name}", req(f"/{path}", *cookie), front=front)
      for front in ("told", "told_listen") for path in _PATHS for name, cookie in _COOKIES.items()),
    *(S(f"asked-{n}", req("/asked", f"authorization: {text}"), front="asked")
      for n, text in enumerate(_SEEN)),
    *(S(f"asked-target-{n}", req(text, host=None, version="HTTP/1.0"), front="asked")
      for n, text in enumerate(_TARGETS)),
    S("asked-body", req("/asked", "content-length: 3", method="POST", body="abc"), front="asked"),
    S("asked-own", req("/own"), front="asked"),
    S("asked-group", req("/", "authorization: Basic dTpw"), _COOKED, front="asked"),
    S("asked-set", req("/set"), _COOKED, front="asked"),
    S("asked-listen", req("/"), front="asked_listen"),
    S("asked-listen-deny", req("/deny"), front="asked_listen"),
    *(S(f"paged-{path}", req(f"/{path}"), front="paged")
      for path in ("deny", "down", "lost", "many", "section", "ok")),
    *(S(f"{front}-{path}", req(f"/{path}"), res("x-kept: server"), front=front)
      for front in ("kept", "kept_listen") for path in ("deny", "return", "other", "other/deny", "served")),
    S("kept_listen-stats", req("/stats"), front="kept_listen", skip=("client",)),
    S("unread", b"GET / HTTP/1.1\r\na b\r\n\r\n", front="unread"),
    S("told-no-request", b"GET / HTTP/1.1\r\na b\r\n\r\n", front="told_listen"),
    S("told-too-late", b"GET / HT", front="told_listen"),
    S("status-at-the-end", req("/a"), front="late"),
    S("status-before", req("/a"), front="soon"),
    S("status-of-own", req("/return"), front="soon"),
]  # fmt: skip
