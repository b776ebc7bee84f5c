# Bodies that policy transforms, observes or paces. See filtered.pyx.

from libc.stdint cimport int64_t, uint32_t

from evener.engine.buffer cimport Buf
from evener.engine.conn cimport Conn
from evener.engine.http_answer cimport Answering

cdef class Filtering(Answering):
    cdef Buf trailers
    cdef bint up_chunked, down_chunked  # we frame what leaves
    cdef bint up_last, down_last  # the flow was given the end
    cdef bint up_over, down_over  # and that end has been written
    cdef bint fed  # something was pushed since the flow was last told to hold nothing back
    cdef int rounds
    cdef Py_ssize_t given  # bytes of the local body that went into the flow
    cdef int bad_body(self) except -9
    cdef int put(self, Conn sink, bytes data, bint chunked) except -1
    cdef int put_end(self, Conn sink, object flow, bint chunked) except -1
    cdef int pause(self, object flow) except -1
    cdef bint released(self, Conn sink, object flow, bint chunked) except -1
    cdef int pump_filtered_request(self) except -9
    cdef int pump_filtered_response(self) except -9
    cdef int lost_client(self) except -9
    cdef int read_response(self) except -9
    cdef bytes local_piece(self)
    cdef int stream_reply(self) except -9
