"""The columns of the shared segment, under the name the engine's interface uses."""

from evener.haproxy.columns import PROCESS_ROW, WIDTH, Column, Retry

__all__ = ["PROCESS_ROW", "WIDTH", "Column", "Retry"]
