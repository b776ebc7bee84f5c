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

cdef enum:
    SET = 0  # fold.Change
    ADD = 1
    REMOVE = 2

cdef enum:
    ACCEPTED = 4  # txn

cdef int MOST = 64  # patterns compared one by one; sets of more are the closure's, which hashes


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

@cython.final
cdef class TextNode(CheckNode):
    cdef int place, how
    cdef bytes name
    cdef tuple exact, lower

    def exchange(self, exact, lower):
        """Other patterns, from the runtime API."""
        self.exact, self.lower = tuple(exact), tuple(lower)

    cdef int run(self, Stream stream) except -9:
        cdef Request req = stream._req
        cdef uint32_t start
        cdef int mark
        if self.place >= RESPONSE_VALUES:
            return self.lines(stream, stream._res)
        if req is None:
            return 1 if self.plain(stream) else 0
        if self.place >= REQUEST_VALUES:
            return self.lines(stream, req)
        if self.place == METHOD:
            return self.matches(req.store, req.first, req.first_length)
        if self.place == URI:
            return self.matches(req.store, req.second, req.second_length)
        mark = req.store.find(req.second, req.second_length, c"?")
        if self.place == QUERY:
            if mark < 0:
                return 0
            start = <uint32_t>mark + 1
            return self.matches(req.store, req.second + start, req.second_length - start)
        start = path_start(req)
        if mark < <int>start:
            mark = -1 if mark < 0 else <int>start
        if (req.second_length if mark < 0 else <uint32_t>mark) <= start:
            return 0  # no path is no sample
        return self.matches(req.store, req.second + start, (req.second_length if mark < 0 else <uint32_t>mark) - start)

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
            if self.matches(message.store, line.value, line.value_length):
                return 1
            index = message.find(name, length, index + 1)
        return 0

    cdef bint matches(self, Buf text, uint32_t at, uint32_t length) noexcept:
        cdef bytes pattern
        cdef uint32_t size, offset
        if self.how == FOUND:
            return True
        for pattern in self.exact:
            size = <uint32_t>PyBytes_GET_SIZE(pattern)
            if self.fits(size, length):
                offset = at + length - size if self.how == SUFFIX else at
                if text.equals(offset, size, <const uint8_t *>PyBytes_AS_STRING(pattern), size):
                    return True
        for pattern in self.lower:
            size = <uint32_t>PyBytes_GET_SIZE(pattern)
            if self.fits(size, length):
                offset = at + length - size if self.how == SUFFIX else at
                if text.equals_nocase(offset, size, <const uint8_t *>PyBytes_AS_STRING(pattern), size):
                    return True
        return False

    cdef bint fits(self, uint32_t size, uint32_t length) noexcept:
        return size == length if self.how == EXACT else size <= length


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
    ((EXACT, PREFIX, SUFFIX, FOUND), fold.How),
    ((SET, ADD, REMOVE), fold.Change),
):
    if _mine != tuple(int(one) for one in _theirs):
        raise ImportError("fold.pyx and haproxy/fold.py differ")
