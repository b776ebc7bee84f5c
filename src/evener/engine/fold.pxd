# Checks and rules the engine runs without Python. See fold.pyx.

from evener.engine.buffer cimport Buf
from evener.engine.http1 cimport Message
from evener.engine.stream cimport Stream

cdef class Node:
    cdef readonly object plain
    # Truth of a check, verdict of a rule. What the closure would raise is raised.
    cdef int run(self, Stream stream) except -9
