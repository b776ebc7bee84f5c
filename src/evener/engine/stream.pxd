# A client connection and what its streams have in common. See stream.pyx.

cimport cython
from libc.stdint cimport int64_t, uint32_t, uint64_t

from evener.engine.conn cimport Conn, Upstream
from evener.engine.http1 cimport Request, Response
from evener.engine.kernel cimport sockaddr_storage
from evener.engine.loop cimport Loop, Task
from evener.engine.proxies cimport Backend, Frontend, Listener, Server
from evener.engine.segment cimport Segment

cdef enum Verdict:
    CONTINUE = 0
    PENDING = 1
    REPLIED = 2
    CLOSED = 3
    FAILED = 9  # the callback raised

cdef class Session:
    cdef public dict vars
    cdef public object data
    cdef public list tracked  # of table.Entry or None, by number; None until something is tracked
    cdef readonly uint64_t id
    cdef readonly double accepted

cdef class Client(Conn):
    cdef Listener listener
    cdef Frontend frontend
    cdef Session _session
    cdef Stream stream
    cdef list own  # server connections kept for this client alone (http-reuse never); None: no one
    cdef sockaddr_storage peer
    cdef bytes src_ip, dst_ip  # None until asked for
    cdef tuple pp_fields  # those of a PROXY header; None: there was no header
    cdef int src_port, dst_port
    cdef tuple at_connection  # the four of them before session rules changed them, else None
    cdef double accepted
    cdef int64_t accepted_ms
    cdef int64_t handshake  # ms it took; 0 after the first request
    cdef int64_t idle_since  # accept, or the end of the previous response
    cdef int64_t first_byte  # of the request being received, 0 none yet
    cdef int requests
    cdef bint lingering
    cdef bint parting  # after so many glitches: it ends with this request
    cdef bint devoted  # the next request goes where the last one went
    cdef bint vanishing  # it is closed at once, and the client is not told
    cdef bint hushed  # by a reset that does not get there
    cdef int settle(self, Loop loop, Listener listener) except -1
    cdef Session session(self)
    cdef int begin(self) except -1
    cdef int admitted(self) except -1
    cdef int look_up(self) except -1
    cdef int keep_own(self, Upstream upstream) except -1
    cdef Upstream take_own(self, Server server, bytes preface, tuple aim)
    cdef int next_request(self, bint keep, object unread) except -1

cdef bytes packed_address(const sockaddr_storage *address, int *port)

cdef class Timeouts:
    cdef public int64_t client, server, tunnel, connect, queue  # ms; -1: the proxy's

cdef class Costed(Task):
    cdef Loop loop
    cdef Segment segment
    cdef Client client
    cdef Upstream upstream
    cdef int lost_fault  # of the server's connection that is gone: Conn.fault
    cdef int lost_flags  # of the same, as ``conn.flags_of``; 0: it was not closed for this stream
    cdef int server_glitches  # of the server's connection
    cdef char first_end  # of a tunnel: c or s, whose stream ended first; 0: none did
    cdef int64_t m_connect  # ms of the monotonic clock, 0: there was no server connection
    cdef readonly uint32_t calls  # of ``advance``
    cdef int64_t spent, call_began  # in them, ns; while nothing is measured: 0
    cdef readonly int64_t lat_ns  # until they began
    cdef void begin_call(self) noexcept
    cdef void end_call(self) noexcept

cdef class Stream(Costed):
    cdef readonly Frontend frontend
    cdef readonly Backend backend
    cdef readonly Server server
    cdef readonly Listener listener
    cdef Session _session
    cdef readonly uint64_t id
    cdef public object data
    cdef dict _vars
    cdef readonly int number  # of this request on its client connection, from 1
    cdef object expected  # magic of a header that rules want first: None, 0 for PROXY, else NetScaler's
    cdef bint settled  # of those rules, the ones about the session
    cdef bint admitting  # only asks rules about the connection: addresses set now are the connection's
    cdef bytes _src_ip, _dst_ip  # set for this stream alone, else None
    cdef int _src_port, _dst_port  # the same, else -1
    cdef Request _req
    cdef Response _res
    cdef readonly double started
    # moments, ms of the monotonic clock; 0 not reached
    cdef readonly int64_t t_handshake
    cdef int64_t m_idle, m_first, m_head, m_queue, m_response, m_end
    cdef uint64_t _bytes_in, _bytes_out
    cdef readonly int retries, srv_queue, be_queue
    cdef readonly bint redispatched, reused
    cdef char cause, ended_at  # termination state
    cdef readonly bint denied  # policy named the cause itself
    # what policy asked for
    cdef int wanted_backend, wanted_server
    cdef public int max_retries  # -1: the backend's
    cdef public bint no_retry  # what was sent is not sent again
    cdef list dial_options  # of the socket to the server; None: nothing special
    cdef public int64_t priority  # in queues: the lowest goes first; class << 40 and offset in ms
    cdef Timeouts timeouts  # None: those of the proxies
    cdef public list tracked  # as Session.tracked: what only this stream tracks, and before that
    cdef int64_t wait_until
    cdef bint anyway  # the wanted server is taken even when it is down
    cdef bint pending, resumed, woken
    cdef object replied  # (status, reason, headers, body) of reply()
    cdef readonly bytes applet  # what answered in the place of a server, for logs
    cdef bint timed_out  # the stream's own timer struck

    cdef int call(self, object policy) except -1
    cdef int change_client(self) except -1
    cdef int stop_at(self, char cause, char phase) except -1
    cdef int enter_backend(self, Backend backend) except -1
    cdef int leave_backend(self) except -1
    cdef int64_t on_server(self) noexcept
    cdef int count(self, int column, int64_t delta) except -1
    cdef int count_abort(self, bint by_server) except -1
    cdef int account(self) except -1
    cdef int average(self, int row) except -1
    cdef int log(self) except -1
    cdef int notify(self, object policy) except -1
    cdef int adopt(self, Client client) except -1
    cdef bint recall(self) noexcept
    cdef int status_seen(self) noexcept
    cdef int tell_tracked(self, Session session, int event, int64_t count) except -1
    cdef int untrack(self) except -1

    @cython.final
    cdef inline int tell(self, int event, int64_t count) except -1:
        """Something happened, to be counted in the entries that are tracked: mostly there are none."""
        cdef Session session = self.client._session
        if self.tracked is None and (session is None or session.tracked is None):
            return 0
        return self.tell_tracked(session, event, count)
