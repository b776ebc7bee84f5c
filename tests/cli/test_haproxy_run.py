"""The haproxy command as a process: started, spoken to, signalled and ended, on the loopback.

Every process started here is ended by its number; everything waits with a bound.
"""

import contextlib
import os
import re
import signal
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("evener.engine.core")

from place import SECONDS, Place, alive, children_of, eventually, free_port, workers_of


def test_serves_answers_and_dies_of_int(place: Place) -> None:
    process = place.serving("-db")
    assert place.get().endswith(b"hello")
    workers = workers_of(process.pid, 2)
    assert len(workers) == 2
    names = {Path(f"/proc/{pid}/comm").read_text() for pid in (process.pid, *workers)}
    assert names == {"haproxy\n"}
    assert f"Pid: {process.pid}\n" in place.ask("show info")
    assert re.search(r"^f,FRONTEND,.*,OPEN,", place.ask("show stat"), re.MULTILINE)
    process.send_signal(signal.SIGINT)
    assert process.wait(SECONDS) == -signal.SIGINT
    eventually(lambda: not any(alive(pid) for pid in workers), "the workers' end")
    assert "Traceback" not in place.out()


def test_usr1_stops_softly(place: Place) -> None:
    process = place.serving("-db")
    process.send_signal(signal.SIGUSR1)
    assert process.wait(SECONDS) == 0
    assert re.search(r"Proxy f stopped \(cumulated conns: FE: \d+, BE: 0\)\.", place.out())


def test_ttou_and_ttin(place: Place) -> None:
    process = place.serving("-db")
    process.send_signal(signal.SIGTTOU)
    eventually(lambda: not place.get(), "refusal")
    process.send_signal(signal.SIGTTIN)
    eventually(place.get, "service")
    process.send_signal(signal.SIGHUP)
    eventually(lambda: "SIGHUP: Proxy f has no servers." in place.out(), "the servers' states")
    assert "Paused frontend f." in place.out()


def test_frontends_pause_and_servers_change(place: Place) -> None:
    with socket.socket() as origin:
        origin.bind(("127.0.0.1", 0))
        origin.listen()
        origin.settimeout(5)
        place.write(server=f"server s1 127.0.0.1:{origin.getsockname()[1]}")
        place.serving("-db")
        assert place.ask("disable server b/s1") == "\n"
        eventually(lambda: b" 503 " in place.get("/b"), "503")
        assert "MAINT" in place.ask("show stat b 4 -1")
        assert place.ask("set server b/s1 state ready") == "\n"
        assert place.ask("disable frontend f") == "\n"
        assert place.ask("disable frontend f") == "All sockets are already disabled.\n\n"
        eventually(lambda: not place.get(), "refusal")
        assert place.ask("enable frontend f") == "\n"
        eventually(place.get, "service")


def test_a_crashed_worker_ends_the_whole(place: Place) -> None:
    process = place.serving("-db")
    first, second = workers_of(process.pid, 2)
    os.kill(first, signal.SIGSEGV)
    assert process.wait(SECONDS) == -signal.SIGSEGV
    eventually(lambda: not alive(second), "the other worker's end")


def test_a_taken_address(place: Place) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", place.port))
        other.listen()
        assert place.start("-db").wait(SECONDS) == 1
    out = place.out()
    told = f"protocol tcpv4: cannot bind socket (Address already in use) for [127.0.0.1:{place.port}]."
    assert re.search(rf"\[ALERT\]    \(\d+\) : Binding \[cfg:12\] for frontend f: {re.escape(told)}\n", out)
    assert "haproxy.py.main()] Some protocols failed to start their listeners! Exiting.\n" in out


def test_nothing_to_listen_on(place: Place) -> None:
    (place.directory / "cfg").write_text("backend b\n timeout connect 1s\n timeout server 1s\n")
    assert place.start("-db").wait(SECONDS) == 1
    assert "No enabled listener found (check for 'bind' directives) ! Exiting." in place.out()


