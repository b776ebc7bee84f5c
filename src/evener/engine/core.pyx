# cython: language_level=3, boundscheck=True, wraparound=False, initializedcheck=True
# cython: nonecheck=True, cdivision=True
"""The engine of one worker: its listeners, who may come in, and the end of it all.

Decides when connections are accepted. A connection is taken from the kernel only when a place for it was
claimed in the process and in the frontend, both counted over all workers; else the listener leaves
epoll and what arrives waits in its backlog until somebody leaves (or a short time passed, for places
given back by other workers). The same is done when the kernel has no more descriptors.
"""

import os

from libc.errno cimport EAGAIN, ECONNABORTED, EINTR, errno
from libc.stdint cimport int64_t, uint32_t

from evener.engine.buffer cimport BUFSIZE
from evener.engine.conn cimport Conn, Upstream, facts_of
from evener.engine.exchange cimport Exchange
from evener.engine.http_client cimport HttpClient
from evener.engine.kernel cimport (
    AF_UNIX, EPOLL_CTL_DEL, EPOLLEXCLUSIVE, EPOLLIN, IPPROTO_TCP, SHUT_RD,
    SOCK_CLOEXEC, SOCK_NONBLOCK, TCP_NODELAY, accept4, close, epoll_ctl, epoll_event, listen, setsockopt, shutdown,
    sockaddr, sockaddr_storage, socklen_t, used_ms,
)
from evener.engine.loop cimport Loop, Task
from evener.engine.proxies cimport Backend, Frontend, Listener, Server
from evener.engine.segment cimport (
    BUSY, CONN_RATE, CONN_RATE_LIMIT, CUR, DENIED_CONN, DENIED_SESS, MAXCONN, PROCESS, PROFILING, SESS_RATE, SESS_RATE_LIMIT, SHUTDOWN_EPOCH,
    STOPPED, USED_CUR, USED_NEED, Segment,
)
from evener.engine.stream cimport Client, Stream
from evener.engine.table cimport SESS, tell_all
from evener.engine.tcp cimport TcpClient
from evener.engine.transport cimport Transport
from evener.engine.stream import end_stream_of, end_streams_of, streams_of
from evener.wire import proxy_protocol

# A cimported type is no attribute of this module by itself.
globals().update(Backend=Backend, Frontend=Frontend, Listener=Listener, Segment=Segment, Server=Server)

__all__ = ["Backend", "Engine", "Frontend", "Listener", "Segment", "Server"]

cdef enum:
    MOST = 64  # connections accepted in a row
    TICK = 100  # ms between looks at what the control plane asks by way of the segment
    GATE = 20  # ms between looks at limits other workers may have freed
    BACKLOG = 4096
    ESTIMATE = 5000  # ms between looks at how many server connections are needed
    MEASURE = 500  # ms over which the load of a worker is measured


include "doors.pxi"
include "inside.pxi"


cdef bint between_requests(Client client) except -1:
    return client.requests != 0 and not client.held() and client.io.alive()


