"""Printing: canonical text, read back to the same configuration."""

from pathlib import Path

import pytest

from evener.haproxy.print import print_configuration, quote
from evener.haproxy.reader import ReadOptions
from evener.haproxy.resolve import load
from evener.haproxy.tokens import tokenize
from evener.text.diagnostic import Diagnostics

TEXT = r"""
global
  nbthread 2
  maxconn 100
  setenv EVENER_GREETING "hello world"
  stats socket /tmp/evener-x.sock level admin mode 600
  log 127.0.0.1:514 len 512 format rfc5424 local0 info
  cpu-map auto:1/1-2 0-1
  no busy-polling

http-errors pages
  errorfile 404 /dev/null

userlist people
  user bob insecure-password x

defaults base
  mode tcp
  timeout client 1s
  timeout server 1s
  timeout connect 1s
  tcp-request connection accept if { src 127.0.0.1 }

defaults
  mode http
  timeout client 5s
  timeout server 1500
  timeout connect 5m
  log global
  option httplog
  option http-server-close
  errorfile 503 /dev/null

frontend f
  bind :8080,127.0.0.1:8081 name web maxconn 10
  no option http-server-close
  option tcplog
  no log
  log 127.0.0.1 local1
  acl api path_beg /api "/a b"
  acl api path_end .json
  http-request set-header X-A "a 'quoted' \"word\" #1" if api !{ src 10.0.0.0/8 } or METH_POST
  http-request return status 200 content-type text/plain string "hi there" unless api
  redirect location /x if { path /y }
  use_backend b if api
  use_backend %[req.hdr(host),lower]
  default_backend b
  capture request header Host len 10
  log-format "%ci:%cp [%tr] %{+Q}r"
  errorfiles pages 404

backend b
  balance uri depth 2 whole
  hash-type consistent sdbm avalanche
  option httpchk GET /health HTTP/1.1
  http-check send hdr Host x
  http-check expect status 200-299
  default-server inter 3s fall 5 check
  server s1 127.0.0.1:80 weight 10
  server s2 127.0.0.1:81 no-check backup
  default-server inter 4s
  server s3 /run/x.sock rise 3
  server-template t 1-3 127.0.0.1:90
  cookie SRV insert indirect nocache maxidle 30m
  retry-on 503 conn-failure
  stick-table type string len 32 size 100k expire 30m store gpc0,http_req_rate(10s)
  stick on src
  timeout queue 0

frontend t from base
  bind 127.0.0.1:9000
"""


def resolver(host: str, family: int) -> str | None:
    return None


def once(text: str, where: Path) -> tuple[str, Diagnostics]:
    path = where / "x.cfg"
    path.write_text(text, encoding="utf-8", errors="surrogateescape")
    found = Diagnostics()
    return print_configuration(load([str(path)], found, ReadOptions(), resolver)), found


def test_print_parse_print_is_a_fixed_point(tmp_path: Path) -> None:
    first, found = once(TEXT, tmp_path)
    assert [entry.message for entry in found if entry.severity >= 2] == []
    second, again = once(first, tmp_path)
    assert not again.has_errors
    assert second == first


def test_what_is_inherited_is_not_repeated_and_what_is_taken_back_is_said(tmp_path: Path) -> None:
    text, _ = once(TEXT, tmp_path)
    frontend = text[text.index("frontend f") : text.index("\nbackend b")]
    assert "no option http-server-close" in frontend
    assert "timeout client" not in frontend
    assert frontend.index("no log") < frontend.index("log 127.0.0.1 local1")
    assert "option tcplog" not in frontend  # log-format came last
    assert "frontend t from base" in text


def test_what_is_switched_off_stays_off(tmp_path: Path) -> None:
    """Also where nothing had switched it on before."""
    text, _ = once("listen l\n  no option dontlognull\n  option httpclose\n", tmp_path)
    assert "no option dontlognull" in text and "    option httpclose" in text


def test_global_logs_stand_after_the_sections_that_do_not_mean_them(tmp_path: Path) -> None:
    """``log global`` is about the targets before it."""
    text = """
defaults
  log global
  mode http
  timeout client 1s
frontend a
  bind 127.0.0.1:1
global
  maxconn 5
  log 127.0.0.1 local0
defaults
  log global
  mode http
frontend b
  bind 127.0.0.1:2
global
  log 127.0.0.1 local1
"""
    printed, _ = once(text, tmp_path)
    order = ("maxconn 5", "frontend a", "local0", "frontend b", "local1")
    places = [printed.index(part) for part in order]
    assert places == sorted(places)
    assert once(printed, tmp_path)[0] == printed


def test_an_empty_argument_is_kept_where_it_names_a_table(tmp_path: Path) -> None:
    """``sc0_conn_cur()`` is about the proxy's own table, ``sc0_conn_cur`` about the one that is tracked."""
    text = "frontend f\n  mode http\n  bind :1\n  stick-table type ip size 1k\n"
    text += "  http-request deny if { sc0_conn_cur() gt 1 } { sc1_conn_cur gt 1 } { nbsrv(f) 1 }\n"
    printed, _ = once(text, tmp_path)
    assert "sc0_conn_cur()" in printed and "sc1_conn_cur()" not in printed


def test_times_and_sizes_are_printed_with_their_units(tmp_path: Path) -> None:
    text, _ = once(TEXT, tmp_path)
    assert "timeout server 1500ms" in text
    assert "timeout connect 5m" in text
    assert "timeout queue 0" in text


def test_servers_are_written_against_the_last_default_server(tmp_path: Path) -> None:
    text, _ = once(TEXT, tmp_path)
    assert "default-server from none check inter 4s fall 5" in text
    assert "server s1 127.0.0.1:80 from none weight 10 check inter 3s fall 5" in text
    assert "server s3 /run/x.sock rise 3" in text


@pytest.mark.parametrize(
    "word",
    [
        "plain",
        "a b",
        "it's",
        'say "x"',
        "#1",
        "$HOME",
        "a\\b",
        "tab\there",
        "nl\n",
        "caf\xe9",
        "\udcff",
        "\x01",
        "'\"\\ #",
    ],
)
def test_quoting_is_undone_by_reading(word: str) -> None:
    assert tokenize(f"acl {quote(word)} end", lambda name: None) == ["acl", word, "end"]


@pytest.mark.parametrize("told", ["option httpclose", "option http-server-close", "option http-keep-alive"])
@pytest.mark.parametrize("inherited", ["httpclose", "http-server-close", "http-keep-alive"])
def test_one_way_to_close_takes_the_place_of_another(inherited: str, told: str, tmp_path: Path) -> None:
    """There is no ``default option`` for them."""
    text = f"defaults\n  mode http\n  option {inherited}\nbackend b\n  {told}\n"
    printed, found = once(text, tmp_path)
    assert not found.has_errors and "default option" not in printed
    assert once(printed, tmp_path)[0] == printed
    _, refused = once(f"defaults\n  mode http\nbackend b\n  default option {inherited}\n", tmp_path)
    assert refused.has_errors


def test_a_way_to_close_that_was_taken_back_is_not_the_inherited_one(tmp_path: Path) -> None:
    text = "defaults\n  mode http\n  option http-server-close\n"
    text += "backend b\n  option httpclose\n  no option httpclose\n"
    printed, _ = once(text, tmp_path)
    assert "no option http-server-close" in printed[printed.index("backend b") :]
    assert once(printed, tmp_path)[0] == printed
