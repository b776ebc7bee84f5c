"""The file of a ring: its form is that of HAProxy 3.5, of which the first bytes were recorded."""

import random
import struct
from collections.abc import Iterator
from pathlib import Path

import pytest

from evener.host.log_ring import LogRing
from evener.host.ring_file import HEAD, RingFile


def messages(data: bytes) -> Iterator[bytes]:
    """What a tool that knows the form finds in it, oldest first."""
    (size, head_size), (tail,), (head,) = (
        struct.unpack_from(form, data, at) for form, at in (("=QQ", 0), ("=Q", 64), ("=Q", 128))
    )
    assert (size, head_size) == (len(data) - HEAD, HEAD)
    area = data[HEAD:] * 2
    at, end = head + 1, tail if tail > head else tail + size
    while at < end:
        length, shift = area[at], 4
        at += 1
        if length >= 240:
            while True:
                length += area[at] << shift
                at, shift = at + 1, shift + 7
                if area[at - 1] < 128:
                    break
        yield area[at : at + length]
        at += length
        assert area[at] == 0, "nobody reads it"
        at += 1


def test_the_form(tmp_path: Path) -> None:
    path = tmp_path / "ring"
    made = RingFile(str(path), 32764)
    data = path.read_bytes()
    assert len(data) == 32768
    assert data[:16] == bytes.fromhex("407f000000000000 c000000000000000".replace(" ", ""))
    assert (data[64], data[128]) == (1, 0)
    assert path.stat().st_mode & 0o777 == 0o600
    made.append(b"x" * 161)
    made.append(b"y" * 162)
    data = path.read_bytes()
    assert data[HEAD : HEAD + 3] == b"\0\xa1x"
    assert struct.unpack_from("=Q", data, 64) == (328,)
    assert list(messages(data)) == [b"x" * 161, b"y" * 162]


def test_round_and_round(tmp_path: Path) -> None:
    """Always the last messages, as many as there is room for, over every kind of length and every edge."""
    path, rng = tmp_path / "ring", random.Random(7)
    made, said = RingFile(str(path), 4096), []
    for number in range(600):
        said.append(b"%d " % number + b"m" * rng.choice((0, 3, 230, 234, 235, 236, 237, 300, 2275, 2300)))
        made.append(said[-1])
        found = list(messages(path.read_bytes()))
        assert found == said[-len(found) :]
        assert sum(map(len, found)) <= 4096
    made.append(b"z" * 5000)
    assert list(messages(path.read_bytes())) == found, "what never fits changes nothing"


def test_what_was_there_is_kept_once(tmp_path: Path) -> None:
    path, old = tmp_path / "ring", tmp_path / "ring.bak"
    path.write_bytes(b"")
    RingFile(str(path), 4096).close()
    assert not old.exists(), "there was nothing in it"
    RingFile(str(path), 4096).append(b"one")
    RingFile(str(path), 8192).append(b"two")
    assert list(messages(old.read_bytes())) == [b"one"]
    assert list(messages(path.read_bytes())) == [b"two"]
    with pytest.raises(OSError, match="No such file"):
        RingFile(str(tmp_path / "none" / "ring"), 4096)


def test_a_ring_writes_what_it_keeps(tmp_path: Path) -> None:
    ring = LogRing("r", 4096, 5)
    ring.file = RingFile(str(tmp_path / "ring"), 4096)
    ring.append(b"too long")
    assert list(messages((tmp_path / "ring").read_bytes())) == ring.messages() == [b"too l"]
