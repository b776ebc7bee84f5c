# Phases, replies and the end of an HTTP stream. See http_answer.pyx.

from libc.stdint cimport int64_t, uint32_t

from evener.engine.http1 cimport Body, Request, Response
from evener.engine.relay cimport Relaying

cdef enum State:
    FE_CONTENT = 0
    FE_REQUEST = 1
    SWITCH = 2
    BE_CONTENT = 3
    BE_REQUEST = 4
    REACH = 5
    EXCHANGE = 6  # the request goes out, the response head is awaited
    BE_RESPONSE = 7
    FE_RESPONSE = 8
    PERSIST = 9  # what of the server's response concerns persistence
    BE_AFTER = 10
    FE_AFTER = 11
    START = 12  # the response head is written
    BODY = 13
    LOCAL = 14  # our own answer goes out
    TUNNEL = 15
    DRAIN = 16  # the response is complete, the request is not
    DONE = 17

cdef class Answering(Relaying):
    cdef bytes blamed  # what the log says instead of a server, though the reply is a rule's; None: nothing
    cdef int page_status  # the status of an error page, whatever the page says
    cdef int state
    cdef Body up  # the body of the request
    cdef Body down  # that of the response
    cdef int64_t up_ok  # approved bytes at the head of the client's input
    cdef int64_t up_sent  # of those, already sent but held for another attempt
    cdef int64_t down_ok
    cdef bint whole  # all of the request was here when it was sent, and may be sent again
    cdef bint holding
    cdef bint replaced  # a reused connection had died: take a new one
    cdef bint request_done
    cdef bint answered  # bytes of the response have left
    cdef bint local  # the response is ours
    cdef bint blunt  # answered before there was a stream: no rules
    cdef bint unlogged  # nothing came and option dontlognull is set
    cdef bint up_lost  # the server takes no more of the request
    cdef bint invited  # we said 100 Continue ourselves
    cdef bint left  # the client went away while rules waited for its body
    cdef bint mute  # the body of the response is not passed on
    cdef bint keep  # the client connection will be kept
    cdef bint server_keeps
    cdef bytes local_body
    cdef object source  # what a long body of our own is read from, a piece at a time
    cdef object served  # (head, body, who) of serve(): our response is treated as a server's
    cdef int64_t head_bytes_in, head_bytes_out
    cdef int name_cause(self, char cause, int verdict) except -1
    cdef bint take_served(self) except -1
    cdef uint32_t frame_request(self) except? 0xFFFFFFFF
    cdef uint32_t frame_response(self) except? 0xFFFFFFFF
    cdef int interim_continue(self) except -1
    cdef int start(self, Request request, Body body) except -1
    cdef int refuse(self, int status, char cause, bint answer) except -1
    cdef bint phase(self, object policy, int next_state) except -1
    cdef int share_room(self) except -1
    cdef bint cut_short(self) except -1
    cdef bint ended_short(self) except -1
    cdef bint gather(self) except -1
    cdef int gave_up(self) except -9
    cdef int error(self, int status, char cause, char phase) except -9
    cdef int answer(self, int status, bytes reason, object headers, bytes body) except -9
    cdef int spare(self) except -1
    cdef int without_body(self) except -1
    cdef int deliver_reply(self) except -9
    cdef int cut(self, char cause, char phase) except -9
    cdef int write_head(self) except -9
    cdef bint stays(self) noexcept
    cdef int complete(self) except -9
    cdef int drop_hold(self) except -1
    cdef int finish(self, bint keep) except -9
    cdef int count_bytes(self) except -1
