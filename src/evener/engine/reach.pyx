# cython: language_level=3, boundscheck=True, wraparound=False, initializedcheck=True
# cython: nonecheck=True, cdivision=True
"""How a stream gets a server connection: balancing, queue, idle connection or a new one, retries.

Decides when; which server is for choose.pyx, what will be said on the connection for others. The steps are

    ASSIGN -> (QUEUED ->) DIAL -> CONNECTING -> REACHED
       ^                    ^         |
       +---- redispatch ----+- PAUSED +-> UNREACHABLE

A server's limit counts slots of all workers: a slot is claimed in the shared segment or not at all.
Whoever finds none joins the queue of this worker (the server's own when hashing or persistence chose
it, else the backend's) behind those of the same or a higher priority, is counted in the segment, and then
tries once more, so that a slot given back meanwhile is not missed. Who gives a slot back wakes the queue
here, or rings for the other workers.

Nothing irrevocable has been sent before REACHED, so a failed attempt moves to another server.
"""

from libc.errno cimport EADDRINUSE, EADDRNOTAVAIL

from evener.engine.buffer cimport BUFSIZE, Buf, new_buf
from evener.engine.conn cimport dial, flags_of, take_idle
from evener.engine.kernel cimport getsockname, sockaddr, sockaddr_storage, socklen_t
from evener.engine.proxies cimport Backend
from evener.engine.segment cimport (
    ACTIVE, CONNECTIONS, CUR, EPOCH, ERR_CONN, HEIRS, IDLE_CUR, IDLE_EPOCH, Q_CUR, Q_MAX, Q_PASSED, REDISPATCHES, RETRIES, REUSED,
    SHUTDOWN_EPOCH, USED_CUR,
)
from evener.engine.stream cimport packed_address

cdef enum:
    PAUSE = 1000  # ms before the same server is tried again
    ON_CONN_FAILURE = 1  # columns.Retry.CONN_FAILURE
    RETRIED = 11  # with EMPTY_RESPONSE and RESPONSE_TIMEOUT: whatever a kept connection may do is made good
    GRANT = 8  # bytes of a SOCKS4 proxy's answer, whose second says
    GRANTED = 0x5A
    SOCKS4_DENY = 41  # of the manual's table of connection errors
    SOCKS4_ABORT = 42


