# A connection: a transport with its buffers and its place in the loop. See conn.pyx.

from libc.stdint cimport int64_t, uint32_t, uint64_t

from evener.engine.buffer cimport Buf
from evener.engine.loop cimport Loop, Task
from evener.engine.pipe cimport Pipe
from evener.engine.proxies cimport Server
from evener.engine.transport cimport Transport

cdef enum:
    SOAK = 1 << 20  # bytes at once into a pipe, which may hold less

cdef class Conn(Task):
    cdef Loop loop
    cdef Transport io
    cdef Buf inb  # received and not consumed
    cdef Buf out  # to be sent before anything else
    cdef Pipe pipe  # received, not consumed and never seen by us; None when that is nothing
    cdef Task owner  # whom an event advances; None: the connection itself
    cdef bint can_read, can_write
    cdef bint half  # the peer announced the end of its stream, maybe with data before it
    cdef bint ended  # that end, or an error, was reached
    cdef bint broken  # reset or failed
    cdef int fault  # errno of that, 0 not known; negative: a number of the manual's table (fc_err_str)
    cdef bint shut  # we ended our stream
    cdef bint active  # bytes moved since the inactivity timer was set
    cdef bint late  # the inactivity timer struck
    cdef bint dead
    cdef int glitches  # violations of the protocol
    cdef int open(self, Loop loop, Transport io) except -1
    cdef int fill(self, uint32_t limit) except -9
    cdef int flush(self) except -9
    cdef int64_t soak(self, int64_t most) except -9
    cdef int64_t wring(self, Conn sink) except -9
    cdef int spill(self) except -1
    cdef int64_t push(self, Buf source, uint32_t offset, uint32_t count) except -9
    cdef int wake(self) except -1
    cdef int alone(self, uint32_t events) except -1
    cdef int watch_for(self, bint waiting, int64_t timeout) except -1
    cdef int finish_writing(self) except -1
    cdef int close(self, bint reset=*) except -1
    cdef int rest(self) except -1
    cdef uint32_t held(self) noexcept
    cdef bint unsent(self) noexcept

cdef class Upstream(Conn):
    cdef Server server
    cdef int version
    cdef bint connecting
    cdef bint confirmed  # epoll said that it is connected
    cdef bint pooled
    cdef bint private  # the server knows the client by it: nobody else may use it
    cdef int requests  # sent on it so far
    cdef bytes preface  # what it began with: only streams that want the same may use it
    cdef tuple aim  # where it goes to and comes from, when that is not the same for all streams
    cdef Buf after  # to be sent once a SOCKS4 proxy has granted the way; None: there is none to ask
    cdef int keep(self) except -1  # to the pool of its server
    cdef bint worth_keeping(self) noexcept
    cdef int leave_pool(self) except -1
    cdef int part(self) except -1  # another process has it now

cdef int flags_of(Conn conn) noexcept
cdef tuple facts_of(Conn conn)
cdef Upstream dial(Loop loop, Server server, list options, tuple aim, int *failure)
cdef int count_used(Loop loop, Server server) except -1
cdef Upstream take_idle(Server server, int least_requests, tuple aim, bytes preface=*)
