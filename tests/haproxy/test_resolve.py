"""From files to the IR: sections, defaults, what files share and what they do not."""

from pathlib import Path

from evener.haproxy.ir import Configuration
from evener.haproxy.reader import ReadOptions
from evener.haproxy.resolve import load
from evener.haproxy.sections.proxy import Kind
from evener.text.diagnostic import Diagnostics, FatalConfiguration, Severity
from evener.text.render import haproxy

TIMEOUTS = "  timeout client 1s\n  timeout connect 1s\n  timeout server 1s\n"


def resolver(host: str, family: int) -> str | None:
    return {"known.example": "10.1.1.1"}.get(host)


def read(where: Path, *texts: str, lenient: bool = False) -> tuple[Configuration, list[str]]:
    """The configuration, and warnings and alerts as printed, without process number and directory."""
    paths = []
    for number, text in enumerate(texts, 1):
        path = where / f"{number}.cfg"
        path.write_text(text, encoding="utf-8")
        paths.append(str(path))
    found = Diagnostics()
    try:
        configuration = load(paths, found, ReadOptions(ignore_resolution=lenient), resolver)
    except FatalConfiguration:  # some errors end the reading
        configuration = Configuration()
    said = [haproxy(entry, 1) for entry in found if entry.severity >= Severity.WARNING]
    return configuration, [line.replace(" (1)", "").replace(f"{where}/", "").rstrip("\n") for line in said]


def test_sections_and_their_order(tmp_path: Path) -> None:
    made, said = read(
        tmp_path,
        f"global\n  maxconn 5\ndefaults\n{TIMEOUTS}frontend f\n  bind :80\nbackend b\nlisten l\n  bind :81\n"
        "cache c\n  total-max-size 4\n",
    )
    assert said == []
    assert [(proxy.kind, proxy.name) for proxy in made.proxies] == [
        (Kind.FRONTEND, "f"),
        (Kind.BACKEND, "b"),
        (Kind.LISTEN, "l"),
    ]
    assert [proxy.name for proxy in made.frontends] == ["f", "l"]
    assert [proxy.name for proxy in made.backends] == ["b", "l"]
    assert made.global_.maxconn == 5
    assert made.other[0].kind == "cache" and made.other[0].lines == (("total-max-size", "4"),)


def test_defaults_are_inherited_by_name_and_by_position(tmp_path: Path) -> None:
    made, said = read(
        tmp_path,
        f"defaults a\n{TIMEOUTS}  mode http\n  retries 7\ndefaults b from a\n  retries 8\n"
        f"defaults\n{TIMEOUTS}  retries 9\nbackend x from a\nbackend y from b\nbackend z\n",
    )
    assert said == []
    assert [made.proxy(name).connections.retries for name in "xyz"] == [7, 8, 9]  # type: ignore[union-attr]
    assert [made.proxy(name).mode for name in "xyz"] == ["http", "http", "tcp"]  # type: ignore[union-attr]


def test_defaults_carry_over_to_the_next_file_and_sections_do_not(tmp_path: Path) -> None:
    made, said = read(tmp_path, f"defaults\n{TIMEOUTS}  retries 3\n", "backend b\n")
    assert said == []
    assert made.proxy("b").connections.retries == 3  # type: ignore[union-attr]
    _, said = read(tmp_path, "backend b\n", "server s 127.0.0.1\n")
    assert said == ["[ALERT]    : config : parsing [2.cfg:1]: unknown keyword 'server' out of section."]


def test_two_global_sections_are_one(tmp_path: Path) -> None:
    made, said = read(tmp_path, "global\n  daemon\n", "global\n  nbthread 2\n")
    assert said == []
    assert made.global_.daemon and made.global_.nbthread == 2


def test_an_alert_that_is_not_fatal(tmp_path: Path) -> None:
    path = tmp_path / "x.cfg"
    path.write_text("global\n  maxconn 5\n  maxconn 6\n")
    found = Diagnostics()
    made = load([str(path)], found, ReadOptions(), resolver)
    assert made.global_.maxconn == 5
    assert found.count(Severity.ALERT) == 1 and not found.has_errors


def test_rules_of_named_defaults_come_before_the_proxys_own(tmp_path: Path) -> None:
    made, said = read(
        tmp_path,
        f"defaults d\n{TIMEOUTS}  mode http\n  http-request set-header a 1\n"
        "frontend f from d\n  bind :80\n  http-request set-header b 2\n",
    )
    assert said == []
    rules = made.proxy("f").rules.http_request  # type: ignore[union-attr]
    assert [rule.words[1] for rule in rules] == ["a", "b"]


