# Message heads as rules see them: lookups, edits. The wire is http1_parse's and http1_write's.


cdef inline const uint8_t *raw(bytes data) noexcept:
    return <const uint8_t *> PyBytes_AS_STRING(data)


cdef int known_name(const uint8_t *name, uint32_t length) noexcept:
    """Which of the names a proxy must understand this is; names are lower case."""
    if length == 2:
        return KNOWN_TE if name[0] == c"t" and name[1] == c"e" else KNOWN_OTHER
    if length == 4:
        return KNOWN_HOST if memcmp(name, b"host", 4) == 0 else KNOWN_OTHER
    if length == 6:
        return KNOWN_EXPECT if memcmp(name, b"expect", 6) == 0 else KNOWN_OTHER
    if length == 7:
        return KNOWN_UPGRADE if memcmp(name, b"upgrade", 7) == 0 else KNOWN_OTHER
    if length == 10:
        return KNOWN_CONNECTION if memcmp(name, b"connection", 10) == 0 else KNOWN_OTHER
    if length == 14:
        return KNOWN_LENGTH if memcmp(name, b"content-length", 14) == 0 else KNOWN_OTHER
    if length == 17:
        if memcmp(name, b"transfer-encoding", 17) == 0:
            return KNOWN_ENCODING
        return KNOWN_SOCKET_KEY if memcmp(name, b"sec-websocket-key", 17) == 0 else KNOWN_OTHER
    if length == 20 and memcmp(name, b"sec-websocket-accept", 20) == 0:
        return KNOWN_SOCKET_ACCEPT
    return KNOWN_OTHER


