"""What is named must be declared: what is said otherwise is the original's.

The table's columns: the text (``\\n`` begins another line), whether it is fatal, and the messages, separated
by ``//``. They are what HAProxy 3.5-dev5 answers to the same text.
"""

from pathlib import Path

import pytest
from sections.config_text import printed, read

TABLES = Path(__file__).parents[2] / "fixtures" / "config"
ROWS, SERVERS = (
    [tuple(row.split("\t")) for row in (TABLES / name).read_text(encoding="utf-8").splitlines()]
    for name in ("references.tsv", "servers.tsv")
)


@pytest.mark.parametrize(("config", "fatal", "said"), [*ROWS, *SERVERS])
def test_what_is_said(config: str, fatal: str, said: str, tmp_path: Path) -> None:
    _, found = read(config.replace("\\n", "\n"), tmp_path)
    assert " // ".join(" ".join(line.split()) for line in printed(found, tmp_path)) == said
    assert found.has_errors is (fatal == "1")


def test_the_table_is_there() -> None:
    assert sum(row[1] == "1" for row in ROWS) >= 40
    assert sum(row[1] == "1" for row in SERVERS) >= 40
