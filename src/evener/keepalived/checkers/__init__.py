"""The checkers of a real_server as dataclasses. They are read and kept; nothing is checked yet."""
