# cython: language_level=3, boundscheck=True, wraparound=False, initializedcheck=True
# cython: nonecheck=True, cdivision=True
"""The client's connection, its session, and what every stream is: the ``Txn`` policy sees.

Decides what a stream reports: addresses, moments (manual section 8.4), the termination state (8.5),
counters. It does not move bytes: ``reach`` finds the server, ``relay`` and the codecs' streams do that.

Moments are kept as absolute milliseconds of the loop's clock and turned into durations when asked for.
The first event that ends a stream names its termination state; later ones do not change it.
"""

from cpython.bytearray cimport PyByteArray_AS_STRING
from cpython.bytes cimport PyBytes_FromStringAndSize

from evener.engine.kernel cimport (
    AF_INET, AF_INET6, IP_TTL, IPPROTO_IP, IPPROTO_IPV6, IPPROTO_TCP, IPV6_UNICAST_HOPS, TCP_QUICKACK, TCP_REPAIR, getsockname,
    getsockopt, monotonic_ns, ntohs, setsockopt, sockaddr, sockaddr_in, sockaddr_in6, socklen_t, wall_clock,
)
from evener.engine.conn cimport facts_of, flags_of
from evener.engine.table cimport ERROR, Entry, tell_all
from evener.engine.segment cimport (
    ACTIVE, BYTES_IN, BYTES_OUT, C_TIME, C_TIME_MAX, CLIENT_ABORTS, CONN_RATE, CONN_RATE_MAX, CONNECTIONS,
    CUR, FAILED_REWRITES, HEIRS, HRSP_1XX, HRSP_OTHER, INTERNAL_ERRORS, LAST_SESSION, MAX, PROCESS, PROF_CALLS, PROF_CPU, PROF_LAT, Q_TIME, Q_TIME_MAX,
    R_TIME, R_TIME_MAX, REQUESTS, SERVER_ABORTS, SESS_RATE, SESS_RATE_MAX, T_TIME, T_TIME_MAX, TOTAL, USABLE,
)

include "client.pxi"
include "costs.pxi"


cdef class Timeouts:
    def __cinit__(self):
        self.client = self.server = self.tunnel = self.connect = self.queue = -1


