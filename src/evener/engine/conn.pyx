# cython: language_level=3, boundscheck=True, wraparound=False, initializedcheck=True
# cython: nonecheck=True, cdivision=True
"""A connection: a transport, what was received, what is to be sent, and what the kernel said.

Decides when to try a system call (epoll is edge-triggered: ``can_read`` and ``can_write`` remember the
edges) and when buffers are held. It does not know what the bytes mean, nor who talks to whom: its
*owner*, a stream, is advanced on every event.

A connection is read only when its owner has room, which is what makes backpressure; a short read
means the kernel has nothing left, so no second call is made to learn that.
"""

from libc.errno cimport EADDRINUSE, EAGAIN, EINPROGRESS, EINVAL, errno

from evener.engine.buffer cimport BUFSIZE, new_buf
from evener.engine.kernel cimport (
    AF_INET, AF_INET6, AF_UNIX, CLONE_NEWNET, EPOLLERR, EPOLLET, EPOLLHUP, EPOLLIN, EPOLLOUT, EPOLLRDHUP,
    IP_BIND_ADDRESS_NO_PORT, IP_TRANSPARENT, IPPROTO_IP, IPPROTO_IPV6, IPPROTO_TCP, IPV6_TRANSPARENT, SO_BINDTODEVICE, SO_REUSEADDR, SOCK_CLOEXEC,
    SOCK_NONBLOCK, SOCK_STREAM, SOL_SOCKET, TCP_NODELAY, bind, close, connect, htons, setns, setsockopt,
    sockaddr, sockaddr_in, sockaddr_storage, socket, socklen_t,
)
from evener.engine.pipe cimport borrow, give_back
from evener.engine.proxies cimport fill_address
from evener.engine.segment cimport IDLE_CUR, IDLE_HOLDER, USED_CUR, USED_NEED

