"""Formatting: one layout, comments and words kept, files that are broken left alone."""

import os
import stat
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evener.cli.evener import main
from evener.desk.fmt import Unformattable
from evener.desk.fmt_haproxy import format_haproxy, meaning
from evener.desk.fmt_keepalived import format_keepalived

HAPROXY = """\
# head


\tglobal
maxconn   10 # many
  log "${A} b"   local0\r

# about f
frontend f
 bind :80

  # note
acl a path /x\\ y 'b  c'
.if defined(X)
  bind :81
.endif

# next

backend b
   server s 127.0.0.1:80\t check   # s


"""
HAPROXY_FORMATTED = """\
# head

global
    maxconn 10  # many
    log "${A} b" local0

# about f
frontend f
    bind :80

    # note
    acl a path /x\\ y 'b  c'
.if defined(X)
    bind :81
.endif

# next

backend b
    server s 127.0.0.1:80 check  # s
"""
KEEPALIVED = (
    "! head\nvrrp_instance   VI_1 {\nstate MASTER   # here\n  virtual_ipaddress {\n10.0.0.1/24   dev eth0\n}"
    "\n    notify \"/bin/x  'a  b'\"\n}\n\n\n\nglobal_defs { router_id x }\n"
)
KEEPALIVED_FORMATTED = """\
! head
vrrp_instance VI_1 {
    state MASTER  # here
    virtual_ipaddress {
        10.0.0.1/24 dev eth0
    }
    notify "/bin/x  'a  b'"
}

global_defs { router_id x }
"""


def test_haproxy_layout() -> None:
    assert format_haproxy(HAPROXY) == HAPROXY_FORMATTED


def test_keepalived_layout() -> None:
    assert format_keepalived(KEEPALIVED) == KEEPALIVED_FORMATTED


@pytest.mark.parametrize(
    ("text", "line"),
    [("global\n  log 'x\n", 2), ('a "$"\n', 1), ("a\0b\n", 1), ("global\n  maxconn 1", 2), ("a \\x4\n", 1)],
)
def test_broken_files_are_refused(text: str, line: int) -> None:
    with pytest.raises(Unformattable) as caught:
        format_haproxy(text)
    assert caught.value.line == line


PIECES = [
    "global",
    "frontend f",
    "bind",
    "  ",
    "\t",
    "#",
    "c",
    "'a b'",
    '"$X y"',
    "\\ ",
    ".if",
    "\n",
    "\r",
    "[s]",
    "{",
    "}",
]


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=25).map("".join).map(lambda text: f"{text}\n"))
def test_formatting_twice_changes_nothing_and_words_stay(text: str) -> None:
    try:
        once = format_haproxy(text)
    except Unformattable:
        return
    assert format_haproxy(once) == once
    assert meaning(once.split("\n")) == meaning(text.split("\n"))


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from([*PIECES, '"', "!x", "\\"]), max_size=25).map("".join))
def test_keepalived_is_formatted_or_refused(text: str) -> None:
    try:
        once = format_keepalived(text)
    except Unformattable:
        return
    assert format_keepalived(once).split() == once.split()


def test_the_command_rewrites_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "haproxy.cfg"
    path.write_bytes(HAPROXY.encode())
    path.chmod(0o640)
    assert main(["fmt", "--check", "-f", str(path)]) == 1
    assert main(["fmt", "--diff", "-f", str(path)]) == 1
    shown = capsys.readouterr().out
    assert "would be formatted" in shown and "+    maxconn 10  # many\n" in shown
    assert path.read_bytes() == HAPROXY.encode()
    assert main(["fmt", "-f", str(path)]) == 0
    assert path.read_text(encoding="utf-8") == HAPROXY_FORMATTED
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert os.listdir(tmp_path) == ["haproxy.cfg"]
    assert main(["fmt", "--check", "-f", str(path)]) == 0


def test_the_command_leaves_broken_files_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "haproxy.cfg"
    path.write_bytes(b"global\n  log 'x\xff\n")
    assert main(["fmt", "-f", str(path), "-k", str(tmp_path / "missing")]) == 1
    assert path.read_bytes() == b"global\n  log 'x\xff\n"
    told = capsys.readouterr().err
    assert "line 2: unmatched quote" in told and "missing" in told
