# cython: language_level=3, boundscheck=True, wraparound=False, initializedcheck=True
# cython: nonecheck=True, cdivision=True
"""The one owner of raw memory in the engine: byte buffers and header indexes.

What it decides: how memory is taken, grown, kept in reserve and given back, and that no access goes
outside it. What it does not know: what the bytes mean, beyond the classes of RFC 9110 and 9112.

Theory of operation. A ``Buf`` is a window [head, tail) on a block of ``cap`` bytes; everything is
addressed by an offset from ``head``, and every accessor checks its offsets against the window. The two
that hand out a pointer (``readable``, ``writable``) are for one system call or one comparison and the
pointer is never stored. A ``Buf`` is never recycled, only its block is: when the last reference to a
``Buf`` goes, its block joins a list of free blocks of that size, so nobody can still see it. Sizes are
rounded up to a few classes for that reason.
"""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from libc.stdlib cimport free, malloc
from libc.string cimport memchr, memcmp, memcpy, memmove, memset

cimport cython

BUFSIZE = 16384
BODYSIZE = 131072
MAXREWRITE = 1024
MAXHDR = 101


def configure(uint32_t bufsize=16384, uint32_t maxrewrite=1024, uint32_t maxhdr=101, uint32_t bodysize=131072) -> None:
    """The ``tune.*`` values; to be called once, before there is traffic."""
    global BUFSIZE, MAXREWRITE, MAXHDR, BODYSIZE
    if bufsize < 1024 or bufsize > (1 << 28) or maxhdr < 1 or maxhdr > 32767:
        raise ValueError("buffer size or header count out of range")
    BUFSIZE = bufsize
    MAXREWRITE = min(maxrewrite, bufsize // 2)
    MAXHDR = maxhdr
    BODYSIZE = max(bodysize, bufsize)


# -- classes of bytes --------------------------------------------------------------------------------

cdef uint8_t[256] CLASS
cdef uint8_t[256] LOWER
cdef uint8_t[256] NAME  # a byte of a token in lower case, 0 for any other


cdef uint8_t classify(int byte):
    cdef uint8_t mask = 0
    if 0x30 <= byte <= 0x39:
        mask |= IS_TOKEN | IS_DIGIT | IS_HEX
    elif 0x41 <= byte <= 0x5A or 0x61 <= byte <= 0x7A:
        mask |= IS_TOKEN
        if (byte | 32) <= 0x66:
            mask |= IS_HEX
    elif byte in b"!#$%&'*+-.^_`|~":
        mask |= IS_TOKEN
    if byte not in b"\r\n":
        mask |= IS_LOOSE
        if byte:
            mask |= IS_FIELD  # the other controls are let through, as HAProxy does
    if 0x21 <= byte <= 0x7E:
        mask |= IS_LOOSE_TARGET
        if byte != 0x23:  # a fragment never belongs to a request target (RFC 9112 3.2)
            mask |= IS_TARGET
    elif byte >= 0x80:
        mask |= IS_LOOSE_TARGET
    if byte == 0x20 or byte == 0x09:
        mask |= IS_BLANK
    return mask


for _byte in range(256):
    CLASS[_byte] = classify(_byte)
    LOWER[_byte] = _byte + 32 if 0x41 <= _byte <= 0x5A else _byte
    NAME[_byte] = LOWER[_byte] if CLASS[_byte] & IS_TOKEN else 0


cdef extern from *:
    """
    #include <stdint.h>
    #include <string.h>
    /* The first offset from ``at`` on whose byte is below 14 (among them NUL, LF and CR), or one of the last seven.
       Eight bytes at a time: a borrow only reaches the bytes above the one it comes from, so that the lowest bit
       that is set is right. */
    static inline uint32_t evener_past_print(const uint8_t *base, uint32_t at, uint32_t held) {
    #if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
        while (held - at >= 8) {
            uint64_t word, low;
            memcpy(&word, base + at, 8);
            low = (word - 0x0E0E0E0E0E0E0E0EULL) & ~word & 0x8080808080808080ULL;
            if (low)
                return at + (uint32_t)(__builtin_ctzll(low) >> 3);
            at += 8;
        }
    #endif
        return at;
    }
    """
    uint32_t past_print "evener_past_print"(const uint8_t *base, uint32_t at, uint32_t held) noexcept


# -- blocks ------------------------------------------------------------------------------------------

cdef enum:
    SIZES = 5
    KEPT = 1 << 23  # bytes of free blocks kept, per size

cdef uint32_t[SIZES] SIZE
SIZE[0], SIZE[1], SIZE[2], SIZE[3], SIZE[4] = 512, 2048, 4096, 16384, 131072
ctypedef void *Block
cdef Block[SIZES] FREE
cdef uint32_t[SIZES] FREE_COUNT
for _index in range(SIZES):
    FREE[_index] = NULL
    FREE_COUNT[_index] = 0


cdef uint8_t *take(uint32_t wanted, uint32_t *cap) noexcept:
    cdef uint8_t *block
    cdef int index
    for index in range(SIZES):
        if wanted <= SIZE[index]:
            cap[0] = SIZE[index]
            block = <uint8_t *> FREE[index]
            if block is NULL:
                return <uint8_t *> malloc(SIZE[index])
            FREE[index] = (<Block *> block)[0]
            FREE_COUNT[index] -= 1
            return block
    cap[0] = wanted
    return <uint8_t *> malloc(wanted)


cdef void give(uint8_t *block, uint32_t cap) noexcept:
    cdef int index
    for index in range(SIZES):
        if cap == SIZE[index] and FREE_COUNT[index] < KEPT // cap:
            (<Block *> block)[0] = FREE[index]
            FREE[index] = block
            FREE_COUNT[index] += 1
            return
    free(block)


def kept_blocks() -> dict:
    """How many free blocks of each size are in reserve (for ``show pools``)."""
    return {SIZE[index]: FREE_COUNT[index] for index in range(SIZES)}


@cython.final
@cython.no_gc
@cython.freelist(512)
cdef class Buf:
    def __cinit__(self):
        self._memory = NULL
        self.cap = self.head = self.tail = 0

    def __dealloc__(self):
        self.release()

    cdef int ensure(self, uint32_t cap) except -1:
        cdef uint32_t got = 0, held = self.tail - self.head
        cdef uint8_t *block
        if self._memory is not NULL and cap <= self.cap:
            return 0
        block = take(cap, &got)
        if block is NULL:
            raise MemoryError
        if self._memory is not NULL:
            memcpy(block, self._memory + self.head, held)
            give(self._memory, self.cap)
        self._memory = block
        self.cap = got
        self.head = 0
        self.tail = held
        return 0

    cdef int reserve(self, uint32_t count, uint32_t limit) noexcept:
        cdef uint32_t held = self.tail - self.head
        if count <= self.cap - self.tail:
            return 0
        if count <= self.cap - held:
            self.compact()
            return 0
        if count > limit or held > limit - count:
            return -1
        try:
            self.ensure(min(max(2 * self.cap, held + count), limit))
        except MemoryError:
            return -1
        return 0

    cdef void release(self) noexcept:
        if self._memory is not NULL:
            give(self._memory, self.cap)
            self._memory = NULL
        self.cap = self.head = self.tail = 0

    cdef void compact(self) noexcept:
        if self.head:
            memmove(self._memory, self._memory + self.head, self.tail - self.head)
            self.tail -= self.head
            self.head = 0

    cdef int put_decimal(self, uint64_t number) noexcept:
        cdef uint8_t[20] digits
        cdef int at = 20
        if number < 10:
            return self.put_byte(<uint8_t> (48 + number))
        while True:
            at -= 1
            digits[at] = <uint8_t> (48 + number % 10)
            number = number // 10
            if number == 0:
                return self.put(&digits[at], 20 - at)

    cdef int put_hex(self, uint64_t number) noexcept:
        cdef uint8_t[16] digits
        cdef int at = 16, digit
        while True:
            at -= 1
            digit = number & 15
            digits[at] = <uint8_t> (48 + digit if digit < 10 else 55 + digit)
            number >>= 4
            if number == 0:
                return self.put(&digits[at], 16 - at)

    cdef bytes get(self, uint32_t offset, uint32_t count):
        cdef const uint8_t *source = self.readable(offset, count)
        if source is NULL:
            if count == 0:
                return b""
            raise IndexError("outside the buffer")
        return PyBytes_FromStringAndSize(<const char *> source, count)

    cdef uint32_t run(self, uint32_t offset, uint8_t mask) noexcept:
        cdef uint32_t held = self.tail - self.head
        cdef const uint8_t *base
        if offset >= held:
            return held
        base = self._memory + self.head
        while offset < held and CLASS[base[offset]] & mask:
            offset += 1
        return offset

    cdef uint32_t run_token(self, uint32_t offset) noexcept:
        cdef uint32_t held = self.tail - self.head
        cdef uint8_t *base
        if offset >= held:
            return held
        base = self._memory + self.head
        while offset < held and NAME[base[offset]]:
            base[offset] = NAME[base[offset]]
            offset += 1
        return offset

    cdef void join_lines(self, uint32_t offset) noexcept:
        cdef uint32_t held = self.tail - self.head, at = offset
        cdef uint8_t *base
        if offset >= held:
            return
        base = self._memory + self.head
        at = past_print(base, at, held)
        while at < held:
            if not CLASS[base[at]] & IS_FIELD:
                base[at] = 32
            at = past_print(base, at + 1, held)

    cdef bint plain_line(self, uint32_t offset, uint32_t *colon, uint32_t *end) noexcept:
        cdef uint32_t held = self.tail - self.head, at = offset
        cdef uint8_t *base
        if offset >= held:
            return False
        base = self._memory + self.head
        while at < held and NAME[base[at]]:
            base[at] = NAME[base[at]]
            at += 1
        if at == offset or held - at < 5 or base[at] != 58 or base[at + 1] != 32:
            return False
        colon[0] = at
        at += 2
        if base[at] == 32 or base[at] == 9 or not CLASS[base[at]] & IS_FIELD:
            return False
        at = past_print(base, at, held)
        while at < held and CLASS[base[at]] & IS_FIELD:
            at = past_print(base, at + 1, held)
        if held - at < 3 or base[at] != 13 or base[at + 1] != 10 or base[at - 1] == 32 or base[at - 1] == 9:
            return False
        end[0] = at
        return base[at + 2] != 32 and base[at + 2] != 9

    cdef bint equals_nocase(self, uint32_t offset, uint32_t count, const uint8_t *lower, uint32_t other_count) noexcept:
        cdef const uint8_t *mine
        cdef uint32_t index
        if count != other_count:
            return False
        if count == 0:
            return True
        mine = self.readable(offset, count)
        if mine is NULL:
            return False
        for index in range(count):
            if LOWER[mine[index]] != lower[index]:
                return False
        return True

    cdef bint same_nocase(self, uint32_t offset, uint32_t count, uint32_t offset2, uint32_t count2) noexcept:
        cdef const uint8_t *one
        cdef const uint8_t *two
        cdef uint32_t index
        if count != count2:
            return False
        if count == 0:
            return True
        one = self.readable(offset, count)
        two = self.readable(offset2, count)
        if one is NULL or two is NULL:
            return False
        for index in range(count):
            if LOWER[one[index]] != LOWER[two[index]]:
                return False
        return True

    cdef int find(self, uint32_t offset, uint32_t count, uint8_t byte) noexcept:
        cdef const uint8_t *base = self.readable(offset, count)
        cdef const void *hit
        if base is NULL or count == 0:
            return -1
        hit = memchr(base, byte, count)
        return -1 if hit is NULL else <int> (<const uint8_t *> hit - base)

    cdef void lower(self, uint32_t offset) noexcept:
        if offset < self.tail - self.head:
            self._memory[self.head + offset] = LOWER[self._memory[self.head + offset]]

    cdef int overwrite(self, uint32_t offset, const uint8_t *source, uint32_t count) noexcept:
        if count and self.readable(offset, count) is NULL:
            return -1
        memmove(self._memory + self.head + offset, source, count)
        return 0

    cdef int move(self, uint32_t target, uint32_t source, uint32_t count) noexcept:
        cdef const uint8_t *origin = self.readable(source, count)
        return -1 if origin is NULL else self.overwrite(target, origin, count)

    cdef int fill_blank(self, uint32_t offset, uint32_t count) noexcept:
        if self.readable(offset, count) is NULL:
            return -1
        memset(self._memory + self.head + offset, 32, count)
        return 0


@cython.final
@cython.no_gc
@cython.freelist(512)
cdef class Lines:
    def __cinit__(self):
        self._memory = NULL
        self._cap = self.count = 0

    def __dealloc__(self):
        if self._memory is not NULL:
            give(<uint8_t *> self._memory, self._cap)

    cdef Line *append(self) noexcept:
        cdef uint32_t got = 0
        cdef uint8_t *block
        if self.count >= self._cap // sizeof(Line):
            block = take(max(512, 2 * self._cap), &got)
            if block is NULL:
                return NULL
            if self._memory is not NULL:
                memcpy(block, self._memory, self.count * sizeof(Line))
                give(<uint8_t *> self._memory, self._cap)
            self._memory = <Line *> block
            self._cap = got
        memset(&self._memory[self.count], 0, sizeof(Line))
        self.count += 1
        return &self._memory[self.count - 1]

    cdef void drop_last(self) noexcept:
        if self.count:
            self.count -= 1

    cdef void clear(self) noexcept:
        self.count = 0


cdef Buf new_buf(uint32_t cap):
    cdef Buf buffer = Buf.__new__(Buf)
    buffer.ensure(cap)
    return buffer
