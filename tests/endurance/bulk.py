"""Large bodies with an end that is slow for a while: memory, and bytes taken meanwhile."""

import time
from contextlib import closing
from pathlib import Path

from tests.endurance.figure import Figure
from tests.endurance.stage import Watched, config, wait_until
from tests.endurance.wire import Counted, Server, connect, head, read_head

TOTAL = 2 * 1000**3
PAUSE_S = 3.0
MAX_RISE_MIB = 48
# Of what is taken from the one who is fast; the rest lies in four sockets of the kernel's,
# which may grow as large as the machine's owner allows.
OURS_MIB = 4
OK = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n"


def most_taken_mib():
    """What the sockets on both sides and the gateway between may hold."""
    sockets = [Path(f"/proc/sys/net/ipv4/tcp_{name}mem").read_text().split()[2] for name in "rw"]
    return OURS_MIB + 2 * sum(map(int, sockets)) / 2**20


def measure(folder, scale):
    """Up and down, each with either end slow."""
    total = TOTAL // scale
    for goes_up in (False, True):
        for client_is_slow in (True, False):
            with Server() as server, folder.gateway(config({"/": server.url})) as gateway:
                yield from _case(folder, gateway, server, total, goes_up, client_is_slow)


def _case(folder, gateway, server, total, goes_up, client_is_slow):
    watched = Watched(*gateway.workers)
    with closing(connect(gateway.port, folder.trust)) as client:
        method, line = ("POST", f"Content-Length: {total}") if goes_up else ("GET", "X: y")
        client.sendall(head(method, "/", line))
        upstream, _, rest = server.asked()
        with closing(upstream):
            moved = 0
            if not goes_up:
                upstream.sendall(OK % total)
                moved = len(read_head(client)[1])
            slow = {"pause_at": total // 3, "pause_s": PAUSE_S}
            started = time.perf_counter()
            down = Counted(
                client, total, sends=goes_up, moved=moved, **(slow if client_is_slow else {})
            )
            up = Counted(
                upstream, total, sends=not goes_up, moved=len(rest),
                **({} if client_is_slow else slow),
            )  # fmt: skip
            quiet, other = (down, up) if client_is_slow else (up, down)
            taken = _follow(quiet, other, watched)
            assert down.moved == up.moved == total, (down.error, up.error)
            took = time.perf_counter() - started - PAUSE_S
    what = f"{total / 1e9:g} GB {'up' if goes_up else 'down'}, "
    what += "slow client" if client_is_slow else "slow upstream"
    yield Figure(f"{what}: rise of memory", watched.risen_mib, "MiB", MAX_RISE_MIB)
    if client_is_slow is not goes_up:  # else the sender was the slow one
        yield Figure(f"{what}: taken while it read nothing", taken, "MiB", most_taken_mib())
    yield Figure(f"{what}: rate", total / took / 2**20, "MiB/s")


def _follow(quiet, other, watched):
    """Wait for the end; how far ahead the other one was when the quiet one had slept."""
    ahead = 0.0
    while not (quiet.is_done() and other.is_done()):
        if quiet.is_paused.is_set():
            ahead = max(ahead, (other.moved - quiet.moved) / 2**20)
        watched.look()
        time.sleep(0.05)
    assert wait_until(quiet.is_done)
    return ahead
