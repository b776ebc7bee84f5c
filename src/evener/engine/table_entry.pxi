# One entry of a table, and the rates of events. Part of table.pyx.

cdef enum:
    WORD = 0xFFFFFFFF


cdef void tick(int64_t *cells, int64_t period, int64_t count, int64_t now) noexcept:
    """Count in a sliding rate: when the period began, the events of it, those of the one before."""
    cdef int64_t elapsed = now - cells[0]
    if elapsed >= 2 * period:
        cells[2] = 0
        cells[1] = 0
        cells[0] = now
    elif elapsed >= period:
        cells[2] = cells[1]
        cells[1] = 0
        cells[0] += period
    cells[1] = min(cells[1] + count, <int64_t>WORD)


cdef int64_t rate_of(int64_t *cells, int64_t period, int64_t now) noexcept:
    """Events of the last period: those of the current one, and a share of the one before.

    A single event counts until it has left the period altogether, so that 1 does not become 0 at once.
    """
    cdef int64_t elapsed = now - cells[0], current = cells[1], past = cells[2]
    if elapsed >= period:
        past = current
        current = 0
        elapsed -= period
    if elapsed >= period:
        return 0
    if elapsed < 0:
        elapsed = 0
    if current == 0 and past <= 1:
        return past
    return current + past * (period - elapsed) // period


