# cython: language_level=3, boundscheck=True, wraparound=False, initializedcheck=True
# cython: nonecheck=True, cdivision=True
"""Byte strings that all workers share: a bounded memory in blocks of 1 kB, found by a key of 20 bytes.

Decides where an object lies and which one goes when there is no room: the one used longest ago. An object
that is read is *pinned*: it is in no list, and stays until its last reader has gone. Several objects may have
one key; their ``variant`` tells them apart for who stores them, and their ``meta`` for who looks. What follows
``meta`` and is called ``hints`` survives a while when the rest must go (``stripped``), in at most
``stripped_most`` blocks. It does not know what an object is: ``evener.haproxy.cache`` does.

An object becomes visible in one step, when all of it was copied: nobody ever finds half of one. The lock is
robust: when a worker was killed while it held it, the next who takes it throws everything away, because the
links may be half written; readers notice by the epoch.
"""

from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t
from libc.string cimport memcmp, memcpy, memset

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE

from evener.engine.kernel cimport (
    MAP_ANONYMOUS, MAP_FAILED, MAP_NORESERVE, MAP_SHARED, PROT_READ, PROT_WRITE, mmap, munmap,
)
from evener.engine.table cimport (
    EOWNERDEAD, PTHREAD_MUTEX_ROBUST, PTHREAD_PROCESS_SHARED, pthread_mutex_consistent, pthread_mutex_init,
    pthread_mutex_lock, pthread_mutex_unlock, pthread_mutexattr_destroy, pthread_mutexattr_init,
    pthread_mutexattr_setpshared, pthread_mutexattr_setrobust, pthread_mutexattr_t,
)

cdef enum:
    MOST = 4095 * 1024  # blocks


cdef size_t rounded(size_t count) noexcept:
    return (count + 63) // 64 * 64


