# cython: language_level=3, boundscheck=True, wraparound=False, initializedcheck=True
# cython: nonecheck=True, cdivision=True
"""Many keys that are searched for at once, in a value: the whole, its head, its tail, anywhere, or its words.

One hash table of all keys. The hash of a text is a polynomial modulo the prime 2^61 - 1 at a point drawn at
random, so that nobody can choose texts that collide (Carter and Wegman, 1979), and so that the hash of any
part of a value follows from those of its heads by one multiplication (Karp and Rabin, 1987). What a search
costs depends on the value's length and on how many different lengths the keys have, not on how many keys
there are. For keys anywhere in the value, a filter of bits says for each place whether any key begins like
that: with as many bytes as the largest power of two that is not longer than the key.

Of equal keys, the first that is not ``gone`` counts.
"""

import os

from libc.stdint cimport UINT32_MAX, uint8_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free, malloc
from libc.string cimport memchr, memcmp

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_GET_SIZE

from evener.lookup.texts cimport Texts

cdef extern from *:
    """
    #define EVENER_PRIME ((1ULL << 61) - 1)
    static inline uint64_t evener_reduced(uint64_t value) {
        value = (value & EVENER_PRIME) + (value >> 61);
        return value >= EVENER_PRIME ? value - EVENER_PRIME : value;
    }
    static inline uint64_t evener_product(uint64_t a, uint64_t b) {
        unsigned __int128 product = (unsigned __int128)a * b;
        return evener_reduced((uint64_t)(product & EVENER_PRIME) + (uint64_t)(product >> 61));
    }
    static inline uint64_t evener_sum(uint64_t a, uint64_t b) { return evener_reduced(a + b); }
    static inline uint64_t evener_difference(uint64_t a, uint64_t b) {
        return a >= b ? a - b : a + EVENER_PRIME - b;
    }
    """
    uint64_t PRIME "EVENER_PRIME"
    uint64_t product "evener_product"(uint64_t, uint64_t) noexcept nogil
    uint64_t plus "evener_sum"(uint64_t, uint64_t) noexcept nogil
    uint64_t minus "evener_difference"(uint64_t, uint64_t) noexcept nogil

cdef enum:
    SMALL = 256  # heads of values up to this length are kept on the stack

cdef uint64_t POINT = 256 + int.from_bytes(os.urandom(8), "little") % (PRIME - 512)


cdef struct Slot:
    uint32_t first  # number + 1 of the first of equal keys; 0: free
    uint32_t tag


cdef inline uint64_t spread(uint64_t hash) noexcept nogil:
    return hash * <uint64_t>0x9E3779B97F4A7C15


