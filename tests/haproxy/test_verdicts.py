"""Real configurations against what HAProxy said of them: the same decision, the same lines flagged.

``EVENER_CORPUS`` names a folder with ``haproxy/`` (configurations) and ``verdicts/``: for each of them a text
``<name>.<program>+fixtures.txt`` with the exit code, the files that were supplied, and what was printed. The
same files, hosts, users and variables are supplied here. ``fixtures/haproxy/verdicts.tsv`` lists the files on
which we differ, and why; a difference that is not listed fails, and so does a listed one that is gone.
"""

import builtins
import grp
import io
import os
import pwd
import re
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from evener.haproxy.environment import Environment
from evener.haproxy.reader import ReadOptions
from evener.haproxy.resolve import load
from evener.text.diagnostic import Diagnostics, FatalConfiguration, Severity
from evener.text.render import haproxy

CORPUS = Path(os.environ.get("EVENER_CORPUS", "/nonexistent"))
PROGRAM = "haproxy-3.5-dev5+fixtures"
KNOWN = Path(__file__).parents[2] / "fixtures" / "haproxy" / "verdicts.tsv"
FLAGGED = re.compile(r"\[(?:[^\]:\s]*/)?([^\]:/\s]+):(\d+)\]")
CERTIFICATES = Path(__file__).parents[2] / "fixtures" / "tls"
TLS = {
    "crt": "server.pem",
    "crtdir": "server.pem",
    "ca": "ca.pem",
}  #: the recorded run had no usable parameters
PAGE = b"HTTP/1.0 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n"


@dataclass(frozen=True)
class Verdict:
    path: Path
    refused: bool
    supplied: dict[str, set[str]]
    flagged: frozenset[int]


def verdict(path: Path) -> Verdict:
    text = (CORPUS / "verdicts" / f"{path.name}.{PROGRAM}.txt").read_text("utf-8", "surrogateescape")
    lines = text.split("\n")
    supplied: dict[str, set[str]] = defaultdict(set)
    for line in lines:
        if line.startswith("#   "):
            kind, _, name = line[4:].partition(" ")
            supplied[kind].add(name)
    said = [line for line in lines if line.startswith(("[ALERT]", "[WARNING]"))]
    return Verdict(path, lines[0] != "# exit 0", supplied, flagged(said, path.name))


def flagged(said: list[str], name: str) -> frozenset[int]:
    return frozenset(int(number) for line in said for file, number in FLAGGED.findall(line) if file == name)


ANY_NAME = b"for _, name in ipairs(NAMES) do core.register_fetches(name, f) end"
"""A Lua file that may declare whatever the configuration uses."""


def all_verdicts() -> list[Path]:
    folder = CORPUS / "haproxy"
    texts = CORPUS / "verdicts"
    return [path for path in sorted(folder.glob("*")) if (texts / f"{path.name}.{PROGRAM}.txt").is_file()]


FILES = all_verdicts()


def known_differences() -> dict[str, str]:
    rows = [row.split("\t") for row in KNOWN.read_text(encoding="utf-8").splitlines()]
    return {row[0]: row[1] for row in rows}


def engine(case: Verdict, name: str) -> bytes:
    """A SPOE file that is right: the engine that the configuration names, and a backend that may serve it."""
    text = case.path.read_text("utf-8", "surrogateescape")
    scope = re.search(r"filter\s+spoe\s+engine\s+(\S+)\s+config\s+\S*" + re.escape(Path(name).name), text)
    backends = [part.split("\n", 1) for part in re.split(r"^backend\s+", text, flags=re.MULTILINE)[1:]]
    fitting = [part for part in backends if re.search(r"^\s+mode\s+(tcp|spop)\b", part[-1], re.MULTILINE)]
    backend = (fitting or backends or [["-"]])[0][0].split()[0]
    agent = (
        f"spoe-agent stub\n  use-backend {backend}\n  timeout processing 1s\n"
        "  messages m\nspoe-message m\n  event on-client-session\n"
    )
    return (f"[{scope[1]}]\n{agent}" if scope else agent).encode()


@pytest.fixture
def supply(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Makes the files of a verdict readable, wherever they would be."""

    def supplying(case: Verdict) -> None:
        named = {os.path.abspath(name) for names in case.supplied.values() for name in names}
        files = {name for name in named if not os.path.exists(name)}
        pages = {os.path.abspath(name) for name in case.supplied["errorfile"]}
        named_tls = {
            os.path.abspath(name): (CERTIFICATES / file).read_bytes()
            for kind, file in TLS.items()
            for name in case.supplied[kind]
        }
        scripts = dict.fromkeys((os.path.abspath(name) for name in case.supplied["lua"]), ANY_NAME)
        engines = {os.path.abspath(name): engine(case, name) for name in case.supplied["spoe-stub"]}
        real = builtins.open

        def fake(path: Any, mode: str = "r", *rest: Any, **more: Any) -> Any:
            name = os.path.abspath(os.fsdecode(path)) if isinstance(path, str | bytes | os.PathLike) else ""
            if name not in files:
                return real(path, mode, *rest, **more)
            data = PAGE if name in pages else {**engines, **named_tls, **scripts}.get(name, b"")
            return io.BytesIO(data) if "b" in mode else io.StringIO(data.decode())

        stat, here = os.stat, os.stat(__file__)

        def fake_stat(path: Any, **more: Any) -> os.stat_result:
            supplied = isinstance(path, str) and os.path.abspath(path) in files
            return here if supplied else stat(path, **more)

        monkeypatch.setattr(builtins, "open", fake)
        monkeypatch.setattr(os, "stat", fake_stat)
        monkeypatch.setattr(pwd, "getpwnam", lambda name: pwd.getpwuid(0))
        monkeypatch.setattr(grp, "getgrnam", lambda name: grp.getgrgid(0))

    return supplying


def ours(case: Verdict) -> tuple[bool, frozenset[int]]:
    environment = Environment.of_process()
    environment.variables.update(dict.fromkeys(case.supplied["env"], "127.0.0.1"))
    hosts = case.supplied["host"] | {"localhost"}
    found = Diagnostics()
    try:
        load(
            [str(case.path)],
            found,
            ReadOptions(environment),
            lambda h, f: "127.0.0.1" if h in hosts else None,
        )
    except FatalConfiguration:
        pass
    said = [haproxy(entry, 1).split("\n")[0] for entry in found if entry.severity >= Severity.WARNING]
    return found.has_errors, flagged(said, case.path.name)


def difference(case: Verdict) -> str:
    refused, lines = ours(case)
    if refused != case.refused:
        return f"we {'refuse' if refused else 'accept'} it"
    if lines != case.flagged:
        return f"lines {sorted(case.flagged - lines)} are not flagged, {sorted(lines - case.flagged)} are"
    return ""


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
@pytest.mark.timeout(20)
def test_verdict(path: Path, supply: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(CORPUS)
    case = verdict(path)
    supply(case)
    found = difference(case)
    why = known_differences().get(path.name)
    if why is None:
        assert found == ""
    else:
        assert found, f"listed as a difference ({why}), and there is none any more"


def test_the_differences_are_few() -> None:
    listed = known_differences()
    assert all(why for why in listed.values())
    if not FILES:
        pytest.skip("EVENER_CORPUS does not name a folder with verdicts")
    names = {path.name for path in FILES}
    assert set(listed) <= names
    assert len(listed) <= len(names) * 0.05