cdef class Arena:
    def __cinit__(self, blocks, stripped_most=0):
        cdef size_t links, buckets, objects, data
        cdef void *memory
        cdef pthread_mutexattr_t attributes
        if not 0 < blocks <= MOST or not 0 <= stripped_most <= blocks:
            raise ValueError("dimensions out of range")
        self.blocks, self.stripped_most = blocks, stripped_most
        self._mask = 64
        while self._mask < self.blocks // 4:
            self._mask <<= 1
        links = rounded(sizeof(Top))
        buckets = links + rounded((<size_t>self.blocks + 1) * 4)
        objects = buckets + rounded(<size_t>self._mask * 4)
        data = objects + rounded((<size_t>self.blocks + 1) * sizeof(Object))
        self._bytes = data + <size_t>self.blocks * BLOCK
        memory = mmap(
            NULL, self._bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0
        )
        if memory == MAP_FAILED:
            raise MemoryError("shared objects")
        self._memory = <char *>memory
        self._top = <Top *>memory
        self._next = <uint32_t *>(self._memory + links)
        self._buckets = <uint32_t *>(self._memory + buckets)
        self._objects = <Object *>(self._memory + objects)
        self._data = self._memory + data
        self._mask -= 1
        pthread_mutexattr_init(&attributes)
        pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED)
        pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST)
        pthread_mutex_init(&self._top.lock, &attributes)
        pthread_mutexattr_destroy(&attributes)
        self.clear()

    def __dealloc__(self):
        if self._memory != NULL:
            munmap(self._memory, self._bytes)

    cdef void clear(self) noexcept:
        cdef uint32_t place
        cdef Top *top = self._top
        memset(self._buckets, 0, (<size_t>self._mask + 1) * 4)
        for place in range(1, self.blocks + 1):
            self._next[place] = place + 1 if place < self.blocks else 0
            self._objects[place].used = 0
        top.spare, top.free = 1, self.blocks
        top.newest = top.oldest = top.stripped_newest = top.stripped_oldest = top.stripped_blocks = 0
        top.epoch += 1

    # -- the lock, the lists -------------------------------------------------------------------------

    cdef int enter(self) except -1:
        cdef int result = pthread_mutex_lock(&self._top.lock)
        if result == EOWNERDEAD:
            pthread_mutex_consistent(&self._top.lock)
            self.clear()
        elif result:
            raise OSError(result, "lock of shared objects")
        return 0

    cdef void leave(self) noexcept:
        pthread_mutex_unlock(&self._top.lock)

    cdef uint32_t *bucket(self, const uint8_t *key) noexcept:
        cdef uint32_t hash
        memcpy(&hash, key, 4)
        return self._buckets + (hash & self._mask)

    cdef void list_out(self, uint32_t place) noexcept:
        cdef Object *one = self._objects + place
        cdef Top *top = self._top
        if one.newer:
            self._objects[one.newer].older = one.older
        elif one.stripped:
            top.stripped_newest = one.older
        else:
            top.newest = one.older
        if one.older:
            self._objects[one.older].newer = one.newer
        elif one.stripped:
            top.stripped_oldest = one.newer
        else:
            top.oldest = one.newer
        one.newer = one.older = 0

    cdef void list_in(self, uint32_t place) noexcept:
        """As the newest of its list."""
        cdef Object *one = self._objects + place
        cdef uint32_t *newest = &self._top.stripped_newest if one.stripped else &self._top.newest
        cdef uint32_t *oldest = &self._top.stripped_oldest if one.stripped else &self._top.oldest
        one.newer = 0
        one.older = newest[0]
        if newest[0]:
            self._objects[newest[0]].newer = place
        else:
            oldest[0] = place
        newest[0] = place

    cdef void unchain(self, uint32_t place) noexcept:
        cdef Object *one = self._objects + place
        cdef uint32_t *link = self.bucket(one.key)
        while link[0]:
            if link[0] == place:
                link[0] = one.chain
                break
            link = &self._objects[link[0]].chain
        one.linked = 0

    # -- blocks --------------------------------------------------------------------------------------

    cdef void release(self, uint32_t first, uint32_t keep) noexcept:
        """Give the blocks of a chain back, all but the first ``keep``."""
        cdef uint32_t place = first, following
        while keep and place:
            keep -= 1
            following = self._next[place]
            if keep == 0:
                self._next[place] = 0
            place = following
        while place:
            following = self._next[place]
            self._next[place] = self._top.spare
            self._top.spare = place
            self._top.free += 1
            place = following

    cdef void remove(self, uint32_t place) noexcept:
        """Nobody finds it any more; its memory is given back when nobody reads it."""
        cdef Object *one = self._objects + place
        if one.linked:
            self.unchain(place)
        if one.pins:
            return
        self.list_out(place)
        if one.stripped:
            self._top.stripped_blocks -= one.blocks
        one.used = 0
        self.release(place, 0)

    cdef void strip(self, uint32_t place) noexcept:
        """Keep only the beginning of an object, making place among those of which only that is kept."""
        cdef Object *one = self._objects + place
        cdef uint32_t keep = (one.kept + BLOCK - 1) // BLOCK
        if keep == 0 or one.kept <= one.lead or keep > self.stripped_most:
            self.remove(place)
            return
        while self._top.stripped_blocks + keep > self.stripped_most and self._top.stripped_oldest:
            self.remove(self._top.stripped_oldest)
        self.list_out(place)
        self.release(place, keep)
        one.blocks = keep
        one.size = one.kept
        one.stripped = 1
        self._top.stripped_blocks += keep
        self.list_in(place)

    cdef bint make_room(self, uint32_t blocks) noexcept:
        while self._top.free < blocks:
            if self._top.oldest:
                self.strip(self._top.oldest)
            elif self._top.stripped_oldest:
                self.remove(self._top.stripped_oldest)
            else:
                return False
        return True

    cdef uint32_t take(self, uint32_t blocks) noexcept:
        cdef uint32_t first = self._top.spare, last = first, count
        for count in range(1, blocks):
            last = self._next[last]
        self._top.spare = self._next[last]
        self._next[last] = 0
        self._top.free -= blocks
        return first

    cdef bytes copy_out(self, uint32_t place, uint64_t offset, uint64_t count):
        cdef bytes made = PyBytes_FromStringAndSize(NULL, <Py_ssize_t>count)
        cdef char *to = PyBytes_AS_STRING(made)
        cdef uint64_t here
        while offset >= BLOCK:
            place = self._next[place]
            offset -= BLOCK
        while count:
            here = min(count, BLOCK - offset)
            memcpy(to, self._data + <size_t>(place - 1) * BLOCK + offset, here)
            to += here
            count -= here
            offset = 0
            place = self._next[place]
        return made

    # -- what is asked -------------------------------------------------------------------------------

    def store(self, bytes key not None, uint64_t variant, int64_t expire, bytes meta not None, bytes hints not None, parts):
        """Copy an object in; False when there is no room. ``parts`` are the bytes after meta and hints, in order."""
        cdef uint64_t size = len(meta) + len(hints) + sum([len(part) for part in parts])
        cdef uint32_t blocks, place, block, epoch, room = BLOCK
        cdef Object *one
        cdef const char *source
        cdef uint64_t count, here
        cdef uint32_t *link
        if len(key) != KEY:
            raise ValueError("a key has 20 bytes")
        if size == 0 or size > <uint64_t>self.blocks * BLOCK:
            return False
        blocks = <uint32_t>((size + BLOCK - 1) // BLOCK)
        self.enter()
        if not self.make_room(blocks):
            self.leave()
            return False
        place = self.take(blocks)
        epoch = self._top.epoch
        self.leave()
        block = place
        for part in (meta, hints, *parts):
            source = PyBytes_AS_STRING(part)
            count = PyBytes_GET_SIZE(part)
            while count:
                if room == 0:
                    block = self._next[block]
                    room = BLOCK
                here = min(count, <uint64_t>room)
                memcpy(self._data + <size_t>(block - 1) * BLOCK + BLOCK - room, source, here)
                source += here
                count -= here
                room -= <uint32_t>here
        self.enter()
        if epoch == self._top.epoch:
            self._top.generation += 1
            one = self._objects + place
            memcpy(one.key, PyBytes_AS_STRING(key), KEY)
            one.blocks, one.pins, one.generation = blocks, 0, self._top.generation
            one.lead, one.kept = <uint32_t>len(meta), <uint32_t>(len(meta) + len(hints))
            one.expire, one.variant, one.size = expire, variant, size
            one.used = one.linked = 1
            one.stripped = 0
            link = self.bucket(one.key)
            one.chain = link[0]
            link[0] = place
            self.list_in(place)
            if not parts:  # there never was more
                self.strip(place)
        self.leave()
        return True

    def find(self, bytes key not None):
        """[(place, generation, variant, expire, stripped, meta), ...] of the objects with that key, newest first."""
        cdef list found = []
        cdef uint32_t place
        cdef Object *one
        if len(key) != KEY:
            raise ValueError("a key has 20 bytes")
        self.enter()
        try:
            place = self.bucket(<const uint8_t *>PyBytes_AS_STRING(key))[0]
            while place:
                one = self._objects + place
                if memcmp(one.key, PyBytes_AS_STRING(key), KEY) == 0:
                    found.append(
                        (place, one.generation, one.variant, one.expire, bool(one.stripped),
                         self.copy_out(place, 0, one.lead))
                    )
                place = one.chain
        finally:
            self.leave()
        return found

    def hints(self, uint32_t place, uint32_t generation):
        """What is kept of an object when it is stripped; empty when there is none, or it has gone."""
        cdef Object *one
        cdef bytes made = b""
        if not 0 < place <= self.blocks:
            return b""
        self.enter()
        try:
            one = self._objects + place
            if one.used and one.generation == generation and one.kept > one.lead:
                made = self.copy_out(place, one.lead, one.kept - one.lead)
                if not one.pins:
                    self.list_out(place)
                    self.list_in(place)
        finally:
            self.leave()
        return made

    def open(self, uint32_t place, uint32_t generation):
        """Read what follows meta and hints; None when the object has gone."""
        cdef Object *one
        cdef Reading made = None
        cdef uint32_t skip
        if not 0 < place <= self.blocks:
            return None
        self.enter()
        one = self._objects + place
        if one.used and one.linked and one.generation == generation and not one.stripped:
            if one.pins == 0:
                self.list_out(place)
            one.pins += 1
            made = Reading.__new__(Reading)
            made.arena = self
            made.place, made.epoch = place, self._top.epoch
            made.left = one.size - one.kept
            made.block, skip = place, one.kept
            while skip >= BLOCK:
                made.block = self._next[made.block]
                skip -= BLOCK
            made.at = skip
        self.leave()
        return made

    cdef void unpin(self, uint32_t place, uint32_t epoch) noexcept:
        cdef Object *one = self._objects + place
        try:
            self.enter()
        except OSError:
            return
        if epoch == self._top.epoch and one.pins:
            one.pins -= 1
            if one.pins == 0:
                self.list_in(place)
                if not one.linked:
                    self.remove(place)
        self.leave()

    def drop(self, bytes key not None, variant=None):
        """Forget the objects with that key, or only those of one variant; returns how many."""
        cdef uint32_t place, following
        cdef Object *one
        cdef int count = 0
        if len(key) != KEY:
            raise ValueError("a key has 20 bytes")
        self.enter()
        place = self.bucket(<const uint8_t *>PyBytes_AS_STRING(key))[0]
        while place:
            one = self._objects + place
            following = one.chain
            if memcmp(one.key, PyBytes_AS_STRING(key), KEY) == 0 and (variant is None or one.variant == <uint64_t>variant):
                self.remove(place)
                count += 1
            place = following
        self.leave()
        return count

    def forget(self, uint32_t place, uint32_t generation, bint keep_hints=False):
        """Forget one object (or strip it)."""
        cdef Object *one
        if not 0 < place <= self.blocks:
            return
        self.enter()
        one = self._objects + place
        if one.used and one.linked and one.generation == generation:
            if keep_hints and one.pins == 0 and not one.stripped:
                self.strip(place)
            elif not (keep_hints and one.stripped):
                self.remove(place)
        self.leave()

    @property
    def free(self):
        return self._top.free

    def dump(self):
        """[(place, key, variant, size, blocks, pins, expire, stripped), ...]"""
        cdef list found = []
        cdef uint32_t place
        cdef Object *one
        self.enter()
        for place in range(1, self.blocks + 1):
            one = self._objects + place
            if one.used and one.linked:
                found.append(
                    (place, PyBytes_FromStringAndSize(<char *>one.key, KEY), one.variant, one.size, one.blocks,
                     one.pins, one.expire, bool(one.stripped))
                )
        self.leave()
        return found


cdef class Reading:
    def __dealloc__(self):
        if self.arena is not None:
            self.arena.unpin(self.place, self.epoch)

    def __len__(self):
        return self.left

    def read(self, uint32_t most):
        """The next bytes; empty at the end."""
        cdef Arena arena = self.arena
        cdef uint32_t count = <uint32_t>min(<uint64_t>most, self.left), done = 0, here
        cdef bytes made
        cdef char *to
        if count == 0:
            return b""
        if self.epoch != arena._top.epoch:
            raise OSError("the object has gone")
        made = PyBytes_FromStringAndSize(NULL, count)
        to = PyBytes_AS_STRING(made)
        while done < count:
            if self.at == BLOCK:
                self.block = arena._next[self.block]
                self.at = 0
            here = min(count - done, BLOCK - self.at)
            memcpy(to + done, arena._data + <size_t>(self.block - 1) * BLOCK + self.at, here)
            done += here
            self.at += here
        self.left -= count
        return made
