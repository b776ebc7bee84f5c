"""``ring`` sections whose messages are in a file."""

from pathlib import Path

import pytest
from config_text import messages, read

LATE = "cannot resize an already mapped file, please specify 'size' before 'backing-file'."


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ("  size 20000\n  backing-file /x\n  maxlen 100\n", []),
        ("  backing-file /x\n  size 20000\n", [LATE]),
        ("  backing-file /x\nring other\n  size 20000\n", []),
    ],
)
def test_the_size_comes_first(tmp_path: Path, lines: str, said: list[str]) -> None:
    configuration, found = read(f"ring r\n{lines}", tmp_path)
    assert messages(found) == said
    if not said:
        assert next(iter(configuration.rings)).backing_file == "/x"
