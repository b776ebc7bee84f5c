"""``-dK``: the format of the lists."""

from __future__ import annotations

import re

import pytest

from evener.cli.haproxy_keywords import dump_keywords


def lines(classes: str) -> list[str]:
    return dump_keywords(classes).splitlines()


def test_help_names_the_classes() -> None:
    assert lines("help")[0] == "# List of supported keyword classes:"
    assert [line.split(":")[0] for line in lines("help")[1:]] == [
        *("all", "acl", "cfg", "cli", "cnv", "flt", "smp", "svc")
    ]


@pytest.mark.parametrize("classes", ["", "nonsense"])
def test_unknown_classes_are_ignored(classes: str) -> None:
    assert lines(classes) == []


def test_acl() -> None:
    found = lines("acl")
    assert found[0] == "# List of registered ACL keywords:"
    assert "path_beg = path -m beg" in found
    assert found[1:] == sorted(found[1:])
    assert len(found) - 1 == 77


def test_converters() -> None:
    found = lines("cnv")
    assert found[0] == "# List of registered sample converter functions:"
    assert "lower: str => str" in found
    assert all(re.fullmatch(r"[\w.-]+(\(.*\))?: \w+ => \w+", line) for line in found[1:])


def test_fetches_stand_below_a_legend() -> None:
    found = lines("smp")
    assert found[0] == "# List of registered sample fetch functions:"
    legend = found[1:25]
    assert all(line.startswith("#") for line in legend)
    column = legend[0].index("_.")
    assert [line.index("_.") for line in legend[:22]] == list(range(column, column + 22))
    assert [line.count("/") for line in legend[:22]] == list(range(22))
    assert legend[0].endswith(" frontend tcp-request connection rule")
    rows = found[25:]
    assert all(re.fullmatch(r"\[( [Y.]){22} \] [\w.+-]+(\(.*\))?: \w+", row) for row in rows)
    assert any(row.endswith("] path: str") for row in rows)


def test_commands() -> None:
    assert "show info [WORKER] " in lines("cli")


def test_several_lists() -> None:
    assert [line for line in lines("svc,flt") if line.startswith("#")] == [
        "# List of registered service names:",
        "# List of registered filter names:",
    ]
