"""Rules, captures, cookies, error pages, headers that options add."""

from __future__ import annotations

from typing import Final

from pair import Scenario as S
from words import req, res

RULES: Final = [
    S("rule-deny", req("/deny"), front="rules"),
    S("rule-deny-status", req("/deny429"), front="rules"),
    S("rule-deny-post", req("/deny", "content-length: 2", method="POST", body="ab"), front="rules"),
    S("rule-tarpit", req("/tarpit"), front="rules"),
    S("rule-redirect", req("/redirect"), front="rules"),
    S("rule-redirect-post", req("/redirect", "content-length: 2", method="POST", body="ab"), front="rules"),
    S("rule-redirect-1.0", req("/redirect", version="HTTP/1.0"), front="rules"),
    S("rule-redirect-head", req("/redirect", method="HEAD"), front="rules"),
    S("rule-redirect-prefix", req("/prefix?a=b"), front="rules"),
    S("rule-redirect-scheme", req("/scheme?a=b"), front="rules"),
    S("rule-return", req("/return", "x-one: 1"), front="rules"),
    S("rule-return-head", req("/return", "x-one: 1", method="HEAD"), front="rules"),
    S("rule-return-keeps", req("/return") + req("/return"), front="rules", replies=2),
    S(
        "rule-set-headers",
        req("/", "x-gone: 1", "x-list: one", "x-rep: bab", "x-val: abb, c, b"),
        front="rules",
    ),
    S("rule-set-method", req("/method"), front="rules"),
    S("rule-set-path", req("/setpath?q"), front="rules"),
    S("rule-set-query", req("/setquery?a=b"), front="rules"),
    S("rule-set-query-none", req("/setquery"), front="rules"),
    S("rule-set-uri", req("/seturi"), front="rules"),
    S("rule-set-path-absolute", req("http://a/setpath?q"), front="rules"),
    S("rule-replace-path", req("/rp/x?y"), front="rules"),
    S("rule-auth", req("/auth"), front="rules"),
    S("rule-auth-proxy", req("http://a/auth"), front="rules"),
    S("rule-status", req(), res(status="217 X"), front="rules"),
    S("rule-status-reason", req(), res(status="218 X"), front="rules"),
    S("rule-response-deny", req(), res(status="219 X"), front="rules"),
    S("rule-del-response-header", req(), res("x-secret: 1", "x-out: 2"), front="rules"),
    S("capture-slots", req("/", "x-one: 1234567890", "x-two: two", "x-three: three3"), front="rules"),
    S("capture-none", req(), front="rules"),
    S("capture-last-line", req("/", "x-one: a", "x-one: b"), front="rules"),
    S("capture-main", req("/", "x-cap: 12345678901"), res("server: nginx/1.2.3.4")),
    S("capture-odd-bytes", req("/", "x-cap: a{|}\xe9"), res('server: a\x01b"')),
]
SET: Final = res("set-cookie: SRV=old; path=/")
COOKIES: Final = [
    S("cookie-insert", req(), front="cookies"),
    S("cookie-known", req("/", "cookie: SRV=aaa"), front="cookies"),
    S("cookie-other-server", req("/", "cookie: SRV=bbb"), front="cookies"),
    S("cookie-unknown", req("/", "cookie: SRV=zzz"), front="cookies"),
    S("cookie-among-others", req("/", "cookie: a=1; SRV=aaa; b=2"), front="cookies"),
    S("cookie-first", req("/", "cookie: SRV=aaa; b=2"), front="cookies"),
    S("cookie-last", req("/", "cookie: a=1;SRV=aaa"), front="cookies"),
    S("cookie-two-lines", req("/", "cookie: a=1", "cookie: SRV=aaa"), front="cookies"),
    S("cookie-empty", req("/", "cookie: SRV="), front="cookies"),
    S("cookie-quoted", req("/", 'cookie: SRV="aaa"'), front="cookies"),
    S("cookie-blanks", req("/", "cookie:  a = 1 ;  SRV = aaa ; b"), front="cookies"),
    S("cookie-server-sets", req(), SET, front="cookies"),
    S("cookie-server-sets-known", req("/", "cookie: SRV=aaa"), SET, front="cookies"),
    S("cookie-cacheable", req(), res("cache-control: public"), front="cookies"),
    S("cookie-plain-get", req("/plain"), front="cookies"),
    S("cookie-plain-post", req("/plain", "content-length: 2", method="POST", body="ab"), front="cookies"),
    S("cookie-plain-known", req("/plain", "cookie: SRV=aaa"), front="cookies"),
    S("cookie-plain-sets", req("/plain"), SET, front="cookies"),
    S("cookie-life-new", req("/life"), front="cookies", skip=["client"]),
    S("cookie-life-no-date", req("/life", "cookie: SRV=aaa"), front="cookies", skip=["client"]),
    S("cookie-life-expired", req("/life", "cookie: SRV=aaa|AAAAA|AAAAA"), front="cookies", skip=["client"]),
    S("cookie-keep-sets", req("/keep"), SET, front="cookies"),
    S("cookie-keep-own", req("/keep", "cookie: SRV=aaa"), front="cookies"),
    S("cookie-prefix-set", req(), res("set-cookie: SID=123; path=/"), front="prefix"),
    S("cookie-prefix-known", req("/", "cookie: SID=aaa~123"), front="prefix"),
    S("cookie-prefix-other", req("/", "cookie: SID=bbb~123; x=1"), front="prefix"),
    S("cookie-prefix-none", req("/", "cookie: SID=123"), front="prefix"),
    S("cookie-rewrite-set", req(), res("set-cookie: SID=123; path=/"), front="rewrite"),
    S("cookie-rewrite-known", req("/", "cookie: SID=aaa"), front="rewrite"),
    S("cookie-rewrite-other", req(), res("set-cookie: other=123; path=/"), front="rewrite"),
]
FORWARD: Final = [
    S("forwardfor", req(), front="forward"),
    S("forwardfor-there", req("/", "x-forwarded-for: 1.1.1.1"), front="forward"),
    S("forwardfor-except", req("/", "x-src: 10.1.1.1"), front="forward"),
    S("forwardfor-ipv6", req("/", "x-src: 2001:db8::1"), front="forward", skip=["log"]),
    S("forwardfor-if-none", req("/none"), front="forward"),
    S("forwardfor-if-none-there", req("/none", "x-forwarded-for: 1.1.1.1"), front="forward"),
    S("forwardfor-name", req("/name"), front="forward"),
]
ERRORS: Final = [
    S("error-page-own", req("/deny"), front="errors"),
    S("error-page-builtin", req("/five"), front="errors"),
    S("error-page-502", req("/x"), b"junk\r\n\r\n", front="errors", close=True),
    S("error-page-head", req("/deny", method="HEAD"), front="errors"),
    S("error-page-bad-request", b"GET / HTTP/1.1\r\nx y\r\n\r\n", front="errors"),
]
SWITCH: Final = [
    S("switch-mode", req("/1"), front="switch"),
    S("switch-mode-two", req("/1") + req("/2"), front="switch", replies=2),
    S("switch-mode-post", req("/", "content-length: 2", method="POST", body="ab"), front="switch"),
    S("switch-mode-no-http", b"\x16\x03\x01\r\n\r\n", front="switch"),
    S("tcp-to-http-backend", req("/", "connection: close"), front="raw"),
    S("tcp-to-http-backend-two", req("/1") + req("/2", "connection: close"), front="raw", replies=2),
    S("tcp-to-http-backend-bad", b"GET / HTTP/1.1\r\nx y\r\n\r\n", front="raw"),
]
ALL: Final = [*SWITCH, *RULES, *COOKIES, *FORWARD, *ERRORS]
