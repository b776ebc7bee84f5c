"""Which scripts may run, and how safely: files of a temporary directory, judged as they are."""

from __future__ import annotations

from pathlib import Path

from evener.cli.keepalived_machine import program
from evener.keepalived.reading import Program
from evener.keepalived.scripts import User


def test_what_is_not_there_and_what_is_only_opened() -> None:
    assert program(("/no/such/program",), None, True) is Program.MISSING
    assert program(("no-such-program-at-all",), None, False) is Program.MISSING
    assert program(("</etc/hostname",), None, True) is Program.A_FILE


def test_a_script_has_to_be_executable_by_its_user(tmp_path: Path) -> None:
    script = tmp_path / "script"
    script.write_text("#!/bin/sh\n")
    script.chmod(0o644)
    assert program((str(script),), User("root"), False) is Program.NOT_EXECUTABLE


def test_what_others_may_write_is_not_for_root(tmp_path: Path) -> None:
    script = tmp_path / "script"
    script.write_text("#!/bin/sh\n")
    script.chmod(0o777)
    assert program((str(script),), User("root"), True) is Program.INSECURE
    assert program((str(script),), User("root"), False) is Program.UNSAFE
    assert program((str(script),), User("nobody"), True) is Program.FINE


def test_a_directory_on_the_way_must_not_be_a_link(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    script = tmp_path / "real" / "script"
    script.write_text("#!/bin/sh\n")
    script.chmod(0o755)
    (tmp_path / "link").symlink_to("real")
    path = str(tmp_path / "link" / "script")
    assert program((path,), User("root"), False) in (Program.INSECURE, Program.UNSAFE)