cdef class Conn(Task):
    cdef int open(self, Loop loop, Transport io) except -1:
        self.loop = loop
        self.io = io
        return loop.register(self, io.fd, <uint32_t>(EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET))

    cdef int event(self, uint32_t events) except -1:
        if events & EPOLLERR:
            self.broken = True
        if events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR):
            self.can_read = True
            if events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR):
                self.half = True
        if events & EPOLLOUT:
            self.can_write = True
        if self.owner is not None:
            return self.wake()
        return self.alone(events)

    cdef int wake(self) except -1:
        # An owner that ends lets go of us and we of it: this reference keeps it until it has returned.
        cdef Task owner = self.owner
        return owner.advance()

    cdef int alone(self, uint32_t events) except -1:
        return self.advance()

    cdef int expired(self) except -1:
        self.late = True
        if self.owner is not None:
            return self.wake()
        return self.close()

    cdef int destroy(self) except -1:
        cdef Task owner = self.owner
        if owner is not None:
            return owner.destroy()
        return self.close(True)

    cdef uint32_t held(self) noexcept:
        return self.inb.size() if self.inb is not None else 0

    cdef bint unsent(self) noexcept:
        return self.out is not None and self.out.size() != 0

    cdef int fill(self, uint32_t limit) except -9:
        """Read into ``inb``, at most ``limit`` bytes of it: > 0 bytes, 0 none now, -1 ended, -2 broken."""
        cdef Buf inb = self.inb
        cdef uint32_t room
        cdef ssize_t got
        if self.ended:
            return -2 if self.broken else -1
        if inb is None:
            inb = self.inb = new_buf(BUFSIZE)
        inb.ensure(limit)
        if inb.size() == 0:
            inb.clear()
        elif inb.room() < inb.cap // 4:
            inb.compact()
        room = inb.room()
        if room == 0:
            return 0
        got = self.io.recv(inb, room)
        if got > 0:
            self.active = True
            if got < room:
                self.can_read = False
                if self.half:  # the end had come before these, the last bytes; a reset behind them is none any more
                    self.ended = True
                    self.broken = False
            return <int>got
        self.can_read = False
        if got == -EAGAIN:
            return 0
        self.ended = self.half = True
        if got == 0:
            return -1
        self.broken = True
        self.fault = <int>-got
        return -2

    cdef int flush(self) except -9:
        """Send ``out``: 1 nothing left, 0 the kernel is full, -1 broken."""
        if not self.unsent():
            return 1
        if not self.can_write:
            return 0
        if self.push(None, 0, 0) < 0:
            return -1
        return 0 if self.unsent() else 1

    cdef int64_t push(self, Buf source, uint32_t offset, uint32_t count) except -9:
        """Send ``out``, then bytes of another connection's input. Returns how many of those went, -1 broken."""
        cdef ssize_t sent
        cdef uint32_t first = self.out.size() if self.out is not None else 0
        if self.shut or self.dead:
            return -1
        if first == 0 and count == 0:
            return 0
        sent = self.io.send(self.out if first else None, source if count else None, offset, count)
        if sent == -EAGAIN:
            self.can_write = False
            return 0
        if sent < 0:
            self.broken = True
            self.fault = <int>-sent
            return -1
        self.active = True
        if sent < <ssize_t>first + <ssize_t>count:
            self.can_write = False
        if sent < <ssize_t>first:
            self.out.skip(<uint32_t>sent)
            return 0
        if first:
            self.out.clear()
        return sent - first

    cdef int64_t soak(self, int64_t most) except -9:
        """Take at most so many bytes into a pipe: > 0 bytes, 0 none now, -1 ended, -2 broken, -3 read them instead."""
        cdef int64_t got
        if self.pipe is None:
            self.pipe = borrow()
            if self.pipe is None:
                return -3
        got = self.io.soak(self.pipe, <size_t>min(most, SOAK))
        if got > 0:
            self.active = True
            return got
        self.spill()
        if got == -EINVAL:
            return -3
        self.can_read = False
        if got == -EAGAIN:
            return 0
        self.ended = self.half = True
        if got == 0:
            return -1
        self.broken = True
        self.fault = <int>-got
        return -2

    cdef int64_t wring(self, Conn sink) except -9:
        """Send what the pipe holds: bytes that went, 0 the kernel is full, -1 broken. Not empty: to be tried again."""
        cdef int64_t sent
        if sink.shut or sink.dead:
            return -1
        if not sink.can_write:
            return 0
        sent = sink.io.wring(self.pipe)
        if sent == -EAGAIN:
            sink.can_write = False
            return 0
        if sent < 0:
            sink.broken = True
            sink.fault = <int>-sent
            return -1
        sink.active = True
        if self.pipe.held == 0:
            self.spill()
        return sent

    cdef int spill(self) except -1:
        """Forget what a pipe may hold."""
        if self.pipe is not None:
            give_back(self.pipe)
            self.pipe = None
        return 0

    cdef int watch_for(self, bint waiting, int64_t timeout) except -1:
        """The inactivity timer: runs while something is expected of this side, from its last byte on."""
        if not waiting or timeout == 0:
            self.due = 0
        elif self.due == 0 or self.active:
            self.loop.arm(self, self.loop.now + timeout)
        self.active = False
        return 0

    cdef int finish_writing(self) except -1:
        if not self.shut and not self.dead:
            self.shut = True
            self.io.shutdown()
        return 0

    cdef int rest(self) except -1:
        """Give empty buffers back: an idle connection holds none."""
        if self.inb is not None and self.inb.size() == 0:
            self.inb = None
        if self.out is not None and self.out.size() == 0:
            self.out = None
        return 0

    cdef int close(self, bint reset=False) except -1:
        if self.dead:
            return 0
        self.dead = True
        self.loop.forget(self)
        if self.broken and self.fault == 0:
            self.fault = self.io.error()
        self.io.close(reset)
        self.inb = self.out = None
        self.spill()
        self.owner = None
        return 0


