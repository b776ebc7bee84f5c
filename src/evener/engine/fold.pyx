"""Checks and rules the engine runs without Python: the ``haproxy.fold`` seam, filled.

A *node* stands for a closure and can be called like it. Given a stream of the engine it evaluates itself
over the stream's own memory; given any other transaction it calls the closure. Closures that are no
nodes are wrapped, so that a node only ever meets nodes.

Nothing here decides what a rule means. Where the closure's answer would need more than a comparison of
bytes (a header line with several values), the node calls the closure.
"""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_GET_SIZE
from libc.stdint cimport uint8_t, uint32_t

cimport cython

from evener.engine.buffer cimport Buf, Line
from evener.engine.http1 cimport Message, Request, path_start

from evener.engine.fold_log import fold_line

from evener.haproxy import fold

cdef enum:
    METHOD = 0  # fold.Place
    URI = 1
    PATH = 2
    QUERY = 3
    REQUEST_VALUES = 4
    REQUEST_LINES = 5
    RESPONSE_VALUES = 6
    RESPONSE_LINES = 7

cdef enum:
    EXACT = 0  # fold.How
    PREFIX = 1
    SUFFIX = 2
    FOUND = 3
    INSIDE = 4

cdef enum:
    SET = 0  # fold.Change
    ADD = 1
    REMOVE = 2

cdef enum:
    ACCEPTED = 4  # txn

cdef enum:
    MOST = 64  # patterns compared one by one; sets of more are the closure's, which hashes


cdef class Node:
    """Base of all; by itself a closure that could not be folded."""

    def __init__(self, plain):
        self.plain = plain

    cdef int run(self, Stream stream) except -9:
        return <int>self.plain(stream)

    def __call__(self, txn):
        return self.run(<Stream>txn) if isinstance(txn, Stream) else self.plain(txn)


cdef class CheckNode(Node):
    cdef int run(self, Stream stream) except -9:
        return 1 if self.plain(stream) else 0

    def __call__(self, txn):
        return self.run(<Stream>txn) != 0 if isinstance(txn, Stream) else self.plain(txn)


cdef Node as_rule(object closure):
    return <Node>closure if isinstance(closure, Node) else Node(closure)


cdef CheckNode as_check(object closure):
    return <CheckNode>closure if isinstance(closure, CheckNode) else CheckNode(closure)


# -- checks --------------------------------------------------------------------------------------------

cdef bint locate(Request req, int place, uint32_t *at, uint32_t *length) noexcept:
    """Where a text of the request line lies in the store; false when there is none."""
    cdef uint32_t start, end
    cdef int mark
    at[0], length[0] = req.second, req.second_length
    if place == METHOD:
        at[0], length[0] = req.first, req.first_length
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
cdef class SampleNode:
    """A fetch: the text itself, of several values the last."""
    cdef readonly object plain
    cdef int place
    cdef bytes name

    def __call__(self, txn):
        return self.text(<Stream>txn) if isinstance(txn, Stream) else self.plain(txn)

    cdef object text(self, Stream stream):
        cdef Message message = stream._res if self.place >= RESPONSE_VALUES else stream._req
        cdef uint32_t at = 0, length = 0
        cdef Line *line
        cdef int index, last = -1
        if message is None:
            return self.plain(stream)
        if self.place < REQUEST_VALUES:
            return message.store.get(at, length) if locate(<Request>message, self.place, &at, &length) else None
        index = message.find(<const uint8_t *>PyBytes_AS_STRING(self.name), <uint32_t>PyBytes_GET_SIZE(self.name), 0)
        while index >= 0:
            last = index
            index = message.find(
                <const uint8_t *>PyBytes_AS_STRING(self.name), <uint32_t>PyBytes_GET_SIZE(self.name), index + 1
            )
        if last < 0:
            return None
        line = message.lines.at(last)
        if self.place == REQUEST_VALUES or self.place == RESPONSE_VALUES:
            if message.store.find(line.value, line.value_length, c",") >= 0:
                return self.plain(stream)
        return message.value_of(line)


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


# -- rules ---------------------------------------------------------------------------------------------

@cython.final
cdef class HeaderNode(Node):
    cdef int change
    cdef bint response
    cdef bytes name
    cdef object value  # bytes, or a closure that writes them

    cdef int run(self, Stream stream) except -9:
        cdef Message message = stream._res if self.response else stream._req
        cdef bytes value
        if message is None:
            return <int>self.plain(stream)
        if self.change == REMOVE:
            message.remove(self.name)
            return 0
        value = <bytes>self.value if type(self.value) is bytes else self.value(stream)
        if self.change == SET:
            message.remove(self.name)
        message.add(self.name, value)
        return 0


@cython.final
cdef class WhenNode(Node):
    cdef CheckNode check
    cdef Node rule

    cdef int run(self, Stream stream) except -9:
        return self.rule.run(stream) if self.check.run(stream) else 0


