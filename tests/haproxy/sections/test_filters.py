"""Lines about filters, compression and caches: what the original says of those that are wrong."""

from __future__ import annotations

from pathlib import Path

import pytest
from config_text import read

from evener.text.diagnostic import Severity

LIMIT = "filter bwlim-out d default-limit 1m default-period 1s"


def complaints(tmp_path: Path, front: str = "", cache: str = "") -> list[str]:
    lines = "".join(f"  {line}\n" for line in front.split("\n"))
    _, found = read(
        "listen f\n  bind :8080\n  mode http\n  timeout client 1s\n  timeout server 1s\n"
        "  timeout connect 1s\n"
        f"{lines}cache y\n  total-max-size 1\n{cache}",
        tmp_path,
    )
    return [entry.message for entry in found if entry.severity is not Severity.NOTICE]


@pytest.mark.parametrize(
    ("front", "expected"),
    [
        ("compression algo foo", "'compression' : 'foo' is not a supported algorithm."),
        ("compression type", "'compression' expects <type>."),
        ("compression algo-req", "'compression' : '' is not a supported algorithm."),
        ("compression direction up", "'compression' expects 'request', 'response', or 'both'."),
        ("compression minsize-req", "'minsize-req' expects an integer argument."),
        ("compression minsize-res x", "unexpected 'x' after size passed to 'minsize-res'"),
        ("filter cache", "'filter' : cache : expects a <name> argument"),
        ("filter bwlim-out", "'filter' : 'bwlim-out' : a name is expected as first argument "),
        ("filter bwlim-out a", "'filter' : 'bwlim-out' : <default-period> option is missing"),
        (
            "filter bwlim-out a default-limit x default-period 1s",
            "'filter' : 'bwlim-out' : invalid value for option 'default-limit' (unexpected character 'x')",
        ),
        (
            f"{LIMIT} limit 10",
            "'filter' : 'bwlim-out' : cannot mix per-stream and shared parameter",
        ),
        ("filter bwlim-out e limit 10m", "'filter' : 'bwlim-out' : <key> option is missing"),
        ("filter trace name", "'filter' : 'trace' : 'name' option without value"),
        ("filter trace foo", "'filter trace' : unknown keyword 'foo'."),
        ("filter comp-res x", "'filter compression' : unknown keyword 'x'."),
        (f"{LIMIT}\n{LIMIT}", "'filter' : bwlim filter 'd' already declared for proxy 'f'\n"),
        ("filter compression\nfilter comp-res", "'filter' : f: Proxy supports only one comp-res filter\n"),
        (
            "filter trace\ncompression algo gzip",
            "config: proxy 'f': require an explicit filter declaration to use HTTP compression",
        ),
        (
            "filter trace\nhttp-request cache-use y",
            "config: proxy 'f': require an explicit filter declaration to use the cache 'y'.",
        ),
        (
            "http-response cache-store nope",
            "config: proxy 'f': unable to find the cache 'nope' referenced by the filter 'cache'.",
        ),
        (
            "http-request set-bandwidth-limit nope",
            "Proxy 'f': unable to find bwlim filter 'nope' referenced by set-bandwidth-limit rule.",
        ),
        (
            "filter-sequence request a,b",
            "f: error while postparsing request filter-sequence 'a' : "
            "invalid filter name: 'a' is not defined on the proxy",
        ),
    ],
)
def test_wrong_lines(tmp_path: Path, front: str, expected: str) -> None:
    assert expected in complaints(tmp_path, front)


@pytest.mark.parametrize(
    "front",
    [
        "filter trace\nfilter compression\ncompression algo gzip",
        "filter cache y\nfilter trace\nhttp-request cache-use y\nhttp-response cache-store y",
        "filter trace\nfilter comp-res\nfilter-sequence response comp-res,trace",
        f"{LIMIT} min-size 2k\nhttp-request set-bandwidth-limit d limit 1m period int(5)",
    ],
)
def test_right_lines(tmp_path: Path, front: str) -> None:
    assert complaints(tmp_path, front) == []


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("  total-max-size 5000\n", '"total-max-size" (5000) must not be greater than 4095'),
        ("  total-max-size foo\n", "total-max-size wrong value 'foo'"),
        ("  total-max-size 0\n", "Size not specified for cache 'y'"),
        (
            "  max-object-size 1000000\n",
            '"max-object-size" is limited to an half of "total-max-size" => 524288',
        ),
        ("  max-secondary-entries 0\n", "max-secondary-entries wrong value '0'"),
        (
            "  process-vary maybe\n",
            '\'process-vary\' expects "on" or "off" (enable or disable vary processing).',
        ),
        ("  process-vary on off\n", "'process-vary' cannot handle unexpected argument 'off'."),
        (
            "  early-hints on ratio 100\n",
            "'early-hints ratio' expects an integer argument between 1 and 99, got '100'.",
        ),
        ("  early-hints on foo\n", "'early-hints' unexpected argument 'foo', expected 'ratio'."),
        ("  foo\n", "unknown keyword 'foo' in 'cache' section"),
        ("cache\n", "'cache' expects a <name> argument"),
        ("cache z a\n", "'cache' cannot handle unexpected argument 'a'."),
        ("cache y\n  total-max-size 1\n", "Duplicate cache name 'y'."),
    ],
)
def test_wrong_caches(tmp_path: Path, line: str, expected: str) -> None:
    assert expected in complaints(tmp_path, "http-request deny", line)
