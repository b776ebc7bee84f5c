# cython: language_level=3, boundscheck=True, wraparound=False, initializedcheck=True
# cython: nonecheck=True, cdivision=True
"""The memory all workers and the control process count in.

Decides nothing: rows of signed 64-bit cells in one anonymous shared mapping made before the workers
are forked, and the atomic operations on them. What a row or a column means is said by
``evener.haproxy.columns``. There are no locks, so a worker that dies at any point leaves nothing held.

A sliding rate takes three cells as HAProxy's frequency counters do: when the current second began (in
ms of the monotonic clock, which all processes share), the events of it, the events of the second before.
The rate is the current count plus the part of the previous second still inside the window.
"""

cimport cython

from evener.engine.kernel cimport (
    MAP_ANONYMOUS, MAP_FAILED, MAP_SHARED, PROT_READ, PROT_WRITE, mmap, monotonic_ms, munmap,
)

from evener.haproxy import columns

if columns.WIDTH != WIDTH:
    raise ImportError("segment.pxd and columns.py differ about the width of a row")

_COLUMNS = {
    "CUR": CUR, "MAX": MAX, "TOTAL": TOTAL, "BYTES_IN": BYTES_IN, "BYTES_OUT": BYTES_OUT,
    "DENIED_REQ": DENIED_REQ, "DENIED_RES": DENIED_RES, "ERR_REQ": ERR_REQ, "ERR_CONN": ERR_CONN,
    "ERR_RES": ERR_RES, "RETRIES": RETRIES, "REDISPATCHES": REDISPATCHES,
    "CLIENT_ABORTS": CLIENT_ABORTS, "SERVER_ABORTS": SERVER_ABORTS, "SESS_RATE": SESS_RATE,
    "SESS_RATE_MAX": SESS_RATE_MAX, "HRSP_1XX": HRSP_1XX, "HRSP_OTHER": HRSP_OTHER,
    "REQUESTS": REQUESTS, "REQ_RATE": REQ_RATE, "REQ_RATE_MAX": REQ_RATE_MAX,
    "CONN_RATE": CONN_RATE, "CONN_RATE_MAX": CONN_RATE_MAX, "CONNECTIONS": CONNECTIONS,
    "REUSED": REUSED, "LB_TOTAL": LB_TOTAL, "LAST_SESSION": LAST_SESSION, "Q_CUR": Q_CUR, "Q_PASSED": Q_PASSED, "IDLE_EPOCH": IDLE_EPOCH,
    "HEIRS": HEIRS, "Q_SEEN": Q_SEEN, "HRSP_FAILED": HRSP_FAILED,
    "Q_MAX": Q_MAX, "Q_TIME": Q_TIME, "C_TIME": C_TIME, "R_TIME": R_TIME, "T_TIME": T_TIME,
    "Q_TIME_MAX": Q_TIME_MAX, "C_TIME_MAX": C_TIME_MAX, "R_TIME_MAX": R_TIME_MAX,
    "T_TIME_MAX": T_TIME_MAX, "FAILED_REWRITES": FAILED_REWRITES,
    "INTERNAL_ERRORS": INTERNAL_ERRORS, "DENIED_CONN": DENIED_CONN,
    "DENIED_SESS": DENIED_SESS, "INTERCEPTED": INTERCEPTED, "IDLE_CUR": IDLE_CUR,
    "USED_CUR": USED_CUR, "USABLE": USABLE, "WEIGHT": WEIGHT, "ACTIVE": ACTIVE, "MAXCONN": MAXCONN,
    "EPOCH": EPOCH, "CONN_RATE_LIMIT": CONN_RATE_LIMIT, "SESS_RATE_LIMIT": SESS_RATE_LIMIT,
    "ROTATION": ROTATION, "STOPPED": STOPPED, "REQUESTS_BAD": REQUESTS_BAD,
    "SHUTDOWN_EPOCH": SHUTDOWN_EPOCH, "SPLICED_IN": SPLICED_IN, "SPLICED_OUT": SPLICED_OUT,
    "USED_NEED": USED_NEED, "IDLE_HOLDER": IDLE_HOLDER, "PROFILING": PROFILING, "BUSY": BUSY,
    "PROF_CALLS": PROF_CALLS, "PROF_CPU": PROF_CPU, "PROF_LAT": PROF_LAT,
}

for _name, _value in _COLUMNS.items():
    if int(columns.Column[_name]) != _value:
        raise ImportError(f"segment.pxd and columns.py differ about {_name}")


@cython.final
cdef class Segment:
    def __cinit__(self, int rows):
        cdef void *memory
        if rows <= 0 or rows > 1 << 24:
            raise ValueError("rows out of range")
        memory = mmap(NULL, <size_t>rows * WIDTH * 8, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0)
        if memory == MAP_FAILED:
            raise MemoryError("shared segment")
        self._cells = <int64_t *>memory
        self.rows = rows

    def __dealloc__(self):
        if self._cells != NULL:
            munmap(self._cells, <size_t>self.rows * WIDTH * 8)

    cdef bint claim(self, int row, int column, int64_t limit) noexcept:
        # Compare and swap, not add and undo: an undo in one worker would make another see a full
        # server that nobody is going to leave.
        cdef int64_t *p = self.cell(row, column)
        cdef int64_t old
        if p == NULL:
            return False
        if limit <= 0:
            cell_add(p, 1)
            return True
        while True:
            old = cell_load(p)
            if old >= limit:
                return False
            if cell_cas(p, old, old + 1):
                return True

    cdef int64_t tick(self, int row, int column, int64_t count, int64_t now) noexcept:
        cdef int64_t *p = self.cell(row, column)
        cdef int64_t began, past, current, elapsed
        if p == NULL or self.cell(row, column + 2) == NULL:
            return 0
        began = cell_load(p)
        elapsed = now - began
        if elapsed >= 1000 or elapsed < 0:
            if cell_cas(p, began, now - elapsed % 1000 if 0 <= elapsed < 2000 else now):
                past = cell_swap(p + 1, 0)
                cell_store(p + 2, past if 0 <= elapsed < 2000 else 0)
            elapsed = now - cell_load(p)
        current = cell_add(p + 1, count) if count else cell_load(p + 1)
        if elapsed < 0 or elapsed > 1000:
            return current
        return current + cell_load(p + 2) * (1000 - elapsed) // 1000

    cdef int64_t *checked(self, int row, int column) except NULL:
        cdef int64_t *p = self.cell(row, column)
        if p == NULL:
            raise IndexError("no such cell")
        return p

    def get(self, int row, int column):
        return cell_load(self.checked(row, column))

    def set(self, int row, int column, int64_t value):
        cell_store(self.checked(row, column), value)

    def clear(self, int row):
        """Set all cells of a row to 0: it is given to somebody else."""
        cdef int column
        self.checked(row, 0)
        for column in range(WIDTH):
            self.store(row, column, 0)

    def add(self, int row, int column, int64_t delta):
        return cell_add(self.checked(row, column), delta)

    def raise_to(self, int row, int column, int64_t value):
        self.checked(row, column)
        self.lift(row, column, value)

    def rate(self, int row, int column, int64_t count=0):
        self.checked(row, column)
        self.checked(row, column + 2)
        return self.tick(row, column, count, monotonic_ms())
