"""Which scripts and FIFO lines a transition causes."""

import os
from pathlib import Path

from evener.host.vrrp_notify import Notifier
from evener.keepalived.vrrp.messages import Notify, Told
from evener.keepalived.vrrp.plan import Fifo, GlobalOptions, Mail, Notifications, Program


class Scripts:
    """Stands in for the helper."""

    def __init__(self) -> None:
        self.ran: list[tuple[str, ...]] = []
        self.kept: list[tuple[str, ...]] = []

    def run(self, program: Program, words: tuple[str, ...] = ()) -> None:
        self.ran.append((*program.argv, *words))

    def keep(self, program: Program, words: tuple[str, ...] = ()) -> None:
        self.kept.append((*program.argv, *words))


WANTED = Notifications(
    master=Program(("/m", "x")),
    any=Program(("/any",)),
    master_rx_lower_pri=Program(("/low",)),
)


def test_the_specific_script_first_then_any_with_four_words() -> None:
    scripts = Scripts()
    notifier = Notifier(GlobalOptions(), scripts, print)  # type: ignore[arg-type]
    notifier("VI", Notify(Told.MASTER, 150), WANTED)
    notifier("VI", Notify(Told.STOP, 150), WANTED)
    notifier("VI", Notify(Told.MASTER_RX_LOWER_PRI, 150), WANTED)
    notifier("G", Notify(Told.FAULT, 0, group=True), WANTED)
    assert scripts.ran == [
        ("/m", "x"),
        ("/any", "INSTANCE", "VI", "MASTER", "150"),
        ("/any", "INSTANCE", "VI", "STOP", "150"),
        ("/low",),
        ("/any", "GROUP", "G", "FAULT", "0"),
    ]


def test_fifo_lines(tmp_path: Path) -> None:
    path = tmp_path / "fifo"
    fifo = Fifo(str(path), script=Program(("/reader",)))
    scripts, complaints = Scripts(), []
    notifier = Notifier(GlobalOptions(notify_fifo=fifo), scripts, complaints.append)  # type: ignore[arg-type]
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    notifier("VI", Notify(Told.MASTER, 150), Notifications())
    notifier("VI", Notify(Told.BACKUP_PRIORITY, 90), Notifications())
    assert os.read(reader, 4096) == b'INSTANCE "VI" MASTER 150\nINSTANCE "VI" BACKUP_PRIORITY 90\n'
    os.close(reader)
    assert scripts.kept == [("/reader", str(path))]
    notifier.close()
    assert not path.exists()
    assert complaints == []


def test_a_fifo_that_cannot_be_made_is_said_and_forgotten(tmp_path: Path) -> None:
    complaints: list[str] = []
    options = GlobalOptions(notify_fifo=Fifo(str(tmp_path / "no" / "where")))
    notifier = Notifier(options, Scripts(), complaints.append)  # type: ignore[arg-type]
    notifier("VI", Notify(Told.MASTER, 150), Notifications())
    assert len(complaints) == 1
    assert "Unable to open fifo" in complaints[0]


class Post(Scripts):
    """Also keeps mails."""

    def __init__(self) -> None:
        super().__init__()
        self.mails: list[tuple[str, str]] = []

    def mail(self, mail: Mail, subject: str, body: str) -> None:
        self.mails.append((subject, body))


def test_a_mail_for_each_new_state() -> None:
    to = Mail("mx", 25, "k@x", ("a@x",), "here")
    options = GlobalOptions(router_id="r", mail=to, mail_faults=False)
    scripts, wanted = Post(), Notifications(mail=True)
    notifier = Notifier(options, scripts, print)  # type: ignore[arg-type]
    for told in (Told.BACKUP, Told.MASTER, Told.MASTER, Told.MASTER_PRIORITY, Told.FAULT, Told.STOP):
        notifier("VI", Notify(told, 100), wanted)
    notifier("G", Notify(Told.MASTER, 0, group=True), wanted)
    notifier("VI", Notify(Told.BACKUP, 100), Notifications())
    assert scripts.mails == [
        ("[r] VRRP Instance VI - Entering BACKUP state", "=> VRRP Instance is no longer owning VRRP VIPs <="),
        ("[r] VRRP Instance VI - Entering MASTER state", "=> VRRP Instance is now owning VRRP VIPs <="),
        ("[r] VRRP Instance VI - Stopping", "=> VRRP Instance stopping <="),
        (
            "[r] VRRP Group G - Entering MASTER state",
            "=> All VRRP group instances are now in MASTER state <=",
        ),
    ]