def test_daemon_pid_file_and_takeover(place: Place) -> None:
    pid_file = place.directory / "pid"
    assert place.start("-D", "-p", str(pid_file)).wait(SECONDS) == 0
    first = int(pid_file.read_text())
    place.others.append(first)
    assert place.get().endswith(b"hello")
    assert os.getsid(first) == first
    assert place.start("-D", "-p", str(pid_file), "-sf", str(first)).wait(SECONDS) == 0
    second = int(pid_file.read_text())
    place.others.append(second)
    assert second != first
    eventually(lambda: not alive(first), "the first one's end")
    assert place.get().endswith(b"hello")
    os.kill(second, signal.SIGTERM)
    eventually(lambda: not alive(second), "the second one's end")
    assert not place.get()


def test_a_daemon_that_cannot_start(place: Place) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", place.port))
        other.listen()
        assert place.start("-D", "-p", "pid").wait(SECONDS) == 1
    assert re.search(r"Process \d+ exited with code 1 \(Exit\)", place.out())
    assert not (place.directory / "pid").exists()


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 0), (signal.SIGINT, 130)])
def test_master_mode(place: Place, monkeypatch: pytest.MonkeyPatch, number: int, code: int) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(f"{place.directory}/n")
        manager.settimeout(SECONDS)
        monkeypatch.setenv("NOTIFY_SOCKET", f"{place.directory}/n")
        process = place.start("-Ws", "-p", "pid")
        assert b"READY=1" in manager.recv(1000)
    assert (place.directory / "pid").read_text() == f"{process.pid}\n"
    assert place.get()
    process.send_signal(number)
    assert process.wait(SECONDS) == code


def test_checks_and_state_messages(place: Place) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as syslog:
        syslog.bind(("127.0.0.1", 0))
        syslog.settimeout(SECONDS)
        log = f"log 127.0.0.1:{syslog.getsockname()[1]} local0"
        place.write(server=f"{log}\n    server s1 127.0.0.1:{free_port()} check inter 50ms")
        process = place.start("-db")
        first = syslog.recv(1000).decode()
        pattern = (
            rf"<129>\w+ [ \d]\d [\d:]+ haproxy\[{process.pid}\]: Server b/s1 is DOWN, "
            r'reason: Layer4 connection problem, info: "ECONNREFUSED returned by OS \(Connection refused\)", '
            r"check duration: \d+ms\. 0 active and 0 backup servers left\. "
            r"0 sessions active, 0 requeued, 0 remaining in queue\.\n"
        )
        assert re.fullmatch(pattern, first)
        assert "backend b has no server available!" in syslog.recv(1000).decode()
    eventually(lambda: b" 503 " in place.get("/b"), "503")


def test_a_server_that_moves(place: Place) -> None:
    with socket.socket() as origin:
        origin.bind(("127.0.0.1", 0))
        origin.listen()
        origin.settimeout(SECONDS)
        port = origin.getsockname()[1]
        place.write(server=f"server s1 127.0.0.1:{free_port()}")
        place.serving("-db")
        assert place.ask(f"set server b/s1 addr 127.0.0.1 port {port}").startswith("port changed from")
        with socket.create_connection(("127.0.0.1", place.port), timeout=5) as client:
            client.sendall(b"GET /b HTTP/1.0\r\n\r\n")
            connection, _ = origin.accept()
            with connection:
                assert connection.recv(1000).startswith(b"GET /b ")


def test_two_lines_may_share_an_inherited_socket(place: Place) -> None:
    with socket.socket() as inherited:
        inherited.bind(("127.0.0.1", 0))
        inherited.listen()
        inherited.set_inheritable(True)
        place.port = inherited.getsockname()[1]
        place.write()
        cfg = (place.directory / "cfg").read_text()
        line = f"bind 127.0.0.1:{place.port}"
        assert line in cfg
        fd = f"bind fd@{inherited.fileno()}"
        (place.directory / "cfg").write_text(cfg.replace(line, f"{fd}\n    {fd}"))
        process = place.start("-db", fds=(inherited.fileno(),))
        eventually(lambda: place.get().endswith(b"hello"), "service")
    process.send_signal(signal.SIGUSR1)
    assert process.wait(SECONDS) == 0
    assert not place.get()


