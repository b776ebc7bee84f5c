# The shared cells as the rest of the engine reaches them. See segment.pyx.

cimport cython
from libc.stdint cimport int64_t

cdef extern from *:
    """
    #define cell_load(p) __atomic_load_n(p, __ATOMIC_SEQ_CST)
    #define cell_store(p, v) __atomic_store_n(p, v, __ATOMIC_SEQ_CST)
    #define cell_add(p, v) __atomic_add_fetch(p, v, __ATOMIC_SEQ_CST)
    #define cell_swap(p, v) __atomic_exchange_n(p, v, __ATOMIC_SEQ_CST)
    static inline int cell_cas(int64_t *p, int64_t old, int64_t fresh) {
        return __atomic_compare_exchange_n(p, &old, fresh, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
    }
    """
    int64_t cell_load(int64_t *p) nogil
    void cell_store(int64_t *p, int64_t v) nogil
    int64_t cell_add(int64_t *p, int64_t v) nogil
    int64_t cell_swap(int64_t *p, int64_t v) nogil
    bint cell_cas(int64_t *p, int64_t old, int64_t fresh) nogil

cdef enum:
    WIDTH = 107  # cells of a row

cdef enum:
    PROCESS = 0  # columns.PROCESS_ROW

cdef enum Col:
    # the columns of evener.haproxy.columns the engine itself writes or reads; segment.pyx
    # refuses to load if one of them differs
    CUR = 0
    MAX = 1
    TOTAL = 2
    BYTES_IN = 3
    BYTES_OUT = 4
    DENIED_REQ = 5
    DENIED_RES = 6
    ERR_REQ = 7
    ERR_CONN = 8
    ERR_RES = 9
    RETRIES = 10
    REDISPATCHES = 11
    CLIENT_ABORTS = 12
    SERVER_ABORTS = 13
    SESS_RATE = 14
    SESS_RATE_MAX = 17
    HRSP_1XX = 18
    HRSP_OTHER = 23
    REQUESTS = 24
    REQ_RATE = 25
    REQ_RATE_MAX = 28
    CONN_RATE = 29
    CONN_RATE_MAX = 32
    CONNECTIONS = 33
    REUSED = 34
    LB_TOTAL = 35
    Q_PASSED = 102
    HEIRS = 104
    Q_SEEN = 105
    HRSP_FAILED = 106
    IDLE_EPOCH = 103
    LAST_SESSION = 36
    Q_CUR = 37
    Q_MAX = 38
    Q_TIME = 39
    C_TIME = 40
    R_TIME = 41
    T_TIME = 42
    Q_TIME_MAX = 43
    C_TIME_MAX = 44
    R_TIME_MAX = 45
    T_TIME_MAX = 46
    FAILED_REWRITES = 47
    INTERNAL_ERRORS = 48
    DENIED_CONN = 49
    DENIED_SESS = 50
    INTERCEPTED = 51
    IDLE_CUR = 52
    USED_CUR = 53
    USABLE = 56
    WEIGHT = 57
    ACTIVE = 58
    MAXCONN = 59
    EPOCH = 60
    ROTATION = 61
    STOPPED = 62
    REQUESTS_BAD = 64
    SHUTDOWN_EPOCH = 65
    SPLICED_IN = 76
    SPLICED_OUT = 77
    USED_NEED = 78
    IDLE_HOLDER = 79
    CONN_RATE_LIMIT = 80
    SESS_RATE_LIMIT = 81
    PROFILING = 84
    BUSY = 85
    PROF_CALLS = 87
    PROF_CPU = 88
    PROF_LAT = 89

@cython.final
cdef class Segment:
    cdef int64_t *_cells
    cdef readonly int rows
    # The engine's own spelling: rows and columns come from our objects, outside ones are ignored.
    cdef bint claim(self, int row, int column, int64_t limit) noexcept  # add 1 unless it reached limit (0 = none)
    cdef int64_t tick(self, int row, int column, int64_t count, int64_t now) noexcept
    cdef int64_t *checked(self, int row, int column) except NULL

    # -- short ones, for the compiler to put in place --

    # NULL outside
    cdef inline int64_t *cell(self, int row, int column) noexcept:
        if row < 0 or row >= self.rows or column < 0 or column >= WIDTH:
            return NULL
        return self._cells + <int64_t>row * WIDTH + column

    cdef inline int64_t load(self, int row, int column) noexcept:
        cdef int64_t *p = self.cell(row, column)
        return cell_load(p) if p != NULL else 0

    cdef inline void store(self, int row, int column, int64_t value) noexcept:
        cdef int64_t *p = self.cell(row, column)
        if p != NULL:
            cell_store(p, value)

    cdef inline int64_t bump(self, int row, int column, int64_t delta) noexcept:
        cdef int64_t *p = self.cell(row, column)
        return cell_add(p, delta) if p != NULL else 0

    cdef inline void lift(self, int row, int column, int64_t value) noexcept:
        cdef int64_t *p = self.cell(row, column)
        cdef int64_t old
        if p == NULL:
            return
        old = cell_load(p)
        while value > old and not cell_cas(p, old, value):
            old = cell_load(p)

    cdef inline void smooth(self, int row, int column, int64_t value) noexcept:
        # sum of the last 1024 values, approximately: the average is the sum / 1024
        cdef int64_t *p = self.cell(row, column)
        if p != NULL:
            cell_add(p, value - ((cell_load(p) + 1023) >> 10))
