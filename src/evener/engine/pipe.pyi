def configure(pipes: int, bytes_each: int) -> None:
    """How many pipes each worker may use at once, and the size asked for; to be called before traffic."""
