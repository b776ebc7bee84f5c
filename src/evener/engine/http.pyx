# cython: language_level=3, boundscheck=True, wraparound=False, initializedcheck=True
# cython: nonecheck=True, cdivision=True
"""One request and its response: the stream of an HTTP/1 connection.

Decides the order of phases, what happens when a side fails, whether the client's connection goes on,
and what the termination state is. It does not know how a head or a chunk is written (http1), which
server is taken (reach), nor any rule: policy is called between the phases.

    FE_CONTENT FE_REQUEST SWITCH BE_CONTENT BE_REQUEST REACH EXCHANGE BE_RESPONSE FE_RESPONSE
        PERSIST BE_AFTER FE_AFTER START (BODY | TUNNEL | LOCAL) (DRAIN) DONE

``advance`` runs states until one has to wait. A body is approved by its framing first and sent
afterwards, straight from the buffer it was received in; the receiving side is read only when
everything approved has gone. While another attempt is still possible the sent part of the request
is *held*: a reused connection that dies unanswered, or ``retry-on``, sends it again.

A request that is not read to its end does not stop the response; what is left is discarded afterwards.
"""

from libc.stdint cimport int64_t, uint32_t

from evener.engine.buffer cimport BUFSIZE, new_buf
from evener.engine.conn cimport Conn, Upstream
from evener.engine.http1 cimport (
    BODY_CHUNKED, BODY_CLOSE, BODY_TUNNEL, MSG_CONNECT, MSG_RULE_CLOSE, MSG_UNSAFE, WRITE_CASED, Request, Response,
    connection_flags, reread_connection,
    parse_response, path_start, strange, write_request, write_response,
)
from evener.engine.http_answer cimport (
    BE_AFTER, BE_CONTENT, BE_REQUEST, BE_RESPONSE, BODY, DONE, DRAIN, EXCHANGE, FE_AFTER,
    FE_CONTENT, FE_REQUEST, FE_RESPONSE, LOCAL, PERSIST, REACH, START, SWITCH, TUNNEL, Body,
)
from evener.engine.proxies cimport Backend
from evener.engine.reach cimport ASSIGN, DIAL, QUEUED, REACHED
from evener.engine.table cimport ERROR, FAILURE, REQUEST, is_error, is_failure, tell_all
from evener.engine.segment cimport ERR_RES, HRSP_1XX, HRSP_FAILED, HRSP_OTHER, REQUESTS

from evener.haproxy.columns import Retry

cdef enum:
    RESERVE = 1024  # of a buffer, kept free for rewriting (tune.maxrewrite)
    ON_EMPTY = 2  # columns.Retry
    ON_JUNK = 4
    ON_TIMEOUT = 8
    ON_STATUS = ~31

cdef dict RETRY_STATUS = {int(bit.name[1:]): int(bit) for bit in Retry if bit.name[0] == "S"}