@cython.no_gc_clear  # __dealloc__ needs the table
cdef class Entry:
    def __dealloc__(self):
        if self.tracking:
            self.let_go()

    cdef Stripe *open(self, Head **entry) noexcept:
        cdef Table table = self.table
        cdef uint32_t number = (self.place - 1) // table._room
        cdef Stripe *stripe = table.enter(number)
        entry[0] = table.head(self.place)
        if entry[0].generation != self.generation or not entry[0].used:
            table.leave(stripe)
            return NULL
        return stripe

    cdef int tell(self, int event, int64_t count) noexcept:
        cdef Head *entry
        cdef Table table = self.table
        cdef Stripe *stripe
        if table._slots[event].counter < 0 and table._slots[event].rate < 0:
            return 0
        stripe = self.open(&entry)
        if stripe != NULL:
            table.happen(entry, event, count, monotonic_ms())
            table.leave(stripe)
        return 0

    cdef int let_go(self) noexcept:
        cdef Head *entry
        cdef Table table = self.table
        cdef Stripe *stripe
        self.tracking = False
        stripe = self.open(&entry)
        if stripe == NULL:
            return 0
        if table._current >= 0 and table.cell(entry, table._current)[0] > 0:
            table.cell(entry, table._current)[0] -= 1
        entry.touched = monotonic_ms()
        if entry.trackers:
            entry.trackers -= 1
            if entry.trackers == 0:
                table.link(stripe, self.place)
        table.leave(stripe)
        return 0

    def release(self):
        if self.tracking:
            self.let_go()

    def tell_event(self, int event, int64_t count=1):
        if not 0 <= event < EVENTS:
            raise IndexError("no such event")
        self.tell(event, count)

    def tell_status(self, int status):
        if is_error(status):
            self.tell(ERROR, 1)
        if is_failure(status):
            self.tell(FAILURE, 1)

    cdef int checked(self, int cell, int width) except -1:
        if cell < 0 or cell + width > self.table.cells:
            raise IndexError("no such cell")
        return 0

    def get(self, int cell):
        cdef Head *entry
        cdef Stripe *stripe
        cdef int64_t value
        self.checked(cell, 1)
        stripe = self.open(&entry)
        if stripe == NULL:
            return 0
        value = self.table.cell(entry, cell)[0]
        self.table.leave(stripe)
        return value

    def set(self, int cell, int64_t value):
        """Also what was there before."""
        cdef Head *entry
        cdef Stripe *stripe
        cdef int64_t before
        self.checked(cell, 1)
        stripe = self.open(&entry)
        if stripe == NULL:
            return 0
        before = self.table.cell(entry, cell)[0]
        self.table.cell(entry, cell)[0] = value
        self.table.touch(stripe, self.place, monotonic_ms())
        self.table.leave(stripe)
        return before

    def add(self, int counter, int rate, int64_t period, int64_t count=1):
        cdef Head *entry
        cdef Stripe *stripe
        cdef int64_t *cells
        cdef int64_t value = 0, now = monotonic_ms()
        if counter >= 0:
            self.checked(counter, 1)
        if rate >= 0:
            self.checked(rate, 3)
        stripe = self.open(&entry)
        if stripe == NULL:
            return 0
        if rate >= 0 and period > 0:
            cells = self.table.cell(entry, rate)
            tick(cells, period, count, now)
            value = rate_of(cells, period, now)
        if counter >= 0:
            cells = self.table.cell(entry, counter)
            cells[0] = (cells[0] + count) & WORD
            value = cells[0]
        self.table.touch(stripe, self.place, now)
        self.table.leave(stripe)
        return value

    def rate(self, int cell, int64_t period):
        cdef Head *entry
        cdef Stripe *stripe
        cdef int64_t value
        self.checked(cell, 3)
        if period <= 0:
            return 0
        stripe = self.open(&entry)
        if stripe == NULL:
            return 0
        value = rate_of(self.table.cell(entry, cell), period, monotonic_ms())
        self.table.leave(stripe)
        return value

    def set_rate(self, int cell, int64_t value):
        cdef Head *entry
        cdef Stripe *stripe
        cdef int64_t *cells
        self.checked(cell, 3)
        stripe = self.open(&entry)
        if stripe == NULL:
            return
        cells = self.table.cell(entry, cell)
        cells[0], cells[1], cells[2] = monotonic_ms(), min(max(value, 0), <int64_t>WORD), 0
        self.table.touch(stripe, self.place, cells[0])
        self.table.leave(stripe)

    def text(self, int cell, int width):
        """What ``set_text`` put into that many cells."""
        cdef Head *entry
        cdef Stripe *stripe
        cdef bytes found
        cdef Py_ssize_t length
        self.checked(cell, width)
        stripe = self.open(&entry)
        if stripe == NULL:
            return b""
        length = min(<Py_ssize_t>self.table.cell(entry, cell)[0], 8 * (width - 1))
        found = PyBytes_FromStringAndSize(<char *>self.table.cell(entry, cell + 1), length)
        self.table.leave(stripe)
        return found

    def set_text(self, int cell, int width, bytes text not None):
        """As much of a text as fits after its length."""
        cdef Head *entry
        cdef Stripe *stripe
        cdef Py_ssize_t length = min(<Py_ssize_t>PyBytes_GET_SIZE(text), 8 * (width - 1))
        self.checked(cell, width)
        stripe = self.open(&entry)
        if stripe == NULL:
            return
        self.table.cell(entry, cell)[0] = length
        memcpy(<char *>self.table.cell(entry, cell + 1), PyBytes_AS_STRING(text), length)
        self.table.leave(stripe)

    def touch(self):
        cdef Head *entry
        cdef Stripe *stripe = self.open(&entry)
        if stripe != NULL:
            self.table.touch(stripe, self.place, monotonic_ms())
            self.table.leave(stripe)

    def remove(self):
        """Forget the entry; False when somebody tracks it."""
        cdef Head *entry
        cdef Stripe *stripe = self.open(&entry)
        cdef bint free
        if stripe == NULL:
            return True
        free = entry.trackers == 0
        if free:
            self.table.drop((self.place - 1) // self.table._room, self.place)
        self.table.leave(stripe)
        return free

    @property
    def alive(self):
        cdef Head *entry
        cdef Stripe *stripe = self.open(&entry)
        if stripe == NULL:
            return False
        self.table.leave(stripe)
        return True

    @property
    def key(self):
        cdef Head *entry
        cdef Stripe *stripe = self.open(&entry)
        cdef bytes found
        if stripe == NULL:
            return b""
        found = PyBytes_FromStringAndSize(<char *>(entry + 1), min(entry.length, self.table.key_size))
        self.table.leave(stripe)
        return found

    @property
    def trackers(self):
        cdef Head *entry
        cdef Stripe *stripe = self.open(&entry)
        cdef uint32_t found
        if stripe == NULL:
            return 0
        found = entry.trackers
        self.table.leave(stripe)
        return found

    @property
    def idle(self):
        cdef Head *entry
        cdef Stripe *stripe = self.open(&entry)
        cdef int64_t found
        if stripe == NULL:
            return 0
        found = monotonic_ms() - entry.touched
        self.table.leave(stripe)
        return max(found, 0)

    @property
    def address(self):
        return <size_t>self.table.head(self.place)


cdef class Reader:
    """Reads one value: of an entry when called, of a key with ``of_key``."""

    cdef int64_t value(self, Head *entry, int64_t now) noexcept:
        cdef int64_t *cells = self.table.cell(entry, self.cell)
        return rate_of(cells, self.period, now) if self.period else cells[0]

    def __call__(self, Entry entry not None):
        cdef Head *head
        cdef Stripe *stripe
        cdef int64_t value
        if entry.table is not self.table:
            raise ValueError("an entry of another table")
        stripe = entry.open(&head)
        if stripe == NULL:
            return 0
        value = self.value(head, monotonic_ms() if self.period else 0)
        self.table.leave(stripe)
        return value

    def of_key(self, bytes key not None):
        """None when there is no such entry."""
        cdef Table table = self.table
        cdef const char *text = PyBytes_AS_STRING(key)
        cdef uint32_t length = <uint32_t>PyBytes_GET_SIZE(key)
        cdef uint64_t hash = table.digest(text, length)
        cdef uint32_t number = <uint32_t>(hash >> 40) % table._share
        cdef int64_t now = monotonic_ms(), value = 0
        cdef Stripe *stripe
        cdef uint32_t place
        if length > table.key_size:
            raise ValueError("key too long")
        stripe = table.enter(number)
        place = table.lookup(number, hash, text, length, now)
        if place:
            value = self.value(table.head(place), now)
        table.leave(stripe)
        return value if place else None


cdef int tell_all(list tracked, int event, int64_t count) except -1:
    """Something happened to whoever tracks these."""
    cdef object one
    for one in tracked:
        if one is not None:
            (<Entry?>one).tell(event, count)
    return 0


# Which statuses are errors and failures: 400-499, and 500-599 without 501 and 505, until told otherwise.
cdef unsigned char ERRORS[600]
cdef unsigned char FAILURES[600]


def set_status_classes(errors, failures):
    cdef int status
    for status in range(600):
        ERRORS[status] = status in errors
        FAILURES[status] = status in failures


set_status_classes(range(400, 500), set(range(500, 600)) - {501, 505})


cdef bint is_error(int status) noexcept:
    return 0 <= status < 600 and ERRORS[status]


cdef bint is_failure(int status) noexcept:
    return 0 <= status < 600 and FAILURES[status]
