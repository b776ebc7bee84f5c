"""Which scripts and FIFO lines a transition causes."""

import os
from pathlib import Path

from evener.host.vrrp_notify import Notifier
from evener.keepalived.vrrp.messages import Notify, Told
from evener.keepalived.vrrp.plan import Fifo, GlobalOptions, Notifications, Program


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
