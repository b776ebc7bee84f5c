# Checks: texts at a place, addresses, statuses, values, and what combines them. Part of fold.pyx.

cdef bint locate(Request req, int place, uint32_t *at, uint32_t *length) noexcept:
    """Where a text of the request line lies in the store; false when there is none."""
    cdef uint32_t start, end
    cdef int mark
    at[0], length[0] = req.second, req.second_length
    if place == METHOD:
        at[0], length[0] = req.first, req.first_length
        if req.seen_length and well_known(req):
            at[0], length[0] = 0, req.seen_method
    if place == METHOD or place == URI:
        return True
    mark = req.store.find(req.second, req.second_length, c"?")
    if place == QUERY:
        at[0] += <uint32_t>(mark + 1)
        length[0] -= <uint32_t>(mark + 1)
        return mark >= 0
    start = path_start(req)
    end = req.second_length if mark < 0 else <uint32_t>mark
    if end <= start:
        return False  # no path is no sample
    at[0] += start
    length[0] = end - start
    return True


cdef bint well_known(Request req) noexcept:
    """Whether a rule has rewritten one of the usual methods: checks go on seeing that."""
    try:
        return req.store.get(0, req.seen_method) in KNOWN_METHODS
    except MemoryError:
        return False


cdef class PlaceNode(CheckNode):
    """A check of the texts at a place."""
    cdef int place
    cdef bytes name
    cdef bint stale  # the runtime API gave the closure other patterns

    def exchange(self, exact, lower):
        """Other patterns, from the runtime API; the closure has them already."""
        self.stale = True

    cdef bint takes(self, Buf text, uint32_t at, uint32_t length) except -1:
        return False

    cdef int run(self, Stream stream) except -9:
        cdef Request req = stream._req
        cdef uint32_t at = 0, length = 0
        if self.stale or (req is None and self.place < RESPONSE_VALUES):
            return 1 if self.plain(stream) else 0
        if self.place >= RESPONSE_VALUES:
            return self.lines(stream, stream._res)
        if self.place >= REQUEST_VALUES:
            return self.lines(stream, req)
        return locate(req, self.place, &at, &length) and self.takes(req.store, at, length)

    cdef int lines(self, Stream stream, Message message) except -9:
        cdef const uint8_t *name = <const uint8_t *>PyBytes_AS_STRING(self.name)
        cdef uint32_t length = <uint32_t>PyBytes_GET_SIZE(self.name)
        cdef Line *line
        cdef int index
        if message is None:
            return 1 if self.plain(stream) else 0
        index = message.find(name, length, 0)
        while index >= 0:
            line = message.lines.at(index)
            if self.place == REQUEST_VALUES or self.place == RESPONSE_VALUES:
                if message.store.find(line.value, line.value_length, c",") >= 0:
                    return 1 if self.plain(stream) else 0
            if self.takes(message.store, line.value, line.value_length):
                return 1
            index = message.find(name, length, index + 1)
        return 0


@cython.final
cdef class TextNode(PlaceNode):
    cdef int how
    cdef tuple exact, lower

    def exchange(self, exact, lower):
        """Other patterns, from the runtime API."""
        self.exact, self.lower = tuple(exact), tuple(lower)

    cdef bint takes(self, Buf text, uint32_t at, uint32_t length) except -1:
        cdef bytes pattern
        if self.how == FOUND:
            return True
        for pattern in self.exact:
            if self.fits(text, at, length, pattern, False):
                return True
        for pattern in self.lower:
            if self.fits(text, at, length, pattern, True):
                return True
        return False

    cdef bint fits(self, Buf text, uint32_t at, uint32_t length, bytes pattern, bint fold_case) noexcept:
        cdef uint32_t size = <uint32_t>PyBytes_GET_SIZE(pattern), last
        cdef const uint8_t *wanted = <const uint8_t *>PyBytes_AS_STRING(pattern)
        if size > length or (self.how == EXACT and size != length):
            return False
        last = at + length - size
        if self.how == SUFFIX:
            at = last
        elif self.how != INSIDE:
            last = at
        while at <= last:
            if text.equals_nocase(at, size, wanted, size) if fold_case else text.equals(at, size, wanted, size):
                return True
            at += 1
        return False


@cython.final
cdef class TestNode(PlaceNode):
    cdef object test

    cdef bint takes(self, Buf text, uint32_t at, uint32_t length) except -1:
        return True if self.test(text.get(at, length)) else False


cdef struct Network:
    uint32_t address
    uint32_t mask


@cython.final
cdef class SourceNode(CheckNode):
    cdef Network[MOST] networks
    cdef int count
    cdef bint stale

    def exchange(self, exact, lower):
        self.stale = True

    cdef int run(self, Stream stream) except -9:
        cdef bytes packed = stream._src_ip
        cdef uint32_t address
        cdef int index
        if packed is None:
            stream.client.look_up()
            packed = stream.client.src_ip
        if self.stale or PyBytes_GET_SIZE(packed) != 4:
            return 1 if self.plain(stream) else 0
        address = as_number(packed)
        for index in range(self.count):
            if address & self.networks[index].mask == self.networks[index].address:
                return 1
        return 0


cdef uint32_t as_number(bytes packed) noexcept:
    cdef const uint8_t *raw = <const uint8_t *>PyBytes_AS_STRING(packed)
    return <uint32_t>raw[0] << 24 | <uint32_t>raw[1] << 16 | <uint32_t>raw[2] << 8 | raw[3]


@cython.final
cdef class StatusNode(CheckNode):
    cdef tuple ranges
    cdef bint stale

    def exchange(self, exact, lower):
        self.stale = True

    cdef int run(self, Stream stream) except -9:
        cdef int low, high
        if self.stale or stream._res is None:
            return 1 if self.plain(stream) else 0
        for low, high in self.ranges:
            if low <= stream._res.status <= high:
                return 1
        return 0


@cython.final
cdef class HoldsNode(CheckNode):
    """A test of a value."""
    cdef ValueNode value
    cdef object test
    cdef bint stale

    def exchange(self, exact, lower):
        self.stale = True

    cdef int run(self, Stream stream) except -9:
        cdef object value
        if self.stale:
            return 1 if self.plain(stream) else 0
        value = self.value.get(stream)
        return value is not None and (True if self.test(value) else False)


@cython.final
cdef class AllNode(CheckNode):
    cdef tuple parts

    cdef int run(self, Stream stream) except -9:
        cdef object part
        for part in self.parts:
            if not (<CheckNode>part).run(stream):
                return 0
        return 1


@cython.final
cdef class AnyNode(CheckNode):
    cdef tuple parts

    cdef int run(self, Stream stream) except -9:
        cdef object part
        for part in self.parts:
            if (<CheckNode>part).run(stream):
                return 1
        return 0


@cython.final
cdef class NotNode(CheckNode):
    cdef CheckNode part

    cdef int run(self, Stream stream) except -9:
        return 0 if self.part.run(stream) else 1
