# One request and its response. See http.pyx.

from evener.engine.http1 cimport Response
from evener.engine.pump cimport Pumping

cdef class HttpStream(Pumping):
    cdef int name_server(self) except -1
    cdef bint asks_connection(self) except -1
    cdef bint repeatable(self) noexcept
    cdef bint server_side_stays(self) noexcept
    cdef bint bad_chunks(self) except -1
    cdef int bad_response(self) except -9
    cdef int tell_invalid(self) except -1
    cdef int bad_body(self) except -9
    cdef int step_once(self) except -9
    cdef int switch_backend(self) except -9
    cdef int exchange(self) except -9
    cdef int read_head(self) except -9
    cdef int interim(self) except -9
    cdef int answered_early(self) except -9
    cdef Response new_response(self)
    cdef int final_head(self) except -9
    cdef int no_response(self) except -9
    cdef bint compact(self) except -1
    cdef bint retry(self, int reason) except -1
    cdef int data_phase(self) except -9
    cdef int complete(self) except -9
    cdef int keep_upstream(self) except -1
    cdef int watch(self) except -1