@cython.no_gc
cdef class Message:
    def __cinit__(self):
        self.store = Buf.__new__(Buf)
        self.lines = Lines.__new__(Lines)
        self.reset()

    cdef void reset(self) noexcept:
        self.store.clear()
        self.lines.clear()
        self.flags = self.framing = self.step = 0
        self.length = -1
        self.trimmed = 0
        self.head_length = self.weight = self.pos = self.mark = self.start_end = 0
        self.first = self.first_length = self.second = self.second_length = 0
        self.third = self.third_length = self.seen = self.seen_length = self.seen_method = self.seen_version = 0
        self.minor = 1
        self.limit = BUFSIZE
        self.touched = False

    cdef void share(self, uint32_t body) noexcept:
        """So much of the body waits beside the head; MAXREWRITE is left to rules in any case."""
        cdef uint32_t received = BUFSIZE - MAXREWRITE - min(self.head_length, BUFSIZE - MAXREWRITE)
        self.limit = BUFSIZE - min(body, received)

    cdef int64_t counted(self) noexcept:
        """The original counts what it keeps of a head: words without punctuation, and 21 for the rest."""
        cdef int64_t total = 29 + self.first_length + self.second_length  # 8: a version
        cdef Line *line
        cdef uint32_t index
        for index in range(self.lines.count):
            line = self.lines.at(index)
            if not line.flags & LINE_DELETED:
                total += line.name_length + line.value_length
        return total + self.trimmed

    cdef bint persistent(self) noexcept:
        # RFC 9112 9.3: close wins over keep-alive; 1.0 closes unless told otherwise
        if self.flags & (MSG_CLOSE | MSG_BOTH):
            return False
        return self.minor > 0 or self.flags & MSG_KEEP_ALIVE != 0

    cdef bint edited(self) noexcept:
        return self.touched

    cdef int find(self, const uint8_t *name, uint32_t length, uint32_t begin) noexcept:
        cdef Line *line
        cdef uint32_t index
        for index in range(begin, self.lines.count):
            line = self.lines.at(index)
            if line.name_length == length and not line.flags & LINE_DELETED:
                if self.store.equals(line.name, length, name, length):
                    return index
        return -1

    cdef bytes value_of(self, Line *line):
        """What rules see of a line: blanks that a rule has put around a value are sent, and not seen."""
        cdef uint32_t at = line.value, length = line.value_length
        if line.flags & LINE_ADDED:
            while length and self.store.at(at) in (32, 9):
                at += 1
                length -= 1
            while length and self.store.at(at + length - 1) in (32, 9):
                length -= 1
        return self.store.get(at, length)

    cpdef bytes get(self, bytes name):
        """The value of the first line called ``name``, or None."""
        cdef int index
        if name is None:
            raise TypeError("a header name is bytes")
        index = self.find(raw(name), PyBytes_GET_SIZE(name), 0)
        if index < 0:
            return None
        return self.value_of(self.lines.at(index))

    cpdef list all(self, bytes name):
        """The values of all lines called ``name``, in order."""
        cdef list values = []
        cdef int index
        if name is None:
            raise TypeError("a header name is bytes")
        index = self.find(raw(name), PyBytes_GET_SIZE(name), 0)
        while index >= 0:
            values.append(self.value_of(self.lines.at(index)))
            index = self.find(raw(name), PyBytes_GET_SIZE(name), index + 1)
        return values

    cpdef list items(self):
        """Every header line in order."""
        cdef Line *line
        cdef list lines = []
        cdef uint32_t index
        for index in range(self.lines.count):
            line = self.lines.at(index)
            if not line.flags & LINE_DELETED:
                lines.append(
                    (self.store.get(line.name, line.name_length), self.store.get(line.value, line.value_length))
                )
        return lines

    cdef int keep(self, bytes data) except -1:
        """Copies ``data`` to the store; bytes that would end a line become spaces (RFC 9110 5.5)."""
        cdef uint32_t count, at = self.store.size()
        if data is None:
            raise TypeError("bytes expected")
        if <uint64_t> PyBytes_GET_SIZE(data) > BUFSIZE:
            raise BufferError("message head too large")
        count = <uint32_t> PyBytes_GET_SIZE(data)
        if self.store.reserve(count + 1, 8 * BUFSIZE) < 0:
            raise BufferError("message head too large")
        self.store.put(raw(data), count)
        self.store.join_lines(at)
        return <int> at

    cpdef int add(self, bytes name, bytes value) except -1:
        """Append one line. ValueError for a name that is not a token, BufferError when the head gets too large."""
        cdef uint32_t at, value_at, name_length, value_length
        cdef Line *line
        if name is None or value is None:
            raise TypeError("a header line is two bytes objects")
        name_length = <uint32_t> min(PyBytes_GET_SIZE(name), <Py_ssize_t> BUFSIZE)
        value_length = <uint32_t> min(PyBytes_GET_SIZE(value), <Py_ssize_t> BUFSIZE)
        if name_length == 0 or name_length > UINT16_MAX:
            raise ValueError("not a header name")
        if self.weight + name_length + value_length + 4 > self.limit:
            raise BufferError("message head too large")
        at = self.keep(name)
        if self.store.run_token(at) != at + name_length:
            self.store.truncate(at)
            raise ValueError("not a header name")
        value_at = self.keep(value)
        line = self.lines.append()
        if line is NULL:
            raise MemoryError
        line.name, line.name_length = at, <uint16_t> name_length
        line.value, line.value_length = value_at, value_length
        line.flags = LINE_ADDED
        line.known = known_name(self.store.readable(at, name_length), name_length)
        self.weight += name_length + value_length + 4
        self.touched = True
        return 0

    cpdef int set(self, bytes name, bytes value) except -1:
        """Replace all lines called ``name`` by one, at the end."""
        self.remove(name)
        return self.add(name, value)

    cdef void drop(self, Line *line) noexcept:
        line.flags |= LINE_DELETED
        self.weight -= min(self.weight, line.name_length + line.value_length + 4)

    cdef void unframe(self) noexcept:
        cdef Line *line
        cdef uint32_t index
        for index in range(self.lines.count):
            line = self.lines.at(index)
            if line.known == KNOWN_LENGTH or line.known == KNOWN_ENCODING:
                line.flags &= ~LINE_WIRE

    cpdef int remove(self, bytes name) except -1:
        """Delete all lines called ``name``; returns how many there were."""
        cdef int index, count = 0
        if name is None:
            raise TypeError("a header name is bytes")
        index = self.find(raw(name), PyBytes_GET_SIZE(name), 0)
        while index >= 0:
            self.drop(self.lines.at(index))
            count += 1
            index = self.find(raw(name), PyBytes_GET_SIZE(name), index + 1)
        if count:
            self.touched = True
        return count

    def rewrite(self, bytes name, values, /) -> None:
        """Give the lines called ``name``, in order, these values where they stand; None takes one away."""
        cdef Line *line
        cdef int index = -1
        cdef int at
        for value in values:
            index = self.find(raw(name), PyBytes_GET_SIZE(name), index + 1)
            if index < 0:
                return
            self.touched = True
            line = self.lines.at(index)
            if value is None:
                self.drop(line)
                continue
            if self.weight + PyBytes_GET_SIZE(value) > self.limit + line.value_length:
                raise BufferError("message head too large")
            at = self.keep(value)
            line = self.lines.at(index)
            self.weight += <uint32_t> PyBytes_GET_SIZE(value) - line.value_length
            line.value, line.value_length = <uint32_t> at, <uint32_t> PyBytes_GET_SIZE(value)
            line.flags &= ~LINE_PLAIN

    def replace(self, items, /) -> None:
        """Make these the header lines, in this order."""
        cdef list wanted = [(bytes(name), bytes(value)) for name, value in items]
        cdef Line *line
        cdef uint32_t index
        for index in range(self.lines.count):
            line = self.lines.at(index)
            if not line.flags & LINE_DELETED:
                self.drop(line)
        self.touched = True
        for name, value in wanted:
            self.add(name, value)

    cdef int replace_slot(self, uint32_t *offset, uint32_t *length, bytes data) except -1:
        cdef int at
        if data is None:
            raise TypeError("bytes expected")
        if self.weight - min(self.weight, length[0]) + PyBytes_GET_SIZE(data) > self.limit:
            raise BufferError("message head too large")
        at = self.keep(data)
        self.weight = <uint32_t> (self.weight - min(self.weight, length[0]) + PyBytes_GET_SIZE(data))
        offset[0], length[0] = <uint32_t> at, <uint32_t> PyBytes_GET_SIZE(data)
        self.touched = True
        return 0


