# cython: language_level=3, boundscheck=True, wraparound=False, initializedcheck=True
# cython: nonecheck=True, cdivision=True
"""What policy and the engine itself say in an HTTP stream: phases, replies, error pages, the end.

Decides what a verdict leads to, which page answers a failure, whether the client connection goes on
after it, and what is counted and logged at the end. It does not move requests or responses of servers:
``http`` does.
"""

from libc.stdint cimport int64_t, uint32_t

from evener.engine.buffer cimport BUFSIZE, Buf, new_buf
from evener.engine.conn cimport Conn
from evener.engine.http1 cimport (
    BODY_CHUNKED, BODY_CLOSE, BODY_LENGTH, BODY_NONE, BODY_TUNNEL, MSG_BOTH, MSG_CLOSE, MSG_EXPECT, MSG_HEAD, MSG_RULE_CLOSE, MSG_UPGRADE,
    WRITE_CASED, WRITE_CLOSE, WRITE_NO_BODY, closes_in_place, connection_flags, parse_response, reread_connection,
    write_reply, write_response,
)
from evener.engine.segment cimport DENIED_REQ, DENIED_RES, ERR_REQ, INTERCEPTED
from evener.engine.table cimport ERROR, INPUT, OUTPUT
from evener.engine.stream cimport CLOSED, CONTINUE, PENDING, REPLIED, Client

from evener.haproxy.builtin_pages import builtin_reply


