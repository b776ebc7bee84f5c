# cython: language_level=3, boundscheck=True, wraparound=False, initializedcheck=True
# cython: nonecheck=True, cdivision=True
"""A client connection whose bytes are passed on as they are: mode tcp.

Decides the order of content rules, choice of backend and connection, and what ended the session. The
stream begins at accept and is the only one of its connection. Content rules look at what has been
received (``peek``) and may wait for more; nothing is consumed before the relay starts.
"""

from libc.stdint cimport int64_t, uint32_t

from evener.engine.buffer cimport BUFSIZE, Buf, new_buf
from evener.engine.conn cimport Conn
from evener.engine.http1 cimport MSG_LOOKED, Request, parse_request
from evener.engine.http_client cimport HttpClient
from evener.engine.proxies cimport Backend
from evener.engine.reach cimport PAUSED, QUEUED, REACHED
from evener.engine.table cimport INPUT, OUTPUT
from evener.engine.segment cimport DENIED_REQ, DENIED_RES
from evener.engine.stream cimport CONTINUE, FAILED, PENDING

cdef enum State:
    FE_CONTENT = 0
    SWITCH = 1
    BE_CONTENT = 2
    REACH = 3
    RELAY = 4
    DONE = 5


cdef class TcpClient(Client):
    cdef int begin(self) except -1:
        cdef TcpStream stream = TcpStream.__new__(TcpStream)
        self.can_read = self.can_write = True
        self.requests = 1
        stream.adopt(self)
        self.stream = stream
        self.owner = stream
        stream.begin(self)
        return stream.advance()


