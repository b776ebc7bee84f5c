# cython: language_level=3, boundscheck=True, wraparound=False, initializedcheck=True
# cython: nonecheck=True, cdivision=True
"""Many byte strings, one behind the other in one block. A string is made when it is asked for.

At most 4 GB in all: OverflowError beyond that.
"""

from libc.stdint cimport UINT32_MAX, uint8_t, uint32_t
from libc.stdlib cimport free, malloc

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE


cdef class Texts:
    def __init__(self, texts):
        cdef list known = list(texts)
        cdef Py_ssize_t number
        cdef size_t end = 0
        if self._ends != NULL:
            raise RuntimeError("made already")
        self._ends = <uint32_t *>malloc((len(known) + 1) * sizeof(uint32_t))
        if self._ends == NULL:
            raise MemoryError("texts")
        self._ends[0] = 0
        for number in range(len(known)):
            end += <size_t>len(known[number])
            if end > UINT32_MAX:
                raise OverflowError("more than 4 GB of texts")
            self._ends[number + 1] = <uint32_t>end
        self._block = b"".join(known)
        self._count = len(known)

    def __dealloc__(self):
        free(self._ends)

    cdef const uint8_t *at(self, Py_ssize_t number, Py_ssize_t *length) except NULL:
        if not 0 <= number < self._count:
            raise IndexError(number)
        length[0] = self._ends[number + 1] - self._ends[number]
        return <const uint8_t *>PyBytes_AS_STRING(self._block) + self._ends[number]

    def __len__(self):
        return self._count

    def __getitem__(self, Py_ssize_t number):
        cdef Py_ssize_t length = 0
        cdef const uint8_t *start = self.at(number, &length)
        return PyBytes_FromStringAndSize(<const char *>start, length)

    def __iter__(self):
        cdef Py_ssize_t number
        for number in range(self._count):
            yield self[number]
