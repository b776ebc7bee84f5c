"""The engine answers with these pages where a proxy has none of its own."""

from evener.haproxy.builtin_pages import BUILTIN, Reply, builtin_reply

__all__ = ["BUILTIN", "Reply", "builtin_reply"]
