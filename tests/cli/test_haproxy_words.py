"""Commands of the runtime API that reach into workers, and words of ``global``, in a real process."""

from __future__ import annotations

import contextlib
import re
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from test_haproxy_run import Place, eventually

pytest.importorskip("evener.engine.core")


@pytest.fixture
def origin() -> Iterator[int]:
    """Answers with nonsense, unless it is asked for /slow: then not at all."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=serve, args=(listener,), daemon=True).start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)


def serve(listener: socket.socket) -> None:
    kept = []
    try:
        while True:
            connection, _ = listener.accept()
            kept.append(connection)
            if b"/b/slow" not in connection.recv(4096):
                connection.sendall(b"HTTP/1.1 200 OK\r\nbad name: 1\r\n\r\n")
    except OSError:
        for connection in kept:
            connection.close()


@pytest.fixture
def place(tmp_path: Path, origin: int) -> Iterator[Place]:
    made = Place(tmp_path)
    made.write(
        "maxconnrate 1000\n    anonkey 7\n    set-dumpable\n    fd-hard-limit 4000",
        f"cookie C insert dynamic\n    dynamic-cookie-key one\n    server s 127.0.0.1:{origin}\n"
        f"backend other\n    server s 127.0.0.1:{origin}",
    )
    text = (tmp_path / "cfg").read_text().replace("unless { path /b }", "unless { path_beg /b }")
    (tmp_path / "cfg").write_text(text)
    yield made
    made.end()


def test_streams_and_limits(place: Place) -> None:
    process = place.serving()
    with socket.create_connection(("127.0.0.1", place.port), timeout=5) as client:
        client.sendall(b"GET /b/slow HTTP/1.1\r\nhost: a\r\n\r\n")
        eventually(lambda: " be=b srv=s " in place.ask("show sess"), "the stream is shown")
        number = re.match(r"0x[0-9a-f]+", place.ask("show sess"))
        assert number is not None
        assert place.ask(f"show sess {number[0]}").count("\n") == 2
        assert "fe=f" not in place.ask("set anon on; show sess")
        assert place.ask(f"shutdown session {number[0]}") == "\n"
        assert client.recv(100) == b""
        assert "No such session" in place.ask(f"shutdown session {number[0]}")
    assert place.ask("show info").count("ConnRateLimit: 1000\n") == 1
    place.ask("set rate-limit connections global 50; set rate-limit http-compression global 2")
    info = place.ask("show info")
    assert "ConnRateLimit: 50\n" in info and "CompressBpsRateLim: 2048\n" in info
    limits = Path(f"/proc/{process.pid}/limits").read_text()
    assert re.search(r"Max open files +4000 ", limits)


def test_messages_that_are_none_are_shown(place: Place) -> None:
    place.serving()
    place.get("/b")
    with socket.create_connection(("127.0.0.1", place.port), timeout=5) as client:
        client.sendall(b"GET / HTTP/1.1\r\nx y: 1\r\n\r\n")
        client.recv(1000)
    eventually(lambda: " : 2\n" in place.ask("show errors"), "both are shown")
    shown = place.ask("show errors")
    assert "frontend f (#2): invalid request\n" in shown and "backend b (#3): invalid response\n" in shown
    assert "  00016  x y: 1\\r\\n\n" in shown and "  00017  bad name: 1\\r\\n\n" in shown
    assert "invalid response" not in place.ask("show errors f") and " : 2\n" in place.ask("show errors other")


def test_dynamic_cookies_change(place: Place, origin: int) -> None:
    place.write(
        server=f"cookie C insert dynamic\n    dynamic-cookie-key one\n    server s 127.0.0.1:{origin}"
    )
    text = (place.directory / "cfg").read_text()
    text = text.replace("backend b\n", "backend b\n    http-request set-path /\n")
    with socket.create_server(("127.0.0.1", 0)) as good:
        threading.Thread(target=answer_well, args=(good,), daemon=True).start()
        text = text.replace(f"server s 127.0.0.1:{origin}", f"server s 127.0.0.1:{good.getsockname()[1]}")
        (place.directory / "cfg").write_text(text)
        place.serving()
        first = cookie(place)
        place.ask("set dynamic-cookie-key backend b two")
        eventually(lambda: cookie(place) not in ("", first), "the cookie has another value")
        place.ask("disable dynamic-cookie backend b")
        eventually(lambda: cookie(place) == "", "there is no value any more")
        place.ask("enable dynamic-cookie backend b; set dynamic-cookie-key backend b one")
        eventually(lambda: cookie(place) == first, "the first value again")
        good.shutdown(socket.SHUT_RDWR)


def answer_well(listener: socket.socket) -> None:
    try:
        while True:
            connection, _ = listener.accept()
            with connection:
                connection.recv(4096)
                connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
    except OSError:
        return


def cookie(place: Place) -> str:
    found = re.search(r"set-cookie: C=(\w+)", place.get("/b").decode())
    return found[1] if found else ""


def test_connections_by_name(place: Place) -> None:
    connections: list[int] = []
    with socket.create_server(("127.0.0.1", 0)) as origin:
        threading.Thread(target=keep_answering, args=(origin, connections), daemon=True).start()
        server = f"http-reuse always\n    server s 127.0.0.1:{origin.getsockname()[1]} pool-conn-name path"
        place.write("nbthread 1", server)
        text = (place.directory / "cfg").read_text().replace("unless { path /b }", "unless { path_beg /b }")
        (place.directory / "cfg").write_text(text)
        place.serving()
        for path in ("/b/1", "/b/2", "/b/1", "/b/2"):
            assert b"200 OK" in place.get(path)
        assert 2 <= len(connections) <= 3  # never one for both; one may be given up as not needed
        origin.shutdown(socket.SHUT_RDWR)


def keep_answering(listener: socket.socket, connections: list[int]) -> None:
    def serve_one(connection: socket.socket) -> None:
        with contextlib.suppress(ConnectionError), connection:
            while connection.recv(4096):
                connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")

    try:
        while True:
            connection, (_, port) = listener.accept()
            connections.append(port)
            threading.Thread(target=serve_one, args=(connection,), daemon=True).start()
    except OSError:
        return


def test_the_packet_that_began_a_connection(place: Place) -> None:
    text = (place.directory / "cfg").read_text()
    text = text.replace(f"bind 127.0.0.1:{place.port}", f"bind 127.0.0.1:{place.port} tcp-ss 1")
    rule = "tcp-request connection set-var(sess.to) fc_saved_syn,ip.dst"
    text = text.replace("frontend f\n", f"frontend f\n    {rule}\n").replace(
        "string hello", "lf-string <%[var(sess.to)]>"
    )
    (place.directory / "cfg").write_text(text)
    place.serving()
    assert place.get().endswith(b"<127.0.0.1>")


def test_a_mail_about_a_server(place: Place, origin: int) -> None:
    with socket.create_server(("127.0.0.1", 0)) as mailbox:
        received: list[bytes] = []
        threading.Thread(target=take_mail, args=(mailbox, received), daemon=True).start()
        place.write(
            "node here",
            f"email-alert from a@x\n    email-alert to b@x\n    email-alert mailers m\n"
            f"    email-alert level notice\n    server s 127.0.0.1:{origin}\n"
            f"mailers m\n    mailer one 127.0.0.1:{mailbox.getsockname()[1]}",
        )
        place.serving()
        place.ask("disable server b/s")
        eventually(lambda: received, "a mail comes")
        assert b"MAIL FROM: <a@x>" in received[0] and b"RCPT TO: <b@x>" in received[0]
        assert b"Subject: [HAProxy Alert] Server b/s is going DOWN for maintenance" in received[0]
        mailbox.shutdown(socket.SHUT_RDWR)


def take_mail(mailbox: socket.socket, received: list[bytes]) -> None:
    """A mail server that agrees to everything."""
    try:
        while True:
            connection, _ = mailbox.accept()
            with connection, connection.makefile("rb") as lines:
                connection.sendall(b"220 hello\r\n")
                said, in_mail = b"", False
                for line in lines:
                    said += line
                    if not in_mail or line == b".\r\n":
                        in_mail = line == b"DATA\r\n"
                        connection.sendall(b"354 go on\r\n" if in_mail else b"250 yes\r\n")
                    if line == b"QUIT\r\n":
                        break
                received.append(said)
    except OSError:
        return
