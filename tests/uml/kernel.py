"""A kernel with IPVS as an ordinary process: User-Mode Linux over this machine's files, which do not change.

    run([program, argument, ...], window) boots, runs the program as root, and powers off

The guest sees this machine's whole file system, read only, with a memory file system laid over it; ``window``
(a folder) is the only place that it shares for writing, at WINDOW. What the program prints goes to
``window/output``. Debian's package user-mode-linux gives the kernel and its modules.
"""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import subprocess
import sys
from pathlib import Path

KERNEL = shutil.which("linux.uml")
MODULES = Path("/usr/lib/uml/modules")
MEMORY = Path("/dev/shm")
WINDOW = "/run/window"
NO_STATUS = 125

#: Process 1, on the read-only root of the host.
FIRST = """#!/bin/sh
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
mount -t proc proc /proc
release=$(uname -r)
grep -qw overlay /proc/filesystems || insmod $MODULES/$release/kernel/fs/overlayfs/overlay.ko
mount -t tmpfs -o size=80% tmpfs /mnt
mkdir /mnt/upper /mnt/work /mnt/root
root=/mnt/root
mount -t overlay -o lowerdir=/,upperdir=/mnt/upper,workdir=/mnt/work overlay $root
mount -t proc proc $root/proc
mount -t sysfs sysfs $root/sys
mount -t devtmpfs devtmpfs $root/dev
mkdir -p $root/dev/pts $root/dev/shm
mount -t devpts -o mode=600,ptmxmode=666 devpts $root/dev/pts
mount -t tmpfs tmpfs $root/dev/shm
mount -t tmpfs -o mode=755 tmpfs $root/run
mkdir -p $root/lib/modules $root/run/window $root/run/netns
ln -sfn $MODULES/$release $root/lib/modules/$release
mount -t hostfs none $root/run/window -o $SHARED
exec chroot $root /bin/sh /run/window/second
"""

#: In the overlay: modules, the program, and the end.
SECOND = """
hostname uml
ip link set lo up
for module in {modules}; do modprobe $module; done
cd {folder}
{command} >/run/window/output 2>&1 </dev/null
echo $? >/run/window/status
echo o >/proc/sysrq-trigger
sleep 5
"""


def missing() -> str:
    """Why it cannot be done here; empty when it can."""
    if KERNEL is None or not MODULES.is_dir():
        return "the package user-mode-linux is not installed"
    if not MEMORY.is_dir() or not os.access(MEMORY, os.W_OK):
        return "no /dev/shm for the memory of the test kernel"
    if os.statvfs(MEMORY).f_flag & os.ST_NOEXEC:
        return "/dev/shm is mounted noexec: the test kernel cannot have its memory there"
    if shutil.disk_usage(MEMORY).free < 600 << 20:
        return "too little room in /dev/shm for the memory of the test kernel"
    return ""


def run(
    command: list[str],
    window: Path,
    modules: tuple[str, ...] = ("ip_vs", "dummy"),
    seconds: float = 400,
    memory: str = "768M",
) -> int:
    """The program's exit code; NO_STATUS when the kernel did not get so far, or was ended for being late."""
    first = window / "first"
    first.write_text(FIRST)
    first.chmod(0o755)
    (window / "second").write_text(
        SECOND.format(modules=" ".join(modules), folder=shlex.quote(os.getcwd()), command=shlex.join(command))
    )
    (window / "status").unlink(missing_ok=True)
    assert KERNEL is not None
    console = (window / "console").open("wb")
    process = subprocess.Popen(
        [
            KERNEL, f"mem={memory}", "umid=vm", f"uml_dir={window}/uml", "root=/dev/root",
            "rootfstype=hostfs", "ro", f"init={first}", f"SHARED={window}", f"MODULES={MODULES}",
            "quiet", "con=null", "con0=null,fd:2", "ssl=null",
        ],
        env={"PATH": "/usr/bin:/bin", "HOME": str(window), "TMPDIR": str(MEMORY)},
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=console,
        start_new_session=True,
    )  # fmt: skip
    console.close()
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        print("the test kernel was ended: it took too long", file=sys.stderr)
    finally:
        try:
            os.killpg(process.pid, signal.SIGKILL)  # it is several processes of this machine
        except ProcessLookupError:
            pass
        process.wait()
    try:
        return int((window / "status").read_text())
    except (OSError, ValueError):
        return NO_STATUS
