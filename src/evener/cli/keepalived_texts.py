"""What ``keepalived -v`` and ``-h`` print."""

from __future__ import annotations

import platform

from evener import __version__
from evener.cli.keepalived_args import OPTIONS, Takes
from evener.keepalived.declare import declarations


def version_text() -> str:
    """In the order of the original's, and honest about who is speaking."""
    from evener.keepalived.ir import Configuration

    words = [word for _, word in declarations(Configuration)]
    working = sum(not word.planned for word in words)
    return "\n".join(
        [
            f"Keepalived-compatible daemon of evener {__version__}",
            "",
            f"Running on {platform.system()} {platform.release()} {platform.version()}",
            f"Python {platform.python_version()}",
            "",
            "Config options:  VRRP",
            f"Keywords: {working} of {len(words)} are executed, the others are read and say so",
            "",
        ]
    )


def usage_text(name: str) -> str:
    lines = [f"Usage: {name} [OPTION...]"]
    for option in OPTIONS:
        value = {Takes.NOTHING: "", Takes.VALUE: "=VALUE", Takes.MAYBE: "[=VALUE]"}[option.takes]
        short = f"-{option.short}, " if option.short else "    "
        lines.append(
            f"  {short}--{option.long + value:<28} {option.help}{'' if option.works else ' (no effect yet)'}"
        )
    return "\n".join(lines) + "\n"
