"""The words of haproxy's command line."""

from __future__ import annotations

import pytest

from evener.cli.haproxy_args import CommandLine, Show, UsageError, leading_number, parse


def said(words: str) -> CommandLine:
    return parse(words.split())


def test_files() -> None:
    assert said("-f a -f b").paths == ("a", "b")
    assert said("-f a -- b -c -f").paths == ("a", "b", "-c", "-f")
    assert said("-f -c").paths == ("-c",)
    assert said("--").paths == ()


@pytest.mark.parametrize(
    ("words", "name"),
    [
        ("-c", "check"),
        ("-d", "debug"),
        ("-db", "foreground"),
        ("-D", "daemon"),
        ("-V", "verbose"),
        ("-q", "quiet"),
        ("-W", "master_worker"),
        ("-dD", "diagnostic"),
        ("-dW", "zero_warning"),
        ("-dr", "ignore_resolution"),
        ("-dV", "verify_none"),
        ("-dI", "insecure_fork"),
        ("-4", "ipv4_only"),
        ("-dMhelp", "memory_help"),
    ],
)
def test_switches(words: str, name: str) -> None:
    assert getattr(said(words), name) is True
    assert getattr(CommandLine(), name) is False


def test_values() -> None:
    options = said("-p pid -C dir -L peer -x sock -n 10 -N 20x -m zz -Ws -S a,level -S b -cc 1")
    assert (options.pidfile, options.directory, options.local_peer, options.sockets_from) == (
        "pid",
        "dir",
        "peer",
        "sock",
    )
    assert (options.maxconn, options.proxy_maxconn, options.memory_mb) == (10, 20, 0)
    assert options.master_worker and options.notify
    assert options.master_sockets == ("a,level", "b")
    assert options.condition == "1"


def test_what_is_turned_off() -> None:
    assert said("-de -dS -dG -dR -dF -dZ -dT -dp").off == {
        *("EPOLL", "SPLICE", "GETADDRINFO", "REUSEPORT", "FAST-FORWARD", "ZERO-COPY", "KTLS", "POLL")
    }


def test_old_processes() -> None:
    assert said("-sf 12 13 -f x").finish == (12, 13)
    assert said("-sf -st 5").terminate == (5,)
    assert said("-st -f x").terminate == ()


@pytest.mark.parametrize(("words", "rest"), [("-sf abc", "abc"), ("-st 1 2x", "x")])
def test_what_is_no_pid(words: str, rest: str) -> None:
    with pytest.raises(UsageError) as caught:
        said(words)
    assert f"option: some bytes unconsumed in PID list {{{rest}}}" in caught.value.message
    assert not caught.value.usage


@pytest.mark.parametrize(
    "words", ["-Z", "file", "-dx", "-1", "-c1", "-f", "-n", "-cc", "-S", "-x", "-p", "-h"]
)
def test_usage(words: str) -> None:
    with pytest.raises(UsageError) as caught:
        said(words)
    assert caught.value.usage


def test_versions() -> None:
    assert said("-v").show is Show.VERSION
    assert said("-vv").show is Show.BUILD
    assert said("-vq").show is Show.NUMBER
    assert said("-vqs").show is said("-vqb").show is Show.BRANCH
    assert said("-vx").show is Show.VERSION


def test_debugging_aids_are_accepted() -> None:
    options = said("-dM -dM0x50,no-merge -dL -dA/tmp/x -dc -dt h1:user -c")
    assert options.check and options.paths == ()
    assert said("-dt -c").check
    assert said("-dKall -dC12,line").dump_keywords == "all"
    assert said("-dC12,line").dump_lines == "12,line"


@pytest.mark.parametrize(
    ("text", "number"), [("12", 12), (" +3k", 3), ("-1", 0), ("x", 0), ("1_0", 1), ("\u0661", 0)]
)
def test_leading_number(text: str, number: int) -> None:
    assert leading_number(text) == number
