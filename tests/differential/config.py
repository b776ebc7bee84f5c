"""The configuration both programs are given. ``@NAME@`` is filled in by the stand."""

from typing import Final

FRONTS: Final = (
    "main", "loose", "closing", "svclose", "rules", "cookies", "prefix", "rewrite", "forward", "errors",
    "slow", "dead", "dynamic", "switch", "raw",
)  # fmt: skip

TEMPLATE: Final = """
global
    log @LOG@ local0
    nbthread 1
    expose-experimental-directives
defaults
    mode http
    log global
    log-format @FORMAT@
    timeout connect 1s
    timeout client 5s
    timeout server 5s
    retries 0
    http-reuse never

frontend main
    bind @MAIN_FD@
    http-request return status 299 if { path_beg /probe }
    http-request set-header x-seen-path %[path]
    http-request set-header x-seen-query %[query] if { query -m found }
    capture request header host len 40
    capture request header x-cap len 10
    capture response header server len 10
    default_backend be

frontend loose
    bind @LOOSE_FD@
    option accept-invalid-http-request
    http-request return status 299 if { path_beg /probe }
    default_backend loose_be

frontend closing
    bind @CLOSING_FD@
    option httpclose
    http-request return status 299 if { path_beg /probe }
    default_backend be

frontend svclose
    bind @SVCLOSE_FD@
    option http-server-close
    http-request return status 299 if { path_beg /probe }
    default_backend be

frontend rules
    bind @RULES_FD@
    capture request header x-one len 8
    declare capture request len 12
    http-request return status 299 if { path_beg /probe }
    http-request capture req.hdr(x-two) id 1
    http-request capture req.hdr(x-three) len 5
    http-request deny if { path /deny }
    http-request deny deny_status 429 if { path /deny429 }
    http-request tarpit if { path /tarpit }
    timeout tarpit 100ms
    http-request redirect location /there code 301 if { path /redirect }
    http-request redirect prefix http://new.example drop-query if { path /prefix }
    http-request redirect scheme https if { path /scheme }
    acl ret path /return
    http-request return status 200 content-type text/plain lf-string [%[hdr(x-one)]] hdr x-no %[str()] if ret
    http-request set-header x-blank "a b  "
    http-request set-header x-none %[str()]
    http-request add-header x-list two
    http-request del-header x-gone
    http-request replace-header x-rep (.*)a(.*) \\2-\\1
    http-request replace-value x-val b+ <&>
    http-request set-header x-inject %[url_param(inject),url_dec] if { url_param(inject) -m found }
    http-request set-method PUT if { path /method }
    http-request set-path /other if { path /setpath }
    http-request set-query q=1 if { path /setquery }
    http-request set-uri /whole?x=y if { path /seturi }
    http-request replace-path ^/rp/(.*) /\\1 if { path_beg /rp }
    http-request auth realm secret if { path /auth }
    http-response set-header x-out "<%[status]>"
    http-response del-header x-secret
    http-response set-status 418 if { status 217 }
    http-response set-status 503 reason "My reason" if { status 218 }
    http-response deny if { status 219 }
    http-after-response set-header x-after %[status]
    default_backend be

frontend cookies
    bind @COOKIES_FD@
    http-request return status 299 if { path_beg /probe }
    capture cookie SRV len 20
    use_backend insert_plain if { path_beg /plain }
    use_backend insert_life if { path_beg /life }
    use_backend insert_keep if { path_beg /keep }
    use_backend insert_use if { path_beg /use }
    default_backend insert_full

frontend prefix
    bind @PREFIX_FD@
    http-request return status 299 if { path_beg /probe }
    default_backend prefix_be

frontend rewrite
    bind @REWRITE_FD@
    http-request return status 299 if { path_beg /probe }
    default_backend rewrite_be

frontend dynamic
    bind @DYNAMIC_FD@
    http-request return status 299 if { path_beg /probe }
    default_backend dynamic_be

frontend forward
    bind @FORWARD_FD@
    http-request return status 299 if { path_beg /probe }
    http-request set-src hdr(x-src) if { hdr(x-src) -m found }
    option forwardfor except 10.0.0.0/8
    option originalto header X-Dest
    use_backend forward_if_none if { path_beg /none }
    use_backend forward_name if { path_beg /name }
    default_backend be

frontend errors
    bind @ERRORS_FD@
    http-request return status 299 if { path_beg /probe }
    http-error status 403 content-type text/plain string "no entry" hdr x-why denied
    http-error status 502 content-type text/plain lf-string "bad [%ci]"
    http-request deny if { path /deny }
    http-request deny deny_status 500 if { path /five }
    default_backend be

frontend slow
    bind @SLOW_FD@
    timeout http-request 150ms
    timeout http-keep-alive 100ms
    timeout client 200ms
    http-request return status 299 if { path_beg /probe }
    default_backend slow_be

frontend dead
    bind @DEAD_FD@
    http-request return status 299 if { path_beg /probe }
    default_backend dead_be

frontend switch
    mode tcp
    log-format '%ft|%b|%s|%ts'
    bind @SWITCH_FD@
    tcp-request inspect-delay 2s
    tcp-request content set-var(sess.early) str(seen)
    tcp-request content switch-mode http if HTTP
    tcp-request content reject
    http-request return status 299 if { path_beg /probe }
    http-request set-header x-early %[var(sess.early)]
    default_backend be

frontend raw
    mode tcp
    log-format '%ft|%b|%s|%ts'
    bind @RAW_FD@
    default_backend be

backend be
    server s @ORIGIN@
backend loose_be
    option accept-invalid-http-response
    server s @ORIGIN@
backend slow_be
    timeout server 150ms
    option http-buffer-request
    server s @ORIGIN@
backend dead_be
    server s @DEAD@
backend insert_full
    cookie SRV insert indirect nocache httponly secure domain .example.com attr SameSite=Lax
    server a @ORIGIN@ cookie aaa
    server b @ORIGIN@ cookie bbb weight 0
backend insert_plain
    cookie SRV insert postonly
    server a @ORIGIN@ cookie aaa
    server b @ORIGIN@ cookie bbb weight 0
backend insert_life
    cookie SRV insert indirect maxidle 30m maxlife 8h
    server a @ORIGIN@ cookie aaa
    server b @ORIGIN@ cookie bbb weight 0
backend insert_keep
    cookie SRV insert preserve indirect
    server a @ORIGIN@ cookie aaa
    server b @ORIGIN@ cookie bbb weight 0
backend prefix_be
    cookie SID prefix
    server a @ORIGIN@ cookie aaa
    server b @ORIGIN@ cookie bbb weight 0
backend rewrite_be
    cookie SID rewrite
    server a @ORIGIN@ cookie aaa
    server b @ORIGIN@ cookie bbb weight 0
backend dynamic_be
    cookie SRV insert dynamic
    dynamic-cookie-key secret
    server a 127.0.0.1:1 disabled
    server b @ORIGIN@
backend forward_if_none
    option forwardfor if-none
    server s @ORIGIN@
backend forward_name
    option forwardfor header X-Client
    server s @ORIGIN@
"""
