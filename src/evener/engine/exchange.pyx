# cython: language_level=3, boundscheck=True, wraparound=False, initializedcheck=True
# cython: nonecheck=True, cdivision=True
"""Idle server connections change hands between workers.

Decides who is asked and what becomes of the answer. The worker that kept an idle connection to a server last
is asked by one that has none, and hands the descriptor over (SCM_RIGHTS) or says no; a stream that waits longer
than PATIENCE connects by itself. What comes too late joins the pool. Nobody asks while the pool of its own
worker serves, so that a loaded proxy does without.

Every worker has a datagram socket of its own (*inbox*), made before the fork, that all others write to.
"""

import socket
import struct

from libc.stdint cimport int64_t, uint32_t

from evener.engine.conn cimport Upstream, count_used, take_idle
from evener.engine.kernel cimport EPOLL_CTL_DEL, EPOLLIN, close, epoll_ctl, epoll_event
from evener.engine.loop cimport Lender, Loop, Task
from evener.engine.proxies cimport Backend, Server
from evener.engine.reach cimport Reaching
from evener.engine.segment cimport IDLE_HOLDER
from evener.engine.transport cimport Transport

#: A question: asker, its number, backend, server, version, least requests; an answer: WORKERS, ..., requests.
cdef object WORDS = struct.Struct("=IIIIII")

cdef enum:
    WORKERS = 0xFFFF  # in the place of the asker: an answer
    PATIENCE = 50  # ms


def inboxes(int count) -> list:
    """(reader, writer) for each worker."""
    made = []
    for _ in range(count):
        pair = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        for one in pair:
            one.setblocking(False)
        made.append(pair)
    return made


cdef class Exchange(Lender):
    def __init__(self, list inboxes not None):
        self.inboxes = inboxes
        self.waiting = {}

    cdef int join(self, Loop loop, int worker) except -1:
        self.loop = loop
        self.worker = worker
        self.reader = self.inboxes[worker][0]
        loop.lender = self
        return loop.register(self, self.reader.fileno(), EPOLLIN)

    cdef bint ask(self, Task asker, int backend, object wanted, int least) except -1:
        cdef Server server = <Server?>wanted
        cdef int64_t holder = self.loop.segment.load(server.row, IDLE_HOLDER) - 1
        if not 0 <= holder < len(self.inboxes) or holder == self.worker:
            return False
        self.number = (self.number + 1) & 0x7FFFFFFF
        try:
            self.inboxes[holder][1].send(
                WORDS.pack(self.worker, self.number, backend, server.index, server.version, least)
            )
        except OSError:  # its inbox is full: it has other things to do
            return False
        self.waiting[self.number] = asker
        self.loop.arm(asker, self.loop.now + PATIENCE)
        return True

    cdef int event(self, uint32_t events) except -1:
        cdef tuple words
        cdef int descriptor
        while True:
            descriptor = -1
            try:
                data, descriptors, _, _ = socket.recv_fds(self.reader, 64, 1)
            except BlockingIOError:
                return 0
            if descriptors:
                descriptor = descriptors[0]
            words = WORDS.unpack(data)
            if words[0] == WORKERS:
                self.answered(words, descriptor)
            else:
                self.lend(words)

    cdef Server found(self, uint32_t backend, uint32_t server, int version):
        cdef Backend farm
        cdef Server found
        if backend >= len(self.loop.backends):
            return None
        farm = <Backend>self.loop.backends[backend]
        if server >= len(farm.servers):
            return None
        found = <Server>farm.servers[server]
        return found if found.version == version else None

    cdef int lend(self, tuple words) except -1:
        """Another worker asks: take a connection out of the pool and let go of it."""
        cdef Server server = self.found(words[2], words[3], words[4])
        cdef Upstream found = None
        cdef epoll_event event
        writer = self.inboxes[words[0]][1]
        if server is not None:
            found = take_idle(server, words[5], None)
            while found is not None and not found.io.alive():
                found.close()
                found = take_idle(server, words[5], None)
        try:
            if found is None:
                writer.send(WORDS.pack(WORKERS, *words[1:5], 0))
                return 0
            socket.send_fds(writer, [WORDS.pack(WORKERS, *words[1:5], found.requests)], [found.io.fd])
        except OSError:  # whoever asked connects by itself
            return found.keep() if found is not None else 0
        event.events = 0
        event.data.u64 = 0
        epoll_ctl(self.loop.epfd, EPOLL_CTL_DEL, found.io.fd, &event)  # closing alone would not: it lives on
        return found.part()

    cdef int answered(self, tuple words, int descriptor) except -1:
        cdef Reaching asker = <Reaching?>self.waiting.pop(words[1])
        cdef Server server = self.found(words[2], words[3], words[4])
        cdef Upstream made = None
        cdef Transport io
        if descriptor >= 0 and server is None:
            close(descriptor)
        elif descriptor >= 0:
            io = Transport.__new__(Transport)
            io.fd = descriptor
            made = Upstream.__new__(Upstream)
            made.server, made.version, made.requests = server, server.version, words[5]
            made.open(self.loop, io)
            made.can_write = made.confirmed = True
            count_used(self.loop, server)
        if not asker.offered(made) and made is not None:
            made.keep()
        return 0
