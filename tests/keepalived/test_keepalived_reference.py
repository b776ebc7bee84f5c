"""The same lines flagged, in the same words and with the same exit code, as keepalived 2.4.3 does.

``fixtures/keepalived/parser.jsonl`` holds small configurations, one mistake each, with what the original
said of them (built without SNMP and DBus; interfaces lo, eth0 and eth1). ``differences.tsv`` beside it names
those where we differ, and why; an entry that is not needed fails, as does a difference without an entry.

The same is done with the configurations of EVENER_CORPUS, if its directory has the verdicts of the original.
"""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from reference import OPTIONAL_PARTS, flagged, ours, plain

from evener.keepalived.include import ALL_CHECKS, Check
from evener.keepalived.reader import Options, machine
from evener.keepalived.reading import Program, Surroundings
from evener.keepalived.resolve import LoadOptions

FIXTURES = Path(__file__).parents[2] / "fixtures" / "keepalived"
CASES: list[dict[str, Any]] = [
    json.loads(line) for line in (FIXTURES / "parser.jsonl").read_text(encoding="utf-8").splitlines()
]
SHARE = 0.95
PROGRAMS = frozenset(["/bin/true", "/usr/bin/true"])


def differences(name: str) -> dict[str, str]:
    lines = (FIXTURES / name).read_text(encoding="utf-8").splitlines()
    listed = dict(line.split("\t", 1) for line in lines if line and not line.startswith("#"))
    assert all(reason.strip() for reason in listed.values())
    return listed


DIFFERENT = differences("differences.tsv")

MACHINE = Surroundings(
    interfaces=frozenset(["lo", "eth0", "eth1"]),
    program=lambda argv, user, secure: Program.FINE if argv[0] in PROGRAMS else Program.MISSING,
    user_exists=lambda user, group: user in ("root", "nobody") and group in (None, "root"),
    directory_exists=lambda path: path in ("/tmp", "/run", "."),
    iproute_names=lambda kind, directories=(): {},
    vrf_table=lambda name: None,
    resolves=lambda host, service: host == "localhost",
    cpus=2,
)


def said_of(case: dict[str, Any], home: Path) -> tuple[int, list[str]]:
    for name, text in {"k.conf": case["config"], **case.get("files", {})}.items():
        path = home / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode("utf-8", "surrogateescape"))
        path.chmod(0o755 if name in case.get("executable", ()) else 0o644)
    check = ALL_CHECKS if case.get("all_includes") else Check.NONE
    options = replace(machine(), config_id=case.get("config_id", "vm"), check_includes=check)
    return ours("k.conf", LoadOptions(replace(options, environment={"HOME": "/root"}), MACHINE))


def test_there_are_enough_cases() -> None:
    assert len(CASES) >= 200
    assert set(DIFFERENT) <= {case["name"] for case in CASES}
    assert 1 - len(DIFFERENT) / len(CASES) >= SHARE


@pytest.mark.parametrize("case", CASES, ids=lambda case: str(case["name"]))
def test_a_small_configuration(case: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    code, messages = said_of(case, tmp_path)
    same = code == case["exit"] and sorted(messages) == sorted(case["messages"])
    if case["name"] in DIFFERENT:
        assert not same, "differences.tsv lists this, but there is no difference"
        return
    assert sorted(messages) == sorted(case["messages"])
    assert code == case["exit"]


CORPUS = Path(os.environ.get("EVENER_CORPUS") or "/nonexistent")
ORACLE = "keepalived-2.4.3+fixtures"
VERDICTS = sorted((CORPUS / "verdicts").glob(f"*.{ORACLE}.txt")) if CORPUS.is_dir() else []


class Plausible(frozenset[str]):
    """The interfaces of that machine: every name was made one, unless it is a template's."""

    def __contains__(self, name: object) -> bool:
        return not set("$@") & set(str(name))


def corpus_case(verdict: Path) -> tuple[Path, list[str], LoadOptions]:
    """A configuration, what was said of it, and the machine that was made for it."""
    lines = verdict.read_text(encoding="utf-8", errors="surrogateescape").splitlines()
    head = [line.split(None, 2)[1:] for line in lines if line.startswith("#   ")]
    given = {(words[0], words[1]) for words in head if len(words) == 2}
    scripts = {name for kind, name in given if kind in ("script", "cmd")}
    made = replace(
        MACHINE,
        interfaces=Plausible(),
        program=lambda argv, user, secure: (
            Program.FINE if argv[0] in scripts or argv[0] in COMMON else Program.MISSING
        ),
        user_exists=lambda user, group: True,
        directory_exists=os.path.isdir,
    )
    path = CORPUS / "keepalived" / verdict.name.removesuffix(f".{ORACLE}.txt")
    theirs = [line for line in lines if not line.startswith("#") and not OPTIONAL_PARTS.search(line)]
    # The reference ran elsewhere, and names missing files as seen from there.
    return path, plain(theirs), LoadOptions(Options(config_id="vm"), made)


COMMON = frozenset(
    ["/bin/true", "/bin/false", "/bin/sh", "/bin/bash", "/usr/bin/true", "sh", "bash", "true", "ping"]
)


@pytest.mark.skipif(not VERDICTS, reason="EVENER_CORPUS names no directory with verdicts of keepalived")
@pytest.mark.timeout(300)
def test_the_corpus_is_flagged_in_the_same_lines() -> None:
    listed = differences("corpus-differences.tsv")
    different: set[str] = set()
    count = 0
    for verdict in VERDICTS:
        path, theirs, options = corpus_case(verdict)
        if not path.exists():
            continue
        count += 1
        _, messages = ours(str(path), options)
        if flagged(messages) != flagged(theirs):
            different.add(path.name)
    assert different == set(listed)
    assert 1 - len(different) / count >= SHARE