@cython.final
cdef class RulesNode(Node):
    cdef tuple parts

    cdef int run(self, Stream stream) except -9:
        cdef object part
        cdef int verdict
        for part in self.parts:
            verdict = (<Node>part).run(stream)
            if verdict:
                return 0 if verdict == ACCEPTED else verdict
        return 0


@cython.final
cdef class SequenceNode(Node):
    cdef Node first, second

    cdef int run(self, Stream stream) except -9:
        cdef int verdict = self.first.run(stream)
        return verdict if verdict else self.second.run(stream)


@cython.final
cdef class ChoiceNode(Node):
    """One switching rule; ``run`` gives the index, -1 for none."""
    cdef int index
    cdef CheckNode check  # None always holds

    cdef int run(self, Stream stream) except -9:
        cdef object chosen
        if self.plain is not None:
            chosen = self.plain(stream)
            return -1 if chosen is None else <int>chosen
        return self.index if self.check is None or self.check.run(stream) else -1


cdef enum:
    NOBODY = -2  # phases.NOBODY


@cython.final
cdef class SwitchNode(Node):
    cdef tuple choices

    cdef int run(self, Stream stream) except -9:
        cdef object choice
        cdef int index
        for choice in self.choices:
            index = (<ChoiceNode>choice).run(stream)
            if index == NOBODY:
                return 0
            if index >= 0:
                if index >= len(stream.loop.backends):
                    raise IndexError("no such backend")
                stream.wanted_backend = index
                return 0
        return 0


# -- making them ---------------------------------------------------------------------------------------

class Folding:
    """The ``haproxy.fold.Fold`` of the engine."""

    def text(self, plain, place, bytes name not None, how, exact, lower):
        cdef TextNode node
        if len(exact) + len(lower) > MOST:
            return plain
        node = TextNode(plain)
        node.place, node.how, node.name = int(place), int(how), name
        node.exact, node.lower = tuple([<bytes?>one for one in exact]), tuple([<bytes?>one for one in lower])
        return node

    def test(self, plain, place, bytes name not None, test):
        cdef TestNode node = TestNode(plain)
        node.place, node.name, node.test = int(place), name, test
        return node

    def source_in(self, plain, networks):
        cdef SourceNode node
        if len(networks) > MOST:
            return plain
        node = SourceNode(plain)
        for address, mask in networks:
            node.networks[node.count].address = int.from_bytes(address, "big")
            node.networks[node.count].mask = int.from_bytes(mask, "big")
            node.count += 1
        return node

    def status_in(self, plain, ranges):
        cdef StatusNode node = StatusNode(plain)
        node.ranges = tuple([(int(low), int(high)) for low, high in ranges])
        return node

    def sample(self, plain, place, bytes name not None):
        cdef SampleNode node = SampleNode.__new__(SampleNode)
        node.plain, node.place, node.name = plain, int(place), name
        return node

    def all(self, plain, checks):
        cdef AllNode node = AllNode(plain)
        node.parts = tuple([as_check(check) for check in checks])
        return node

    def any(self, plain, checks):
        cdef AnyNode node = AnyNode(plain)
        node.parts = tuple([as_check(check) for check in checks])
        return node

    def invert(self, plain, check):
        cdef NotNode node = NotNode(plain)
        node.part = as_check(check)
        return node

    def header(self, plain, change, bint response, bytes name not None, value):
        cdef HeaderNode node = HeaderNode(plain)
        node.change, node.response, node.name, node.value = int(change), response, name, value
        return node

    def when(self, plain, check, run):
        cdef WhenNode node = WhenNode(plain)
        node.check, node.rule = as_check(check), as_rule(run)
        return node

    def rules(self, plain, rules):
        cdef RulesNode node = RulesNode(plain)
        node.parts = tuple([as_rule(rule) for rule in rules])
        return node

    def sequence(self, plain, first, second):
        cdef SequenceNode node = SequenceNode(plain)
        node.first, node.second = as_rule(first), as_rule(second)
        return node

    def switch(self, plain, switches):
        cdef SwitchNode node = SwitchNode(plain)
        node.choices = tuple([choice(one) for one in switches])
        return node

    def line(self, plain, parts):
        return fold_line(plain, parts)


cdef ChoiceNode choice(object one):
    cdef ChoiceNode node
    if not isinstance(one, tuple):
        return ChoiceNode(one)
    node = ChoiceNode(None)
    node.index = one[0]
    node.check = None if one[1] is None else as_check(one[1])
    return node


for _mine, _theirs in (
    ((METHOD, URI, PATH, QUERY, REQUEST_VALUES, REQUEST_LINES, RESPONSE_VALUES, RESPONSE_LINES), fold.Place),
    ((EXACT, PREFIX, SUFFIX, FOUND, INSIDE), fold.How),
    ((SET, ADD, REMOVE), fold.Change),
):
    if _mine != tuple(int(one) for one in _theirs):
        raise ImportError("fold.pyx and haproxy/fold.py differ")
