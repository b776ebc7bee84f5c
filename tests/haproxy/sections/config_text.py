"""Reading configurations from text, for the tests of sections."""

from pathlib import Path

from evener.haproxy.ir import Configuration
from evener.haproxy.reader import ReadOptions
from evener.haproxy.resolve import load
from evener.text.diagnostic import Diagnostics, FatalConfiguration, Severity
from evener.text.render import haproxy

DEFAULTS = "\n  mode http\n  timeout connect 1s\n  timeout client 1s\n  timeout server 1s\n"
NAMES = {"localhost": "127.0.0.1"}


def resolver(host: str, family: int) -> str | None:
    """Names resolve the same on every machine."""
    return NAMES.get(host)


def read(text: str, where: Path) -> tuple[Configuration, Diagnostics]:
    """The configuration in ``text``; ``where`` is a directory for the file."""
    path = where / "F"
    path.write_text(text, encoding="utf-8")
    found = Diagnostics()
    try:
        return load([str(path)], found, ReadOptions(), resolver), found
    except FatalConfiguration:  # some errors end the reading
        return Configuration(), found


def messages(found: Diagnostics, least: Severity = Severity.WARNING) -> list[str]:
    """What is said, without the lead and the process number."""
    return [diagnostic.message for diagnostic in found if diagnostic.severity >= least]


def printed(found: Diagnostics, where: Path) -> list[str]:
    """Warnings and alerts as the original prints them, without process number and directory."""
    lines: list[str] = []
    for diagnostic in found:
        if diagnostic.severity >= Severity.WARNING:
            text = haproxy(diagnostic, 1).replace("(1)", "").replace(f"{where}/", "")
            lines += [line.rstrip().replace("  ", " ") for line in text.split("\n") if line.strip()]
    return lines
