# Objects in shared memory, found by a key. See arena.pyx.

cimport cython
from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t

from evener.engine.table cimport pthread_mutex_t

cdef enum:
    BLOCK = 1024
    KEY = 20

cdef struct Top:
    pthread_mutex_t lock
    uint32_t spare  # chain of free blocks; places are numbered from 1, 0 is none
    uint32_t free
    uint32_t newest, oldest  # complete objects nobody reads, by their last use
    uint32_t stripped_newest, stripped_oldest  # those of which only the beginning was kept
    uint32_t stripped_blocks
    uint32_t generation
    uint32_t epoch  # raised when everything was thrown away

cdef struct Object:
    uint8_t key[20]
    uint32_t chain  # the next in its bucket
    uint32_t newer, older
    uint32_t blocks
    uint32_t pins
    uint32_t generation
    uint32_t lead  # bytes of meta
    uint32_t kept  # bytes of meta and of what remains when it is stripped
    uint8_t used, linked, stripped
    int64_t expire
    uint64_t variant
    uint64_t size

@cython.final
cdef class Arena:
    cdef readonly uint32_t blocks
    cdef readonly uint32_t stripped_most
    cdef char *_memory
    cdef size_t _bytes
    cdef Top *_top
    cdef uint32_t *_next
    cdef uint32_t *_buckets
    cdef Object *_objects
    cdef char *_data
    cdef uint32_t _mask
    cdef void clear(self) noexcept
    cdef int enter(self) except -1
    cdef void leave(self) noexcept
    cdef uint32_t *bucket(self, const uint8_t *key) noexcept
    cdef void list_out(self, uint32_t place) noexcept
    cdef void list_in(self, uint32_t place) noexcept
    cdef void unchain(self, uint32_t place) noexcept
    cdef void release(self, uint32_t first, uint32_t keep) noexcept
    cdef void remove(self, uint32_t place) noexcept
    cdef void strip(self, uint32_t place) noexcept
    cdef bint make_room(self, uint32_t blocks) noexcept
    cdef uint32_t take(self, uint32_t blocks) noexcept
    cdef bytes copy_out(self, uint32_t place, uint64_t offset, uint64_t count)
    cdef void unpin(self, uint32_t place, uint32_t epoch) noexcept

@cython.final
cdef class Reading:
    cdef readonly Arena arena
    cdef uint32_t place, epoch, block
    cdef uint32_t at  # in the block
    cdef readonly uint64_t left
