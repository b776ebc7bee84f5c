# cython: language_level=3, boundscheck=True, wraparound=False, initializedcheck=True
# cython: nonecheck=True, cdivision=True
"""A stick table: keys and what is counted of each, in memory that all workers share.

Decides where an entry lives, when it is gone, and who has to leave when the table is full. It does not
know what a cell means: ``evener.haproxy.stick_table`` lays the cells out and names them.

The table is cut into stripes, chosen by a keyed hash of the key. A stripe has its own lock, its own
buckets, its own entries, and a list of those entries that nobody tracks, sorted by their last use. As
all entries of a table live equally long, the end of that list is both what expires first and what is
least recently used: expiring and evicting look at it alone. An entry that is tracked is in no list, and
therefore stays. Small tables have one stripe, so that their eviction is exactly by age.

Locks are robust: when a worker was killed while it held one, the next who takes it empties that stripe,
because its links may be half written. Handles carry the generation of their entry, so one that was
emptied, or given to another key, is noticed and ignored.

No lock is taken while another is held.
"""

cimport cython

import os

cimport cython
from libc.stdint cimport int64_t, uint32_t, uint64_t
from libc.string cimport memcmp, memcpy, memset

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE

from evener.engine.kernel cimport (
    MAP_ANONYMOUS, MAP_FAILED, MAP_NORESERVE, MAP_SHARED, PROT_READ, PROT_WRITE, mmap, monotonic_ms, munmap,
)

from evener.haproxy.columns import Event as _Event

if [int(event) for event in _Event] != [CONN, SESS, REQUEST, ERROR, FAILURE, INPUT, OUTPUT, GLITCH]:
    raise ImportError("table.pxd and columns.py differ about events")

cdef enum:
    LARGE = 4096  # entries from which on a table is cut into stripes
    STRIPES = 64
    MOST = 0x7FFFFFFF  # entries
    LONGEST = 1 << 16  # bytes of a key
    WIDEST = 1 << 10  # cells
    WALK = 256  # entries looked at under one lock


