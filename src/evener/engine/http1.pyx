# cython: language_level=3, boundscheck=True, wraparound=False, initializedcheck=True
# cython: nonecheck=True, cdivision=True
"""HTTP/1 on bytes: heads in, heads out, and where a body ends.

What it decides: whether a message is well formed (RFC 9110, RFC 9112 and, where these leave room or
HAProxy is known to differ, what HAProxy answers to the same bytes), how its body is framed, and the
bytes that are sent onward. What it does not know: sockets, timers, rules, which connection is reused.

Theory of operation. The parser is a state machine over a ``Buf`` of received bytes; it keeps its place
in the message, so that each byte is looked at once however the bytes are cut, and it only moves by
the checked accessors of ``Buf``. When a head is complete it is copied to the message's own ``store``
(one copy of a few hundred bytes), all positions being offsets in it; the input may then move on, and
a message is valid for as long as somebody holds it. Rules edit the message by appending to the store
and to the table of lines; nothing received is moved. Then ``http1_semantics`` reads the lines that
mean something to a proxy: what RFC 9110 7.6.1 makes hop-by-hop is removed before rules see it, as in
HAProxy, and the line that frames the body can be hidden by a rule but is always sent.

Deliberate differences from HAProxy. Refused here: a Content-Length near 2^63 and above. Changed here: the
framing lines of a CONNECT are dropped. No Sec-WebSocket-Key is made up for a client that sent none
(accept-unsafe-violations-in-http-request).
"""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_GET_SIZE
from libc.stdint cimport INT64_MAX, UINT16_MAX, UINT64_MAX
from libc.string cimport memcmp

cimport cython

from evener.engine.buffer cimport (
    BODYSIZE,
    BUFSIZE,
    IS_BLANK,
    IS_DIGIT,
    IS_FIELD,
    IS_LOOSE,
    IS_LOOSE_TARGET,
    IS_TARGET,
    IS_TOKEN,
    MAXHDR,
    MAXREWRITE,
    Buf,
    Line,
    Lines,
    new_buf,
)

include "http1_message.pxi"
include "http1_parse.pxi"
include "http1_semantics.pxi"
include "http1_target.pxi"
include "http1_body.pxi"
include "http1_write.pxi"
include "http1_python.pxi"
