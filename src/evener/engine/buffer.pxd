# What the rest of the engine may ask of its memory. No pointer leaves these two classes except through
# ``writable`` and ``readable``, which check their arguments and are for one system call at a time.

cimport cython
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_GET_SIZE
from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t, uint64_t
from libc.string cimport memcmp, memcpy

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

    cdef int ensure(self, uint32_t cap) except -1  # at least that capacity, contents kept, compacted when moved
    cdef int reserve(self, uint32_t count, uint32_t limit) noexcept  # room for count more, by compacting or growing up to limit; -1 if impossible
    cdef void release(self) noexcept  # give the memory back (contents lost); ensure() takes new
    cdef void compact(self) noexcept
    cdef int put_decimal(self, uint64_t number) noexcept
    cdef int put_hex(self, uint64_t number) noexcept
    cdef bytes get(self, uint32_t offset, uint32_t count)  # IndexError outside
    cdef uint32_t run(self, uint32_t offset, uint8_t mask) noexcept  # first offset whose byte lacks mask, size() at the end
    cdef uint32_t run_token(self, uint32_t offset) noexcept  # the same for IS_TOKEN, making letters lower case on the way
    cdef void join_lines(self, uint32_t offset) noexcept  # from there on, what would end a line becomes a space
    # A header line as most are, "name: value" without other blanks around it, CR LF, and no fold after it: where
    # the colon and the CR are. Letters of the name become lower case. False: look closer.
    cdef bint plain_line(self, uint32_t offset, uint32_t *colon, uint32_t *end) noexcept
    cdef bint equals_nocase(self, uint32_t offset, uint32_t count, const uint8_t *lower, uint32_t other_count) noexcept
    cdef bint same_nocase(self, uint32_t offset, uint32_t count, uint32_t offset2, uint32_t count2) noexcept
    cdef int find(self, uint32_t offset, uint32_t count, uint8_t byte) noexcept  # relative to offset, -1
    cdef void lower(self, uint32_t offset) noexcept  # the byte there, if it is a capital
    cdef int overwrite(self, uint32_t offset, const uint8_t *source, uint32_t count) noexcept
    cdef int move(self, uint32_t target, uint32_t source, uint32_t count) noexcept  # inside what is held
    cdef int fill_blank(self, uint32_t offset, uint32_t count) noexcept  # overwrite with spaces

    # -- short ones, for the compiler to put in place --

    # bytes held, head to tail
    cdef inline uint32_t size(self) noexcept:
        return self.tail - self.head

    # free bytes after tail
    cdef inline uint32_t room(self) noexcept:
        return self.cap - self.tail

    # byte at head + offset, -1 outside
    cdef inline int at(self, uint32_t offset) noexcept:
        if offset >= self.tail - self.head:
            return -1
        return self._memory[self.head + offset]

    cdef inline void clear(self) noexcept:
        self.head = self.tail = 0

    # drop from the head; everything when count >= size
    cdef inline void skip(self, uint32_t count) noexcept:
        if count >= self.tail - self.head:
            self.head = self.tail = 0
        else:
            self.head += count

    # keep only the first count bytes
    cdef inline void truncate(self, uint32_t count) noexcept:
        if count < self.tail - self.head:
            self.tail = self.head + count

    # the free space, NULL if smaller than count (or count is 0)
    cdef inline uint8_t *writable(self, uint32_t count) noexcept:
        if count == 0 or count > self.cap - self.tail:
            return NULL
        return self._memory + self.tail

    # count bytes were put there; -1 (nothing done) if more than the room
    cdef inline int written(self, uint32_t count) noexcept:
        if count > self.cap - self.tail:
            return -1
        self.tail += count
        return 0

    # NULL if not all of it is held
    cdef inline const uint8_t *readable(self, uint32_t offset, uint32_t count) noexcept:
        cdef uint32_t held = self.tail - self.head
        if self._memory is NULL or offset > held or count > held - offset:
            return NULL
        return self._memory + self.head + offset

    # -1 and nothing written when it does not fit
    cdef inline int put(self, const uint8_t *source, uint32_t count) noexcept:
        if count > self.cap - self.tail:
            return -1
        if count:
            memcpy(self._memory + self.tail, source, count)
            self.tail += count
        return 0

    cdef inline int put_byte(self, uint8_t byte) noexcept:
        if self.tail >= self.cap:
            return -1
        self._memory[self.tail] = byte
        self.tail += 1
        return 0

    cdef inline int put_bytes(self, bytes data) noexcept:
        if data is None or <uint64_t> PyBytes_GET_SIZE(data) > self.cap - self.tail:
            return -1
        return self.put(<const uint8_t *> PyBytes_AS_STRING(data), <uint32_t> PyBytes_GET_SIZE(data))

    cdef inline int put_from(self, Buf other, uint32_t offset, uint32_t count) noexcept:
        cdef const uint8_t *source
        if other is None:
            return -1
        source = other.readable(offset, count)
        if source is NULL:
            return 0 if count == 0 else -1
        return self.put(source, count)

    cdef inline bint equals(self, uint32_t offset, uint32_t count, const uint8_t *other, uint32_t other_count) noexcept:
        cdef const uint8_t *mine
        if count != other_count:
            return False
        if count == 0:
            return True
        mine = self.readable(offset, count)
        return mine is not NULL and memcmp(mine, other, count) == 0

@cython.final
cdef class Lines:
    cdef Line *_memory
    cdef uint32_t _cap
    cdef readonly uint32_t count
    cdef Line *append(self) noexcept  # a zeroed new line, NULL when there is no memory
    cdef void drop_last(self) noexcept
    cdef void clear(self) noexcept

    # -- short ones, for the compiler to put in place --

    # NULL outside; valid until the next append
    cdef inline Line *at(self, uint32_t index) noexcept:
        if index >= self.count:
            return NULL
        return &self._memory[index]

# tune.*; set once before the workers start
cdef uint32_t BUFSIZE  # tune.bufsize, 16384
cdef uint32_t BODYSIZE  # buffers of the body phase, 131072
cdef uint32_t MAXREWRITE  # tune.maxrewrite, 1024
cdef uint32_t MAXHDR  # tune.http.maxhdr, 101

cdef Buf new_buf(uint32_t cap)
