"""What tuning words of ``global`` do to a running process, seen from outside of it."""

import os
import re
import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from test_haproxy_run import Place, eventually, free_port

SS = shutil.which("ss", path="/usr/bin:/bin:/usr/sbin:/sbin")


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    made = Place(tmp_path)
    yield made
    made.end()


def memory(*query: str) -> list[tuple[int, int]]:
    """(receive, send) buffers of the sockets that ``ss`` finds."""
    assert SS is not None
    told = subprocess.run([SS, "-Hmn", *query], capture_output=True, text=True, check=True).stdout
    return [(int(rb), int(tb)) for rb, tb in re.findall(r"rb(\d+),t\d+,tb(\d+)", told)]


def workers(place: Place) -> list[int]:
    return [int(number, 16) for number in re.findall(r"id=0x([0-9a-f]+)", place.ask("show threads"))]


@pytest.mark.skipif(SS is None, reason="no ss")
def test_buffers_of_sockets(place: Place) -> None:
    """The kernel keeps twice what is asked for."""
    server = socket.create_server(("127.0.0.1", 0))
    port = server.getsockname()[1]
    place.write(
        "tune.rcvbuf.client 20k\n    tune.sndbuf.client 24k\n"
        "    tune.rcvbuf.server 12k\n    tune.sndbuf.server 14k",
        f"server s 127.0.0.1:{port}",
    )
    place.serving()
    with socket.create_connection(("127.0.0.1", place.port), timeout=5) as client:
        client.sendall(b"GET /b HTTP/1.1\r\nhost: a\r\n\r\n")
        peer, _ = server.accept()
        assert memory("-t", "state", "established", f"sport = :{place.port}") == [(40960, 49152)]
        assert memory("-t", "state", "established", f"dport = :{port}") == [(24576, 28672)]
        peer.close()
    server.close()


@pytest.mark.skipif(SS is None, reason="no ss")
def test_buffers_of_sockets_for_datagrams(place: Place) -> None:
    port = free_port()
    place.write(
        "tune.rcvbuf.frontend 20k\n    tune.sndbuf.frontend 24k",
        f"\nlog-forward l\n    dgram-bind 127.0.0.1:{port}\n    log 127.0.0.1:9 local0",
    )
    place.serving()
    assert (40960, 49152) in memory("-ua", f"sport = :{port}")


def test_priority_processors_and_how_many_workers(place: Place) -> None:
    cpu = min(os.sched_getaffinity(0))
    place.write(
        f"tune.renice.runtime 7\n    thread-hard-limit 1\n    cpu-map 1/1 {cpu}\n    profiling.tasks on"
    )
    process = place.serving()
    assert os.getpriority(os.PRIO_PROCESS, process.pid) == 7
    assert re.search(r"(?m)^Nbthread: 1$", place.ask("show info"))
    (worker,) = workers(place)
    assert os.sched_getaffinity(worker) == {cpu} and os.getpriority(os.PRIO_PROCESS, worker) == 7
    assert ": on  " in place.ask("show profiling status")
    eventually(lambda: place.get() and "process_stream" in place.ask("show profiling"), "measured")


@pytest.mark.parametrize(("word", "flag"), [("", 1), ("insecure-setuid-wanted", 0)])
def test_programs_get_no_new_rights(place: Place, word: str, flag: int) -> None:
    place.write(word)
    process = place.serving()
    for number in (process.pid, *workers(place)):
        assert f"NoNewPrivs:\t{flag}\n" in Path(f"/proc/{number}/status").read_text()


@pytest.mark.parametrize(
    ("word", "flag", "starts"), [("", "-db", True), ("noreuseport", "-db", False), ("", "-dR", False)]
)
def test_two_processes_on_one_port(place: Place, word: str, flag: str, starts: bool) -> None:
    place.write(word)
    place.serving(flag)
    cfg = place.directory / "cfg"
    cfg.write_text(cfg.read_text().replace("/s level", "/s2 level"))
    second = place.start()
    if starts:
        eventually(lambda: (place.directory / "s2").exists() and second.poll() is None, "a second process")
    else:
        assert second.wait(15) == 1
        assert "cannot bind socket (Address already in use)" in place.out()


def test_a_worker_that_never_sleeps_serves(place: Place) -> None:
    place.write("busy-polling\n    thread-hard-limit 1")
    place.serving()
    assert place.get().startswith(b"HTTP/1.1 200")


def test_a_payload_that_is_too_long(place: Place) -> None:
    place.write("tune.cli.max-payload-size 1k")
    place.serving()
    assert place.ask("add map #0 <<\n" + "a b\n" * 500 + "\n").startswith("The payload is too big.")


def test_idle_connections_are_not_shared_when_that_is_off(place: Place) -> None:
    """A worker asks others for connections by sockets that it has only when they share."""
    counts = []
    for word in ("tune.idle-pool.shared on", "tune.idle-pool.shared off"):
        place.write(word)
        process = place.serving()
        counts.append(len(os.listdir(f"/proc/{workers(place)[0]}/fd")))
        process.kill()
        process.wait()
        place.port = free_port()
    assert counts[0] > counts[1]
