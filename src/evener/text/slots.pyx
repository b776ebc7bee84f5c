# cython: language_level=3, boundscheck=True, wraparound=False, nonecheck=True, initializedcheck=True
"""Copies of objects that have nothing but slots, made without asking for their fields one by one."""

from cpython.object cimport PyObject
from cpython.ref cimport Py_XINCREF


cdef extern from "Python.h":
    ctypedef struct Shape "PyTypeObject":
        Py_ssize_t tp_basicsize
        Py_ssize_t tp_itemsize
        Py_ssize_t tp_dictoffset
        Py_ssize_t tp_weaklistoffset


cdef set _known = set()


cdef _look(type cls):
    """Only what is made of slots alone, all the way up, can be copied as it lies in memory."""
    cdef Shape *shape = <Shape *>cls
    plain = all("__slots__" in base.__dict__ for base in cls.__mro__[:-1])
    if not plain or shape.tp_itemsize or shape.tp_dictoffset or shape.tp_weaklistoffset:
        raise TypeError(f"{cls.__name__} has more than slots")
    _known.add(cls)


def copied(made):
    """A second object of the same class with the same values; TypeError for one that has more than slots.

    The slots of such an object are its whole memory after the head: pointers, one after the other.
    """
    cdef type cls = type(made)
    if cls not in _known:
        _look(cls)
    copy = object.__new__(cls)
    cdef PyObject **source = <PyObject **>(<char *><void *>made + sizeof(PyObject))
    cdef PyObject **target = <PyObject **>(<char *><void *>copy + sizeof(PyObject))
    cdef Py_ssize_t size = (<Shape *>cls).tp_basicsize - <Py_ssize_t>sizeof(PyObject)
    cdef Py_ssize_t index
    for index in range(size // <Py_ssize_t>sizeof(PyObject *)):
        Py_XINCREF(source[index])
        target[index] = source[index]
    return copy
