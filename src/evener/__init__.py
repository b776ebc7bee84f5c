"""evener: haproxy.cfg and keepalived.conf, read, explained and executed.

    text --> tree --> typed IR --> plan --> runtime
            (Lark)   (vocabulary)  (compiler)

The packages stand on floors and import strictly downward (tests/test_floors.py holds them to it):

    text wire lookup   F0  spans, diagnostics, units; sans-IO codecs; large sets held natively
    vocab              F1  the mechanism of declarations; knows no keyword
    haproxy keepalived F2-F5  grammar and IR, vocabulary, resolve and compile, decisions
    desk engine host   F6  the workbench; the native data plane; the machine
    cli                F7  the commands

The two products never import each other. Only ``engine`` and ``host`` make system calls that matter
to a decision: everything above them can be run from a test with a scripted clock.
"""

__version__ = "0.1.0"


def _put_off(name: str) -> None:
    """A module that others import but seldom look into: it is loaded when somebody does."""
    import sys

    if name in sys.modules:
        return
    module = sys.modules[name] = type(sys)(name)

    def load(attribute: str) -> object:
        from importlib import import_module

        del module.__dict__["__getattr__"], sys.modules[name]
        module.__dict__.update(import_module(name).__dict__)
        return getattr(module, attribute)

    module.__dict__["__getattr__"] = load


# ``dataclasses`` asks for it, and with it come ast, dis and tokenize: more than a megabyte in each process.
_put_off("inspect")
