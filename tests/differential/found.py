"""What random configurations found: kept here one by one."""

from typing import Final

from pair import Scenario as S
from words import req, res

FOUND_FRONTS: Final = ("found", "brief", "identified")
FOUND: Final = """
frontend found
    bind @FOUND_FD@
    log-format "%HM|%HPO|%ST|%bi|%[status]|%[req.proto_http]|%[capture.req.uri]|%{+Q}hr|%hrl|%[be_name]|%tsc"
    declare capture request len 8
    http-request return status 299 if { path_beg /probe }
    redirect prefix /p%[path] if { path /literal }
    redirect location /l code 301 if { path /slashes }
    http-request redirect scheme https if { path_beg //twice }
    http-request set-header x-q "%[url_param(q)]:%[url_param(r)]"
    http-request set-header x-found yes if { url_param(q) -m found }
    http-request set-method POST if { path /method }
    http-request set-header x-get yes if METH_GET
    http-request set-path /moved%[path] if { path /moved }
    http-request set-header x-came "%[capture.req.uri]"
    http-request set-uri http://other.example/x if { path /authority }
    http-request wait-for-body time 100ms if { path /wait }
    http-request deny deny_status 404 errorfile @FOLDER@/403.http if { path /page }
    http-request return status 502 errorfiles own if { path /bare }
    http-response set-status 204 if { status 230 }
    http-response set-status 304 if { status 231 }
    default_backend found_be
backend found_be
    http-request set-header x-caught "%[str(abcdefghijk),capture-req(0)]%hr"
    server s @ORIGIN@
http-errors own
    errorfile 403 @FOLDER@/403.http
frontend brief
    bind @BRIEF_FD@
    log-format "%HM %HU %f"
    http-request deny if { path /deny }
    http-request set-log-level err
    default_backend found_be
frontend identified
    bind @IDENTIFIED_FD@
    log-format "%ID %ST"
    unique-id-format "%{+X}o  %ci  x"
    unique-id-header x-uid
    default_backend found_be
"""
_BODY: Final = "content-length: 2"

FOUND_SCENARIOS: Final = [
    S("found-literal-redirect", req("/literal"), front="found"),
    S("found-two-slashes", req("//twice//b?c"), front="found"),
    *(S(f"found-parameter-{n}", req(f"/a?{text}"), front="found")
      for n, text in enumerate(("q", "q&r=1", "q=", "a=1;q=2", "?q=3", "r=4&q=5;r=6"))),
    S("found-method", req("/method"), front="found"),
    S("found-moved", req("/moved?x=y"), front="found"),
    S("found-authority", req("/authority"), front="found"),
    S("found-authority-no-host", req("/authority", host=None, version="HTTP/1.0"), front="found"),
    S("found-expect", req("/wait", _BODY, "expect: 100-continue", method="POST", body="ab"), front="found"),
    S("found-page-status", req("/page"), front="found"),
    S("found-bare-page", req("/bare"), front="found"),
    S("found-options", req("*", method="OPTIONS"), front="found"),
    S("found-other-method", req("/", method="FOO"), front="found"),
    S("found-204", req("/"), res(status="230 x"), front="found"),
    S("found-304", req("/"), res(status="231 x"), front="found"),
    S("brief-line", req("/a"), front="brief"),
    S("brief-line-denied", req("/deny"), front="brief"),
    S("identified", req("/a"), front="identified"),
]  # fmt: skip
