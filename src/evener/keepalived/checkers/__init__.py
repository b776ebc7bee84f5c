"""The checkers of a real_server as dataclasses; ``compile_checks`` makes probes and timings of them."""
