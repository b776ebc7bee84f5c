"""``evener fmt``: which files, and what becomes of them: rewritten, compared, or only told about."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from evener.desk.fmt import Formatter, Unformattable, difference, read, replace


def format_files(options: argparse.Namespace) -> int:
    """Exit code 1 when a file is broken, or would change and was only to be looked at."""
    from evener.desk.fmt_haproxy import format_haproxy
    from evener.desk.fmt_keepalived import format_keepalived

    jobs: list[tuple[str, Formatter]] = [(name, format_haproxy) for name in options.haproxy]
    if options.keepalived:
        jobs.append((options.keepalived, format_keepalived))
    return max([_format(Path(name), form, options) for name, form in jobs])


def _format(path: Path, form: Formatter, options: argparse.Namespace) -> int:
    try:
        before = read(path)
        after = form(before)
        if after == before:
            return 0
        if not options.check and not options.diff:
            replace(path, after)
    except (OSError, Unformattable) as error:
        print(f"evener: {path}: {error}", file=sys.stderr)
        return 1
    if options.diff:
        sys.stdout.write(difference(path, before, after).encode("utf-8", "replace").decode("utf-8"))
    else:
        print(f"{path} {'would be' if options.check else 'was'} formatted")
    return 1 if options.check or options.diff else 0
