"""What a service manager is told, over real sockets."""

import asyncio
import os
import socket
import time
from contextlib import suppress

import pytest

from pyproxy.runtime.service_manager import NOBODY, ServiceManager
from tests.waiting import until


@pytest.fixture(params=["path", "abstract"])
def manager(request, tmp_path):
    """A socket that a manager reads, and the address as it is told."""
    name = str(tmp_path / "notify") if request.param == "path" else f"@pyproxy-{os.getpid()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as reader:
        reader.bind("\0" + name[1:] if name.startswith("@") else name)
        reader.setblocking(False)
        yield reader, name


def take(address, **environ):
    return ServiceManager.take({"NOTIFY_SOCKET": address, **environ}, 42)


def heard(reader):
    return reader.recv(4096).decode().split("\n")


async def test_it_is_told_of_a_life(manager):
    reader, address = manager
    teller = take(address)

    await teller.serving("Serving\n127.0.0.1:1")
    assert heard(reader) == ["READY=1", "STATUS=Serving 127.0.0.1:1"]

    before = time.monotonic_ns() // 1000
    await teller.reloading()
    first, stamp, _ = heard(reader)
    assert first == "RELOADING=1"
    assert before <= int(stamp.removeprefix("MONOTONIC_USEC=")) <= time.monotonic_ns() // 1000

    await teller.stopping(30.0)
    assert heard(reader) == [
        "STOPPING=1",
        "EXTEND_TIMEOUT_USEC=40000000",
        "STATUS=Draining: what is open has 30 s to end",
    ]


async def test_a_long_status_is_cut(manager):
    reader, address = manager

    await take(address).serving("x" * 1000 + "\udcff")

    assert len(heard(reader)[1]) == len("STATUS=") + 300


async def test_the_watchdog_is_fed_while_all_is_well(manager):
    reader, address = manager
    is_well = True
    looked = 0

    def look():
        nonlocal looked
        looked += 1
        return is_well

    watching = asyncio.ensure_future(take(address, WATCHDOG_USEC="40000").watch(look))
    await until(lambda: looked >= 3)
    is_well = False
    begun = looked
    await until(lambda: looked >= begun + 2)
    pings = 0
    while True:
        try:
            assert heard(reader) == ["WATCHDOG=1"]
        except BlockingIOError:
            break
        pings += 1
    watching.cancel()

    assert 2 <= pings <= begun


async def test_a_watchdog_of_no_time_keeps_nobody_busy(manager):
    looked = 0

    def look():
        nonlocal looked
        looked += 1
        return False

    watching = asyncio.ensure_future(take(manager[1], WATCHDOG_USEC="1").watch(look))
    await asyncio.sleep(0.1)
    watching.cancel()

    assert 1 <= looked <= 11


@pytest.mark.parametrize(
    ("environ", "seconds"),
    [
        pytest.param({}, 0.0, id="none"),
        pytest.param({"WATCHDOG_USEC": "30000000"}, 30.0, id="for whoever has it"),
        pytest.param({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "42"}, 30.0, id="for us"),
        pytest.param({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "1"}, 0.0, id="for another"),
        pytest.param({"WATCHDOG_USEC": "soon"}, 0.0, id="no number"),
        pytest.param({"WATCHDOG_USEC": "\u0663"}, 0.0, id="no number of systemd's"),
        pytest.param({"WATCHDOG_USEC": "9" * 400}, 0.0, id="more than a float holds"),
        pytest.param({"WATCHDOG_USEC": "9" * 5000}, 0.0, id="more digits than Python reads"),
    ],
)
def test_how_often_the_watchdog_wants_to_hear(environ, seconds):
    assert take("/x", **environ).watchdog_s == seconds


def test_children_see_nothing_of_it():
    environ = {"NOTIFY_SOCKET": "/x", "WATCHDOG_USEC": "1", "WATCHDOG_PID": "42", "LANG": "C"}

    ServiceManager.take(environ, 42)

    assert environ == {"LANG": "C"}


@pytest.mark.parametrize("address", ["/nobody/listens", "vsock:2:1", "x" * 200])
async def test_nobody_listening_is_no_reason_to_fail(address):
    await take(address).serving("Serving")
    await NOBODY.serving("Serving")
    await NOBODY.watch(lambda: True)


async def test_a_manager_that_does_not_read_holds_up_nobody(tmp_path):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as reader:
        reader.bind(str(tmp_path / "s"))
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as filler:
            filler.setblocking(False)
            filler.connect(str(tmp_path / "s"))
            with suppress(BlockingIOError):
                while True:
                    filler.send(b"x")

            await ServiceManager(str(tmp_path / "s"), send_s=0.0625).serving("Serving")

        assert reader.recv(99) == b"x"