cdef class Reaching(Choosing):
    cdef int reach(self) except -9:
        """1 when ``upstream`` may be used, 0 while waiting, -1 when there is none (``failure_status``)."""
        cdef int result
        while True:
            if self.step == REACHED:
                return 1
            if self.step == UNREACHABLE:
                return -1
            if self.step == ASSIGN:
                result = self.assign()
            elif self.step == QUEUED:
                result = requeue(self)
            elif self.step == DIAL:
                result = self.connect()
            elif self.step == CONNECTING:
                result = self.check()
            elif self.step == BORROWING:
                result = self.timed_out
                if result:
                    self.timed_out = False
                    self.step = DIAL
            else:
                if not self.timed_out:
                    return 0
                self.timed_out = False
                self.step = DIAL
                if not self.usable(self.server) and self.others(self.server):
                    self.redispatch()
                result = 1
            if result == 0:
                return 0

    cdef int give_up(self, char cause, char phase, int status) except -9:
        self.stop_at(cause, phase)
        self.step = UNREACHABLE
        self.failure_status = status
        self.release_slot()
        return -1

    cdef int prepare(self) except -1:
        """A connection is about to be used: put into its ``out`` what goes first."""
        return 0

    cdef bint redirected(self) except -1:
        """Whether the client was sent to the server itself (``redir``) instead of being connected."""
        return False

    cdef int reuse_rule(self) noexcept:
        """0 only new connections, 1 idle ones too, 2 idle ones that are still alive when looked at."""
        return 0

    # -- the choice ----------------------------------------------------------------------------------

    cdef int chosen(self) except -1:
        self.step = DIAL
        return 0

    cdef int assign(self) except -9:
        cdef Backend backend = self.backend
        cdef Server server = None
        cdef int64_t epoch = self.segment.load(backend.row, EPOCH)
        cdef Py_ssize_t count
        cdef object key
        if epoch != backend.epoch:
            backend.epoch = epoch
            self.forsake()
            if backend.rebuild is not None:
                try:
                    backend.rebuild(backend)
                except Exception as error:
                    self.loop.report(error)
        self.balanced = False
        if 0 <= self.wanted_server < len(backend.servers):
            server = <Server>backend.servers[self.wanted_server]
            if not self.anyway and not self.segment.load(server.row, ACTIVE) and not self.usable(server):
                server = None
        if server is None and self.client.own is not None and (backend.prefer_last or self.client.devoted):
            server = self.last_server()
        if server is None:
            self.balanced = True
            count = len(backend.rotation)
            if count == 0:
                return self.give_up(b"S", b"C", 503)
            if backend.key is not None and (self.avoid is None or backend.points is not None):
                try:
                    key = backend.key(self)
                    if key is None:
                        pass
                    elif backend.points is not None:
                        server = self.on_ring(<int64_t>key)
                    else:
                        server = <Server>backend.rotation[<Py_ssize_t>(key % count)]
                        if not self.usable(server):
                            server = None
                except Exception as error:
                    self.loop.report(error)
        if server is None:
            return self.balance()
        return self.take(server) or enqueue(self, server)

    cdef int forsake(self) except -1:
        """Servers that went into maintenance meanwhile: their idle connections are not used again."""
        cdef Server server
        cdef Upstream idle
        cdef int64_t seen
        for server in self.backend.servers:
            seen = self.segment.load(server.row, IDLE_EPOCH)
            if seen != server.idle_epoch:
                server.idle_epoch = seen
                server.version += 1
                for idle in server.pool[:]:
                    idle.close()
        return 0

    cdef Server last_server(self):
        """The one that the client has a connection of its own to, unless it is down or too busy, or a hash decides."""
        cdef Backend backend = self.backend
        cdef Upstream one
        cdef Server server
        if backend.key is not None or self.avoid is not None:
            return None
        for one in self.client.own:
            server = one.server
            if one.dead or server.index >= len(backend.servers) or backend.servers[server.index] is not server:
                continue
            if not self.usable(server):
                continue
            if self.client.devoted or backend.last_queue < 0 or not self.full(server):
                return server
            if self.segment.load(server.row, Q_CUR) < backend.last_queue:
                return server
        return None

    cdef int balance(self) except -9:
        """Any server: 1 taken, 0 queued because all are full, -1 none is usable."""
        cdef Backend backend = self.backend
        cdef int result
        if backend.queue and backend.queue[0] is not self:
            result = 0
        else:
            result = self.any_server()
        if result < 0:
            return self.give_up(b"S", b"C", 503)
        if result == 2:
            return enqueue(self, self.server)
        return result or enqueue(self, None)

    # -- the queue -----------------------------------------------------------------------------------

    cdef int leave_queue(self, bint served=False) except -1:
        """Its place in the queue was how many were served since it joined, itself included."""
        cdef Server server = self.waiting_for
        cdef int row, place
        if not self.in_queue:
            return 0
        self.in_queue = False
        self.waiting_for = None
        (self.backend.queue if server is None else server.queue).remove(self)
        row = self.backend.row if server is None else server.row
        self.segment.bump(row, Q_CUR, -1)
        place = <int>(self.segment.load(row, Q_PASSED) - self.passed) + 1
        if server is None:
            self.be_queue += place
        else:
            self.srv_queue += place
        if served:
            self.segment.bump(row, Q_PASSED, 1)
        self.loop.arm(self, 0)
        return 0

    cdef int went_on(self) except -1:
        self.heir = False
        self.segment.bump(self.server.row, HEIRS, -1)
        return 0

    cdef int release_slot(self) except -1:
        cdef Server server = self.server
        if not self.slot:
            return 0
        self.slot = False
        if self.heir:
            self.went_on()
        self.segment.bump(server.row, CUR, -1)
        if self.backend.least:
            self.touch(server)
        if server.queue or self.backend.queue:
            pass_on(self, server)
        elif self.segment.load(server.row, Q_CUR) or self.segment.load(self.backend.row, Q_CUR):
            self.loop.ring()
        return 0

    # -- the connection ------------------------------------------------------------------------------

    cdef Upstream idle_connection(self):
        cdef Upstream found = None
        cdef int rule = self.reuse_rule(), reuse = self.backend.reuse
        cdef bint first  # request of a client, for whom a connection that breaks would be news
        self.least = 0
        if self.borrowed is not None:
            found, self.borrowed = self.borrowed, None
            if not found.dead:
                return found
        if self.client.own is not None:
            found = self.client.take_own(self.server, self.preface, self.aim)
            if found is not None and rule:
                return found
            if found is not None:
                found.close()
        if rule == 0 or reuse == 0 or self.dial_options is not None:
            return None
        first = self.client.requests <= 1 and self.backend.retry_on & RETRIED != RETRIED
        if reuse == 1 and first:
            return None
        self.least = 2 if reuse == 2 and first else 1
        found = take_idle(self.server, self.least, self.aim, self.preface)
        while rule == 2 and found is not None and not found.io.alive():
            found.close()
            found = take_idle(self.server, self.least, self.aim, self.preface)
        return found

    cdef bint borrow(self) except -1:
        """Ask another worker for an idle connection, once: it answers soon."""
        cdef Server server = self.server
        cdef int64_t elsewhere = self.segment.load(server.row, IDLE_CUR) - <int64_t>len(server.pool)
        if self.begged or self.least == 0 or self.aim is not None or self.preface is not None:
            return False
        if elsewhere <= 0 or elsewhere < server.pool_low:
            return False
        self.begged = True
        if not self.loop.lender.ask(self, self.backend.index, server, self.least):
            return False
        self.step = BORROWING
        return True

    cdef bint offered(self, Upstream given) except -1:
        """The answer. False: nobody waits for it any more."""
        if self.step != BORROWING or self.client.stream is not self:
            return False
        if given is not None and given.server is not self.server:
            return False
        self.borrowed = given
        self.timed_out = False
        self.loop.arm(self, 0)
        self.step = DIAL
        self.loop.defer(self)
        return True

    cdef int connect(self) except -9:
        cdef int failure = 0
        cdef int64_t timeout
        cdef Upstream upstream
        if self.heir:
            self.went_on()
        if self.server.redirect is not None and self.redirected():
            return 0
        self.preface = <bytes?>self.server.preface(self) if self.server.preface is not None else None
        self.aim = <tuple?>self.server.aim(self) if self.server.aim is not None else None
        upstream = self.idle_connection()
        self.reused = upstream is not None
        if upstream is None and self.loop.lender is not None and self.borrow():
            return 0
        if upstream is None and self.server.strict and crowded(self):
            return self.connect_failed(False, False)
        if upstream is None:
            upstream = dial(self.loop, self.server, self.dial_options, self.aim, &failure)
            if upstream is None and failure < 0:
                self.lost_fault = -failure
                tell_unbound(self, False)
                return self.connect_failed(False, False)
            if upstream is None:
                self.lost_fault = failure
                self.count(ERR_CONN, 1)
                return self.give_up(b"R", b"C", 503)
            self.lost_fault = 0
            self.count(CONNECTIONS, 1)
            timeout = self.backend.timeout_connect
            if self.timeouts is not None:
                timeout = self.time_limit(timeout, self.timeouts.connect)
            if timeout:
                self.loop.arm(upstream, self.loop.now + timeout)
            self.step = CONNECTING
        self.upstream = upstream
        upstream.owner = self
        upstream.late = False
        self.prepare()
        if self.preface is not None and not self.reused:
            upstream.preface = self.preface
            self.begin_with(self.preface)
        if self.aim is not None and self.aim[2] is not None and not self.reused:
            upstream.after = upstream.out if upstream.out is not None else new_buf(BUFSIZE)
            upstream.out = new_buf(64)
            upstream.out.put_bytes(<bytes?>self.aim[2])
        if self.reused:
            self.count(REUSED, 1)
            return self.established()
        return 1

    cdef int64_t time_limit(self, int64_t usual, int64_t own) noexcept:
        return usual if own < 0 else own

    cdef int begin_with(self, bytes preface) except -1:
        """Puts bytes in front of what is to be sent."""
        cdef Buf out = self.upstream.out
        cdef Buf made = new_buf(len(preface) + (out.size() if out is not None else 0) + BUFSIZE)
        made.put_bytes(preface)
        if out is not None and out.size():
            made.put_from(out, 0, out.size())
        self.upstream.out = made
        return 0

    cdef int established(self) except -9:
        self.upstream.requests += 1
        self.upstream.due = 0
        self.m_connect = self.loop.now
        self.step = REACHED
        if self.frontend.on_connect is not None:
            self.notify(self.frontend.on_connect)
        return 1

    cdef int check(self) except -9:
        """Whether the attempt has succeeded. Sending is tried first: it tells sooner than epoll."""
        cdef Upstream upstream = self.upstream
        if upstream.broken:
            return self.connect_failed(False)
        if upstream.connecting and upstream.can_write and upstream.unsent():
            if upstream.flush() < 0:
                return self.connect_failed(False)
            upstream.connecting = not upstream.active
        elif upstream.connecting and upstream.confirmed:
            upstream.connecting = False
        if upstream.connecting or (upstream.after is not None and self.asked() == 0):
            if upstream.late:
                return self.connect_failed(True)
            return 0
        if upstream.broken:
            return self.connect_failed(False)
        return self.established()

    cdef int asked(self) except -9:
        """Whether the SOCKS4 proxy has answered; what was held back goes out then, or the connection is of no use."""
        cdef Upstream upstream = self.upstream
        if upstream.flush() < 0 or upstream.unsent():
            return upstream.broken
        while upstream.held() < GRANT and upstream.can_read and not upstream.ended:
            upstream.fill(BUFSIZE)
        if upstream.held() < GRANT and not upstream.ended:
            return 0
        if upstream.held() < GRANT or upstream.inb.at(0) != 0 or upstream.inb.at(1) != GRANTED:
            upstream.broken = True
            if not upstream.fault:
                upstream.fault = -(SOCKS4_ABORT if upstream.held() < GRANT else SOCKS4_DENY)
            return 1
        upstream.inb.skip(GRANT)
        upstream.out, upstream.after = upstream.after, None
        return 1

    cdef int connect_failed(self, bint timeout, bint pausing=True) except -9:
        cdef Backend backend = self.backend
        cdef bint elsewhere, others
        cdef int every
        cdef int64_t pause = PAUSE
        cdef int allowed = backend.retries if self.max_retries < 0 else self.max_retries
        self.drop_upstream()
        if self.lost_flags and tell_unbound(self, True):
            pausing = False
        if self.retries >= allowed or not backend.retry_on & ON_CONN_FAILURE:
            self.count(ERR_CONN, 1)
            return self.give_up(b"s" if timeout else b"S", b"C", 503)
        others = self.others(self.server)
        elsewhere = others and not self.usable(self.server)
        if backend.redispatch:
            every = backend.redispatch if backend.redispatch > 0 else allowed + 1 + backend.redispatch
            if (backend.turns and self.wanted_server < 0) or (every > 0 and (self.retries + 1) % every == 0):
                elsewhere = True
        if elsewhere and others:
            return self.again(True)
        self.again(False)
        if not timeout and pausing:
            if 0 < backend.timeout_connect < pause:
                pause = backend.timeout_connect
            self.step = PAUSED
            self.loop.arm(self, self.loop.now + pause)
            return 0
        return 1

    cdef int again(self, bint elsewhere) except -9:
        """One more attempt, with the same server or another one."""
        self.retries += 1
        self.drop_upstream()
        self.m_connect = self.lost_flags = 0
        self.reused = False
        if not elsewhere:
            self.count(RETRIES, 1)
            self.step = DIAL
            return 1
        return self.redispatch()

    cdef int redispatch(self) except -9:
        self.count(REDISPATCHES, 1)
        self.release_slot()
        self.avoid = self.server
        self.server = None
        self.wanted_server = -1
        self.step = ASSIGN
        return 1

    cdef int drop_upstream(self, bint reset=False) except -1:
        cdef Upstream upstream = self.upstream
        if self.borrowed is not None:
            if not self.borrowed.dead:
                self.borrowed.keep()
            self.borrowed = None
        if upstream is not None:
            self.remember_side()
            self.upstream = None
            upstream.owner = None
            upstream.close(reset)
            self.lost_fault = upstream.fault
            self.lost_flags = flags_of(upstream)
        return 0

    cdef tuple own_side(self):
        """The address and port from which the server was connected to; None without a connection."""
        cdef sockaddr_storage mine
        cdef socklen_t length = sizeof(mine)
        cdef int port = 0
        if self.upstream is None or self.upstream.dead or self.upstream.connecting:
            return self.came_from
        mine.ss_family = 0
        getsockname(self.upstream.io.fd, <sockaddr *>&mine, &length)
        address = packed_address(&mine, &port)
        return None if address is None else (address, port)

    cdef int remember_side(self) except -1:
        """The log will show it when the connection is gone."""
        if self.frontend.tells_side:
            self.came_from = self.own_side()
        return 0

    @property
    def bc_src_ip(self):
        cdef tuple found = self.own_side()
        return None if found is None else found[0]

    @property
    def bc_src_port(self):
        cdef tuple found = self.own_side()
        return 0 if found is None else found[1]

    cdef bint killed(self) noexcept:
        return self.slot and self.segment.load(self.server.row, SHUTDOWN_EPOCH) != self.shutdown_seen


include "reach_queue.pxi"
