# cython: language_level=3, boundscheck=True, wraparound=False, initializedcheck=True
# cython: nonecheck=True, cdivision=True
"""What waits for the kernel and for time, one per worker.

Decides in which order tasks run, nothing else; it knows no protocol. A *task* is anything epoll or the
clock can wake. Descriptors are registered once, edge-triggered, for both directions; the event carries
the descriptor and the task's generation, so an event of a closed descriptor finds nobody. Timers are a
binary heap that knows each task's place. Moving a deadline later only notes it: the task is filed
again when its old time comes up, so re-arming on every byte costs nothing.

An exception that escapes a task is reported and destroys that task only.
"""

import sys
import traceback

from cpython.exc cimport PyErr_CheckSignals
from libc.errno cimport EINTR, errno
from libc.stdlib cimport rand

from evener.engine.kernel cimport (
    EFD_CLOEXEC, EFD_NONBLOCK, EPOLL_CLOEXEC, EPOLL_CTL_ADD, EPOLL_CTL_DEL, EPOLLET, EPOLLIN,
    close, epoll_create1, epoll_ctl, epoll_event, epoll_wait, eventfd, monotonic_ms, monotonic_ns, write,
)

cdef enum:
    BATCH = 200
    LONGEST_SLEEP = 500  # so that a signal caught just before epoll_wait is not left for long


cdef class Task:
    def __cinit__(self):
        self.fd = -1
        self.place = -1

    cdef int event(self, uint32_t events) except -1:
        return 0

    cdef int expired(self) except -1:
        return 0

    cdef int advance(self) except -1:
        return 0

    cdef int destroy(self) except -1:
        return 0


cdef class Lender(Task):
    """Where a stream may ask for another worker's idle connection (exchange)."""

    cdef bint ask(self, Task asker, int backend, object wanted, int least) except -1:
        return False


cdef class Watch(Task):
    """A descriptor of the control plane, level-triggered and for reading only."""

    cdef int event(self, uint32_t events) except -1:
        self.callback()
        return 0


cdef class Later(Task):
    """A one-shot timer of the control plane."""

    cdef int expired(self) except -1:
        self.callback()
        return 0


