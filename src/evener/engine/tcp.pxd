# A client connection whose bytes are passed on as they are. See tcp.pyx.

from libc.stdint cimport uint32_t

from evener.engine.relay cimport Relaying
from evener.engine.stream cimport Client

cdef class TcpClient(Client):
    pass

cdef class TcpStream(Relaying):
    cdef int state
    cdef bint upgrading  # to HTTP, says a rule
    cdef uint32_t looked  # how many bytes were looked at for a request, and what that told
    cdef int verdict
    cdef int look(self) except -99
    cdef int upgrade(self) except -9
    cdef bint inspecting  # what the server sends is held for content rules
    cdef int inspect(self) except -9
    cdef int receive(self) except -1
    cdef bint nothing_left(self) except -1
    cdef bint begin(self, Client client) except -1
    cdef int run_steps(self) except -1
    cdef int step_once(self) except -9
    cdef bint phase(self, object policy, int next_state) except -1
    cdef bint gather(self) except -1
    cdef int switch_backend(self) except -9
    cdef int lost(self) except -9
    cdef int last_look(self) except -1
    cdef int finish(self) except -9
