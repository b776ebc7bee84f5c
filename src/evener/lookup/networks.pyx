# cython: language_level=3, boundscheck=True, wraparound=False, initializedcheck=True
# cython: nonecheck=True, cdivision=True
"""Many networks, of which the closest around an address is looked for: the one with the longest mask.

Masks need not be contiguous: each different mask is tried once, those with more bits first. Both families
are in one hash table; an IPv4 address is looked for only among IPv4 networks, and an IPv6 address among
IPv6 ones. Of equal networks, the first that is not ``gone`` counts.
"""

import os

from libc.stdint cimport UINT32_MAX, uint8_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free, malloc
from libc.string cimport memset

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_GET_SIZE

from evener.lookup.texts cimport Texts

cdef uint64_t SEED = int.from_bytes(os.urandom(8), "little")
cdef uint64_t FACTOR = int.from_bytes(os.urandom(8), "little") | 1


cdef struct Address:
    uint64_t high
    uint64_t low


cdef struct Mask:
    Address bits
    int family  # 4 or 16 bytes


cdef struct Network:
    Address address
    uint32_t mask  # which of the masks
    uint32_t next  # number + 1 of the next equal network


cdef Address address_of(const uint8_t *packed, Py_ssize_t length) noexcept:
    cdef Address made
    cdef Py_ssize_t at
    made.high = made.low = 0
    for at in range(length):
        if at < length - 8:
            made.high = made.high << 8 | packed[at]
        else:
            made.low = made.low << 8 | packed[at]
    return made


cdef inline uint64_t mixed(uint64_t value) noexcept:
    value = (value ^ value >> 32) * FACTOR
    return (value ^ value >> 29) * <uint64_t>0xBF58476D1CE4E5B9


cdef class Networks:
    cdef unsigned char[::1] _gone
    cdef Mask *_masks
    cdef uint32_t _kinds
    cdef Network *_known
    cdef uint32_t *_slots  # number + 1 of the first of equal ones
    cdef int _shift

    def __init__(self, Texts addresses not None, Texts masks not None, bytearray gone not None):
        cdef Py_ssize_t number, count = len(addresses)
        if self._slots != NULL:
            raise RuntimeError("made already")
        if len(masks) != count or len(gone) < count or count >= UINT32_MAX // 2:
            raise ValueError("one mask and one byte for each address are needed")
        self._gone = gone
        cdef int bits = 4
        while (<Py_ssize_t>1 << bits) < 2 * count:
            bits += 1
        self._shift = 64 - bits
        self._slots = <uint32_t *>calloc(<size_t>1 << bits, sizeof(uint32_t))
        self._known = <Network *>calloc(count + 1, sizeof(Network))
        if self._slots == NULL or self._known == NULL:
            raise MemoryError("networks")
        cdef dict kinds = self._note_masks(masks)
        for number in range(count - 1, -1, -1):
            self._put(number, addresses[number], masks[number], kinds)

    def __dealloc__(self):
        free(self._masks)
        free(self._known)
        free(self._slots)

    cdef dict _note_masks(self, Texts masks):
        different = sorted(dict.fromkeys(masks), key=lambda mask: -int.from_bytes(mask, "big").bit_count())
        self._masks = <Mask *>calloc(len(different) + 1, sizeof(Mask))
        if self._masks == NULL:
            raise MemoryError("networks")
        for number, mask in enumerate(different):
            if len(mask) not in (4, 16):
                raise ValueError("no mask")
            self._masks[number].bits = address_of(<const uint8_t *>PyBytes_AS_STRING(mask), len(mask))
            self._masks[number].family = len(mask)
        self._kinds = len(different)
        return {mask: number for number, mask in enumerate(different)}

    cdef int _put(self, Py_ssize_t number, bytes address, bytes mask, dict kinds) except -1:
        if len(address) != len(mask):
            raise ValueError("address and mask differ in length")
        cdef uint32_t kind = kinds[mask]
        cdef Network *network = &self._known[number]
        network.address = address_of(<const uint8_t *>PyBytes_AS_STRING(address), PyBytes_GET_SIZE(address))
        network.address.high &= self._masks[kind].bits.high
        network.address.low &= self._masks[kind].bits.low
        network.mask = kind
        cdef uint32_t *slot = self._slot(network.address, kind)
        network.next = slot[0]
        slot[0] = <uint32_t>(number + 1)
        return 0

    cdef uint32_t *_slot(self, Address address, uint32_t kind) noexcept:
        """Where that network stands, or the free slot where it would."""
        cdef uint64_t place = mixed(mixed(address.high ^ SEED ^ kind) ^ address.low) >> self._shift
        cdef uint64_t last = ((<uint64_t>1) << (64 - self._shift)) - 1
        cdef Network *network
        while self._slots[place]:
            network = &self._known[self._slots[place] - 1]
            if (
                network.address.low == address.low and network.address.high == address.high
                and network.mask == kind
            ):
                break
            place = (place + 1) & last
        return &self._slots[place]

    def has(self, int length):
        """Whether there are networks whose addresses have that length in bytes."""
        return any(self._masks[kind].family == length for kind in range(self._kinds))

    def closest(self, bytes address not None):
        """The number of the closest network around a packed address of 4 or 16 bytes."""
        cdef Py_ssize_t length = PyBytes_GET_SIZE(address)
        if length != 4 and length != 16:
            return -1
        cdef Address whole = address_of(<const uint8_t *>PyBytes_AS_STRING(address), length), part
        cdef uint32_t kind, number
        for kind in range(self._kinds):
            if self._masks[kind].family != length:
                continue
            part.high = whole.high & self._masks[kind].bits.high
            part.low = whole.low & self._masks[kind].bits.low
            number = self._slot(part, kind)[0]
            while number and self._gone[number - 1]:
                number = self._known[number - 1].next
            if number:
                return number - 1
        return -1