cdef class Loop:
    def __cinit__(self, Segment segment not None):
        self.epfd = self.bell = -1
        self.segment = segment
        self.tasks = []
        self.heap = []
        self.ready = []
        self.backends = []
        self.frontends = []
        self.wanting = []
        self.now = monotonic_ms()
        # Shared by all workers that are forked from here: a write wakes each of them once.
        self.bell = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)
        if self.bell < 0:
            raise OSError(errno, "eventfd")

    def __dealloc__(self):
        if self.epfd >= 0:
            close(self.epfd)
        if self.bell >= 0:
            close(self.bell)

    cdef int open(self) except -1:
        """Make the epoll instance; called in the worker, since a forked one would be shared."""
        cdef epoll_event event
        if self.epfd >= 0:
            return 0
        self.epfd = epoll_create1(EPOLL_CLOEXEC)
        if self.epfd < 0:
            raise OSError(errno, "epoll_create1")
        self.now = monotonic_ms()
        event.events = EPOLLIN | EPOLLET
        event.data.u64 = <uint64_t>-1
        epoll_ctl(self.epfd, EPOLL_CTL_ADD, self.bell, &event)
        return 0

    cdef bint parting(self) noexcept:
        """The later, the likelier, so that not all of them come back to others at once."""
        cdef int64_t left
        if not self.stopping:
            return False
        if self.spread <= 0:
            return self.spread == 0
        left = self.spread_end - self.now
        return left <= 0 or left <= rand() % self.spread

    cdef int64_t parted_by(self, int64_t due) noexcept:
        cdef int64_t left = self.spread_end - self.now, mine
        if not self.stopping or self.spread <= 0 or (due and due < self.spread_end):
            return due
        mine = self.now + rand() % left if left > 0 else self.now
        return max(mine, 1)

    cdef void ring(self) noexcept:
        cdef uint64_t one = 1
        write(self.bell, &one, 8)

    cdef int register(self, Task task, int fd, uint32_t events) except -1:
        cdef epoll_event event
        cdef list tasks = self.tasks
        while fd >= len(tasks):
            tasks.extend([None] * 256)
        self.generation += 1
        task.fd = fd
        task.generation = self.generation
        tasks[fd] = task
        event.events = events
        event.data.u64 = (<uint64_t>task.generation << 32) | <uint32_t>fd
        if epoll_ctl(self.epfd, EPOLL_CTL_ADD, fd, &event) < 0:
            tasks[fd] = None
            task.fd = -1
            raise OSError(errno, "epoll_ctl")
        return 0

    cdef void forget(self, Task task):
        if 0 <= task.fd < len(self.tasks) and self.tasks[task.fd] is task:
            self.tasks[task.fd] = None
        task.fd = -1
        self.cancel(task)

    # -- timers ------------------------------------------------------------------------------------

    cdef int arm(self, Task task, int64_t due) except -1:
        cdef list heap = self.heap
        task.due = due
        if due == 0:
            return 0
        if task.place < 0:
            task.place = len(heap)
            task.filed = due
            heap.append(task)
            self.rise(task.place)
        elif due < task.filed:
            task.filed = due
            self.rise(task.place)
        return 0

    cdef int cancel(self, Task task) except -1:
        cdef list heap = self.heap
        cdef Py_ssize_t place = task.place
        cdef Task last
        task.due = 0
        if place < 0:
            return 0
        task.place = -1
        last = <Task>heap.pop()
        if last is not task:
            heap[place] = last
            last.place = place
            self.rise(place)
            self.sink(last.place)
        return 0

    cdef void rise(self, Py_ssize_t place):
        cdef list heap = self.heap
        cdef Task task = <Task>heap[place]
        cdef Task above
        cdef Py_ssize_t parent
        while place > 0:
            parent = (place - 1) >> 1
            above = <Task>heap[parent]
            if above.filed <= task.filed:
                break
            heap[place] = above
            above.place = place
            place = parent
        heap[place] = task
        task.place = place

    cdef void sink(self, Py_ssize_t place):
        cdef list heap = self.heap
        cdef Py_ssize_t count = len(heap)
        cdef Task task = <Task>heap[place]
        cdef Task below, other
        cdef Py_ssize_t child
        while True:
            child = 2 * place + 1
            if child >= count:
                break
            below = <Task>heap[child]
            if child + 1 < count:
                other = <Task>heap[child + 1]
                if other.filed < below.filed:
                    below = other
                    child += 1
            if task.filed <= below.filed:
                break
            heap[place] = below
            below.place = place
            place = child
        heap[place] = task
        task.place = place

    cdef int run_timers(self) except -1:
        cdef Task task
        while self.heap:
            task = <Task>self.heap[0]
            if task.filed > self.now:
                return 0
            if task.due > self.now:
                task.filed = task.due
                self.sink(0)
                continue
            if task.due == 0:
                self.cancel(task)
                continue
            self.cancel(task)
            try:
                task.expired()
            except Exception as error:
                self.guard(task, error)
        return 0

    # -- running -----------------------------------------------------------------------------------

    cdef int defer(self, Task task) except -1:
        """Advance the task once the events of this turn are through."""
        if not task.queued:
            task.queued = True
            self.ready.append(task)
        return 0

    cdef int run_ready(self) except -1:
        cdef list ready
        cdef Task task
        ready = self.ready
        self.ready = []
        for task in ready:
            task.queued = False
            try:
                task.advance()
            except Exception as error:
                self.guard(task, error)
        return 0

    cdef int dispatch(self, uint64_t data, uint32_t events) except -1:
        cdef uint32_t fd = <uint32_t>(data & 0xFFFFFFFFU)
        cdef object found
        cdef Task task
        if data == <uint64_t>-1:
            for found in list(self.wanting):
                self.defer(<Task?>found)
            return 0
        if fd >= len(self.tasks):
            return 0
        found = self.tasks[fd]
        if found is None:
            return 0
        task = <Task>found
        if task.generation != <uint32_t>(data >> 32):
            return 0
        try:
            task.event(events)
        except Exception as error:
            self.guard(task, error)
        return 0

    cdef int64_t wait_for(self) noexcept:
        cdef int64_t left
        if self.ready or self.restless:
            return 0
        if not self.heap:
            return LONGEST_SLEEP
        left = (<Task>self.heap[0]).filed - self.now
        return 0 if left < 0 else left if left < LONGEST_SLEEP else LONGEST_SLEEP

    cdef int turn(self) except -1:
        cdef epoll_event events[BATCH]
        cdef int count, i, failure = 0
        cdef int timeout = <int>self.wait_for()
        with nogil:
            count = epoll_wait(self.epfd, events, BATCH, timeout)
            if count < 0:
                failure = errno
        self.now = monotonic_ms()
        if self.profiling:
            self.woken = monotonic_ns()
        if count < 0 and failure != EINTR:
            raise OSError(failure, "epoll_wait")
        for i in range(count):
            self.dispatch(events[i].data.u64, events[i].events)
        if self.heap and (<Task>self.heap[0]).filed <= self.now:
            self.run_timers()
        if self.ready:
            self.run_ready()
        if self.patience and monotonic_ms() - self.now > self.patience:
            self.on_blocked(monotonic_ms() - self.now)
        PyErr_CheckSignals()
        return 0

    # -- failures ----------------------------------------------------------------------------------

    cdef int report(self, object error) except -1:
        """Tell the hook, or stderr. Nothing that happens there may stop the worker."""
        try:
            if self.on_exception is not None:
                self.on_exception(error)
            else:
                traceback.print_exception(error, file=sys.stderr)
        except Exception:
            pass
        return 0

    cdef int guard(self, Task task, object error) except -1:
        self.report(error)
        try:
            task.destroy()
        except Exception as second:
            self.report(second)
            self.forget(task)
        return 0

    # -- the control plane -------------------------------------------------------------------------

    def watch(self, int fd, object callback):
        cdef Watch task = Watch.__new__(Watch)
        task.loop = self
        task.callback = callback
        self.open()
        self.register(task, fd, EPOLLIN)

    def unwatch(self, int fd):
        cdef epoll_event event
        if 0 <= fd < len(self.tasks) and isinstance(self.tasks[fd], Watch):
            self.forget(<Task>self.tasks[fd])
            event.events = 0
            event.data.u64 = 0
            epoll_ctl(self.epfd, EPOLL_CTL_DEL, fd, &event)

    def later(self, int64_t milliseconds, object callback):
        cdef Later task = Later.__new__(Later)
        task.loop = self
        task.callback = callback
        self.arm(task, monotonic_ms() + max(milliseconds, 1))
