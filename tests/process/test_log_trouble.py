"""An audit log that cannot be written: the gateway serves on, says it once, and goes on later."""

import os
import shutil
import signal
import subprocess
import threading
from contextlib import suppress

import pytest

from tests.process.audited import Intruders, config, events_in, lines_in
from tests.process.crowd import wait_until
from tests.process.served import BEARER, refused, serving
from tests.programs import demand

DISK = "512k"


@pytest.fixture
def logs(folder):
    (folder / "logs").mkdir(mode=0o700)
    return folder / "logs"


@pytest.fixture
def disk(logs):
    """A file system of its own, so small that it is soon full."""
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={DISK},mode=0700", "tmpfs", logs],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    demand(mounted.stderr)
    yield logs
    subprocess.run(["umount", "--lazy", logs], check=True)


def fill(ballast):
    with ballast.open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(b"x" * 4096)


def ask_denied(gateway, count):
    for _ in range(count):
        assert gateway.ask("/closed", headers=BEARER)[0] == 403


@pytest.mark.parametrize("workers", [1, 2])
def test_a_full_disk_loses_no_line_once_there_is_room_again(folder, upstream, disk, workers):
    audit = disk / "audit.log"
    with serving(folder, config(upstream, audit, workers)) as gateway:
        with Intruders(gateway, 2) as intruders:
            wait_until(lambda: audit.stat().st_size)
            ballast = disk / "ballast"
            fill(ballast)
            said = gateway.wait_for("log.unwritable", target=str(audit))
            before = intruders.total
            wait_until(lambda: intruders.total > before + 20)
            assert gateway.status() == 200
        held = audit.stat().st_size
        ask_denied(gateway, 4)
        ballast.unlink()
        gateway.wait_for("log.writable", target=str(audit))
        wait_until(lambda: audit.stat().st_size > held)
        assert gateway.stop() == 0

    assert said["reason"] == "No space left on device"
    assert len(gateway.said("log.unwritable")) <= workers
    assert events_in(lines_in(audit), "access.denied") == intruders.total + 4
    assert gateway.said("log.lost") == gateway.said("audit.lost") == []


def test_what_a_full_disk_never_took_is_counted_at_the_end(folder, upstream, disk):
    audit = disk / "audit.log"
    with serving(folder, config(upstream, audit, 1)) as gateway:
        fill(disk / "ballast")
        ask_denied(gateway, 30)
        gateway.wait_for("log.unwritable")
        assert gateway.stop() == 0
    [lost] = gateway.said("audit.lost")

    written = lines_in(audit)
    asked = 30 + 1  # each is over a connection of its own, and let in before it is denied
    assert lost["lost"] + len(written) >= asked
    assert lost["level"] == "error"


def removed(audit):
    shutil.rmtree(audit.parent)


def given_back(audit):
    audit.parent.mkdir(mode=0o700)


def in_its_place(audit):
    audit.unlink()
    audit.mkdir()


def made_way(audit):
    audit.rmdir()


def locked(audit):
    audit.unlink()
    subprocess.run(["chattr", "+i", audit.parent], check=True)


def unlocked(audit):
    subprocess.run(["chattr", "-i", audit.parent], check=True)


@pytest.mark.parametrize(
    ("breaks", "mends", "reason"),
    [
        pytest.param(removed, given_back, "No such file or directory", id="its folder removed"),
        pytest.param(in_its_place, made_way, "Is a directory", id="a folder in its place"),
        pytest.param(locked, unlocked, "Operation not permitted", id="a folder closed to writers"),
    ],
)
def test_a_file_that_cannot_be_made_is_said_once_and_written_later(
    folder, upstream, logs, breaks, mends, reason
):
    audit = logs / "audit.log"
    if breaks is locked:
        is_able = subprocess.run(["chattr", "+i", folder], check=False).returncode == 0
        subprocess.run(["chattr", "-i", folder], check=False)
        if not is_able:
            pytest.skip("this file system knows no immutable folders")
    with serving(folder, config(upstream, audit)) as gateway:
        ask_denied(gateway, 5)
        wait_until(lambda: audit.stat().st_size)
        gateway.process.send_signal(signal.SIGUSR1)  # lets go of nothing: all is in place
        breaks(audit)
        try:
            ask_denied(gateway, 20)
            said = gateway.wait_for("log.unwritable", target=str(audit))
            os.kill(gateway.said("worker.started")[0]["pid"], signal.SIGKILL)
            gateway.wait_for("worker.started", 3)  # its place is taken, all the same
            assert {gateway.status() for _ in range(10)} == {200}
        finally:
            mends(audit)
        ask_denied(gateway, 10)
        gateway.wait_for("log.writable", target=str(audit))
        wait_until(lambda: audit.exists() and audit.stat().st_size)
        assert gateway.stop() == 0

    assert said["reason"] == reason
    assert lines_in(audit)
    assert gateway.said("worker.failed") == []


def test_a_file_that_cannot_be_made_at_the_start_is_a_reason_not_to_serve(folder, upstream, logs):
    code, lines = refused(folder, config(upstream, logs))

    assert code == 2
    assert lines == [f"pyproxy: server.log.audit: {logs} cannot be written: is a directory"]


def test_a_pipe_that_nobody_reads_is_a_reason_not_to_serve(folder, upstream, logs):
    os.mkfifo(logs / "pipe", 0o600)

    code, lines = refused(folder, config(upstream, logs / "pipe"))

    assert code == 2
    assert "no such device or address" in lines[0]


def test_a_pipe_whose_reader_left_gets_its_lines_when_another_comes(folder, upstream, logs):
    pipe = logs / "pipe"
    os.mkfifo(pipe, 0o600)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    with serving(folder, config(upstream, pipe)) as gateway:
        os.close(reader)
        ask_denied(gateway, 20)
        said = gateway.wait_for("log.unwritable", target=str(pipe))
        assert gateway.status() == 200
        received = []
        thread = threading.Thread(target=lambda: received.append(pipe.read_bytes()))
        thread.start()
        gateway.wait_for("log.writable", target=str(pipe))
        assert gateway.stop() == 0
        thread.join()
    (logs / "received").write_bytes(received[0])

    assert said["reason"] == "Broken pipe"
    assert events_in(lines_in(logs / "received"), "access.denied") == 20


def test_a_pipe_whose_reader_does_not_read_holds_nothing_up(folder, upstream, logs):
    pipe = logs / "pipe"
    os.mkfifo(pipe, 0o600)
    reader = os.open(pipe, os.O_RDWR)
    os.set_blocking(reader, False)
    with suppress(BlockingIOError):
        while True:
            os.write(reader, b"x" * 4096)
    with serving(folder, config(upstream, pipe)) as gateway:
        ask_denied(gateway, 20)
        gateway.wait_for("log.unwritable", target=str(pipe))

        assert gateway.status() == 200
        assert gateway.stop() == 0
    assert gateway.said("audit.lost")
    os.close(reader)