cdef class HttpStream(Pumping):
    cdef int advance(self) except -1:
        cdef int moved = 1
        if self.state == DONE:
            return 0
        self.calls += 1
        if self.loop.profiling:
            self.begin_call()
        if interrupted(self) == 0:
            while moved > 0 and self.state != DONE:
                moved = self.step_once()
        if self.state != DONE:
            self.watch()
        if self.call_began:
            self.end_call()
        return 0

    cdef int step_once(self) except -9:
        """One state; 1 to go on, 0 to wait."""
        cdef int result
        if self.state == EXCHANGE:
            return self.exchange()
        if self.state == BODY:
            return self.data_phase()
        if self.state == FE_CONTENT:
            result = self.phase(self.frontend.on_content, FE_REQUEST)
            if self.tracked is not None and self.state == FE_REQUEST:
                tell_all(self.tracked, REQUEST, 1)
            return result
        if self.state == FE_REQUEST:
            return self.phase(self.frontend.on_request, SWITCH)
        if self.state == SWITCH:
            return self.switch_backend()
        if self.state == BE_CONTENT:
            return self.phase(self.backend.on_content if self.backend.twin is not self.frontend else None, BE_REQUEST)
        if self.state == BE_REQUEST:
            return self.phase(self.backend.on_request if self.backend.twin is not self.frontend else None, REACH)
        if self.state == REACH:
            if self.left:
                self.left = False
                self.count_abort(False)
                self._res = Response.__new__(Response)  # for the log
                self._res.status = 400
                self.cut(b"C", b"R")
                return 1
            if not self.up.done and self.step == ASSIGN and self.ended_short():
                self.count_abort(False)
                self.cut(b"C", b"R")
                return 1
            result = self.reach()
            if self.state != REACH:
                return 1
            if result > 0:
                self.state = EXCHANGE
                if self.backend.retry_on & ~1 and not self.retries:
                    self.whole = self.compact()
            elif result < 0:
                self.error(self.failure_status, b"S", b"C")
            return result != 0
        if self.state == BE_RESPONSE:
            return self.phase(self.backend.on_response if self.backend.twin is not self.frontend else None, FE_RESPONSE)
        if self.state == FE_RESPONSE:
            return self.phase(self.frontend.on_response, PERSIST)
        if self.state == PERSIST:
            return self.phase(None if self.local else self.backend.on_persist, BE_AFTER)
        if self.state == BE_AFTER:
            if self.backend is None or self.backend.twin is self.frontend:
                self.state = FE_AFTER
                return 1
            return self.phase(self.backend.on_after_response, FE_AFTER)
        if self.state == FE_AFTER:
            return self.phase(None if self.blunt else self.frontend.on_after_response, START)
        if self.state == START:
            return self.write_head()
        if self.state == LOCAL:
            return self.deliver_reply()
        if self.state == TUNNEL:
            result = self.relay()
            if result:
                self.finish(False)
            return 0
        return self.drain()

    cdef int switch_backend(self) except -9:
        cdef int index = self.wanted_backend
        if index < 0:
            index = self.frontend.default_backend
        if not 0 <= index < len(self.loop.backends):
            self.m_head = 0
            self.error(503, b"S", b"C")
            return 1
        self.enter_backend(<Backend>self.loop.backends[index])
        self.state = BE_CONTENT
        return 1

    # -- request out, response head in ---------------------------------------------------------------

    cdef int prepare(self) except -1:
        cdef bint keep
        cdef uint32_t how = 0
        cdef Upstream upstream = self.upstream
        if self._req.edited():
            reread_connection(self._req)
        keep = self.server_side_stays()
        how = connection_flags(self._req, 1, keep or (self.backend.pretend and not self._req.flags & MSG_RULE_CLOSE))
        if self.up_flow is not None:
            how |= self.frame_request()
        if self.backend.cased:
            how |= WRITE_CASED
        if self.backend.name_header is not None:
            self.name_server()
        if upstream.out is None:
            upstream.out = new_buf(BUFSIZE)
        upstream.out.clear()
        if write_request(upstream.out, self._req, how) < 0:
            upstream.broken = True
        self.up_sent = 0
        self.request_done = False
        return 0

    cdef int name_server(self) except -1:
        """``http-send-name-header``: the server of this attempt."""
        try:
            self._req.set(self.backend.name_header, self.server.name)
        except BufferError:
            self.count_failed_rewrite()
        return 0

    cdef bint redirected(self) except -1:
        """``redir`` of a server: GET and HEAD are sent to that prefix instead."""
        cdef bytes prefix = self.server.redirect
        cdef uint32_t at
        if prefix is None or not (self._req.method_is(b"GET", 3) or self._req.method_is(b"HEAD", 4)):
            return False
        at = path_start(self._req)
        self.stop_at(b"L", b"C")
        where = prefix + (<bytes>self._req.uri)[at:]
        self.answer(302, b"Found", ((b"cache-control", b"no-cache"), (b"content-length", b""), (b"location", where)), b"")
        return True

    cdef bint server_side_stays(self) noexcept:
        """``httpclose`` is about the client's side in a frontend, and about the server's in a backend."""
        if self._req.flags & MSG_RULE_CLOSE:
            return False
        return self.frontend.keep_alive != 1 and self.backend.keep_alive == 0

    cdef int reuse_rule(self) noexcept:
        if self.replaced or not self.server_side_stays():
            return 0
        return 1 if self.repeatable() else 2

    cdef bint repeatable(self) noexcept:
        """Idempotent methods (RFC 9110 9.2.2); a proxy repeats no other by itself (RFC 9112 9.3.1)."""
        cdef Request req = self._req
        return (
            req.method_is(b"GET", 3) or req.method_is(b"HEAD", 4) or req.method_is(b"PUT", 3)
            or req.method_is(b"DELETE", 6) or req.method_is(b"OPTIONS", 7) or req.method_is(b"TRACE", 5)
        )

    cdef int exchange(self) except -9:
        cdef int sent = self.pump_request() if self.up_flow is None else self.pump_filtered_request()
        if sent == -1:
            return 1
        if sent == -2:
            # It may have answered before it closed: what it said is still there to be read.
            self.request_done = True
            self.upstream.can_read = True
        return self.read_head()

    cdef int read_head(self) except -9:
        cdef Upstream upstream = self.upstream
        cdef int length, got
        if self._res is None:
            self._res = self.new_response()
        while True:
            if upstream.held():
                length = parse_response(upstream.inb, self._res, self._req)
                if length > 0:
                    upstream.inb.skip(<uint32_t>length)
                    if self.backend.retry_on & ON_JUNK and self.bad_chunks():
                        return self.bad_response()
                    if 100 <= self._res.status < 200 and self._res.framing != BODY_TUNNEL:
                        if upstream.held() and parse_response(upstream.inb, self.new_response(), self._req) < 0:
                            return self.bad_response()  # what came with it is no response
                        if self.interim() < 0:
                            return 1
                        continue
                    return self.final_head()
                if length < 0 or upstream.held() >= upstream.inb.cap:
                    if self._res.status == 101:  # a head like others, that nobody has asked for
                        self.head_bytes_out += self._res.counted()
                    return self.bad_response()
            if upstream.ended:
                return self.no_response()
            if not upstream.can_read:
                return 0
            got = upstream.fill(BUFSIZE)
            if got == 0:
                return 0

    cdef bint bad_chunks(self) except -1:
        """Whether what came of a chunked body with its head is malformed: then another attempt is still possible."""
        cdef Body probe
        if self._res.framing != BODY_CHUNKED or not self.upstream.held():
            return False
        probe = Body.__new__(Body)
        probe.begin(BODY_CHUNKED, -1)
        return probe.advance(self.upstream.inb, 0) < 0

    cdef int bad_response(self) except -9:
        if self._res is not None and self.loop.on_invalid is not None:
            self.tell_invalid()
        self.upstream.finish_writing()  # it has said something: no reset
        self.upstream.glitches += 1
        self.server_glitches = self.upstream.glitches
        self._res = None
        if self.retry(ON_JUNK):
            return 1
        self.count(ERR_RES, 1)
        self.tell(FAILURE, 1)
        return self.error(502, b"P", b"H")

    cdef int tell_invalid(self) except -1:
        """For ``show errors``."""
        cdef Upstream upstream = self.upstream
        try:
            self.loop.on_invalid(
                self.frontend, self.backend, self.server, (self.src_ip, self.src_port),
                upstream.inb.get(0, upstream.inb.size()), self._res.pos,
            )
        except Exception as error:
            self.loop.report(error)
        return 0

    cdef int no_response(self) except -9:
        """The server closed before a response: once more if it was an old connection or retry-on says so."""
        cdef bint partial = self.upstream.held() != 0
        self._res = None
        if partial:
            return self.bad_response()
        if self.reused and self.holding and not self.replaced and self.repeatable():
            self.drop_upstream()
            self.replaced = True
            self.m_connect = self.lost_flags = 0
            self.step = DIAL
            self.state = REACH
            return 1
        if self.retry(ON_EMPTY):
            return 1
        self.count(ERR_RES, 1)
        self.tell(FAILURE, 1)
        self.count_abort(True)
        return self.error(502, b"S", b"H")

    cdef bint compact(self) except -1:
        """Whether the request is here to its end, and small enough to be kept for another attempt."""
        cdef int64_t length = self.head_bytes_in
        if self.up is not None and not self.up.done:
            if not self.up.preview(self.client.inb, 0)[1]:
                return False
            length += <int64_t>self.client.held()
        return length <= BUFSIZE - RESERVE

    cdef bint retry(self, int reason) except -1:
        """Send the request once more, if the configuration wants it and we still have it."""
        cdef bint elsewhere
        cdef int allowed = self.backend.retries if self.max_retries < 0 else self.max_retries
        if not self.backend.retry_on & reason or not self.whole or not self.holding or self.no_retry or self.retries >= allowed:
            return False
        elsewhere = self.backend.redispatch != 0 and self.others(self.server)
        self._res = None
        self.replaced = True
        self.again(elsewhere)
        self.state = REACH
        return True

    cdef int interim(self) except -9:
        """A 1xx goes to the client at once, unless it speaks 1.0. -1 when the client is lost."""
        cdef Conn client = self.client
        if self._req.minor > 0:
            self.head_bytes_out += self._res.counted()
            if client.out is None:
                client.out = new_buf(BUFSIZE)
            write_response(client.out, self._res, WRITE_CASED if self.frontend.cased else 0)
            if client.flush() < 0:
                client_lost(self, True)
                return -1
        self._res = self.new_response()
        self.upstream.due = 0  # the time for the next head begins now
        return 0

    cdef Response new_response(self):
        cdef Response made = Response.__new__(Response)
        if self.backend.unsafe:
            made.flags = MSG_UNSAFE
        return made

    cdef int final_head(self) except -9:
        cdef Response res = self._res
        cdef int column = res.status // 100
        cdef int bit = <int>RETRY_STATUS.get(res.status, 0) if self.backend.retry_on & ON_STATUS else 0
        if bit and self.retry(bit):
            return 1
        if res.framing == BODY_TUNNEL and not self.request_done:
            return self.bad_response()  # what is left of the request would be taken for the other protocol
        if self.request_done:
            self.holding = False
        else:
            self.drop_hold()
        self.m_response = self.loop.now
        if is_error(res.status):
            self.tell(ERROR, 1)
        if is_failure(res.status):
            self.tell(FAILURE, 1)
            self.segment.bump(self.server.row, HRSP_FAILED, 1)
        if (res.status == 401 or res.status == 407) and self.asks_connection():
            self.upstream.private = self.client.devoted = True
        self.segment.bump(self.server.row, HRSP_1XX + column - 1 if 1 <= column <= 5 else HRSP_OTHER, 1)
        self.segment.bump(self.server.row, REQUESTS, 1)
        self.head_bytes_out += res.counted()
        self.server_keeps = res.persistent() and res.framing != BODY_CLOSE and res.framing != BODY_TUNNEL
        if self.backend.unsafe:
            weigh_glitches(self)
        if self.down is None:
            self.down = Body.__new__(Body)
        self.down.begin(res.framing, res.length)
        self.state = BE_RESPONSE
        return 1

    cdef bint asks_connection(self) except -1:
        """Whether the server will know the client by this very connection: NTLM, Negotiate."""
        cdef bytes name = b"www-authenticate" if self._res.status == 401 else b"proxy-authenticate"
        return any([value[:4].lower() in (b"nego", b"ntlm") for value in self._res.all(name)])

    # -- response out --------------------------------------------------------------------------------

    cdef int data_phase(self) except -9:
        cdef int result
        if not self.request_done:
            result = self.pump_request() if self.up_flow is None else self.pump_filtered_request()
            if result == -1:
                return self.state != DONE
            if result == -2:
                self.request_done = True
                self.up_lost = True
        result = self.pump_response() if self.down_flow is None else self.pump_filtered_response()
        if result <= 0:
            return result < 0 and self.state != DONE
        if self.up_lost or not self.request_done:
            return self.answered_early()
        return self.complete()

    cdef int answered_early(self) except -9:
        """The response is complete and the request is not: a server that keeps the connection is sent the rest."""
        if self.up.done or self.up_lost or self.up_flow is not None or self.upstream.half:
            self.server_keeps = False
        if self.up.done:
            return self.complete()
        self.drop_hold()
        if not self.server_keeps:
            self.drop_upstream()
            self.release_slot()
        self.state = DRAIN
        return 1

    cdef int bad_body(self) except -9:
        """Chunks that are none. Nothing was sent yet: 502; else the client must notice the end."""
        self.upstream.glitches += 1
        self.server_glitches = self.upstream.glitches
        self.count(ERR_RES, 1)
        self.tell(FAILURE, 1)
        if not self.answered:
            self.client.out.clear()
            self.m_response = self.head_bytes_out = 0
            self.down = None
            self.error(502, b"P", b"H")
            return -1
        self.cut(b"P", b"D")
        return -1

    # -- the end -------------------------------------------------------------------------------------

    cdef int spare(self) except -1:
        """Our answer takes the place of the server's: its connection is kept if that is here to its end."""
        cdef int64_t received = 0
        if self.down is not None and self.upstream is not None:
            received = self.down.advance(self.upstream.inb, <uint32_t>self.down_ok)
            if self.down.done and self.request_done and BE_RESPONSE <= self.state <= FE_AFTER and self.down_flow is None:
                self.upstream.inb.skip(<uint32_t>(self.down_ok + received))
                self.down_ok = 0
                self.keep_upstream()
        return self.drop_upstream()

    cdef int complete(self) except -9:
        """Everything went through: keep the server connection if both sides can."""
        self.keep_upstream()
        self.finish(self.keep)
        return 0

    cdef int keep_upstream(self) except -1:
        cdef Upstream upstream = self.upstream
        cdef bint keep = self.server_keeps and self.server_side_stays()
        if upstream is not None and keep and not upstream.half and not upstream.held() and not upstream.broken:
            self.remember_side()
            self.upstream = None
            if self.backend.reuse == 0 or upstream.private:
                upstream.owner = None
                upstream.rest()
                upstream.due = 0
                self.client.keep_own(upstream)
            elif upstream.worth_keeping():
                upstream.keep()
            else:
                upstream.owner = None
                upstream.close()
        return 0

    cdef int watch(self) except -1:
        """Who is expected to do something now: their inactivity timers run."""
        cdef Conn client = self.client
        cdef Upstream upstream = self.upstream
        cdef bint ours = False, theirs = False
        if self.state == EXCHANGE:
            theirs = self.request_done or not upstream.can_write
            ours = not theirs
            if self.request_done and upstream.due:
                upstream.active = False  # part of a head is no answer: it has to be whole in time
        elif self.state == BODY:
            ours = not client.can_write or (not self.request_done and upstream.can_write)
            theirs = client.can_write
        elif self.state == LOCAL or self.state == DRAIN:
            ours = True
        elif self.state < REACH:
            ours = not self.up.done and not self.body_complete()
        elif self.state == TUNNEL:
            return 0
        if self.paced:
            ours = theirs = False
        if self.timeouts is not None:
            return self.watch_own(ours, theirs)
        client.watch_for(ours, self.frontend.timeout_client)
        if upstream is not None and self.step == REACHED:
            upstream.watch_for(theirs, self.backend.timeout_server)
        return 0


include "http_early.pxi"
