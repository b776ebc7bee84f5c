"""Idioms of old and new configurations: each is accepted, warned about or refused as HAProxy 3.5 does.

The messages are those of the reference, with the line that they name.
"""

from pathlib import Path

import pytest
from config_text import DEFAULTS, messages, read

FRAME = "defaults" + DEFAULTS + "listen l\n  bind :8080\n  server s 127.0.0.1:80\n"
LOG = "log format ignored for proxy 'l' since it has no log address."


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (
            r"option httpchk HEAD / HTTP/1.1\r\nHost:\ www",
            "'option httpchk' : hiding headers or body at the end of the version string is unsupported."
            "Use 'http-check send' directive instead..",
        ),
        ("log-format '%{+Z}o'", None),
        ("log-format %ci", LOG),
        (
            "acl known nbsrv(elsewhere) lt 2",
            "unable to find backend 'elsewhere' referenced in arg 1 of ACL keyword 'nbsrv' in proxy 'l'.",
        ),
        (
            "acl up srv_is_up(l/t)",
            "unable to find server 't' in proxy 'l', referenced in arg 1 of ACL keyword 'srv_is_up' "
            "in proxy 'l'.",
        ),
        (
            "http-request auth unless { http_auth(staff) }",
            "unable to find userlist 'staff' referenced in arg 1 of ACL keyword 'http_auth' in proxy 'l'.",
        ),
        ("server t 127.0.0.1:81 ssl verify none ssl-min-ver TLSv1.9", "'TLSv1.9' : unknown ssl/tls version."),
        ("server t 127.0.0.1:81 proto h3", "'proto' :  unknown MUX protocol 'h3'."),
        (
            "server t 127.0.0.1:81 agent-check",
            "server t does not have agent port. Agent check has been disabled.",
        ),
        ("server t 127.0.0.1:81 resolvers dns", "unable to find required resolvers 'dns'"),
    ],
)
def test_idiom(line: str, said: str | None, tmp_path: Path) -> None:
    _, found = read(f"{FRAME}  {line}\n", tmp_path)
    heard = messages(found)
    assert len(heard) == (said is not None)
    assert said is None or heard[0].endswith(said)


def test_other_errors_follow_but_no_warnings(tmp_path: Path) -> None:
    text = f"{FRAME}  default_backend no\nfrontend f\n  bind :81\n  log-format %ci\n  default_backend nor\n"
    _, found = read(text, tmp_path)
    assert messages(found) == [
        "Proxy 'l': unable to find required default_backend: 'no'.",
        "Proxy 'f': unable to find required default_backend: 'nor'.",
    ]


def test_global_logs_count_from_where_they_stand(tmp_path: Path) -> None:
    above = "defaults" + DEFAULTS + "  log global\n  option httplog\n"
    text = above + "global\n  log 127.0.0.1 local0\nlisten l\n  bind :80\n"
    _, found = read(text, tmp_path)
    assert messages(found) == [LOG]


def test_tcp_frontends_of_http_backends_keep_their_rules(tmp_path: Path) -> None:
    text = "defaults" + DEFAULTS + "frontend f\n  mode tcp\n  bind :80\n  option forwardfor\n{}backend b\n"
    _, found = read(text.replace("{}", "  default_backend b\n"), tmp_path)
    assert messages(found) == []
    _, found = read(text.replace("{}", ""), tmp_path)
    assert messages(found) == ["'option forwardfor' ignored for frontend 'f' as it requires HTTP mode."]
