"""Network namespaces: whether there can be any, and how one works inside one."""

from __future__ import annotations

import ctypes
import ipaddress
import os
import shutil
import subprocess
import threading
from collections.abc import Callable
from typing import Any, TypeVar

CLONE_NEWNET = 0x40000000
T = TypeVar("T")


def packed(address: str) -> bytes:
    return ipaddress.ip_address(address.partition("/")[0]).packed


def ip(*words: str, namespace: str | None = None) -> None:
    where = ["-n", namespace] if namespace else []
    subprocess.run(["ip", *where, *words], check=True, capture_output=True)


def why_not() -> str | None:
    """Why there can be no lab here, or None."""
    if os.geteuid() != 0:
        return "network namespaces need root"
    if shutil.which("ip") is None:
        return "iproute2 is not installed"
    name = f"ev{os.getpid()}probe"
    if subprocess.run(["ip", "netns", "add", name], capture_output=True, check=False).returncode:
        return "cannot create network namespaces here"
    # In a change root, a namespace can be made and not be worked in.
    bridge = ["ip", "-n", name, "link", "add", "br0", "type", "bridge"]
    able = subprocess.run(bridge, capture_output=True, check=False).returncode == 0
    subprocess.run(["ip", "netns", "del", name], check=False)
    return None if able else "cannot make a bridge in a network namespace here"


def inside(namespace: str, action: Callable[[], T]) -> T:
    """Run ``action`` in a thread that has entered a namespace; sockets made there stay there."""
    outcome: list[Any] = []

    def work() -> None:
        try:
            with open(f"/run/netns/{namespace}", "rb") as handle:
                if ctypes.CDLL(None, use_errno=True).setns(handle.fileno(), CLONE_NEWNET):
                    raise OSError(ctypes.get_errno(), "setns")
            outcome.append((True, action()))
        except BaseException as error:
            outcome.append((False, error))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    good, value = outcome[0]
    if not good:
        raise value
    return value  # type: ignore[no-any-return]