cdef int flags_of(Conn conn) noexcept:
    cdef int flags = conn.can_read | conn.can_write << 1 | conn.half << 2 | conn.ended << 3 | conn.broken << 4
    return flags | conn.shut << 5 | conn.dead << 6


cdef tuple facts_of(Conn conn):
    """For those who look into a running process: descriptor, generation, flags, fault, bytes held and unsent."""
    return conn.fd, conn.generation, flags_of(conn), conn.fault, conn.held(), conn.out.size() if conn.out is not None else 0


cdef int count_used(Loop loop, Server server) except -1:
    loop.segment.lift(server.row, USED_NEED, loop.segment.bump(server.row, USED_CUR, 1))
    return 0


cdef class Upstream(Conn):
    cdef int event(self, uint32_t events) except -1:
        if events & EPOLLOUT and not events & (EPOLLERR | EPOLLHUP):
            self.confirmed = True
        return Conn.event(self, events)

    cdef int alone(self, uint32_t events) except -1:
        # An idle server connection has nothing to say: data, an end or an error all end it. An edge may
        # speak of what was read already, before it could be delivered.
        if events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR) or (events & EPOLLIN and not self.io.alive()):
            self.close()
        return 0

    cdef int keep(self) except -1:
        self.owner = None
        self.late = False
        self.pooled = True
        self.rest()
        self.server.pool.append(self)
        if self.loop.lender is not None and self.aim is None and self.preface is None:
            self.loop.segment.store(self.server.row, IDLE_HOLDER, 1 + self.loop.lender.worker)
        self.loop.segment.bump(self.server.row, IDLE_CUR, 1)
        self.loop.segment.bump(self.server.row, USED_CUR, -1)
        return self.loop.arm(self, self.loop.now + self.server.idle_life if self.server.idle_life else 0)

    cdef bint worth_keeping(self) noexcept:
        """One idle connection always is; more, as far as so many may be in use at once again."""
        cdef Server server = self.server
        cdef int64_t used, idle = self.loop.segment.load(server.row, IDLE_CUR)
        if server.idle_life == 0 or 0 <= server.pool_max <= idle:
            return False
        if not server.pool:
            return True
        used = self.loop.segment.load(server.row, USED_CUR)
        return idle + used <= max(used, self.loop.segment.load(server.row, USED_NEED)) + server.pool_low

    cdef int leave_pool(self) except -1:
        self.pooled = False
        self.loop.segment.bump(self.server.row, IDLE_CUR, -1)
        count_used(self.loop, self.server)
        self.due = 0
        return 0

    cdef int part(self) except -1:
        self.loop.segment.bump(self.server.row, USED_CUR, -1)
        return Conn.close(self, False)

    cdef int close(self, bint reset=False) except -1:
        if self.dead:
            return 0
        if self.pooled:
            self.server.pool.remove(self)
            self.leave_pool()
        self.loop.segment.bump(self.server.row, USED_CUR, -1)
        # a server that has not closed yet is told so the hard way: no port is left behind to wait for it
        return Conn.close(self, reset or self.server.reset or not (self.ended or self.half or self.shut))


cdef Upstream take_idle(Server server, int least_requests, tuple aim, bytes preface=None):
    """The idle connection used last, if one has already served ``least_requests``."""
    cdef list pool = server.pool
    cdef Py_ssize_t place = len(pool) - 1
    cdef Upstream found
    while place >= 0:
        found = <Upstream>pool[place]
        if found.requests < least_requests or found.version != server.version:
            pass
        elif found.aim == aim and found.preface == preface:
            del pool[place]
            found.leave_pool()
            return found
        place -= 1
    return None


