# How a stream gets a server connection. See reach.pyx.

from libc.stdint cimport int64_t

from evener.engine.choose cimport Choosing
from evener.engine.conn cimport Upstream
from evener.engine.proxies cimport Server

cdef enum Step:
    ASSIGN = 0
    QUEUED = 1
    DIAL = 2
    CONNECTING = 3
    PAUSED = 4
    REACHED = 5
    UNREACHABLE = 6
    BORROWING = 7

cdef class Reaching(Choosing):
    cdef int step
    cdef int failure_status  # what to answer when step is UNREACHABLE
    cdef Server waiting_for  # in whose queue; None while queued: the backend's
    cdef bint in_queue
    cdef int64_t rank  # in a queue
    cdef int64_t passed  # of its queue when it joined: Q_PASSED
    cdef bytes preface  # what the server wants a connection to begin with
    cdef int least  # requests that an idle connection must have served, 0: no one will do
    cdef bint begged  # another worker was asked for one
    cdef Upstream borrowed  # what it gave
    cdef tuple came_from  # the address and port of a connection that is gone
    cdef tuple aim  # where the connection goes to and comes from; None: as the server's all do

    cdef int reach(self) except -9
    cdef int give_up(self, char cause, char phase, int status) except -9
    cdef int again(self, bint elsewhere) except -9
    cdef int redispatch(self) except -9
    cdef tuple own_side(self)
    cdef int remember_side(self) except -1
    cdef int drop_upstream(self, bint reset=*) except -1
    cdef int release_slot(self) except -1
    cdef int went_on(self) except -1
    cdef int leave_queue(self, bint served=*) except -1
    cdef int prepare(self) except -1
    cdef bint redirected(self) except -1
    cdef int reuse_rule(self) noexcept
    cdef Upstream idle_connection(self)
    cdef int assign(self) except -9
    cdef int forsake(self) except -1
    cdef Server last_server(self)
    cdef int balance(self) except -9
    cdef int64_t time_limit(self, int64_t usual, int64_t own) noexcept
    cdef int connect(self) except -9
    cdef int check(self) except -9
    cdef int established(self) except -9
    cdef int begin_with(self, bytes preface) except -1
    cdef int asked(self) except -9
    cdef bint borrow(self) except -1
    cdef bint offered(self, Upstream given) except -1
    cdef int connect_failed(self, bint timeout, bint pausing=*) except -9
    cdef bint killed(self) noexcept