cdef class TcpStream(Relaying):
    cdef bint begin(self, Client client) except -1:
        self.started = client.accepted
        self.m_first = self.m_head = client.accepted_ms
        return True

    cdef int advance(self) except -1:
        if self.state == DONE:
            return 0
        self.calls += 1
        if not self.loop.profiling:
            return self.run_steps()
        self.begin_call()
        self.run_steps()
        self.end_call()
        return 0

    cdef int run_steps(self) except -1:
        cdef int moved = 1
        if self.killed():
            self.stop_at(b"K" if self.usable(self.server) else b"D", b"D")
            self.finish()
            return 0
        if self.state < RELAY and self.lost():
            return 0
        while moved > 0 and self.state != DONE:
            moved = self.step_once()
            if self.state == REACH and self.client.broken and self.lost():
                return 0
        return 0

    cdef int step_once(self) except -9:
        cdef int result
        if self.state == FE_CONTENT:
            return self.phase(self.frontend.on_content, SWITCH)
        if self.state == SWITCH:
            return self.switch_backend()
        if self.state == BE_CONTENT:
            return self.phase(self.backend.on_content, REACH)
        if self.state == REACH:
            result = self.reach()
            if result > 0:
                self.state = RELAY
                self._req = None
                self.client.due = 0
                if self.backend.on_connected is not None:
                    self.call(self.backend.on_connected)
                self.inspecting = self.backend.on_tcp_response is not None
            elif result < 0:
                self.receive()
                self.finish()
            elif self.client.late:
                self.client.late = False
                self.stop_at(b"c", b"Q" if self.in_queue else b"C")
                self.receive()
                self.finish()
            else:
                self.client.watch_for(not self.client.half, self.frontend.timeout_client)
            return result > 0
        if self.inspecting:
            return self.inspect()
        if self.relay():
            self.finish()
        return 0

    cdef bint nothing_left(self) except -1:
        """The client has ended and left nothing to be sent, while no server is being talked to."""
        if self.step != QUEUED and self.step != PAUSED:
            return False
        self.gather()
        return self.client.ended and not self.client.held()

    cdef int receive(self) except -1:
        """What the client sent and nobody takes counts all the same."""
        self.gather()
        self._bytes_in += self.client.held()
        return 0

    cdef int inspect(self) except -9:
        """Rules about what the server sends; what the client sends goes on meanwhile. 1 when they are through."""
        cdef Conn server = self.upstream
        cdef bint bulk = self.bulk_up
        cdef int verdict = PENDING
        cdef bint news = not self.pending
        if self.pending and server.can_read and not server.ended and server.held() < BUFSIZE:
            news = server.fill(BUFSIZE) != 0 or news
        if news or self.recall():
            verdict = self.call(self.backend.on_tcp_response)
        if verdict == CONTINUE:
            self.wait_until = self.due = 0
            self.timed_out = self.pending = self.inspecting = False
            return 1
        if verdict != PENDING:
            self.stop_at(b"I" if verdict == FAILED else b"P", b"D")
            self._bytes_out += server.held()
            self.count(DENIED_RES, 1)
            self.segment.bump(self.frontend.row, DENIED_RES, 1)
            self.finish()
            return 0
        self.pending = True
        self.move(self.client, self.upstream, &self._bytes_in, &bulk)
        self.bulk_up = bulk
        if self.relay_timers():
            self.finish()
        return 0

    cdef int look(self) except -99:
        """What rules see of a request in the bytes that came: its head's length, 0 more is needed, < 0 it is none."""
        cdef uint32_t size = self.client.held()
        cdef Buf text
        if self._req is not None and self.looked == size:
            return self.verdict
        text = new_buf(size + 1)
        text.put_from(self.client.inb, 0, size)
        self._req = Request.__new__(Request)
        self._req.flags = MSG_LOOKED
        self.looked, self.verdict = size, parse_request(text, self._req)
        if self.verdict <= 0:
            self._req = Request.__new__(Request)
        return self.verdict

    @property
    def req(self):
        """A request that content rules may look at though its bytes are passed on as they are."""
        if self.state < REACH and self.client.held():
            self.look()
        if self._req is None:
            self._req = Request.__new__(Request)
        return self._req

    def head_missing(self):
        return self.state < REACH and (not self.client.held() or self.look() == 0)

    def peek(self):
        cdef Conn side = self.upstream if self.inspecting else self.client
        return side.inb.get(0, side.inb.size()) if side.inb is not None else b""

    def body(self):
        """What rules outside of an inspection look at: switching, balancing, stick tables."""
        return self.peek()

    def peer_closed(self):
        return bool(self.upstream.ended if self.inspecting else self.client.ended)

    cdef bint phase(self, object policy, int next_state) except -1:
        cdef int verdict
        if policy is None:
            self.state = next_state
            return True
        if self.pending:
            if not self.gather() and not self.recall():
                return False
        else:
            self.gather()
        verdict = self.call(policy)
        if verdict == CONTINUE:
            self.wait_until = self.due = 0
            self.timed_out = False
            if self.upgrading:
                self.upgrade()
                return False
            self.state = next_state
            return True
        if verdict == PENDING:
            self.pending = True
            if self.gather():
                self.resumed = True  # what came is to be looked at
                return True
            return False
        self.stop_at(b"I" if verdict == FAILED else b"P", b"R")
        self._bytes_in += self.client.held()
        if verdict != FAILED:
            self.segment.bump(self.frontend.row, DENIED_REQ, 1)
            self.segment.bump(self.listener.row, DENIED_REQ, 1)
        self.finish()
        return False

    def switch_mode(self):
        """Content rules want the connection to go on as HTTP."""
        self.upgrading = True

    cdef int upgrade(self) except -9:
        """Hand the connection over to an HTTP client; what it sent so far is its first request."""
        cdef HttpClient made = HttpClient.__new__(HttpClient)
        cdef Client client = self.client
        self.state = DONE
        self.loop.cancel(self)
        made.take_over(client, self._vars, self.data)
        client.stream = None
        client.owner = None
        client.dead = True  # its descriptor lives on
        made.advance()
        return 0

    cdef bint gather(self) except -1:
        """Read what the client sent, as far as a buffer goes; says whether something new came."""
        cdef Client client = self.client
        if client.can_read and not client.ended and client.held() < BUFSIZE:
            return client.fill(BUFSIZE) != 0
        return False

    cdef int lost(self) except -9:
        """The client went away before there was a relay."""
        cdef Client client = self.client
        cdef bint gone = client.broken
        if client.half and self.state == REACH and (self.backend.abort_on_close or self.nothing_left()):
            gone = True
        if not gone:
            return 0
        if client.broken and self.state == FE_CONTENT and self.pending:
            self.last_look()
            if self.state == DONE:
                return 1
        if self.state == REACH and self.step > QUEUED:
            self.stop_at(b"C", b"D" if client.broken else b"C")
        else:
            self.stop_at(b"C", b"Q" if self.in_queue else b"R")
        self.count_abort(False)
        self.receive()
        self.finish()
        return 1

    cdef int last_look(self) except -1:
        """Content rules run once more, as nothing more will come: they may refuse, or choose a backend to blame."""
        self.gather()
        self.client.ended = self.resumed = True
        self.phase(self.frontend.on_content, SWITCH)
        if self.state == SWITCH:
            self.switch_backend()
        return 0

    cdef int switch_backend(self) except -9:
        cdef int index = self.wanted_backend
        if index < 0:
            index = self.frontend.default_backend
        if not 0 <= index < len(self.loop.backends):
            self.stop_at(b"S", b"C")
            self.finish()
            return 0
        if (<Backend>self.loop.backends[index]).http:
            self.upgrade()
            return 0
        self.enter_backend(<Backend>self.loop.backends[index])
        self.state = BE_CONTENT if self.backend.twin is not self.frontend else REACH
        return 1

    cdef int finish(self) except -9:
        cdef Client client = self.client
        if self.state == DONE:
            return 0
        self.state = DONE
        self.m_end = self.loop.now
        if self.upstream is not None and self.step == REACHED and not self.server.reset and not client.broken:
            self.upstream.finish_writing()
        self.give_back()
        self.account()
        self.tell(INPUT, <int64_t>self._bytes_in)
        self.tell(OUTPUT, <int64_t>self._bytes_out)
        if self.frontend.log_null or self._bytes_in:
            self.log()
        if self.tracked is not None:
            self.untrack()
        client.stream = None
        client.owner = None
        if client.can_read and not client.broken and not client.ended:
            # unread bytes would make the kernel send a reset instead of an end
            if client.held():
                client.inb.clear()
            client.fill(BUFSIZE)
        return client.close()

    cdef int destroy(self) except -1:
        self.stop_at(b"I", b"D")
        self.finish()
        return 0