cdef class Table:
    def __cinit__(self, size, key_size, cells, expire=0, nopurge=False, events=(), current=-1, divisor=1):
        cdef uint32_t number
        cdef size_t buckets, entries, counts
        cdef void *memory
        if not (0 < size <= MOST and 0 < key_size <= LONGEST and 0 <= cells <= WIDEST):
            raise ValueError("dimensions out of range")
        self.size, self.key_size, self.cells = size, key_size, cells
        self.expire, self.nopurge, self._divisor = expire, nopurge, max(1, divisor)
        self._share = STRIPES if self.size >= LARGE else 1
        # a hash does not fill all stripes alike: what is never used is never backed by memory
        self._room = self.size // self._share + (self.size // self._share // 4 + 64 if self._share > 1 else 0)
        self._mask = 1
        while self._mask < self._room:
            self._mask <<= 1
        self._first_cell = (sizeof(Head) + self.key_size + 7) // 8 * 8
        self._stride = self._first_cell + 8 * <uint32_t>self.cells
        counts = (self._share * sizeof(Stripe) + 63) // 64 * 64
        buckets = counts + (self._share * 4 + 63) // 64 * 64
        entries = buckets + <size_t>self._share * self._mask * 4
        entries = (entries + 63) // 64 * 64
        self._bytes = entries + <size_t>self._share * self._room * self._stride
        memory = mmap(
            NULL, self._bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0
        )
        if memory == MAP_FAILED:
            raise MemoryError("stick table")
        self._memory = <char *>memory
        self._stripes = <Stripe *>memory
        self._counts = <uint32_t *>(self._memory + counts)
        self._buckets = <uint32_t *>(self._memory + buckets)
        self._entries = self._memory + entries
        self._mask -= 1
        self._seed = <uint64_t>int.from_bytes(os.urandom(8), "little")
        for number in range(self._share):
            prepare_lock(&self._stripes[number].lock)
        self.keep(events, current)

    def __dealloc__(self):
        if self._memory != NULL:
            munmap(self._memory, self._bytes)

    def keep(self, events, current):
        """Where each event is counted, and how many track the entry now."""
        cdef int number, counter, rate
        for number in range(EVENTS):
            self._slots[number].counter = self._slots[number].rate = -1
        for number, (counter, rate, period) in enumerate(events):
            if number >= EVENTS or counter >= self.cells or rate + 2 >= self.cells + 3 * (rate < 0) or (
                rate >= 0 and not 0 < period < 1 << 31
            ):
                raise ValueError("no such cell")
            self._slots[number].counter, self._slots[number].rate = counter, rate
            self._slots[number].period = period
        if current >= self.cells:
            raise ValueError("no such cell")
        self._current = current

    # -- places --------------------------------------------------------------------------------------

    cdef Head *head(self, uint32_t place) noexcept:
        return <Head *>(self._entries + <size_t>(place - 1) * self._stride)

    cdef int64_t *cell(self, Head *entry, int index) noexcept:
        return <int64_t *>(<char *>entry + self._first_cell) + index

    cdef uint64_t digest(self, const char *key, uint32_t length) noexcept:
        cdef uint64_t hash = self._seed ^ (length * <uint64_t>0x9E3779B97F4A7C15)
        cdef uint64_t word
        cdef uint32_t at = 0, left
        while at < length:
            left = length - at if length - at < 8 else 8
            word = 0
            memcpy(&word, key + at, left)
            hash = (hash ^ word) * <uint64_t>0xBF58476D1CE4E5B9
            hash ^= hash >> 32
            hash += self._seed
            at += left
        hash *= <uint64_t>0x94D049BB133111EB
        return hash ^ hash >> 29

    cdef uint32_t *bucket(self, uint32_t stripe, uint64_t hash) noexcept:
        return self._buckets + <size_t>stripe * (self._mask + 1) + (<uint32_t>(hash >> 8) & self._mask)

    cdef uint32_t search(self, uint32_t stripe, uint64_t hash, const char *key, uint32_t length) noexcept:
        cdef uint32_t place = self.bucket(stripe, hash)[0]
        cdef Head *entry
        while place:
            entry = self.head(place)
            if entry.hash == hash and entry.length == length and memcmp(<char *>(entry + 1), key, length) == 0:
                return place
            place = entry.chain
        return 0

    cdef uint32_t lookup(self, uint32_t stripe, uint64_t hash, const char *key, uint32_t length, int64_t now) noexcept:
        """The same without what has expired."""
        cdef uint32_t place = self.search(stripe, hash, key, length)
        cdef Head *entry
        if place and self.expire:
            entry = self.head(place)
            if now - entry.touched >= self.expire and not entry.trackers:
                self.drop(stripe, place)
                return 0
        return place

    # -- locks ---------------------------------------------------------------------------------------

    cdef Stripe *enter(self, uint32_t stripe) noexcept:
        cdef Stripe *taken = &self._stripes[stripe]
        if pthread_mutex_lock(&taken.lock) == EOWNERDEAD:
            self.recover(stripe)
            pthread_mutex_consistent(&taken.lock)
        return taken

    cdef void leave(self, Stripe *stripe) noexcept:
        pthread_mutex_unlock(&stripe.lock)

    cdef void recover(self, uint32_t stripe) noexcept:
        """Whoever held the lock died in the middle of something: begin with nothing."""
        cdef Stripe *broken = &self._stripes[stripe]
        cdef uint32_t number, place
        cdef Head *entry
        memset(self._buckets + <size_t>stripe * (self._mask + 1), 0, (<size_t>self._mask + 1) * 4)
        broken.newest = broken.oldest = broken.spare = 0
        if broken.fresh > self._room:
            broken.fresh = self._room
        for number in range(broken.fresh):
            place = stripe * self._room + number + 1
            entry = self.head(place)
            entry.used = entry.trackers = 0
            entry.generation += 1
            entry.chain = broken.spare
            broken.spare = place
        self._counts[stripe] = 0

    # -- coming and going ----------------------------------------------------------------------------

    cdef void unlink(self, Stripe *stripe, uint32_t place) noexcept:
        cdef Head *entry = self.head(place)
        if entry.newer:
            self.head(entry.newer).older = entry.older
        else:
            stripe.newest = entry.older
        if entry.older:
            self.head(entry.older).newer = entry.newer
        else:
            stripe.oldest = entry.newer
        entry.newer = entry.older = 0

    cdef void link(self, Stripe *stripe, uint32_t place) noexcept:
        cdef Head *entry = self.head(place)
        entry.newer = 0
        entry.older = stripe.newest
        if stripe.newest:
            self.head(stripe.newest).newer = place
        else:
            stripe.oldest = place
        stripe.newest = place

    cdef void touch(self, Stripe *stripe, uint32_t place, int64_t now) noexcept:
        cdef Head *entry = self.head(place)
        entry.touched = now
        if entry.trackers == 0 and stripe.newest != place:
            self.unlink(stripe, place)
            self.link(stripe, place)

    cdef void drop(self, uint32_t stripe, uint32_t place) noexcept:
        """Forget an entry that nobody tracks."""
        cdef Head *entry = self.head(place)
        cdef uint32_t *link = self.bucket(stripe, entry.hash)
        self.unlink(&self._stripes[stripe], place)
        while link[0] != place:
            link = &self.head(link[0]).chain
        link[0] = entry.chain
        entry.generation += 1
        entry.used = 0
        entry.chain = self._stripes[stripe].spare
        self._stripes[stripe].spare = place
        self._counts[stripe] -= 1

    cdef void expunge(self, uint32_t stripe, int64_t now) noexcept:
        cdef uint32_t oldest = self._stripes[stripe].oldest
        while self.expire and oldest and now - self.head(oldest).touched >= self.expire:
            self.drop(stripe, oldest)
            oldest = self._stripes[stripe].oldest

    cdef uint32_t insert(self, uint32_t stripe, uint64_t hash, const char *key, uint32_t length, int64_t now) noexcept:
        cdef Stripe *here = &self._stripes[stripe]
        cdef uint32_t place = here.spare
        cdef uint32_t *first = self.bucket(stripe, hash)
        cdef Head *entry
        if place:
            here.spare = self.head(place).chain
        elif here.fresh < self._room:
            here.fresh += 1
            place = stripe * self._room + here.fresh
        else:
            return 0
        entry = self.head(place)
        entry.hash, entry.length, entry.touched = hash, length, now
        entry.trackers, entry.used = 0, 1
        memcpy(<char *>(entry + 1), key, length)
        memset(self.cell(entry, 0), 0, 8 * <size_t>self.cells)
        entry.chain = first[0]
        first[0] = place
        self.link(here, place)
        self._counts[stripe] += 1
        return place

    cdef uint64_t total(self) noexcept:
        cdef uint64_t found = 0
        cdef uint32_t stripe
        for stripe in range(self._share):
            found += self._counts[stripe]
        return found

    cdef bint make_room(self, uint32_t stripe, int64_t now) noexcept:
        """Whether one more fits, in a stripe that is locked."""
        cdef Stripe *here = &self._stripes[stripe]
        self.expunge(stripe, now)
        if self.total() < self.size and (here.spare or here.fresh < self._room):
            return True
        if self.nopurge or not here.oldest:
            return False
        self.drop(stripe, here.oldest)
        return True

    cdef bint make_room_elsewhere(self, uint32_t stripe, int64_t now) noexcept:
        """The same in the other stripes, none of which is locked by us."""
        cdef uint32_t number, other
        for number in range(1, self._share):
            other = (stripe + number) % self._share
            self.enter(other)
            self.expunge(other, now)
            if not self.nopurge and self.total() >= self.size and self._stripes[other].oldest:
                self.drop(other, self._stripes[other].oldest)
            self.leave(&self._stripes[other])
            if self.total() < self.size:
                return True
        return False

    cdef Entry reach(self, bytes key, bint create, int tracking):
        """The entry of a key, made if wanted. ``tracking``: 0 no, 1 yes, 2 yes and it is a request."""
        cdef const char *text = PyBytes_AS_STRING(key)
        cdef uint32_t length = <uint32_t>PyBytes_GET_SIZE(key)
        cdef uint64_t hash = self.digest(text, length)
        cdef uint32_t number = <uint32_t>(hash >> 40) % self._share
        cdef int64_t now = monotonic_ms()
        cdef Stripe *stripe
        cdef Entry made = None
        cdef uint32_t place
        if length > self.key_size:
            raise ValueError("key too long")
        stripe = self.enter(number)
        place = self.lookup(number, hash, text, length, now)
        if not place and create:
            if not self.make_room(number, now):
                self.leave(stripe)
                if not self.make_room_elsewhere(number, now):
                    return None
                stripe = self.enter(number)
                place = self.search(number, hash, text, length)
            if not place:
                place = self.insert(number, hash, text, length, now)
        if place:
            if create:
                self.touch(stripe, place, now)
            if tracking:
                if self.head(place).trackers == 0:
                    self.unlink(stripe, place)
                self.head(place).trackers += 1
                if self._current >= 0:
                    self.cell(self.head(place), self._current)[0] += 1
                self.happen(self.head(place), CONN, 1, now)
                if tracking > 1:
                    self.happen(self.head(place), REQUEST, 1, now)
            made = self.handle(place, tracking != 0)
        self.leave(stripe)
        return made

    cdef Entry handle(self, uint32_t place, bint tracking):
        cdef Entry made = Entry.__new__(Entry)
        made.table = self
        made.place = place
        made.generation = self.head(place).generation
        made.tracking = tracking
        return made

    cdef void happen(self, Head *entry, int event, int64_t count, int64_t now) noexcept:
        cdef Slots *slots = &self._slots[event]
        cdef bint bytes_ = event == INPUT or event == OUTPUT
        cdef int64_t *counter
        if slots.counter >= 0:
            counter = self.cell(entry, slots.counter)
            counter[0] += count
            if not bytes_:
                counter[0] &= WORD
        if slots.rate >= 0:
            tick(self.cell(entry, slots.rate), slots.period, count // self._divisor if bytes_ else count, now)

    # -- for policy and the control plane --------------------------------------------------------------

    def find(self, bytes key not None):
        return self.reach(key, False, 0)

    def obtain(self, bytes key not None):
        return self.reach(key, True, 0)

    def track(self, bytes key not None, bint request=False):
        return self.reach(key, True, 2 if request else 1)

    def reader(self, int cell, int64_t period=0):
        if cell < 0 or cell + (3 if period else 1) > self.cells or period < 0:
            raise IndexError("no such cell")
        cdef Reader made = Reader.__new__(Reader)
        made.table, made.cell, made.period = self, cell, period
        return made

    @property
    def used(self):
        cdef uint32_t number
        cdef int64_t now = monotonic_ms()
        for number in range(self._share):
            if self._counts[number] and self.expire:
                self.enter(number)
                self.expunge(number, now)
                self.leave(&self._stripes[number])
        return self.total()

    def walk(self):
        """Handles of all entries; what comes and goes meanwhile may be missed or met."""
        cdef uint32_t number, at, limit, place
        cdef list found
        for number in range(self._share):
            at = 0
            while at < self._stripes[number].fresh:
                found = []
                self.enter(number)
                self.expunge(number, monotonic_ms())
                limit = min(at + WALK, self._stripes[number].fresh)
                for at in range(at, limit):
                    place = number * self._room + at + 1
                    if self.head(place).used:
                        found.append(self.handle(place, False))
                self.leave(&self._stripes[number])
                at = limit
                yield from found

    def at(self, uint64_t address):
        """The entry at that address, as ``Entry.address`` gives it."""
        cdef uint64_t base = <uint64_t><size_t>self._entries
        cdef uint64_t place
        cdef Entry found = None
        if address < base or (address - base) % self._stride:
            return None
        place = (address - base) // self._stride
        if place >= <uint64_t>self._share * self._room:
            return None
        self.enter(<uint32_t>(place // self._room))
        if self.head(<uint32_t>place + 1).used:
            found = self.handle(<uint32_t>place + 1, False)
        self.leave(&self._stripes[place // self._room])
        return found

    def _die_holding(self, bytes key not None):
        """For tests: take the lock of a key's stripe and end the process."""
        cdef uint64_t hash = self.digest(PyBytes_AS_STRING(key), <uint32_t>PyBytes_GET_SIZE(key))
        self.enter(<uint32_t>(hash >> 40) % self._share)
        os._exit(9)


cdef int prepare_lock(pthread_mutex_t *lock) except -1:
    cdef pthread_mutexattr_t attributes
    pthread_mutexattr_init(&attributes)
    pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED)
    pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST)
    pthread_mutex_init(lock, &attributes)
    pthread_mutexattr_destroy(&attributes)
    return 0


include "table_entry.pxi"