cdef class Stream(Costed):
    def __cinit__(self):
        self.cause = self.ended_at = b"-"
        self.wanted_backend = self.wanted_server = self._src_port = self._dst_port = self.max_retries = -1

    cdef int adopt(self, Client client) except -1:
        cdef Loop loop = client.loop
        self.loop = loop
        self.segment = loop.segment
        self.client = client
        self.frontend = client.frontend
        self.listener = client.listener
        self.number = client.requests
        self.m_idle = client.idle_since
        self.t_handshake = client.handshake
        loop.next_id += 1
        self.id = loop.next_id
        return 0

    # -- policy ------------------------------------------------------------------------------------

    cdef int call(self, object policy) except -1:
        """The verdict of a callback; FAILED when it raised."""
        self.pending = self.resumed = False
        try:
            return <int>policy(self)
        except BufferError:  # a head that no longer fits: a rewrite failed, which strict mode makes an error
            self.count_failed_rewrite()
            self.segment.bump(self.frontend.row, INTERNAL_ERRORS, 1)
            return FAILED
        except Exception as error:
            self.loop.report(error)
            self.segment.bump(self.frontend.row, INTERNAL_ERRORS, 1)
            return FAILED

    cdef bint recall(self) noexcept:
        """Whether a pending callback has something new to look at."""
        if self.resumed or (self.wait_until and self.loop.now >= self.wait_until):
            self.wait_until = 0
            return True
        return False

    cdef int expired(self) except -1:
        self.timed_out = True
        return self.advance()

    cdef int log(self) except -1:
        return self.notify(self.frontend.on_log)

    cdef int notify(self, object policy) except -1:
        """Call a policy whose verdict does not matter."""
        if policy is not None:
            try:
                policy(self)
            except Exception as error:
                self.loop.report(error)
        return 0

    # -- counters ----------------------------------------------------------------------------------

    cdef int stop_at(self, char cause, char phase) except -1:
        if self.cause == b"-":
            self.cause = cause
            self.ended_at = phase
        return 0

    cdef int count(self, int column, int64_t delta) except -1:
        """Add to the backend's and the server's cell."""
        if self.backend is not None:
            self.segment.bump(self.backend.row, column, delta)
        if self.server is not None:
            self.segment.bump(self.server.row, column, delta)
        return 0

    cdef int count_abort(self, bint by_server) except -1:
        cdef int column = SERVER_ABORTS if by_server else CLIENT_ABORTS
        self.segment.bump(self.frontend.row, column, 1)
        return self.count(column, 1)

    cdef int tell_tracked(self, Session session, int event, int64_t count) except -1:
        cdef list ours = self.tracked, theirs = session.tracked if session is not None else None
        cdef Py_ssize_t number
        if ours is None:
            return 0 if theirs is None else tell_all(theirs, event, count)
        tell_all(ours, event, count)
        if theirs is not None:
            for number in range(len(theirs)):
                if theirs[number] is not None and (number >= len(ours) or ours[number] is None):
                    (<Entry?>theirs[number]).tell(event, count)
        return 0

    cdef int untrack(self) except -1:
        cdef list ours = self.tracked
        self.tracked = None
        return release_all(ours) if ours is not None else 0

    cdef int enter_backend(self, Backend backend) except -1:
        cdef Segment segment = self.segment
        cdef int row = backend.row
        self.backend = backend
        if (self.max_retries >= 0 or self.timeouts is not None) and backend.plan.ir is not self.frontend.plan.ir:
            self.max_retries = -1  # what a listen section said is for its own servers
            if self.timeouts is not None:
                self.timeouts.server = self.timeouts.tunnel = self.timeouts.connect = self.timeouts.queue = -1
        segment.lift(row, MAX, segment.bump(row, CUR, 1))
        segment.bump(row, TOTAL, 1)
        segment.lift(row, SESS_RATE_MAX, segment.tick(row, SESS_RATE, 1, self.loop.now))
        segment.store(row, LAST_SESSION, <int64_t>wall_clock())
        return 0

    cdef int leave_backend(self) except -1:
        if self.backend is not None:
            self.segment.bump(self.backend.row, CUR, -1)
        return 0

    cdef int status_seen(self) noexcept:
        return self._res.status if self._res is not None else 0

    cdef int account(self) except -1:
        """What is known only at the end: bytes, response classes, average times."""
        cdef Segment segment = self.segment
        cdef int row = self.frontend.row
        cdef int column = self.status_seen() // 100
        if self._bytes_in:
            segment.bump(row, BYTES_IN, self._bytes_in)
            segment.bump(self.listener.row, BYTES_IN, self._bytes_in)
            self.count(BYTES_IN, self._bytes_in)
        if self._bytes_out:
            segment.bump(row, BYTES_OUT, self._bytes_out)
            segment.bump(self.listener.row, BYTES_OUT, self._bytes_out)
            segment.bump(PROCESS, BYTES_OUT, self._bytes_out)
            self.count(BYTES_OUT, self._bytes_out)
        if self.frontend.http and column:
            column = HRSP_1XX + column - 1 if 1 <= column <= 5 else HRSP_OTHER
            segment.bump(row, column, 1)
            if self.backend is not None:
                segment.bump(self.backend.row, column, 1)
                segment.bump(self.backend.row, REQUESTS, 1)
        if self.server is not None and self.m_connect:
            self.average(self.backend.row)
            self.average(self.server.row)
        return 0

    cdef int average(self, int row) except -1:
        cdef Segment segment = self.segment
        segment.smooth(row, Q_TIME, self.m_queue - self.m_head)
        segment.lift(row, Q_TIME_MAX, self.m_queue - self.m_head)
        segment.smooth(row, C_TIME, self.m_connect - self.m_queue)
        segment.lift(row, C_TIME_MAX, self.m_connect - self.m_queue)
        if self.m_response:
            segment.smooth(row, R_TIME, self.m_response - self.m_connect)
            segment.lift(row, R_TIME_MAX, self.m_response - self.m_connect)
        segment.smooth(row, T_TIME, self.m_end - self.m_first)
        segment.lift(row, T_TIME_MAX, self.m_end - self.m_first)
        return 0

    # -- the Txn: what policy reads ------------------------------------------------------------------

    @property
    def req(self):
        if self._req is None:
            self._req = Request()
        return self._req

    @property
    def res(self):
        return self._res

    @property
    def session(self):
        return self.client.session() if self.client is not None else self._session

    @property
    def vars(self):
        if self._vars is None:
            self._vars = {}
        return self._vars

    def count_failed_rewrite(self):
        """A rule could not change a message."""
        self.segment.bump(self.frontend.row, FAILED_REWRITES, 1)
        self.count(FAILED_REWRITES, 1)

    cdef int change_client(self) except -1:
        """Rules set an address of the connection; what it was at connection level stays known."""
        cdef Client client = self.client
        client.look_up()
        if self.settled and client.at_connection is None:
            client.at_connection = client.src_ip, client.src_port, client.dst_ip, client.dst_port
        return 0

    @property
    def fc(self):
        """Source and destination (address, port, address, port) of the connection itself."""
        cdef Client client = self.client
        if client.at_connection is not None:
            return client.at_connection
        client.look_up()
        return client.src_ip, client.src_port, client.dst_ip, client.dst_port

    @property
    def src_ip(self):
        if self._src_ip is not None:
            return self._src_ip
        self.client.look_up()
        return self.client.src_ip

    @src_ip.setter
    def src_ip(self, bytes value not None):
        if self.admitting:
            self.change_client()
            self.client.src_ip = value
        else:
            self._src_ip = value

    @property
    def src_port(self):
        if self._src_port >= 0:
            return self._src_port
        self.client.look_up()
        return self.client.src_port

    @src_port.setter
    def src_port(self, int value):
        if self.admitting:
            self.change_client()
            self.client.src_port = value
        else:
            self._src_port = value

    @property
    def dst_ip(self):
        if self._dst_ip is not None:
            return self._dst_ip
        self.client.look_up()
        return self.client.dst_ip

    @dst_ip.setter
    def dst_ip(self, bytes value not None):
        if self.admitting:
            self.change_client()
            self.client.dst_ip = value
        else:
            self._dst_ip = value

    @property
    def dst_port(self):
        if self._dst_port >= 0:
            return self._dst_port
        self.client.look_up()
        return self.client.dst_port

    @dst_port.setter
    def dst_port(self, int value):
        if self.admitting:
            self.change_client()
            self.client.dst_port = value
        else:
            self._dst_port = value

    @property
    def pp_fields(self):
        """The fields of the client's PROXY header as (kind, value); None without a header."""
        return self.client.pp_fields if self.client is not None else None

    def expect_header(self, int64_t magic):
        """Connection rules: a PROXY header (0) or a NetScaler header with that magic must come first."""
        self.expected = magic

    @property
    def t_idle(self):
        return self.m_first - self.m_idle if self.m_first else -1

    @property
    def t_request(self):
        return self.m_head - self.m_first if self.m_head else -1

    @property
    def t_queue(self):
        return self.m_queue - self.m_head if self.m_queue else -1

    @property
    def t_connect(self):
        return self.m_connect - self.m_queue if self.m_connect else -1

    @property
    def t_response(self):
        return self.m_response - self.m_connect if self.m_response else -1

    @property
    def t_active(self):
        return (self.m_end or self.loop.now) - (self.m_first or self.m_idle)

    @property
    def t_total(self):
        return (self.m_end or self.loop.now) - self.m_idle + self.t_handshake

    @property
    def bytes_in(self):
        return self._bytes_in

    @property
    def bytes_out(self):
        return self._bytes_out

    @property
    def termination(self):
        return bytes((self.cause, self.ended_at))

    @termination.setter
    def termination(self, bytes value not None):
        if len(value) != 2:
            raise ValueError("a termination state is two bytes")
        self.cause, self.ended_at = value[0], value[1]
        self.denied = True

    cdef int64_t on_server(self) noexcept:
        """Streams on our server, without those that have just come out of a queue."""
        return self.segment.load(self.server.row, CUR) - self.segment.load(self.server.row, HEIRS)

    @property
    def conns(self):
        return (
            self.segment.load(PROCESS, CUR),
            self.segment.load(self.frontend.row, CUR),
            self.segment.load(self.backend.row, CUR) if self.backend is not None else 0,
            self.on_server() if self.server is not None else 0,
        )

    # -- the Txn: what policy asks for ----------------------------------------------------------------

    def reply(self, int status, bytes reason not None, headers, bytes body not None):
        self.replied = (status, reason, headers, body)
        return REPLIED

    def tally(self, int column, int64_t delta):
        """Count in the frontend's and the backend's row."""
        self.segment.bump(self.frontend.row, column, delta)
        if self.backend is not None:
            self.segment.bump(self.backend.row, column, delta)

    def tick(self, int column, int64_t count):
        """Count in a rate of the process; returns it."""
        return self.segment.tick(PROCESS, column, count, self.loop.now)

    def set_backend(self, int index):
        if not 0 <= index < len(self.loop.backends):
            raise IndexError("no such backend")
        self.wanted_backend = index

    def set_server(self, int index, bint anyway=False):
        self.wanted_server = index
        self.anyway = anyway

    def count_error(self):
        self.tell(ERROR, 1)

    def tracking(self, Py_ssize_t number):
        """The table entry tracked under a number, by this stream or else by its session."""
        cdef Session session
        cdef object found = None
        if self.tracked is not None and 0 <= number < len(self.tracked):
            found = self.tracked[number]
        if found is None and self.client is not None:
            session = self.client._session
            if session is not None and session.tracked is not None and 0 <= number < len(session.tracked):
                found = session.tracked[number]
        return found

    def server_lives(self, int index):
        """Whether a server of the backend takes persistent traffic; of the listen itself before one is chosen."""
        cdef Backend backend = self.backend
        if backend is None:
            backend = <Backend>self.loop.backends[self.frontend.plan.own.index]
        cdef Server server = <Server>backend.servers[index]
        return self.segment.load(server.row, ACTIVE) != 0 or self.segment.load(server.row, USABLE) != 0

    @property
    def server_forced(self):
        """Whether policy has chosen a server already."""
        return self.wanted_server >= 0

    def get_option(self, bint server, int level, int name, int size):
        """A socket option as bytes; None when there is no connection or no such option."""
        cdef Conn conn = self.upstream if server else self.client
        cdef socklen_t length
        cdef bytearray room = bytearray(min(max(size, 0), 4096))
        if conn is None or conn.dead:
            return None
        length = <socklen_t>len(room)
        if getsockopt(conn.io.fd, level, name, PyByteArray_AS_STRING(room), &length) < 0:
            return None
        return bytes(room[:length])

    def set_option(self, bint server, int level, int name, int value):
        """Set an option of the client's socket, or of the one that will be opened to the server."""
        if server:
            if self.dial_options is None:
                self.dial_options = []
            self.dial_options.append((level, name, value))
        elif self.client is not None and not self.client.dead:
            setsockopt(self.client.io.fd, level, name, &value, sizeof(value))

    def vanish(self, int ttl):
        """The client is not to notice that its connection is closed: by the kernel's leave, or else by a reset
        that dies after ``ttl`` hops (0: the least that can be)."""
        cdef Client client = self.client
        cdef int one = 1, hops = ttl or 1
        if client is None or client.dead:
            return
        client.vanishing = True
        # what came is acknowledged now: the client would send it again, and be told by a reset
        setsockopt(client.io.fd, IPPROTO_TCP, TCP_QUICKACK, &one, sizeof(one))
        if ttl == 0 and setsockopt(client.io.fd, IPPROTO_TCP, TCP_REPAIR, &one, sizeof(one)) == 0:
            return
        setsockopt(client.io.fd, IPPROTO_IP, IP_TTL, &hops, sizeof(hops))
        setsockopt(client.io.fd, IPPROTO_IPV6, IPV6_UNICAST_HOPS, &hops, sizeof(hops))
        client.hushed = True

    def body(self):
        return b""

    def body_complete(self):
        return True

    def head_missing(self):
        return False

    def peek(self):
        return self.client.inb.get(0, self.client.inb.size()) if self.client.inb is not None else b""

    def peer_closed(self):
        return bool(self.client.ended)

    def wait(self, int64_t milliseconds):
        self.wait_until = self.loop.now + (milliseconds if milliseconds > 0 else 1)
        self.loop.arm(self, self.wait_until)
        return PENDING

    def resume(self):
        self.resumed = True
        self.loop.defer(self)
