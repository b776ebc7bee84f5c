# What the rest of the engine may ask of its memory. No pointer leaves these two classes except through
# ``writable`` and ``readable``, which check their arguments and are for one system call at a time.

cimport cython
from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t, uint64_t

cdef enum:
    # classes of bytes, bits of CLASS (see buffer.pyx)
    IS_TOKEN = 1  # RFC 9110 5.6.2 tchar
    IS_FIELD = 2  # may stand in a field value: any byte but CR, LF and NUL (HAProxy lets other controls through)
    IS_TARGET = 4  # may stand in a request target: VCHAR but '#'
    IS_BLANK = 8  # SP, HTAB
    IS_DIGIT = 16
    IS_HEX = 32
    IS_LOOSE = 64  # any byte but CR and LF: values under accept-unsafe-violations
    IS_LOOSE_TARGET = 128  # VCHAR and 0x80-0xff

cdef struct Line:
    uint32_t name  # offsets into the message's store
    uint32_t value
    uint32_t value_length
    uint16_t name_length
    uint8_t known  # a Known, 0 for any other name
    uint8_t flags  # LINE_*

@cython.final
cdef class Buf:
    cdef uint8_t *_memory
    cdef readonly uint32_t cap  # 0 while released
    cdef readonly uint32_t head
    cdef readonly uint32_t tail

    cdef uint32_t size(self) noexcept  # bytes held, head to tail
    cdef uint32_t room(self) noexcept  # free bytes after tail
    cdef int at(self, uint32_t offset) noexcept  # byte at head + offset, -1 outside
    cdef int ensure(self, uint32_t cap) except -1  # at least that capacity, contents kept, compacted when moved
    cdef int reserve(self, uint32_t count, uint32_t limit) noexcept  # room for count more, by compacting or growing up to limit; -1 if impossible
    cdef void release(self) noexcept  # give the memory back (contents lost); ensure() takes new
    cdef void clear(self) noexcept
    cdef void skip(self, uint32_t count) noexcept  # drop from the head; everything when count >= size
    cdef void truncate(self, uint32_t count) noexcept  # keep only the first count bytes
    cdef void compact(self) noexcept
    cdef uint8_t *writable(self, uint32_t count) noexcept  # the free space, NULL if smaller than count (or count is 0)
    cdef int written(self, uint32_t count) noexcept  # count bytes were put there; -1 (nothing done) if more than the room
    cdef const uint8_t *readable(self, uint32_t offset, uint32_t count) noexcept  # NULL if not all of it is held
    cdef int put(self, const uint8_t *source, uint32_t count) noexcept  # -1 and nothing written when it does not fit
    cdef int put_byte(self, uint8_t byte) noexcept
    cdef int put_bytes(self, bytes data) noexcept
    cdef int put_decimal(self, uint64_t number) noexcept
    cdef int put_hex(self, uint64_t number) noexcept
    cdef int put_from(self, Buf other, uint32_t offset, uint32_t count) noexcept
    cdef bytes get(self, uint32_t offset, uint32_t count)  # IndexError outside
    cdef uint32_t run(self, uint32_t offset, uint8_t mask) noexcept  # first offset whose byte lacks mask, size() at the end
    cdef uint32_t run_token(self, uint32_t offset) noexcept  # the same for IS_TOKEN, making letters lower case on the way
    cdef bint equals(self, uint32_t offset, uint32_t count, const uint8_t *other, uint32_t other_count) noexcept
    cdef bint equals_nocase(self, uint32_t offset, uint32_t count, const uint8_t *lower, uint32_t other_count) noexcept
    cdef bint same_nocase(self, uint32_t offset, uint32_t count, uint32_t offset2, uint32_t count2) noexcept
    cdef int find(self, uint32_t offset, uint32_t count, uint8_t byte) noexcept  # relative to offset, -1
    cdef void lower(self, uint32_t offset) noexcept  # the byte there, if it is a capital
    cdef int overwrite(self, uint32_t offset, const uint8_t *source, uint32_t count) noexcept
    cdef int move(self, uint32_t target, uint32_t source, uint32_t count) noexcept  # inside what is held
    cdef int fill_blank(self, uint32_t offset, uint32_t count) noexcept  # overwrite with spaces

@cython.final
cdef class Lines:
    cdef Line *_memory
    cdef uint32_t _cap
    cdef readonly uint32_t count
    cdef Line *at(self, uint32_t index) noexcept  # NULL outside; valid until the next append
    cdef Line *append(self) noexcept  # a zeroed new line, NULL when there is no memory
    cdef void drop_last(self) noexcept
    cdef void clear(self) noexcept

# tune.*; set once before the workers start
cdef uint32_t BUFSIZE  # tune.bufsize, 16384
cdef uint32_t BODYSIZE  # buffers of the body phase, 131072
cdef uint32_t MAXREWRITE  # tune.maxrewrite, 1024
cdef uint32_t MAXHDR  # tune.http.maxhdr, 101

cdef Buf new_buf(uint32_t cap)
