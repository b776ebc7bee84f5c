# Bodies that nobody looks at. See pump.pyx.

from libc.stdint cimport int64_t

from evener.engine.conn cimport Conn
from evener.engine.filtered cimport Filtering
from evener.engine.http1 cimport Body

cdef class Pumping(Filtering):
    cdef int64_t soak_body(self, Conn source, Body body) except -9
    cdef int pump_request(self) except -9
    cdef int pump_response(self) except -9
    cdef int end_frame(self) except -9
    cdef int pass_rest(self) except -9
    cdef int drain(self) except -9
