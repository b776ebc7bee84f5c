# cython: language_level=3, boundscheck=True, wraparound=False, initializedcheck=True
# cython: nonecheck=True, cdivision=True
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

from evener.engine.fold_log import fold_line, fold_log

from evener.haproxy import fold
from evener.haproxy.cast import identity
from evener.haproxy.messages import KNOWN_METHODS
from evener.haproxy.sample import Sample

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


include "fold_values.pxi"
include "fold_checks.pxi"
include "fold_rules.pxi"


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
        cdef SampleNode node = SampleNode(plain)
        node.place, node.name = int(place), name
        return node

    def source(self, plain):
        return ClientNode(plain)

    def variable(self, plain, str name not None):
        cdef VariableNode node = VariableNode(plain)
        node.name = name
        return node

    def chain(self, plain, first, steps):
        cdef ChainNode node = ChainNode(plain)
        node.first = as_value(first)
        node.steps = tuple([step_of(function, with_txn, nature) for function, with_txn, nature in steps])
        return node

    def written(self, plain, value, bytes missing not None, encode):
        cdef WrittenNode node = WrittenNode(plain)
        node.value, node.missing, node.encode = as_value(value), missing, encode
        return node

    def joined(self, plain, parts):
        cdef JoinedNode node = JoinedNode(plain)
        node.parts = tuple([part if type(part) is bytes else as_value(part) for part in parts])
        return node

    def holds(self, plain, value, test):
        cdef HoldsNode node = HoldsNode(plain)
        node.value, node.test = as_value(value), test
        return node

    def store(self, plain, str name not None, value):
        cdef StoreNode node = StoreNode(plain)
        node.name, node.value = name, as_value(value)
        return node

    def track(self, plain, int number, value, pack, track, bint request):
        cdef TrackNode node = TrackNode(plain)
        node.number, node.value, node.pack, node.track, node.request = number, as_value(value), pack, track, request
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
        node.change, node.response, node.name = int(change), response, name
        if type(value) is bytes:
            node.constant = value
        else:
            node.value = as_value(value)
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

    def log(self, plain, outlet, int level, line):
        return fold_log(plain, outlet, level, line)

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
