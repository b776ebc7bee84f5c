from libc.stdint cimport uint8_t, uint32_t


cdef class Texts:
    cdef Py_ssize_t _count
    cdef bytes _block
    cdef uint32_t *_ends

    cdef const uint8_t *at(self, Py_ssize_t number, Py_ssize_t *length) except NULL