cdef class Keys:
    cdef Texts _texts
    cdef unsigned char[::1] _gone
    cdef Slot *_slots
    cdef uint32_t *_next  # number + 1 of the next equal key
    cdef uint64_t *_powers
    cdef uint32_t *_sizes  # the different lengths, ascending
    cdef uint32_t *_tiers  # where in _sizes the lengths from 1, 2, 4, 8... on begin
    cdef uint8_t *_filter
    cdef Py_ssize_t _kinds, _longest
    cdef int _shift, _filter_shift

    def __init__(self, Texts texts not None, bytearray gone not None):
        cdef Py_ssize_t number, length = 0, count = len(texts)
        if self._slots != NULL:
            raise RuntimeError("made already")
        if len(gone) < count or count >= UINT32_MAX // 2:
            raise ValueError("one byte for each key is needed")
        self._texts, self._gone = texts, gone
        for number in range(count):
            texts.at(number, &length)
            self._longest = max(self._longest, length)
        self._allocate(count)
        self._note_sizes(count)
        for number in range(count - 1, -1, -1):  # so that the first of equal ones is found first
            self._put(number)

    def __dealloc__(self):
        free(self._slots)
        free(self._next)
        free(self._powers)
        free(self._sizes)
        free(self._tiers)
        free(self._filter)

    cdef int _allocate(self, Py_ssize_t count) except -1:
        cdef int bits = 4
        cdef Py_ssize_t number
        while (<Py_ssize_t>1 << bits) < 2 * count:
            bits += 1
        self._shift, self._filter_shift = 64 - bits, 64 - bits - 3
        self._slots = <Slot *>calloc(<size_t>1 << bits, sizeof(Slot))
        self._filter = <uint8_t *>calloc(<size_t>1 << bits, 1)
        self._next = <uint32_t *>calloc(count + 1, sizeof(uint32_t))
        self._powers = <uint64_t *>malloc((self._longest + 1) * sizeof(uint64_t))
        if NULL in (self._slots, self._filter, self._next, self._powers):
            raise MemoryError("keys")
        self._powers[0] = 1
        for number in range(self._longest):
            self._powers[number + 1] = product(self._powers[number], POINT)
        return 0

    cdef int _note_sizes(self, Py_ssize_t count) except -1:
        cdef set known = set()
        cdef Py_ssize_t number, length = 0, tier = 0
        for number in range(count):
            self._texts.at(number, &length)
            known.add(length)
        self._kinds = len(known)
        self._sizes = <uint32_t *>malloc((self._kinds + 1) * sizeof(uint32_t))
        self._tiers = <uint32_t *>malloc(34 * sizeof(uint32_t))
        if self._sizes == NULL or self._tiers == NULL:
            raise MemoryError("keys")
        for number, length in enumerate(sorted(known)):
            self._sizes[number] = <uint32_t>length
        number = 0
        for tier in range(34):
            while number < self._kinds and self._sizes[number] < (<uint64_t>1 << tier):
                number += 1
            self._tiers[tier] = <uint32_t>number
        return 0

    cdef int _put(self, Py_ssize_t number) except -1:
        cdef Py_ssize_t length = 0, at, start = 1
        cdef const uint8_t *text = self._texts.at(number, &length)
        cdef uint64_t hash = 0, bit
        while start * 2 <= length:
            start *= 2
        for at in range(length):
            hash = plus(product(hash, POINT), text[at] + 1)
            if at + 1 == start:
                bit = spread(hash) >> self._filter_shift
                self._filter[bit >> 3] |= <uint8_t>(1 << (bit & 7))
        cdef Slot *slot = self._slot(hash, text, length)
        self._next[number] = slot.first
        slot.first, slot.tag = <uint32_t>(number + 1), <uint32_t>hash
        return 0

    cdef Slot *_slot(self, uint64_t hash, const uint8_t *text, Py_ssize_t length) except NULL:
        """Where that text stands, or the free slot where it would."""
        cdef uint64_t place = spread(hash) >> self._shift, mask = ((<uint64_t>1) << (64 - self._shift)) - 1
        cdef const uint8_t *known
        cdef Py_ssize_t size = 0
        cdef Slot *slot
        while True:
            slot = &self._slots[place]
            if slot.first == 0:
                return slot
            if slot.tag == <uint32_t>hash:
                known = self._texts.at(slot.first - 1, &size)
                if size == length and memcmp(known, text, length) == 0:
                    return slot
            place = (place + 1) & mask

    cdef Py_ssize_t _find(self, uint64_t hash, const uint8_t *text, Py_ssize_t length) except -2:
        cdef uint32_t number = self._slot(hash, text, length).first
        while number and self._gone[number - 1]:
            number = self._next[number - 1]
        return <Py_ssize_t>number - 1

    def all(self, bytes value not None):
        """The numbers of all keys that are the value, those that are gone too, ascending."""
        cdef const uint8_t *text = <const uint8_t *>PyBytes_AS_STRING(value)
        cdef Py_ssize_t length = PyBytes_GET_SIZE(value)
        if length > self._longest:
            return []
        cdef uint32_t number = self._slot(hash_of(text, length), text, length).first
        found = []
        while number:
            found.append(number - 1)
            number = self._next[number - 1]
        return found

    def exact(self, bytes value not None):
        cdef const uint8_t *text = <const uint8_t *>PyBytes_AS_STRING(value)
        cdef Py_ssize_t length = PyBytes_GET_SIZE(value)
        return -1 if length > self._longest else self._find(hash_of(text, length), text, length)

    def head(self, bytes value not None):
        """The longest key the value begins with."""
        cdef const uint8_t *text = <const uint8_t *>PyBytes_AS_STRING(value)
        cdef Py_ssize_t length = PyBytes_GET_SIZE(value), at = 0, kind = 0, size, best = -1, number
        cdef uint64_t hash = 0
        while kind < self._kinds:
            size = self._sizes[kind]
            if size > length:
                break
            while at < size:
                hash = plus(product(hash, POINT), text[at] + 1)
                at += 1
            number = self._find(hash, text, size)
            if number >= 0:
                best = number
            kind += 1
        return best

    def tail(self, bytes value not None):
        """The first key the value ends with."""
        cdef const uint8_t *text = <const uint8_t *>PyBytes_AS_STRING(value)
        cdef Py_ssize_t length = PyBytes_GET_SIZE(value), taken = 0, kind = 0, size, best = -1, number
        cdef uint64_t hash = 0
        while kind < self._kinds:
            size = self._sizes[kind]
            if size > length:
                break
            while taken < size:
                hash = plus(hash, product(text[length - 1 - taken] + 1, self._powers[taken]))
                taken += 1
            number = self._find(hash, text + length - size, size)
            if number >= 0 and (best < 0 or number < best):
                best = number
            kind += 1
        return best

    def inside(self, bytes value not None):
        """The first key that stands anywhere in the value."""
        cdef uint64_t small[SMALL + 1]
        cdef Py_ssize_t length = PyBytes_GET_SIZE(value), best
        cdef uint64_t *heads = self._heads(value, small)
        try:
            best = self._find_inside(<const uint8_t *>PyBytes_AS_STRING(value), length, heads)
        finally:
            if heads != small:
                free(heads)
        return best

    def word(self, bytes value not None, bytes delimiters not None):
        """The first key that stands between delimiters or ends of the value."""
        cdef uint64_t small[SMALL + 1]
        cdef Py_ssize_t length = PyBytes_GET_SIZE(value), best
        cdef uint64_t *heads = self._heads(value, small)
        try:
            best = self._find_word(
                <const uint8_t *>PyBytes_AS_STRING(value), length, heads,
                <const uint8_t *>PyBytes_AS_STRING(delimiters), PyBytes_GET_SIZE(delimiters),
            )
        finally:
            if heads != small:
                free(heads)
        return best

    cdef uint64_t *_heads(self, bytes value, uint64_t *small) except NULL:
        """The hashes of all heads of a value, the empty one first."""
        cdef Py_ssize_t length = PyBytes_GET_SIZE(value), at
        cdef const uint8_t *text = <const uint8_t *>PyBytes_AS_STRING(value)
        cdef uint64_t *heads = small
        if length > SMALL:
            heads = <uint64_t *>malloc((length + 1) * sizeof(uint64_t))
            if heads == NULL:
                raise MemoryError("heads")
        heads[0] = 0
        for at in range(length):
            heads[at + 1] = plus(product(heads[at], POINT), text[at] + 1)
        return heads

    cdef Py_ssize_t _find_inside(self, const uint8_t *text, Py_ssize_t length, uint64_t *heads) except -2:
        cdef Py_ssize_t start, kind, size, number, best = -1, tier
        cdef uint64_t bit
        if self._kinds and self._sizes[0] == 0:  # the empty key is everywhere
            best = self._find(0, text, 0)
        for start in range(length):
            for tier in range(32):
                size = <Py_ssize_t>1 << tier
                if self._tiers[tier] == self._kinds or start + size > length:
                    break
                if self._tiers[tier] == self._tiers[tier + 1]:
                    continue
                bit = spread(self._part(heads, start, size)) >> self._filter_shift
                if not self._filter[bit >> 3] & (1 << (bit & 7)):
                    continue
                for kind in range(self._tiers[tier], self._tiers[tier + 1]):
                    size = self._sizes[kind]
                    if start + size > length:
                        break
                    number = self._find(self._part(heads, start, size), text + start, size)
                    if number >= 0 and (best < 0 or number < best):
                        best = number
        return best

    cdef Py_ssize_t _find_word(
        self, const uint8_t *text, Py_ssize_t length, uint64_t *heads, const uint8_t *delimiters, Py_ssize_t many
    ) except -2:
        cdef Py_ssize_t start, kind, size, number, best = -1
        for start in range(length + 1):
            if start and memchr(delimiters, text[start - 1], many) == NULL:
                continue
            for kind in range(self._kinds):
                size = self._sizes[kind]
                if start + size > length:
                    break
                if start + size < length and memchr(delimiters, text[start + size], many) == NULL:
                    continue
                number = self._find(self._part(heads, start, size), text + start, size)
                if number >= 0 and (best < 0 or number < best):
                    best = number
        return best

    cdef inline uint64_t _part(self, uint64_t *heads, Py_ssize_t start, Py_ssize_t size) noexcept:
        """The hash of a part; ``size`` is at most that of the longest key."""
        return minus(heads[start + size], product(heads[start], self._powers[size]))


cdef uint64_t hash_of(const uint8_t *text, Py_ssize_t length) noexcept:
    cdef uint64_t hash = 0
    cdef Py_ssize_t at
    for at in range(length):
        hash = plus(product(hash, POINT), text[at] + 1)
    return hash
