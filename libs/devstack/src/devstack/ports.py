"""Free ports on the loopback.

They are taken from below the kernel's ephemeral range, so that an outgoing connection of some process cannot sit on a
port between the moment it was chosen and the moment its server binds it. Who starts several things at the same moment
gives each a part of the range in BIDWRIGHT_PORTS (`20000-26000`), so that they cannot choose the same.
"""

from __future__ import annotations

import os
import random
import socket
from collections.abc import Iterable

_FIRST, _LAST = 20000, 32000


def is_free(port: int, host: str = "127.0.0.1") -> bool:
    """Whether a server could listen on the port now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        # Without it a port whose last connections linger in TIME_WAIT would look taken; servers set it too.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
            probe.listen(1)
        except OSError:
            return False
    return True


def choose(
    names: Iterable[str], *, preferred: dict[str, int] | None = None, avoid: Iterable[int] = ()
) -> dict[str, int]:
    """A free port for each name; the preferred one (the last run's) where it is still free."""
    wanted = preferred or {}
    chosen: dict[str, int] = {}
    taken = set(avoid)
    candidates = list(_range())
    random.shuffle(candidates)
    for name in names:
        first = [wanted[name]] if name in wanted else []
        for port in (*first, *candidates):
            if port not in taken and is_free(port):
                chosen[name] = port
                taken.add(port)
                break
        else:
            raise OSError("no free port left on the loopback")
    return chosen


def _range() -> range:
    first, _, last = os.environ.get("BIDWRIGHT_PORTS", "").partition("-")
    return range(int(first), int(last)) if first.isdigit() and last.isdigit() else range(_FIRST, _LAST)


def free_port() -> int:
    """One free port."""
    return choose(["port"])["port"]