cdef class Engine:
    cdef Loop loop
    cdef readonly list frontends, backends, listeners
    cdef readonly Segment segment
    cdef public int worker
    cdef object wanted  # what the connection rules just run asked for (Stream.expect_header)
    cdef Gate gate
    cdef Ticker ticker
    cdef bint paused
    cdef int64_t estimate_at
    cdef int64_t measured_at, used  # ms: of the clock and of the processor when the load was measured

    def __init__(self, Segment segment not None):
        self.segment = segment
        self.loop = Loop(segment)
        self.frontends = self.loop.frontends
        self.backends = self.loop.backends
        self.listeners = []
        self.gate = Gate.__new__(Gate)
        self.ticker = Ticker.__new__(Ticker)
        self.gate.engine = self.ticker.engine = self
        self.loop.gate = self.gate

    @property
    def maxconn(self):
        return self.loop.maxconn

    @maxconn.setter
    def maxconn(self, int64_t value):
        self.loop.maxconn = value

    @property
    def restless(self):
        return self.loop.restless

    @restless.setter
    def restless(self, bint value):
        self.loop.restless = value

    @property
    def spread(self):
        return self.loop.spread

    @spread.setter
    def spread(self, int64_t value):
        self.loop.spread = value

    @property
    def on_exception(self):
        return self.loop.on_exception

    @on_exception.setter
    def on_exception(self, hook):
        self.loop.on_exception = hook

    def hear_invalid(self, hook): self.loop.on_invalid = hook

    def hear_unbound(self, hook): self.loop.on_unbound = hook

    def hear_blocked(self, int64_t patience, hook):
        self.loop.patience, self.loop.on_blocked = patience, hook

    def streams(self): return streams_of(self.loop)

    def descriptors(self): return descriptors_of(self.loop)

    def end_stream(self, number): return end_stream_of(self.loop, number)

    @property
    def clients(self):
        """Client connections of this worker."""
        return self.loop.clients

    def add_frontend(self, Frontend frontend not None):
        frontend.index = len(self.frontends)
        self.frontends.append(frontend)

    def add_backend(self, Backend backend not None):
        backend.index = len(self.backends)
        backend.loop = self.loop
        self.backends.append(backend)

    def put_backend(self, int index, Backend backend not None):
        if index == len(self.backends):
            self.backends.append(backend)
        else:
            self.backends[index] = backend
        backend.index = index
        backend.loop = self.loop

    def add_listener(self, Listener listener not None):
        cdef Door door = Door.__new__(Door)
        door.engine = self
        door.listener = listener
        listener.acceptor = door
        self.listeners.append(listener)

    # -- accepting -----------------------------------------------------------------------------------

    cdef int claim(self, Listener listener) except -1:
        """Take a place in the process and in the frontend, or none."""
        cdef Segment segment = self.segment
        cdef int row = listener.frontend.row
        if self.paused or segment.load(row, STOPPED) or self.hurried(listener.frontend):
            return 0
        if not segment.claim(PROCESS, CUR, self.loop.maxconn):
            return 0
        if not segment.claim(row, CUR, segment.load(row, MAXCONN) or listener.frontend.maxconn):
            segment.bump(PROCESS, CUR, -1)
            return 0
        return 1

    cdef bint hurried(self, Frontend frontend) noexcept:
        """Whether as many have come within the last second as may."""
        if self.reached(PROCESS, CONN_RATE, self.segment.load(PROCESS, CONN_RATE_LIMIT)):
            return True
        if self.reached(PROCESS, SESS_RATE, self.segment.load(PROCESS, SESS_RATE_LIMIT)):
            return True
        return self.reached(frontend.row, SESS_RATE, frontend.session_rate)

    cdef bint reached(self, int row, int rate, int64_t limit) noexcept:
        return limit and self.segment.tick(row, rate, 0, self.loop.now) >= limit

    cdef int unclaim(self, Listener listener) except -1:
        self.segment.bump(PROCESS, CUR, -1)
        self.segment.bump(listener.frontend.row, CUR, -1)
        return 0

    cdef int accept(self, Listener listener) except -1:
        cdef int count, fd
        for count in range(listener.batch):
            if not self.claim(listener):
                return self.suspend(listener)
            fd = self.accept_one(listener)
            if fd == -EAGAIN:
                listener.batch = max(1, listener.batch // 2)
                return 0
            if fd < 0:
                # out of descriptors or memory: later, not at once again
                return self.suspend(listener)
        listener.batch = min(MOST, listener.batch * 2)
        return 0

    cdef int accept_one(self, Listener listener) except -9999:
        """Take one connection and let it begin; 0, or -errno with the claimed place given back."""
        cdef Client client
        cdef Transport io = Transport.__new__(Transport)
        cdef socklen_t length = sizeof(sockaddr_storage)
        cdef int failure
        client = HttpClient.__new__(HttpClient) if listener.frontend.http else TcpClient.__new__(TcpClient)
        client.peer.ss_family = 0
        io.fd = accept4(listener.descriptor, <sockaddr *>&client.peer, &length, SOCK_NONBLOCK | SOCK_CLOEXEC)
        if io.fd < 0:
            failure = errno
            self.unclaim(listener)
            return 0 if failure == EINTR or failure == ECONNABORTED else -failure
        try:
            client.open(self.loop, io)
        except OSError:
            close(io.fd)
            self.unclaim(listener)
            return 0
        client.settle(self.loop, listener)
        try:
            self.admit(client)
        except Exception as error:
            self.loop.guard(client, error)
        return 0

    cdef int admit(self, Client client) except -1:
        """tcp-request connection rules, then the PROXY header if the listener wants one."""
        cdef Greeting greeting
        cdef object policy = client.frontend.on_connection
        cdef int64_t magic = client.listener.netscaler
        cdef bint expected = client.listener.accept_proxy or magic
        if policy is not None:
            if not self.allowed(client, policy, DENIED_CONN):
                return 0
            if self.wanted is not None:
                expected, magic, self.wanted = True, self.wanted, None
        if not expected:
            return self.welcome(client)
        greeting = Greeting.__new__(Greeting)
        greeting.magic = magic
        greeting.engine = self
        greeting.client = client
        client.owner = greeting
        client.can_read = True
        return greeting.advance()

    cdef int welcome(self, Client client) except -1:
        """The connection becomes a session: tcp-request session rules, then its protocol."""
        cdef object policy = client.frontend.on_session
        client.admitted()
        if policy is None or self.allowed(client, policy, DENIED_SESS):
            if client._session is not None and client._session.tracked is not None:
                tell_all(client._session.tracked, SESS, 1)
            client.begin()
        return 0

    cdef bint allowed(self, Client client, object policy, int column) except -1:
        cdef Stream stream = Stream.__new__(Stream)
        cdef int verdict
        stream.adopt(client)
        stream.admitting = True
        stream.settled = column == DENIED_SESS
        stream.started = client.accepted
        verdict = stream.call(policy)
        self.loop.cancel(stream)
        self.wanted = stream.expected
        if verdict == 0 or verdict == 1:
            return True
        self.segment.bump(client.frontend.row, column, 1)
        self.segment.bump(client.listener.row, column, 1)
        client.close(column == DENIED_CONN)
        return False

    # -- listeners -----------------------------------------------------------------------------------

    cdef int enter(self, Listener listener) except -1:
        if listener.listening or listener.closed:
            return 0
        self.loop.register(listener.acceptor, listener.descriptor, <uint32_t>(EPOLLIN | EPOLLEXCLUSIVE))
        listener.listening = True
        return 0

    cdef int leave(self, Listener listener) except -1:
        cdef epoll_event event
        if not listener.listening:
            return 0
        event.events = 0
        event.data.u64 = 0
        epoll_ctl(self.loop.epfd, EPOLL_CTL_DEL, listener.descriptor, &event)
        self.loop.forget(listener.acceptor)
        listener.listening = False
        return 0

    cdef int suspend(self, Listener listener) except -1:
        self.leave(listener)
        self.loop.gated = True
        return self.loop.arm(self.gate, self.loop.now + GATE)

    cdef int reopen(self) except -1:
        cdef Listener listener
        cdef bint missing = False
        if self.paused or self.loop.stopping:
            self.loop.gated = False
            return 0
        for listener in self.listeners:
            if listener.listening or listener.closed:
                continue
            if self.claim(listener):
                self.unclaim(listener)
                self.enter(listener)
            else:
                missing = True
        self.loop.gated = missing
        if missing:
            self.loop.arm(self.gate, self.loop.now + GATE)
        return 0

    cdef int prepare(self, Listener listener) except -1:
        cdef int one = 1
        os.set_blocking(listener.descriptor, False)
        if listener.family != AF_UNIX:
            setsockopt(listener.descriptor, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one))  # inherited by accept
        listener.batch = 4
        return self.enter(listener)

    # -- life ------------------------------------------------------------------------------------------

    cdef int tick(self) except -1:
        """Servers whose sessions are to be ended, as the segment says; how busy we are."""
        cdef Backend backend
        cdef Server server
        cdef int64_t epoch
        for backend in self.backends:
            for server in backend.servers:
                epoch = self.segment.load(server.row, SHUTDOWN_EPOCH)
                if epoch != server.shutdown_epoch:
                    server.shutdown_epoch = epoch
                    self.end_sessions(server)
        if self.worker == 0 and self.loop.now >= self.estimate_at:
            self.estimate_at = self.loop.now + ESTIMATE
            self.estimate()
        self.loop.profiling = self.segment.load(PROCESS, PROFILING) != 0
        if self.loop.now >= self.measured_at + MEASURE:
            self.measure()
        return 0

    cdef int measure(self) except -1:
        """The segment has the sum of all workers' loads."""
        cdef int64_t now = self.loop.now, used = used_ms()
        cdef int busy = <int>min(100, 100 * (used - self.used) // (now - self.measured_at)) if self.measured_at else 0
        self.measured_at, self.used = now, used
        self.segment.bump(PROCESS, BUSY, busy - self.loop.busy)
        self.loop.busy = busy
        return 0

    cdef int estimate(self) except -1:
        """How many connections servers are thought to need falls slowly to what is in use."""
        cdef Backend backend
        cdef Server server
        cdef int64_t used, needed
        for backend in self.backends:
            for server in backend.servers:
                used = self.segment.load(server.row, USED_CUR)
                needed = self.segment.load(server.row, USED_NEED)
                if needed > used:
                    self.segment.store(server.row, USED_NEED, (needed + used) // 2)
        return 0

    cdef int end_sessions(self, Server server) except -1:
        cdef Task task
        for task in [task for task in self.loop.tasks if isinstance(task, Upstream)]:
            if (<Upstream>task).server is not server or (<Upstream>task).dead:
                continue
            if (<Upstream>task).owner is not None:
                self.loop.defer((<Upstream>task).owner)
            else:
                (<Upstream>task).close()
        return 0

    def drop_server(self, Server server not None, int row):
        self.end_sessions(server)
        server.row = row

    cdef int close_idle(self) except -1:
        """Clients between two requests. One whose first or next request may be on its way is answered still."""
        cdef Task task
        for task in list(self.loop.tasks):
            if isinstance(task, Client) and (<Client>task).stream is None and between_requests(<Client>task):
                if self.loop.spread > 0:
                    self.loop.arm(task, self.loop.parted_by(task.due))
                elif not (<Client>task).frontend.patient and not self.loop.spread:
                    (<Client>task).close()
        return 0

    cdef int close_all(self) except -1:
        cdef Task task
        for task in list(self.loop.tasks):
            if isinstance(task, Conn):
                try:
                    task.destroy()
                except Exception as error:
                    self.loop.report(error)
        for task in list(self.loop.tasks):
            if isinstance(task, Conn):
                (<Conn>task).close()
        return 0

    def run(self):
        cdef Loop loop = self.loop
        cdef Listener listener
        loop.open()
        loop.running = True
        for listener in self.listeners:
            self.prepare(listener)
        loop.arm(self.ticker, loop.now + TICK)
        try:
            while loop.running and not (loop.stopping and loop.clients == 0):
                loop.turn()
        finally:
            loop.running = False
            for listener in self.listeners:
                self.leave(listener)
            self.close_all()

    def stop(self):
        self.loop.running = False
        self.loop.ring()

    def hard_stop(self):
        end_streams_of(self.loop)
        self.stop()

    def soft_stop(self):
        cdef Listener listener
        if self.loop.stopping:
            return
        self.loop.stopping = True
        self.loop.spread_end = self.loop.now + self.loop.spread
        for listener in self.listeners:
            self.leave(listener)
            if not listener.closed:
                listener.closed = True
                close(listener.descriptor)
        self.close_idle()
        self.loop.ring()

    def pause(self):
        cdef Listener listener
        self.paused = True
        for listener in self.listeners:
            self.leave(listener)
            if not listener.closed and listener.family != AF_UNIX:
                shutdown(listener.descriptor, SHUT_RD)  # a TCP listener stops listening, and keeps its port

    def resume(self):
        cdef Listener listener
        self.paused = False
        for listener in self.listeners:
            if not listener.closed:
                if listener.family != AF_UNIX:
                    listen(listener.descriptor, BACKLOG)
                self.enter(listener)

    def watch(self, int fd, callback):
        self.loop.watch(fd, callback)

    def unwatch(self, int fd):
        self.loop.unwatch(fd)

    def exchange(self, list inboxes not None):
        """Idle server connections may come from other workers, and go to them; called in the worker."""
        cdef Exchange made = Exchange(inboxes)
        self.loop.open()
        made.join(self.loop, self.worker)

    def later(self, int64_t milliseconds, callback):
        self.loop.later(milliseconds, callback)
