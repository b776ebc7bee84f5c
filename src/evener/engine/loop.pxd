# The event loop as streams and connections use it. See loop.pyx.

from libc.stdint cimport int64_t, uint32_t, uint64_t

from evener.engine.segment cimport Segment

cdef class Task:
    cdef int fd  # -1: only a timer
    cdef uint32_t generation
    cdef Py_ssize_t place  # in the heap, -1: not there
    cdef int64_t filed  # the time it is sorted by, never later than due
    cdef int64_t due  # when it wants to be woken, ms; 0 never
    cdef bint queued  # in Loop.ready
    cdef int event(self, uint32_t events) except -1
    cdef int expired(self) except -1
    cdef int advance(self) except -1  # do what can be done now
    cdef int destroy(self) except -1  # an exception escaped: give everything back

cdef class Lender(Task):
    cdef int worker  # of this process
    cdef bint ask(self, Task asker, int backend, object wanted, int least) except -1

cdef class Loop:
    cdef int epfd, bell
    cdef list tasks  # by descriptor
    cdef list heap
    cdef list ready
    cdef uint32_t generation
    cdef int64_t now  # monotonic ms, as of this turn
    cdef Segment segment
    cdef list backends
    cdef list frontends
    cdef bint running
    cdef bint stopping  # soft stop: no keep-alive any more, unless that is spread
    cdef int64_t spread  # ms over which connections end then; -1: they end by themselves
    cdef int64_t spread_end
    cdef readonly int64_t clients  # client connections of this worker
    cdef public int64_t maxconn  # of the process, all workers together
    cdef public object on_exception
    cdef public object on_invalid  # told of messages that are none, or None
    cdef uint64_t next_id
    cdef bint restless  # never sleeps
    cdef bint profiling  # streams measure what they cost
    cdef int busy  # percent of the last half second that this worker was computing
    cdef int64_t patience  # ms that a turn may take before somebody is told, 0: it may take any time
    cdef object on_unbound  # told of a backend whose connections cannot leave from where they should, or None
    cdef object on_blocked  # told how many it took
    cdef int64_t woken  # monotonic ns of this turn, while profiling
    cdef list wanting  # servers and backends with streams in their queue here
    cdef Task gate  # the engine's: advanced when a client connection ends while listeners wait
    cdef bint gated
    cdef Lender lender  # None: there are no other workers

    cdef int open(self) except -1
    cdef int register(self, Task task, int fd, uint32_t events) except -1
    cdef void forget(self, Task task)  # before its descriptor is closed
    cdef int arm(self, Task task, int64_t due) except -1
    cdef int cancel(self, Task task) except -1
    cdef int defer(self, Task task) except -1
    cdef int report(self, object error) except -1
    cdef bint parting(self) noexcept  # whether a connection ends after what it is about
    cdef int64_t parted_by(self, int64_t due) noexcept  # when an idle one ends
    cdef void ring(self) noexcept
    cdef int turn(self) except -1
    cdef int64_t wait_for(self) noexcept
    cdef int dispatch(self, uint64_t data, uint32_t events) except -1
    cdef int run_timers(self) except -1
    cdef int run_ready(self) except -1
    cdef void rise(self, Py_ssize_t place)
    cdef void sink(self, Py_ssize_t place)
    cdef int guard(self, Task task, object error) except -1

cdef class Watch(Task):
    cdef Loop loop
    cdef object callback

cdef class Later(Task):
    cdef Loop loop
    cdef object callback
