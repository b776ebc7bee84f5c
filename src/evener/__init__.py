"""evener: haproxy.cfg and keepalived.conf, read, explained and executed.

    text --> tree --> typed IR --> plan --> runtime
            (Lark)   (vocabulary)  (compiler)

The packages stand on floors and import strictly downward (tests/test_floors.py holds them to it):

    text wire          F0  spans, diagnostics, units; sans-IO codecs
    vocab              F1  the mechanism of declarations; knows no keyword
    haproxy keepalived F2-F5  grammar and IR, vocabulary, resolve and compile, decisions
    desk engine host   F6  the workbench; the native data plane; the machine
    cli                F7  the commands

The two products never import each other. Only ``engine`` and ``host`` make system calls that matter
to a decision: everything above them can be run from a test with a scripted clock.
"""

__version__ = "0.1.0"