def test_options_that_exclude_each_other(tmp_path: Path) -> None:
    made, _ = read(
        tmp_path,
        f"defaults\n{TIMEOUTS}  mode http\n  option httpclose\n  option httpchk\n"
        "listen l\n  bind :80\n  option http-server-close\n  option tcp-check\n",
    )
    option = made.proxy("l").option  # type: ignore[union-attr]
    assert option.http_server_close is True and option.httpclose is None
    assert option.tcp_check is True and option.httpchk is None


def test_errors_are_collected_in_all_files(tmp_path: Path) -> None:
    _, said = read(tmp_path, "frontend f\n  bogus1\n  bogus2\nbackend b\n  bogus3\n", "global\n  bogus4\n")
    assert [line.rpartition("unknown keyword ")[2][:8] for line in said] == [
        f"'bogus{n}'" for n in (1, 2, 3, 4)
    ]


def test_names_are_shared_by_all_proxies(tmp_path: Path) -> None:
    _, said = read(tmp_path, "frontend f\n  bind :80\nbackend f\nbackend g\n  nothing\n")
    assert said == [
        "[ALERT]    : config : Parsing [1.cfg:3]: backend 'f' has the same name as frontend 'f' declared at "
        "1.cfg:1. This is no longer supported as of 3.3. Please rename one or the other."
    ]


def test_after_a_bad_first_line_nothing_can_be_said_in_a_section(tmp_path: Path) -> None:
    _, said = read(tmp_path, "listen l :80\n  mode http\n")
    assert said == [
        "[ALERT]    : config : parsing [1.cfg:1] : please use the 'bind' keyword for listening addresses.",
        "[ALERT]    : config : parsing [1.cfg:2] : 'listen' or 'defaults' expected.",
    ]


def test_nbthread_comes_first(tmp_path: Path) -> None:
    _, said = read(tmp_path, f"defaults\n{TIMEOUTS}global\n  nbthread 2\n")
    assert "'nbthread' not allowed if a non-global section was previously defined." in said[0]


def test_global_logs_stand_in_for_log_global(tmp_path: Path) -> None:
    made, _ = read(
        tmp_path,
        "global\n  log 127.0.0.1 local0\n  log 127.0.0.2 local1\n"
        f"defaults\n{TIMEOUTS}  log global\n  log 127.0.0.3 local2\nbackend b\n",
    )
    targets = [log.target for log in made.logs(made.proxy("b"))]  # type: ignore[arg-type]
    assert targets == ["127.0.0.1", "127.0.0.2", "127.0.0.3"]


def test_default_server_holds_for_the_servers_after_it(tmp_path: Path) -> None:
    made, said = read(
        tmp_path,
        f"defaults\n{TIMEOUTS}  default-server fall 7\nbackend b\n  server a 127.0.0.1\n"
        "  default-server inter 3s\n  server b 127.0.0.1\n  server c 127.0.0.1 from none\n"
        "  default-server name other weight 9\n  server d 127.0.0.1 from srv:other\n",
    )
    assert said == []
    options = [server.options for server in made.proxy("b").server]  # type: ignore[union-attr]
    assert [(o.fall, o.inter, o.weight) for o in options] == [
        (7, None, 1),
        (7, 3000, 1),
        (None, None, 1),
        (None, None, 9),
    ]


def test_server_names_resolve_at_the_end(tmp_path: Path) -> None:
    body = f"defaults\n{TIMEOUTS}backend b\n  server a known.example:80\n  server x lost.example:80"
    _, said = read(tmp_path, f"{body}\n")
    assert said == [
        "[ALERT]    : [1.cfg:7] : 'server b/x' : could not resolve address 'lost.example'.",
        "[ALERT]    : Failed to initialize server(s) addr.",
    ]
    assert read(tmp_path, f"{body} init-addr none\n")[1] == []
    assert read(tmp_path, f"{body} init-addr last,10.0.0.1\n")[1] == []
    assert read(tmp_path, f"{body}\n", lenient=True)[1] == []


def test_spans_point_to_lines(tmp_path: Path) -> None:
    made, _ = read(tmp_path, f"defaults\n{TIMEOUTS}backend b\n  retries 3\n  server s 127.0.0.1\n")
    proxy = made.proxy("b")
    assert proxy is not None and proxy.span is not None and proxy.span.line == 5
    assert proxy.connections.spans["retries"].line == 6
    assert proxy.server[0].span is not None and proxy.server[0].span.line == 7
