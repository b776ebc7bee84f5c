"""What only the whole configuration can tell."""

from __future__ import annotations

from evener.haproxy.addresses import Resolve
from evener.haproxy.ir import Configuration
from evener.text.diagnostic import Diagnostics


def check(configuration: Configuration, diagnostics: Diagnostics, resolve: Resolve, lenient: bool) -> None:
    """Add what is wrong between sections. ``lenient``: names that do not resolve are no error."""