@pytest.mark.skipif(os.geteuid() != 0, reason="changing root directory and user needs root")
def test_chroot_and_user(place: Place) -> None:
    jail = place.directory / "jail"
    jail.mkdir()
    place.write(extra=f"user nobody\n    chroot {jail}", server="server s1 127.0.0.1:9 check inter 50ms")
    assert place.start("-D", "-p", "pid").wait(SECONDS) == 0, place.out()
    pid = int((place.directory / "pid").read_text())
    place.others.append(pid)
    for one in (pid, *children_of(pid)):
        assert os.readlink(f"/proc/{one}/root") == str(jail)
        assert Path(f"/proc/{one}").stat().st_uid != 0
    assert place.get().endswith(b"hello")
    assert "Name: HAProxy" in place.ask("show info")
    eventually(lambda: ",DOWN," in place.ask("show stat b 4 -1"), "a failed check")
    assert b" 503 " in place.get("/b")
    assert place.ask("bogus").startswith("Unknown command")
    assert "Total events captured" in place.ask("show errors")


def test_the_statistics_page_is_served_by_workers(place: Place) -> None:
    config = place.directory / "cfg"
    config.write_text(config.read_text().replace("default_backend b", "stats uri /b\n    default_backend b"))
    place.serving()
    for _ in range(4):  # whichever worker takes it
        page = place.get("/b?;csv")
        assert page.startswith(b"HTTP/1.1 200 OK\r\n") and b"\nf,FRONTEND," in page


@contextlib.contextmanager
def origin(text: bytes) -> Iterator[int]:
    """A server that answers everything with that text."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        listener.settimeout(0.1)
        ending = threading.Event()

        def serve() -> None:
            while not ending.is_set():
                with contextlib.suppress(OSError), listener.accept()[0] as connection:
                    connection.settimeout(SECONDS)
                    connection.recv(4096)
                    connection.sendall(b"HTTP/1.0 200 OK\r\n\r\n" + text)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            ending.set()
            thread.join()


def test_servers_come_and_go_in_every_worker(place: Place) -> None:
    with origin(b"from the newcomer") as port:
        place.write("nbthread 3")
        place.serving("-db")
        assert b" 503 " in place.get("/b")
        for round_ in range(2):  # the second server takes the place of the first
            name = f"new{round_}"
            assert place.ask(f"add server b/{name} 127.0.0.1:{port}") == "New server registered.\n\n"
            assert b" 503 " in place.get("/b")
            told = place.ask(f"enable server b/{name}; del server b/{name}")
            assert told == "\nOnly servers in maintenance mode can be deleted.\n\n"
            answers = {place.get("/b")[-17:] for _ in range(24)}
            assert answers == {b"from the newcomer"}
            assert f"b,{name}," in place.ask("show stat")
            place.ask(f"set server b/{name} state maint")
            assert place.ask(f"wait 5s srv-removable b/{name}") == "Done.\n\n"
            assert place.ask(f"del server b/{name}") == "Server deleted.\n\n"
            assert all(b" 503 " in place.get("/b") for _ in range(12))
        assert place.ask("wait 5s srv-removable b/new1") == "Failed. No such server.\n\n"
        assert "new" not in place.ask("show servers state")


def test_the_state_of_servers_outlives_a_process(place: Place) -> None:
    states = place.directory / "states"
    line = "load-server-state-from-file global\n server s1 127.0.0.1:1 weight 10\n server s2 127.0.0.1:1"
    place.write(f"server-state-base {place.directory}\n server-state-file states", line)
    first = place.serving("-db")
    assert "Can't open global server state file" in place.out()
    place.ask("set server b/s1 weight 7; set server b/s2 state maint")
    states.write_text(place.ask("show servers state").rstrip("\n") + "\n")
    first.kill()
    first.wait()
    place.serving("-db")
    assert "state file" not in place.out()
    assert place.ask("get weight b/s1") == "7 (initial 10)\n\n"
    row = next(row.split() for row in place.ask("show servers state").splitlines() if " s2 " in row)
    assert row[5:7] == ["0", "1"]


def test_a_server_without_an_address_waits_for_one(place: Place) -> None:
    with origin(b"found") as port:
        place.write(server=f"server s1 no-such-name.invalid:{port} init-addr last,none")
        place.serving("-db")
        assert b" 503 " in place.get("/b")
        assert "MAINT (resolution)" in place.ask("show stat")
        place.ask("set server b/s1 addr 127.0.0.1")
        eventually(lambda: place.get("/b").endswith(b"found"), "the server is used at its new address")