cdef int leave_from(int fd, Server server) except -9:
    """Bind to the source address and the next free port of its range; -1 and errno when that fails."""
    cdef int one = 1, port, tries = server.source_high - server.source_low + 1
    cdef bytes device
    if server.interface is not None:
        device = server.interface.encode() + b"\0"
        if setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, <const char *>device, <socklen_t>len(device)) < 0:
            return -1
    if not server.source_length or (server.family != AF_INET and server.family != AF_INET6):
        return 0
    if server.source_low == 0:
        setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof(one))
        return bind(fd, <const sockaddr *>&server.source, server.source_length)
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one))
    while True:
        port = server.source_next
        server.source_next = port + 1 if port < server.source_high else server.source_low
        (<sockaddr_in *>&server.source).sin_port = htons(port)  # at the same place for IPv6
        if bind(fd, <const sockaddr *>&server.source, server.source_length) == 0:
            return 0
        tries -= 1
        if errno != EADDRINUSE or tries <= 0:
            return -1


cdef int leave_as(int fd, tuple place) except -9:
    """Bind to an address that need not be ours (``usesrc``): transparent proxying of the kernel."""
    cdef sockaddr_storage source
    cdef int one = 1
    cdef uint32_t length = fill_address(&source, place[0], place[1], place[2])
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one))
    if place[0] == AF_INET:
        setsockopt(fd, IPPROTO_IP, IP_TRANSPARENT, &one, sizeof(one))
    else:
        setsockopt(fd, IPPROTO_IPV6, IPV6_TRANSPARENT, &one, sizeof(one))
    return bind(fd, <const sockaddr *>&source, length)


cdef Upstream dial(Loop loop, Server server, list options, tuple aim, int *failure):
    """Begin to connect. None and errno when no socket could be had, and as a negative number when it could not
    be bound; a refused attempt comes back broken.

    ``options``: (level, name, value) of the socket, or None. One that the kernel refuses is not set.
    ``aim``: (to, from, question) as ``haproxy.aims`` says, or None.
    """
    cdef Upstream made
    cdef Transport io
    cdef int one = 1, bound = 0, level, name, value
    cdef bytes packed
    cdef sockaddr_storage aimed
    cdef const sockaddr_storage *target = &server.address
    cdef uint32_t length = server.address_length
    cdef int fd, family = server.family
    if aim is not None and aim[0] is not None:
        family, target = aim[0][0], &aimed
        length = fill_address(&aimed, family, aim[0][1], aim[0][2])
    if server.namespace >= 0 and setns(server.namespace, CLONE_NEWNET) < 0:
        failure[0] = errno
        return None
    fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)
    if fd < 0:
        failure[0] = errno
    if server.namespace >= 0 and setns(server.home, CLONE_NEWNET) < 0:
        raise OSError(errno, "cannot come back from a network namespace")
    if fd < 0:
        return None
    io = Transport.__new__(Transport)
    io.fd = fd
    made = Upstream.__new__(Upstream)
    made.server = server
    made.version = server.version
    made.connecting = True
    made.aim = aim
    if family != AF_UNIX:
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one))
    if server.socket_options is not None:
        for level, name, value in server.socket_options:
            setsockopt(fd, level, name, &value, sizeof(value))
    if options is not None:
        for level, name, value in options:
            setsockopt(fd, level, name, &value, sizeof(value))
    if server.options is not None:
        for level, name, packed in server.options:
            setsockopt(fd, level, name, <const char *>packed, <socklen_t>len(packed))
    if aim is not None and aim[1] is not None and aim[1][0] == family:
        bound = leave_as(fd, aim[1])
    elif server.source_length or server.interface is not None:
        bound = leave_from(fd, server)
    if bound < 0:
        failure[0] = -errno
        close(fd)
        return None
    if connect(fd, <const sockaddr *>target, length) < 0:
        if errno != EINPROGRESS:
            made.broken = made.ended = True
            made.fault = errno
    made.open(loop, io)
    made.can_write = True  # an attempt to send tells sooner than epoll whether a local peer has answered
    count_used(loop, server)
    return made
