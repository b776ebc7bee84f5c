"""The parts of keywords that are long enough for pages of their own: steps of checks, and of persistence.

Entries are as in ``words_syntax``.
"""

from __future__ import annotations

from typing import Final

CHECK_STEPS: Final = r"""
http-check comment | http-check comment <text>
What the log says when a step after it fails.
+ http-check comment "the API"
- http-check comment

http-check connect | http-check connect [default] [port <port>] [addr <address>] [send-proxy]
| [via-socks4] [ssl] [sni <name>] [alpn <names>] [proto <name>] [linger] [comment <text>]
Open a connection for the steps after it; the first step then must be one, and each needs its own
answer.
+ http-check connect port 8080
- http-check connect port

http-check send | http-check send [meth <method>] [{ uri <uri> | uri-lf <format> }] [ver <version>] [hdr
| <name> <format>]... [{ body <text> | body-lf <format> }] [comment <text>]
The request; without it that of ``option httpchk`` is sent.
+ http-check send meth GET uri /health ver HTTP/1.1 hdr Host x
- http-check send method GET

http-check expect | http-check expect [<option>...] [!] { status | rstatus | hdr | fhdr | string |
| rstring | string-lf } <pattern>
What the answer must be, or with ``!`` must not be. Options: ``min-recv``, ``comment``, ``ok-status``,
``error-status``, ``tout-status``, ``on-success``, ``on-error``, ``status-code``.
+ http-check expect status 200-399
- http-check expect code 200

http-check disable-on-404 | http-check disable-on-404
A server that answers 404 takes no new clients, but keeps those it has.
+ http-check disable-on-404
- http-check disable-on-405

http-check send-state | http-check send-state
The request tells the server its state in ``X-Haproxy-Server-State``.
+ http-check send-state
- http-check send-states

http-check set-var | http-check set-var(<name>) <sample>
Keep a sample for the steps after it, mostly in ``check.<name>``.
+ http-check set-var(check.x) int(1)
- http-check set-var(check.x) nosuch

http-check set-var-fmt | http-check set-var-fmt(<name>) <format>
Keep a text made from a format.
+ http-check set-var-fmt(check.x) a%[int(1)]
- http-check set-var-fmt(check.x)

http-check unset-var | http-check unset-var(<name>)
Forget a variable.
+ http-check unset-var(check.x)
- http-check unset-var(nosuch.x)

tcp-check comment | tcp-check comment <text>
What the log says when a step after it fails.
+ tcp-check comment "the greeting"
- tcp-check comment

tcp-check connect | tcp-check connect [default] [port <port>] [addr <address>] [send-proxy] [via-socks4]
| [ssl] [sni <name>] [alpn <names>] [proto <name>] [linger] [comment <text>]
Open a connection for the steps after it; the first step then must be one.
+ tcp-check connect port 25
- tcp-check connect port

tcp-check send | tcp-check send <text> [comment <text>]
Send a text; ``\r\n`` ends a line.
+ tcp-check send PING\r\n
- tcp-check send

tcp-check send-lf | tcp-check send-lf <format> [comment <text>]
Send a text made from a format.
+ tcp-check send-lf "HELO %[hostname]\r\n"
- tcp-check send-lf

tcp-check send-binary | tcp-check send-binary <hexadecimal> [comment <text>]
Send bytes, written as hexadecimal digits.
+ tcp-check send-binary 50494e47
- tcp-check send-binary 5

tcp-check send-binary-lf | tcp-check send-binary-lf <format> [comment <text>]
Send bytes whose digits are made from a format.
+ tcp-check send-binary-lf 5049%[int(42)]
- tcp-check send-binary-lf

tcp-check expect | tcp-check expect [<option>...] [!] { string | rstring | binary | rbinary | string-lf
| | binary-lf } <pattern>
What is received must hold, or with ``!`` must not hold. Options as for ``http-check expect``.
+ tcp-check expect string +PONG
- tcp-check expect status 200

tcp-check set-var | tcp-check set-var(<name>) <sample>
Keep a sample for the steps after it, mostly in ``check.<name>``.
+ tcp-check set-var(check.x) int(1)
- tcp-check set-var(check.x) nosuch

tcp-check set-var-fmt | tcp-check set-var-fmt(<name>) <format>
Keep a text made from a format.
+ tcp-check set-var-fmt(check.x) a%[int(1)]
- tcp-check set-var-fmt(check.x)

tcp-check unset-var | tcp-check unset-var(<name>)
Forget a variable.
+ tcp-check unset-var(check.x)
- tcp-check unset-var(nosuch.x)
"""

STICK_RULES: Final = r"""
stick on | stick on <sample> [table <table>] [{ if | unless } <condition>]
``stick match`` and ``stick store-request`` in one line: find the server of this client, and remember
it.
+ stick on src
- stick on

stick match | stick match <sample> [table <table>] [{ if | unless } <condition>]
Use the server that the table has for the sample, if it may be used.
+ stick match src
- stick match nosuch

stick store-request | stick store-request <sample> [table <table>] [{ if | unless } <condition>]
When a server was chosen, store it in the table for this sample of the request.
+ stick store-request src
- stick store-request

stick store-response | stick store-response <sample> [table <table>] [{ if | unless } <condition>]
Store the server for a sample of its response, as an identifier that it made.
+ stick store-response res.cook(SID)
- stick store-response
"""
