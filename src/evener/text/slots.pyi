from typing import TypeVar

T = TypeVar("T")

def copied(made: T) -> T: ...
