"""What is said about a wrong line, or one in the wrong place, in the original's words.

The table's columns: where the line stands, the line (``\\n`` begins another one), whether it is fatal, and
the messages, separated by ``//``.
"""

from pathlib import Path

import pytest
from config_text import DEFAULTS, printed, read

TABLE = Path(__file__).parents[3] / "fixtures" / "config" / "wrong-lines.tsv"
FRAMES = {
    "raw": "{}\n",
    "global": "global\n  {}\ndefaults" + DEFAULTS,
    "defaults": "defaults" + DEFAULTS + "  {}\nlisten l\n  bind :8080\n",
    "named": "defaults d" + DEFAULTS + "  {}\nlisten l\n  bind :8080\n",
    "frontend": "defaults" + DEFAULTS + "frontend f\n  bind :8080\n  {}\n",
    "backend": "defaults" + DEFAULTS + "backend b\n  {}\n",
    "listen": "defaults" + DEFAULTS + "listen l\n  bind :8080\n  {}\n",
    "bind": "defaults" + DEFAULTS + "listen l\n  bind :8080 {}\n",
    "server": "defaults" + DEFAULTS + "listen l\n  bind :8080\n  server {}\n",
}
ROWS = [tuple(row.split("\t")) for row in TABLE.read_text(encoding="utf-8").splitlines()]


@pytest.mark.parametrize(("frame", "line", "fatal", "said"), ROWS)
def test_wrong_line(frame: str, line: str, fatal: str, said: str, tmp_path: Path) -> None:
    text = FRAMES[frame].replace("{}", line.replace("\\n", "\n"))
    _, found = read(text, tmp_path)
    assert " // ".join(printed(found, tmp_path)) == said
    assert found.has_errors is (fatal == "1")


def test_the_table_is_there() -> None:
    assert len(ROWS) >= 500
