"""What is told of transitions - scripts, FIFOs, mails - by evener and by keepalived, for the same events."""

from __future__ import annotations

import os
import re
import socket
import threading
import time
from typing import Any

import pytest
from lab import Lab, Link, configuration, inside

pytestmark = [pytest.mark.netns, pytest.mark.timeout(120)]

LINK = Link(advert_cs=10)
ABOVE = """
global_defs {{
 notify_fifo {home}/fifo
 vrrp_notify_fifo {home}/vrrp_fifo
 vrrp_notify_priority_changes
 smtp_server 127.0.0.1 {port}
 smtp_connect_timeout 5
 notification_email {{
  admin@example.org
 }}
 notification_email_from ha@example.org
 router_id HERE
}}
track_file offset {{
 file {home}/offset
 weight 1
 init_file 0
}}
vrrp_sync_group G {{
 group {{
  VI_2
 }}
 notify "{home}/note group"
 notify_master "{home}/note group-master"
 smtp_alert
}}
vrrp_instance VI_2 {{
 interface eth0
 virtual_router_id 52
 version 3
 priority 150
 advert_int 0.3
 virtual_ipaddress {{
  10.9.0.101/24
 }}
}}
"""
MORE = """
track_file {{
 offset
}}
notify_master "{home}/note master"
notify_backup "{home}/note backup"
notify_fault "{home}/note fault"
notify_stop "{home}/note stop"
smtp_alert
"""


class MailBox:
    """An SMTP server for one connection after the other; keeps the data of each mail."""

    def __init__(self, namespace: str) -> None:
        self.mails: list[str] = []
        self._listener = inside(namespace, lambda: socket.create_server(("127.0.0.1", 0)))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            with client, client.makefile("rwb") as talk:
                client.settimeout(10)
                try:
                    self._converse(talk)
                except OSError:
                    pass

    def _converse(self, talk: Any) -> None:
        def say(text: str) -> None:
            talk.write(text.encode() + b"\r\n")
            talk.flush()

        say("220 here")
        while line := talk.readline().decode().strip():
            if line.upper() == "DATA":
                say("354 go on")
                lines = list(iter(lambda: talk.readline().decode().rstrip("\r\n"), "."))
                self.mails.append("\n".join(lines))
            say("221 bye" if line.upper() == "QUIT" else "250 fine")

    def close(self) -> None:
        self._listener.close()


def told(lab: Lab, number: int) -> dict[str, list[str]]:
    """Become master, lose priority, fail, recover, and stop."""
    note = lab.note_script(number)
    home, mails = note.parent, MailBox(lab.spaces[number])
    for name in ("fifo", "vrrp_fifo"):
        os.mkfifo(home / name)
    ears = {name: os.open(home / name, os.O_RDWR | os.O_NONBLOCK) for name in ("fifo", "vrrp_fifo")}
    (home / "offset").write_text("0", encoding="ascii")
    fill = {"home": str(home), "port": mails.port}
    above, more = ABOVE.format(**fill), MORE.format(**fill)
    lab.configure(number, configuration(LINK, lab.routers[number], str(note), more=more, above=above))
    try:
        lab.start(number)
        lab.wait_for(lambda: lab.has_vip(number), "mastership")
        lab.wait_for(lambda: len(mails.mails) >= 2, "the first mails")
        for offset, state in (("-20", None), ("-254", "FAULT"), ("0", "MASTER")):
            seen = lab.log(number).count(f"Entering {state} STATE")
            (home / "offset").write_text(offset, encoding="ascii")
            time.sleep(0.5)
            if state:
                lab.wait_for(lambda s=state, n=seen: lab.log(number).count(f"Entering {s} STATE") > n, state)  # type: ignore[misc]
        lab.wait_for(lambda: lab.has_vip(number), "mastership again")
        lab.stop(number)
        time.sleep(0.5)
        found = {name: os.read(ear, 65536).decode().splitlines() for name, ear in ears.items()}
        # Both write a mail about the end; the original does not wait until it has left.
        sent = [subject_and_body(mail) for mail in mails.mails]
        kept = sorted(mail for mail in sent if "Stopping" not in mail)
        return {**found, "notes": sorted(lab.notes(number)), "mails": kept}
    finally:
        mails.close()
        for ear in ears.values():
            os.close(ear)


def subject_and_body(mail: str) -> str:
    head, _, body = mail.partition("\n\n")
    subject = re.search(r"^Subject: (.*)$", head, re.M)
    return f"{subject[1] if subject else None}: {body.strip()}"


def test_the_same_is_told(lab: Lab) -> None:
    ours, theirs = told(lab, 0), told(lab, 1)
    for kind in ours:
        assert [line.replace("/1/", "/0/") for line in theirs[kind]] == ours[kind], kind