cdef class Answering(Relaying):
    cdef int start(self, Request request, Body body) except -1:
        self._req = request
        self.up = body
        self.head_bytes_in = request.counted()
        self.m_head = self.loop.now
        self.holding = True
        return 0

    cdef int refuse(self, int status, char cause, bint answer) except -1:
        """There is no request to speak of: bad, late or missing."""
        self._req = Request.__new__(Request)
        self.request_done = self.blunt = True
        self.segment.bump(self.frontend.row, ERR_REQ, 1)
        self.error(status, cause, b"R")
        if not answer:
            self.finish(False)
            return 0
        return self.advance()

    cdef bint phase(self, object policy, int next_state) except -1:
        cdef int verdict
        cdef bint news
        if policy is None:
            self.state = next_state
            return True
        if self.pending:
            news = self.gather()
            if self.state < REACH and self.client.ended and self.cut_short():
                self.left = news = True  # rules run with what there is, so that a backend is chosen to blame
            if not news and not self.recall():
                return False
        self.replied = None
        self.share_room()
        verdict = self.call(policy)
        if verdict == CONTINUE:
            self.wait_until = self.due = 0
            self.timed_out = False
            self.state = next_state
            if self.served is not None:
                return self.take_served()
            return True
        if verdict == PENDING:
            self.pending = True
            if self.state < REACH and self._req.flags & MSG_EXPECT and not self.invited and not self.up.done:
                if self._req.get(b"expect") is not None:
                    self.interim_continue()
            if self.gather():
                self.resumed = True  # what came is to be looked at
                return True
            return False
        if self.state == FE_CONTENT and verdict == CLOSED:
            self._req = Request.__new__(Request)  # of no interest any more: the log shows none
        if self.state >= BE_AFTER:
            self.blunt = True  # rules for the response being sent must not run again for its replacement
        if verdict == REPLIED and self.served is not None:
            return self.take_served()
        if verdict == REPLIED and self.replied is not None:
            self.name_cause(b"L", REPLIED)
            self.answer(self.replied[0], self.replied[1], self.replied[2], self.replied[3])
            return True
        if verdict == CLOSED:
            self.name_cause(b"P", CLOSED)
            if self.state < REACH:
                self.m_head = 0
            if self.state < REACH or not self.client.vanishing:
                self._res = None
            else:  # a response that nobody gets
                self.ended_at = b"R"
                if self.down is not None and self.upstream is not None:
                    self.down.advance(self.upstream.inb, <uint32_t>self.down_ok)
            self.finish(False)
            return False
        self.error(500, b"I", b"R" if self.state < REACH else b"H")
        return True

    def serve(self, bytes head not None, body not None, bytes who not None):
        """Answer once the rules of this phase are through, or when one returns REPLIED, as a server would:
        response rules and filters apply.

        ``head`` is a whole response head; ``body`` bytes, or an object with ``read(most) -> bytes``;
        ``who`` is named in logs in the place of a server.
        """
        self.served = (head, body, who)

    def blame(self, bytes who, int status):
        if who is not None:
            self.blamed = who
        self.page_status = status

    def inform(self, bytes head not None):
        """Send an interim response (a whole head) at once, unless the client speaks 1.0 or it is too late."""
        cdef Conn client = self.client
        if self._req.minor == 0 or self.answered or self.state > FE_AFTER:
            return
        if client.out is None:
            client.out = new_buf(BUFSIZE)
        if client.out.reserve(<uint32_t>len(head), client.out.size() + <uint32_t>len(head)) == 0:
            client.out.put_bytes(head)
            client.flush()
            self._bytes_out += worth(head)

    cdef bint take_served(self) except -1:
        cdef bytes head = <bytes?>self.served[0]
        cdef object body = self.served[1]
        cdef bytes who = <bytes?>self.served[2]
        cdef Buf text = new_buf(<uint32_t>len(head) + 1)
        cdef Response made = Response.__new__(Response)
        self.served = None
        if self.state > REACH:
            return True
        text.put_bytes(head)
        if parse_response(text, made, self._req) <= 0:
            self.error(500, b"I", b"R")
            return True
        self.name_cause(b"L", REPLIED)
        self.local = True
        self.applet = who
        self.m_queue = self.m_connect = self.m_response = self.loop.now
        self.local_body = b""
        self._bytes_out += made.counted()
        if made.framing != BODY_NONE:
            if isinstance(body, bytes):
                self.local_body = body
                self._bytes_out += len(self.local_body) + (made.framing == BODY_CHUNKED)
            else:
                self.source = body
                self._bytes_out += made.length
        self._res = made
        self.pending = False
        self.state = BE_RESPONSE if self.backend is not None else FE_RESPONSE
        return True

    cdef uint32_t frame_request(self) except? 0xFFFFFFFF:
        return 0

    cdef uint32_t frame_response(self) except? 0xFFFFFFFF:
        return 0

    @property
    def bytes_in(self):
        return self._bytes_in if self.state == DONE or self.up is None else come_in(self)

    @property
    def bytes_out(self):
        return self._bytes_out if self.state == DONE or self.upstream is None or self.down is None else come_out(self)

    @property
    def keeps(self):
        return self.state == DONE and self.keep

    @property
    def own_reply(self):
        """Whether the response was made by a rule or is an error page: no filter sees its body."""
        return bool(self.local and (self.applet is None or self.blamed is not None))

    cdef int name_cause(self, char cause, int verdict) except -1:
        """Termination state of a verdict, and the counter: a rule that denies says so itself (``PR``)."""
        cdef bint request = self.state <= REACH  # a cache's answer waits until the rules are through
        cdef bint denied = verdict == CLOSED or self.cause == b"P"
        cdef int column = (DENIED_REQ if request else DENIED_RES) if denied else INTERCEPTED
        self.stop_at(b"P" if denied else cause, b"R" if request else b"H")
        self.segment.bump(self.frontend.row, column, 1)
        if denied:
            if request:
                self.segment.bump(self.listener.row, column, 1)
                if verdict != CLOSED:
                    self.tell(ERROR, 1)
            if self.backend is not None:
                self.count(column, 1)
        return 0

    cdef int share_room(self) except -1:
        """Rules may enlarge a head by what its body has left of the buffer."""
        if self.state < REACH:
            if not self.up.done and self.client.held():
                self._req.share(self.client.held())
        elif self.upstream is not None and self.state <= FE_RESPONSE and self.upstream.held():
            self._res.share(self.upstream.held())
        return 0

    cdef bint cut_short(self) except -1:
        """The client ended before its body did."""
        return not self.up.done and not self.up.preview(self.client.inb, 0)[1]

    cdef bint ended_short(self) except -1:
        """Whether the client's end has come already, together with a body that is not whole."""
        cdef Conn client = self.client
        if self._req.framing == BODY_LENGTH and self._req.length <= client.held():
            return False
        if not client.ended and client.held() < BUFSIZE:
            client.can_read = True
            client.fill(BUFSIZE)
        return client.ended and self.cut_short()

    cdef bint gather(self) except -1:
        """While policy waits: take in more of the body. Says whether something came."""
        cdef Conn side
        cdef int got = 0
        if self.state < REACH:
            if self.up.done or self.body_complete():
                return False
            side = self.client
        elif self.state <= FE_RESPONSE and self.upstream is not None:
            side = self.upstream
        else:
            return False
        while side.can_read and not side.ended and side.held() < BUFSIZE:
            got = side.fill(BUFSIZE)
            if got:
                return True
        return False

    cdef int interim_continue(self) except -1:
        self.invited = True
        if self.client.out is None:
            self.client.out = new_buf(BUFSIZE)
        self.client.out.put(b"HTTP/1.1 100 Continue\r\n\r\n", 25)
        self.client.flush()
        self._req.remove(b"expect")  # it is met
        return 0

    def invite(self):
        if self.state >= REACH or not self._req.flags & MSG_EXPECT or self.up is None or self._req.framing == BODY_NONE:
            return
        if not self.invited:
            self.interim_continue()
        self._req.remove(b"expect")
        self._req.flags &= ~MSG_EXPECT

    def switch_mode(self):
        """It is HTTP already."""

    def body(self):
        if self.state < REACH or (self.state == REACH and not self.up_ok):  # a server's key may lie in it
            return self.up.preview(self.client.inb, 0)[0] if self.up is not None else b""
        if self.upstream is not None and self.down is not None:
            return self.down.preview(self.upstream.inb, 0)[0]
        return self.local_body if self.local and self.local_body is not None else b""

    def body_complete(self):
        """Also true when no more can be held: what there is will not grow."""
        if self.state < REACH:
            if self.up is None or self.up.done or self.client.ended or self.client.held() >= BUFSIZE:
                return True
            return self.up.preview(self.client.inb, 0)[1]
        if self.upstream is None or self.down is None or self.down.done:
            return True
        if self.upstream.ended or self.upstream.held() >= BUFSIZE:
            return True
        return self.down.preview(self.upstream.inb, 0)[1]

    cdef int cut(self, char cause, char phase) except -9:
        """Nothing can be said any more: close."""
        self.stop_at(cause, phase)
        return self.finish(False)

    cdef int destroy(self) except -1:
        self.stop_at(b"I", b"D" if self.answered else b"R")
        if self.state != DONE:
            self.finish(False)
        return 0

    cdef int gave_up(self) except -9:
        """The client ended amid its request: nobody reads an answer, and only the log tells of it."""
        self.count_abort(False)
        self.stop_at(b"C", b"D" if self.answered else b"H")
        if not self.answered:
            self._res = Response.__new__(Response)
            self._res.status = 400
        return self.finish(False)

    cdef int error(self, int status, char cause, char phase) except -9:
        """Answer with the page the configuration has for that status, else the built-in one."""
        cdef object found = None
        self.stop_at(cause, phase)
        if self.backend is not None:
            found = self.backend.errors.get(status)
        if found is None:
            found = self.frontend.errors.get(status)
        if found is None:
            found = builtin_reply(status)
        if self.blunt and self._req.first_length == 0 and callable(found):
            found = builtin_reply(status)  # such a page needs a request
        if callable(found):  # a page that depends on the request: it replies as a rule would
            self.replied = None
            found = self.replied if self.call(found) == REPLIED else None
            if found is None:
                found = builtin_reply(status)
        if found[0] == 0:
            self._res = Response.__new__(Response)
            self._res.status = status  # for the log
        self.page_status = status
        return self.answer(found[0], found[1], found[2], found[3])

    cdef int spare(self) except -1:
        return self.drop_upstream()

    cdef int answer(self, int status, bytes reason, object headers, bytes body) except -9:
        """Make the response ours, 0 = say nothing. A server connection in use is given up, if it cannot be spared."""
        cdef Buf text = new_buf(512)
        cdef Response made = Response.__new__(Response)
        cdef bint head_only = self._req is not None and self._req.flags & MSG_HEAD
        if status == 0 and reason and self._res is None:  # silence, for the log in the place of that status
            self._res = made
            made.status = int(reason)
        if self.answered or status == 0:
            self.finish(False)
            return 1
        self.leave_queue()
        self.spare()
        self.release_slot()
        if headers and headers[0][0] == b":status":
            self.page_status = int(headers[0][1])
        write_reply(text, status, reason, headers, body, WRITE_NO_BODY)
        if parse_response(text, made, None) <= 0:
            write_reply(text, 500, b"", (), b"", WRITE_NO_BODY)
            text.clear()
            made = Response.__new__(Response)
            made.status = 500
        if self.down_flow is not None:
            self.end_flow(True)
        self.applet = self.blamed
        if self.blamed is not None:
            self.m_queue = self.m_connect = self.loop.now
        self.source = None
        self._res = made
        self.local = True
        self.local_body = b"" if head_only or status in (204, 304) else body
        self.state = BE_AFTER if not self.blunt else START
        self.pending = False
        return 1

    cdef bint stays(self) noexcept:
        """Whether the client connection can serve another request."""
        if self.blunt or self.frontend.keep_alive == 2 or self.client.parting or self.loop.parting():
            return False
        if not self._req.persistent() or (self.local and self._res.flags & MSG_CLOSE) or self._res.flags & MSG_RULE_CLOSE:
            return False
        if self._res.flags & MSG_BOTH and self._res.minor == 0 and not self.local:
            return False  # chunked by 1.0
        return self._res.framing != BODY_CLOSE or self.applet is not None

    cdef int write_head(self) except -9:
        cdef Conn client = self.client
        cdef uint32_t how = 0
        cdef uint32_t extra = 0
        if self._res.edited():
            reread_connection(self._res)
        self.keep = self.stays()
        # a rule may have turned HEAD into another method: the client still expects no body
        self.mute = not self.local and self._req.flags & MSG_HEAD
        if self._res.status == 204 or self._res.status == 304:
            self.without_body()
        if self._res.framing == BODY_TUNNEL and not self.local:
            self.keep = False
        else:
            how = connection_flags(self._res, self._req.minor, self.keep)
            if not self.keep and self._req.minor == 0 and not self._res.flags & MSG_UPGRADE:
                how = WRITE_CLOSE if self._res.minor else 0  # 1.0 closes unless told otherwise
            if self.blunt and self._req.first_length == 0 and not self._res.flags & MSG_CLOSE:
                how = 0  # no request was read: the page says all there is to say
            if self.blunt and how == WRITE_CLOSE and closes_in_place(self._res):
                how = 0
        if self.down_flow is not None:
            how |= self.frame_response()
        if self.frontend.cased:
            how |= WRITE_CASED
        if self.local and self.down_flow is None:
            extra = <uint32_t>len(self.local_body) + 32
        if client.out is None:
            client.out = new_buf(BUFSIZE + extra)
        client.out.ensure(client.out.size() + BUFSIZE + extra)
        if write_response(client.out, self._res, how) < 0:
            return self.cut(b"P", b"H")
        if self.page_status and self.local:
            self._res.status = self.page_status  # for the log: a page may have another
        if self.local:
            count_own(self)
            if self.down_flow is None:
                if self._res.framing == BODY_CHUNKED:
                    self.local_body = in_chunks(self.local_body)
                client.out.put_bytes(self.local_body)
            self.state = LOCAL
            return 1
        self.state = BODY
        if self._res.framing == BODY_TUNNEL:
            self.drop_hold()  # the body of the request has gone
            self.state = TUNNEL
        return 1

    cdef int without_body(self) except -1:
        """A rule may have made it a status that never has a body; what came of one is left out."""
        if self._res.framing == BODY_NONE or self._res.framing == BODY_TUNNEL:
            return 0
        self.mute = not self.local
        self.local_body = b""
        if self._res.status == 204:  # nor a length of one: RFC 9110 8.6
            self._res.unframe()
        return 0

    cdef int deliver_reply(self) except -9:
        cdef int sent = self.client.flush()
        if sent == 0:
            return 0
        self.answered = True
        if sent < 0:
            return self.cut(b"C", b"D")
        self.finish(self.keep)
        return 0

    cdef int count_bytes(self) except -1:
        cdef int64_t moved
        if self.up is not None:
            if not self.up.done and not self.m_connect:
                moved = self.up.advance(self.client.inb, <uint32_t>self.up_ok)  # received, and nobody asked for it
                self.up_ok += max(moved, 0)
            self._bytes_in += self.head_bytes_in + self.up.total + self.up.trailing + (self.up.kind == BODY_CHUNKED and self.up.done)
        self._bytes_out += self.head_bytes_out
        if self.down is not None:
            self._bytes_out += self.down.total + self.down.trailing
            self._bytes_out += self.down.kind == BODY_CHUNKED and self.down.done
        return 0

    cdef int complete(self) except -9:
        """Everything went through; who knows what becomes of the server's connection says so."""
        return self.finish(self.keep)

    cdef int drop_hold(self) except -1:
        """What was sent cannot be sent again from here on."""
        self.holding = False
        if self.up_sent:
            self.client.inb.skip(<uint32_t>self.up_sent)
            self.up_ok -= self.up_sent
            self.up_sent = 0
        return 0

    cdef int finish(self, bint keep) except -9:
        """The end of the transaction, however it came: give back, count, log, and let the client go on."""
        cdef Client client = self.client
        cdef Body unread = None
        cdef int64_t idle = 0
        if self.state == DONE:
            return 0
        self.state = DONE
        self.keep = keep
        self.m_end = self.loop.now
        if self.ended_at == b"T" and self.m_head:  # tarpitted: the time counts as one in a queue
            self.m_queue, self.m_head = self.m_end - self.m_first, 0
        self.give_back()
        self.count_bytes()
        self.account()
        client.spill()
        if self.up is not None:
            self.drop_hold()
            if self.up_ok:
                client.inb.skip(<uint32_t>self.up_ok)
            if not self.up.done:
                unread = self.up
                idle = <int64_t>client.held()
            self.up_ok = 0
            self.tell(INPUT, self.head_bytes_in + self.up.total + idle)
        if self._bytes_out:
            self.tell(OUTPUT, <int64_t>self._bytes_out)
        if not self.unlogged:
            self.log()
        if self.tracked is not None:
            self.untrack()
        client.stream = None
        client.owner = None
        return client.next_request(keep, unread)


include "http_so_far.pxi"
