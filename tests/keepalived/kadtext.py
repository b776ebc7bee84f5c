"""Configurations from text for the tests: nothing is read from the disk, nothing of the machine is known."""

from __future__ import annotations

from collections.abc import Mapping

from evener.keepalived.files import Memory
from evener.keepalived.include import Check
from evener.keepalived.ir import Configuration
from evener.keepalived.reader import Options
from evener.keepalived.resolve import LoadOptions, Surroundings, load
from evener.text.diagnostic import Diagnostics, FatalConfiguration
from evener.text.render_keepalived import render_all

NAME = "k.conf"


def read(
    text: str | bytes,
    *,
    files: Mapping[str, str] | None = None,
    config_id: str = "node",
    environment: Mapping[str, str] | None = None,
    surroundings: Surroundings | None = None,
    check: Check = Check.NONE,
) -> tuple[Configuration | None, Diagnostics]:
    """The configuration (None when reading ended early) and what was found."""
    content = text if isinstance(text, bytes) else text.encode("utf-8", "surrogateescape")
    texts = {NAME: content, **{name: other.encode() for name, other in (files or {}).items()}}
    options = Options(config_id, environment or {}, Memory(texts), check)
    found = Diagnostics()
    try:
        return load(NAME, found, LoadOptions(options, surroundings or Surroundings())), found
    except FatalConfiguration:
        return None, found


def said(text: str | bytes, **more: object) -> list[str]:
    """What is printed, without remarks on keywords that are not executed, and without the file's name."""
    _, found = read(text, **more)  # type: ignore[arg-type]
    lines = render_all([d for d in found if d.code != "planned-keyword"])
    return [line.replace(f"({NAME}: Line ", "(Line ") for line in lines]


def instance(body: str, name: str = "A") -> str:
    """A vrrp_instance that is right apart from what ``body`` says; ``body`` begins on line 2."""
    return (
        f"vrrp_instance {name} {{\n{body}\n"
        "interface eth0\nvirtual_router_id 9\nvirtual_ipaddress {\n10.1.0.1/24\n}\n}\n"
    )
