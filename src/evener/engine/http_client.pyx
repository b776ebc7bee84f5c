# cython: language_level=3, boundscheck=True, wraparound=False, initializedcheck=True
# cython: nonecheck=True, cdivision=True
"""A client connection speaking HTTP/1: receives heads and starts a stream for each.

Decides how long to wait for a request, what an incomplete one is answered, and how the connection is
ended. While a stream is there it owns the connection; between two of them nothing is held but the
connection itself.

An ended connection of which not everything was read is not closed at once, since the kernel would
answer the unread bytes with a reset that destroys our last response: it lingers, throwing away.
"""

from evener.engine.buffer cimport BUFSIZE
from evener.engine.http cimport HttpStream
from evener.engine.http_answer cimport FE_REQUEST
from evener.engine.http1 cimport BODY_CHUNKED, MSG_UNSAFE, error_status, parse_request, strange
from evener.engine.kernel cimport wall_clock
from evener.engine.table cimport ERROR, GLITCH, REQUEST, tell_all
from evener.engine.loop cimport Loop
from evener.engine.segment cimport PROCESS, REQ_RATE, REQ_RATE_MAX, REQUESTS, REQUESTS_BAD, Segment

cdef enum:
    LINGER = 2000  # ms


cdef class HttpClient(Client):
    cdef int begin(self) except -1:
        self.can_read = self.can_write = True
        return self.advance()

    cdef int take_over(self, Client old, object vars, object data) except -1:
        """Become the client of a connection that was accepted as TCP."""
        cdef Loop loop = old.loop
        self.loop, self.io, self.inb, self.out = loop, old.io, old.inb, old.out
        self.can_read, self.can_write, self.half = old.can_read, old.can_write, old.half
        self.ended, self.broken, self.fault = old.ended, old.broken, old.fault
        self.listener, self.frontend, self._session = old.listener, old.frontend, old._session
        self.peer, self.pp_fields, self.at_connection = old.peer, old.pp_fields, old.at_connection
        self.src_ip, self.src_port, self.dst_ip, self.dst_port = old.src_ip, old.src_port, old.dst_ip, old.dst_port
        self.accepted, self.accepted_ms = old.accepted, old.accepted_ms
        self.handshake, self.idle_since = old.handshake, old.idle_since
        self.inherited = (vars, data)
        loop.cancel(old)
        self.fd, self.generation = old.fd, old.generation
        loop.tasks[self.fd] = self
        old.fd = -1
        return 0

    cdef int advance(self) except -1:
        if self.dead or self.stream is not None:
            return 0
        if self.lingering:
            return self.linger()
        if self.late:
            return self.too_late()
        return self.receive()

    cdef int expired(self) except -1:
        self.late = True
        if self.owner is not None:
            return self.wake()
        return self.advance()

    cdef int receive(self) except -1:
        cdef int length
        if self.unread is not None and not self.discard():
            return 0
        while True:
            if self.held():
                if self.first_byte == 0:
                    self.first_byte = self.loop.now
                if self.coming is None:
                    self.coming = Request.__new__(Request)
                    if self.frontend.unsafe:
                        self.coming.flags = MSG_UNSAFE
                length = parse_request(self.inb, self.coming)
                if length > 0:
                    self.inb.skip(<unsigned int>length)
                    return self.start_stream()
                if length < 0 and self.loop.on_invalid is not None:
                    self.tell_invalid()
                if length < 0 or self.held() >= self.inb.cap:
                    return self.refuse(error_status(length) if length < 0 else 400, b"P", True)
            if self.ended:
                return self.at_end()
            if not self.can_read:
                break
            if self.fill(BUFSIZE) == 0:
                break
        self.rest()
        return self.idle_timer()

    cdef int tell_invalid(self) except -1:
        """For ``show errors``."""
        try:
            self.look_up()
            self.loop.on_invalid(
                self.frontend, None, None, (self.src_ip, self.src_port),
                self.inb.get(0, self.inb.size()), self.coming.pos,
            )
        except Exception as error:
            self.loop.report(error)
        return 0

    cdef int idle_timer(self) except -1:
        cdef int64_t limit = self.frontend.timeout_client, due
        cdef int64_t request = self.frontend.timeout_http_request
        if self.requests and self.first_byte == 0:
            limit = self.frontend.timeout_http_keep_alive or request or limit
            return self.loop.arm(self, self.loop.parted_by(self.idle_since + limit if limit else 0))
        due = self.loop.now + limit if limit else 0
        if request:
            request += self.first_byte if self.requests else self.accepted_ms
            due = request if due == 0 or request < due else due
        return self.loop.arm(self, due)

    cdef bint bad_chunks(self) noexcept:
        """Whether the part of a chunked body that came with the head is malformed."""
        cdef Body probe
        if self.coming.framing != BODY_CHUNKED or not self.held():
            return False
        probe = Body.__new__(Body)
        probe.begin(BODY_CHUNKED, -1)
        return probe.advance(self.inb, 0) < 0

    cdef HttpStream new_stream(self):
        cdef HttpStream stream = HttpStream.__new__(HttpStream)
        self.requests += 1
        stream.adopt(self)
        stream.m_first = self.first_byte
        stream.started = self.accepted
        if self.first_byte > self.accepted_ms:
            stream.started = wall_clock() - <double>(self.loop.now - self.first_byte) / 1000.0
        if self._session is not None and self._session.tracked is not None:
            tell_all(self._session.tracked, REQUEST, 1)
        self.stream = stream
        self.owner = stream
        self.due = 0
        self.late = False
        return stream

    cdef int start_stream(self) except -1:
        cdef Segment segment = self.loop.segment
        cdef HttpStream stream
        cdef Request request = self.coming
        cdef Body body
        cdef int row = self.frontend.row
        if self.bad_chunks():
            return self.refuse(400, b"P", True)
        if self.frontend.unsafe and strange(request, None):
            self.glitches += 1
            self.tell_glitch(self.tracked())
            if self.weary():
                return self.refuse(400, b"C", False)
        self.coming = None
        stream = self.new_stream()
        if self.inherited is not None:
            stream._vars, stream.data = self.inherited
            stream.state = FE_REQUEST  # the content rules have seen it
            self.inherited = None
        segment.bump(row, REQUESTS, 1)
        segment.lift(row, REQ_RATE_MAX, segment.tick(row, REQ_RATE, 1, self.loop.now))
        segment.bump(PROCESS, REQUESTS, 1)
        segment.tick(PROCESS, REQ_RATE, 1, self.loop.now)
        body = Body.__new__(Body)
        body.begin(request.framing, request.length)
        stream.start(request, body)
        return stream.advance()

    cdef list tracked(self):
        return self._session.tracked if self._session is not None else None

    cdef int tell_glitch(self, list tracked) except -1:
        return tell_all(tracked, GLITCH, 1) if tracked is not None else 0

    cdef bint weary(self) noexcept:
        """Whether there were too many glitches. Before that, at three quarters, this request is the last one."""
        cdef int most = self.frontend.glitches
        if not most or self.glitches < (3 * most + 1) // 4:
            return False
        self.parting = True
        return self.glitches >= most and self.loop.busy >= self.frontend.glitch_load

    cdef int refuse(self, int status, char cause, bint answer) except -1:
        """What was received is no request."""
        cdef HttpStream stream = self.new_stream()
        cdef bint late = False
        if not self.frontend.http:  # as TCP it was looked at, and taken for HTTP: nothing else is to be said of it
            late = self.inherited is not None and self.frontend.on_content is not None and cause != b"P"
            answer = answer and not late
            cause = b"P"
        cdef list tracked = self.tracked()  # they hear of it when all is over
        self.coming = None
        self.loop.segment.bump(self.frontend.row, REQUESTS_BAD, 1)
        stream.unlogged = late or not (self.first_byte or self.frontend.log_null)
        stream.m_first = 0
        if cause == b"P" or (cause == b"C" and self.held()):
            stream.tell(ERROR, 1)
        if cause != b"P":
            return stream.refuse(status, cause, answer)
        self.glitches += 1
        stream.refuse(status, b"C" if self.half else b"P", answer)  # it had closed behind it
        return self.tell_glitch(tracked)

    cdef bint silent(self) noexcept:
        """Nothing came where nothing needed to: no answer is owed, and no line in the log."""
        if self.held() or (self.requests and self.first_byte):  # empty lines are something
            return False
        return self.requests != 0 or (self.frontend.ignore_probes and not self.first_byte)

    cdef int at_end(self) except -1:
        """The client closed between two requests, or within one."""
        if self.silent():
            return self.close()
        return self.refuse(400, b"C", not self.broken)

    cdef int too_late(self) except -1:
        self.late = False
        if self.unread is not None or self.silent():
            return self.close()
        return self.refuse(408, b"c", True)

    cdef bint discard(self) except -1:
        """Throw the rest of an answered request away; True when that is done."""
        cdef int64_t moved
        while True:
            moved = self.unread.advance(self.inb, 0)
            if moved < 0 or self.ended:
                self.close()
                return False
            if moved:
                self.inb.skip(<unsigned int>moved)
            if self.unread.done:
                self.unread = None
                return True
            if not self.can_read or self.fill(BUFSIZE) == 0:
                self.loop.arm(self, self.loop.now + self.frontend.timeout_client if self.frontend.timeout_client else 0)
                return False

    cdef int next_request(self, bint keep, object unread) except -1:
        self.late = False
        if self.dead:
            return 0
        if not keep or self.broken:
            if self.broken or self.vanishing or (unread is None and not self.can_read):
                return self.close()
            self.finish_writing()
            self.lingering = True
            self.loop.arm(self, self.loop.now + LINGER)
            self.loop.defer(self)
            return 0
        self.idle_since = self.loop.now
        self.handshake = self.first_byte = 0
        self.unread = unread
        if unread is not None or self.held() or self.can_read:
            self.loop.defer(self)
            return 0
        self.rest()
        return self.idle_timer()

    cdef int linger(self) except -1:
        cdef int got
        if self.late:
            return self.close()
        while self.can_read and not self.ended:
            if self.held():
                self.inb.clear()
            got = self.fill(BUFSIZE)
            if got == 0:
                break
        if self.ended:
            return self.close()
        return 0
