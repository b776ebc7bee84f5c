# Bytes both ways without looking at them. See relay.pyx.

from libc.stdint cimport int64_t, uint64_t

from evener.engine.conn cimport Conn
from evener.engine.reach cimport Reaching

cdef enum:
    BULK = 32768  # bytes to come that are worth a pipe
    ROUNDS = 16  # reads in a row before others get their turn

cdef enum Moved:
    MOVED_ALL = 1  # the source ended and everything it sent was passed on
    MOVED_SOME = 0  # nothing more can be done now
    SINK_BROKEN = -1
    SOURCE_BROKEN = -2

cdef class Relaying(Reaching):
    cdef bint bulk_up, bulk_down
    cdef object up_flow, down_flow  # what policy put on the bodies: see filtered.pyx
    cdef bint paced  # a flow keeps something back for a while
    cdef int rest_until(self, int64_t wait) except -1
    cdef int end_flow(self, bint response) except -1
    cdef int move_filtered(self, Conn source, Conn sink, object flow, uint64_t *count) except -9
    cdef int64_t wring(self, Conn source, Conn sink, bint response) except -9
    cdef int move(self, Conn source, Conn sink, uint64_t *count, bint *bulk) except -9
    cdef int relay(self) except -9
    cdef int relay_timers(self) except -9
    cdef int watch_own(self, bint ours, bint theirs) except -1
    cdef int give_back(self) except -1
