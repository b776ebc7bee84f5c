"""``expose-fd listeners`` and ``-x``: a newer process listens with the very sockets of the older one."""

import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from place import Place

pytest.importorskip("evener.engine.core")


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    made = Place(tmp_path)
    config = (tmp_path / "cfg").read_text()
    (tmp_path / "cfg").write_text(config.replace("level admin", "level admin expose-fd listeners"))
    yield made
    made.end()


def listening(place: Place) -> set[str]:
    """The sockets that listen on the frontend's port, by their inode."""
    rows = [row.split() for row in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return {row[9] for row in rows if row[1].endswith(f":{place.port:04X}") and row[3] == "0A"}


def has(process: subprocess.Popen[bytes], inode: str) -> bool:
    folder = f"/proc/{process.pid}/fd"
    return any(os.readlink(f"{folder}/{name}") == f"socket:[{inode}]" for name in os.listdir(folder))


def test_the_socket_stays_the_same(place: Place) -> None:
    older = place.serving("-db")
    (inode,) = listening(place)
    newer = place.start("-db", "-x", f"{place.directory}/s", "-sf", str(older.pid))
    assert older.wait(15) == 0
    assert b"hello" in place.get()
    assert listening(place) == {inode}
    assert has(newer, inode)
    assert re.search(rf"^Pid: {newer.pid}$", place.ask("show info"), re.MULTILINE)


def test_without_leave_it_does_not_start(place: Place) -> None:
    config = place.directory / "cfg"
    config.write_text(config.read_text().replace(" expose-fd listeners", ""))
    place.serving("-db")
    newer = place.start("-db", "-x", f"{place.directory}/s")
    assert newer.wait(15) == 1
    assert "Failed to get the number of sockets to be transferred !" in place.out()
    assert "Failed to get the sockets from the old process!" in place.out()


def test_nothing_is_asked_of_the_null_device(place: Place) -> None:
    place.serving("-db", "-x", "/dev/null")
