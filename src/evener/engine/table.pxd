# A stick table in shared memory, as streams count in it. See table.pyx.

cimport cython
from libc.stdint cimport int64_t, uint32_t, uint64_t

cdef extern from "errno.h" nogil:
    enum: EOWNERDEAD

cdef extern from "pthread.h" nogil:
    ctypedef struct pthread_mutex_t:
        pass
    ctypedef struct pthread_mutexattr_t:
        pass
    enum: PTHREAD_PROCESS_SHARED, PTHREAD_MUTEX_ROBUST
    int pthread_mutexattr_init(pthread_mutexattr_t *attributes)
    int pthread_mutexattr_destroy(pthread_mutexattr_t *attributes)
    int pthread_mutexattr_setpshared(pthread_mutexattr_t *attributes, int shared)
    int pthread_mutexattr_setrobust(pthread_mutexattr_t *attributes, int robust)
    int pthread_mutex_init(pthread_mutex_t *lock, const pthread_mutexattr_t *attributes)
    int pthread_mutex_lock(pthread_mutex_t *lock)
    int pthread_mutex_unlock(pthread_mutex_t *lock)
    int pthread_mutex_consistent(pthread_mutex_t *lock)

cdef enum Event:
    # what streams tell the entries they track; columns.Event
    CONN = 0
    SESS = 1
    REQUEST = 2
    ERROR = 3
    FAILURE = 4
    INPUT = 5
    OUTPUT = 6
    GLITCH = 7
    EVENTS = 8

cdef struct Slots:
    int counter, rate  # cells, -1 not kept
    int64_t period

cdef struct Stripe:
    pthread_mutex_t lock
    uint32_t fresh  # entries from here on were never used
    uint32_t spare  # free ones, chained; all places here are numbered from 1, 0 is none
    uint32_t newest, oldest  # those nobody tracks, by their last use
    char padding[40]

cdef struct Head:
    uint64_t hash
    int64_t touched  # ms of the monotonic clock
    uint32_t generation  # raised whenever the place is given to another key
    uint32_t chain  # the next in its bucket, or the next spare one
    uint32_t newer, older
    uint32_t trackers
    uint32_t length  # of the key, which follows; then the cells
    uint32_t used
    uint32_t padding

@cython.final
cdef class Table:
    cdef readonly uint32_t size
    cdef readonly int64_t expire  # ms, 0 never
    cdef readonly uint32_t key_size
    cdef readonly bint nopurge
    cdef readonly int cells
    cdef public object owner  # who knows what the cells mean
    cdef char *_memory
    cdef size_t _bytes
    cdef Stripe *_stripes
    cdef uint32_t *_counts  # entries in use, by stripe
    cdef uint32_t *_buckets
    cdef char *_entries
    cdef uint32_t _share, _room, _mask  # stripes; entries, buckets - 1 of each
    cdef uint32_t _stride, _first_cell
    cdef uint64_t _seed
    cdef Slots _slots[8]
    cdef int _current  # the cell of conn_cur
    cdef int64_t _divisor  # of byte rates

    cdef Head *head(self, uint32_t place) noexcept
    cdef int64_t *cell(self, Head *entry, int index) noexcept
    cdef uint64_t digest(self, const char *key, uint32_t length) noexcept
    cdef Stripe *enter(self, uint32_t stripe) noexcept
    cdef void leave(self, Stripe *stripe) noexcept
    cdef void recover(self, uint32_t stripe) noexcept
    cdef uint32_t *bucket(self, uint32_t stripe, uint64_t hash) noexcept
    cdef uint32_t search(self, uint32_t stripe, uint64_t hash, const char *key, uint32_t length) noexcept
    cdef uint32_t lookup(self, uint32_t stripe, uint64_t hash, const char *key, uint32_t length, int64_t now) noexcept
    cdef void unlink(self, Stripe *stripe, uint32_t place) noexcept
    cdef void link(self, Stripe *stripe, uint32_t place) noexcept
    cdef void drop(self, uint32_t stripe, uint32_t place) noexcept
    cdef void expunge(self, uint32_t stripe, int64_t now) noexcept
    cdef uint32_t insert(self, uint32_t stripe, uint64_t hash, const char *key, uint32_t length, int64_t now) noexcept
    cdef bint make_room(self, uint32_t stripe, int64_t now) noexcept
    cdef bint make_room_elsewhere(self, uint32_t stripe, int64_t now) noexcept
    cdef uint64_t total(self) noexcept
    cdef void touch(self, Stripe *stripe, uint32_t place, int64_t now) noexcept
    cdef void happen(self, Head *entry, int event, int64_t count, int64_t now) noexcept
    cdef Entry reach(self, bytes key, bint create, int tracking)
    cdef Entry handle(self, uint32_t place, bint tracking)

@cython.final
cdef class Entry:
    cdef readonly Table table
    cdef uint32_t place, generation
    cdef readonly bint tracking
    cdef Stripe *open(self, Head **entry) noexcept  # NULL when the entry is gone, nothing is locked then
    cdef int tell(self, int event, int64_t count) noexcept
    cdef int let_go(self) noexcept
    cdef int checked(self, int cell, int width) except -1

@cython.final
cdef class Reader:
    cdef Table table
    cdef int cell
    cdef int64_t period  # of a rate, 0 for a number
    cdef int64_t value(self, Head *entry, int64_t now) noexcept

cdef int tell_all(list tracked, int event, int64_t count) except -1
cdef bint is_error(int status) noexcept
cdef bint is_failure(int status) noexcept