def target_bytes(bytes data) -> bytes:
    """Percent-encodes what would break the request line: blanks and controls."""
    if all(byte > 32 and byte != 127 for byte in data):
        return data
    return b"".join(bytes((byte,)) if byte > 32 and byte != 127 else b"%%%02X" % byte for byte in data)


@cython.final
@cython.no_gc
cdef class Request(Message):
    @classmethod
    def from_bytes(cls, bytes data, bint unsafe=False) -> Request:
        """A request from a complete head; ValueError names what is wrong. What follows the head is ignored."""
        return complete(Request.__new__(Request), data, unsafe, None)

    cdef bint method_is(self, const uint8_t *name, uint32_t length) noexcept:
        return self.store.equals(self.first, self.first_length, name, length)

    @property
    def method(self) -> bytes:
        return self.store.get(self.first, self.first_length)

    @method.setter
    def method(self, bytes value):
        if not value or not all(byte < 128 and (chr(byte).isalnum() or byte in b"!#$%&'*+-.^_`|~") for byte in value):
            raise ValueError("not a method")
        self.replace_slot(&self.first, &self.first_length, value)

    @property
    def received(self) -> tuple:
        """Method and target as they were before any rule, for the log."""
        if not self.seen_length:
            return self.method, self.uri
        return self.store.get(0, self.seen_method), self.store.get(self.seen, self.seen_length)

    @property
    def version(self) -> bytes:
        """As received; the default where there was none."""
        if self.third_length:
            return self.store.get(self.third, self.third_length)
        if self.seen_version:
            return self.store.get(self.seen_version, 8)
        return b"HTTP/1.1" if self.minor else b"HTTP/1.0"

    @property
    def uri(self) -> bytes:
        """The request target as received or last set."""
        return self.store.get(self.second, self.second_length)

    @uri.setter
    def uri(self, bytes value):
        if not value:
            raise ValueError("empty request target")
        self.replace_slot(&self.second, &self.second_length, target_bytes(value))

    @property
    def path(self) -> bytes:
        """The path of the target, without query and without authority; empty for authority form."""
        cdef int end
        cdef uint32_t start = path_start(self)
        cdef uint32_t length = self.second_length - start
        end = self.store.find(self.second + start, length, c"?")
        return self.store.get(self.second + start, length if end < 0 else <uint32_t> end)

    @property
    def query(self) -> bytes:
        """What follows the first ``?``; empty when there is none."""
        cdef int at = self.store.find(self.second, self.second_length, c"?")
        if at < 0:
            return b""
        return self.store.get(self.second + at + 1, self.second_length - at - 1)


@cython.final
@cython.no_gc
cdef class Response(Message):
    @classmethod
    def from_bytes(cls, bytes data, Request request=None, bint unsafe=False) -> Response:
        """A response from a complete head; ``request`` is the one it answers."""
        return complete(Response.__new__(Response), data, unsafe, request)

    @property
    def reason(self) -> bytes:
        return self.store.get(self.first, self.first_length)

    @reason.setter
    def reason(self, bytes value):
        self.replace_slot(&self.first, &self.first_length, value)
