"""The audit file while it is rotated under load: no line is lost, split or glued to another."""

import json
import multiprocessing
import os
import shutil
import signal
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path

import pytest

from pyproxy.telemetry.outlet import FileOutlet
from tests.process.audited import Intruders, config, events_in, lines_in
from tests.process.crowd import wait_until
from tests.process.served import PATIENCE_S, serving
from tests.programs import demand

LOGROTATE = shutil.which("logrotate") or "/usr/sbin/logrotate"
ROTATIONS = 8
USR1 = 1 << (signal.SIGUSR1 - 1)


@pytest.fixture
def logrotate(tmp_path):
    """Rotates with the real program, by a configuration."""
    demand("" if Path(LOGROTATE).exists() else "logrotate is not installed")

    def rotate(rules):
        path = tmp_path / "logrotate.conf"
        path.write_text(rules)
        path.chmod(0o600)
        subprocess.run(
            [LOGROTATE, "--force", "--state", tmp_path / "logrotate.state", path],
            check=True, timeout=PATIENCE_S,
        )  # fmt: skip

    return rotate


@pytest.fixture
def audit(folder):
    (folder / "logs").mkdir(mode=0o700)
    return folder / "logs" / "audit.log"


def rules(audit, how, pid=0):
    told = f"postrotate\nkill -USR1 {pid}\nendscript" if pid else ""
    return f"{audit} {{\nrotate 99\nmissingok\nnotifempty\n{how}\n{told}\n}}\n"


def files_of(audit):
    return sorted(audit.parent.glob("audit.log*"))


def children_of(pid):
    """The processes that a process started, from any of its threads."""
    with suppress(FileNotFoundError):
        threads = Path(f"/proc/{pid}/task").glob("*/children")
        return [int(child) for each in threads for child in each.read_text().split()]
    return []


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("is_told", [True, False], ids=["told by SIGUSR1", "not told"])
def test_no_line_is_lost_over_rotations(folder, upstream, audit, logrotate, workers, is_told):
    with serving(folder, config(upstream, audit, workers)) as gateway:
        with Intruders(gateway) as intruders:
            for number in range(1, ROTATIONS + 1):
                before = intruders.total
                wait_until(lambda before=before: intruders.total > before + 20)
                wait_until(lambda: audit.exists() and audit.stat().st_size)
                logrotate(rules(audit, "nocreate", gateway.process.pid if is_told else 0))
                wait_until(lambda number=number: len(files_of(audit)) > number)
        assert gateway.stop() == 0
    files = files_of(audit)

    assert len(files) == ROTATIONS + 1
    assert events_in(lines_in(*files), "access.denied") == intruders.total


def test_a_file_that_is_copied_and_emptied_goes_on_at_its_beginning(
    folder, upstream, audit, logrotate
):
    with serving(folder, config(upstream, audit)) as gateway, Intruders(gateway) as intruders:
        for _ in range(3):
            before = intruders.total
            wait_until(lambda before=before: intruders.total > before + 20)
            wait_until(lambda: audit.stat().st_size)
            logrotate(rules(audit, "copytruncate"))
    files = files_of(audit)

    assert len(files) == 4
    assert b"\0" not in b"".join(each.read_bytes() for each in files)
    assert lines_in(*files)


def test_the_file_that_was_moved_is_let_go_of_at_the_signal_by_every_process(
    folder, upstream, audit
):
    def holders(path):
        pids = [gateway.process.pid, *(line["pid"] for line in gateway.said("worker.started"))]
        opened = [link for pid in pids for link in Path(f"/proc/{pid}/fd").iterdir()]
        return sum(os.path.realpath(link) == str(path) for link in opened)

    with serving(folder, config(upstream, audit)) as gateway:
        moved = audit.rename(audit.with_name("audit.log.1"))
        assert holders(moved) == 3
        gateway.process.send_signal(signal.SIGUSR1)

        wait_until(lambda: holders(moved) == 0)
        assert holders(audit) == 3


def test_nobody_dies_of_the_signal_while_it_starts_or_ends(folder, upstream, audit):
    over = threading.Event()

    def storm(pid):
        while not over.wait(0.002):
            for each in (pid, *children_of(pid)):
                with suppress(ProcessLookupError):
                    os.kill(each, signal.SIGUSR1)

    with serving(folder, config(upstream, audit)) as gateway:
        thread = threading.Thread(target=storm, args=(gateway.process.pid,))
        thread.start()
        victim = gateway.said("worker.started")[0]["pid"]
        os.kill(victim, signal.SIGKILL)
        gateway.wait_for("worker.started", 3)
        statuses = {gateway.status() for _ in range(20)}
        code = gateway.stop()
        over.set()
        thread.join()
    ended = gateway.said("worker.ended")

    assert [(line["pid"], line["message"]) for line in ended] == [(victim, "killed by SIGKILL")]
    assert statuses == {200}
    assert code == 0


def test_the_command_ignores_the_signal_from_its_first_moment(folder):
    os.mkfifo(folder / "pyproxy.toml")
    with subprocess.Popen(
        [sys.executable, "-m", "pyproxy", "check", "--config", folder / "pyproxy.toml"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        status = Path(f"/proc/{process.pid}/status")
        wait_until(lambda: int(status.read_text().partition("SigIgn:")[2].split()[0], 16) & USR1)
        process.send_signal(signal.SIGUSR1)

        assert process.wait(PATIENCE_S) == 2  # by itself


# --- Several processes that write as fast as they can

LINES = 20_000
BATCH = 20
WRITERS = 3


def _write(path, name):
    outlet = FileOutlet(path)
    for start in range(0, LINES, BATCH):
        lines = (
            f'{{"from":"{name}","n":{n},"pad":"{"x" * (n % 500)}"}}\n'
            for n in range(start, start + BATCH)
        )
        batch = "".join(lines).encode()
        assert outlet.write(batch) == len(batch)


def test_processes_that_write_to_one_file_lose_no_line_while_it_is_moved_away(audit):
    context = multiprocessing.get_context("spawn")
    writers = [context.Process(target=_write, args=(audit, name)) for name in range(WRITERS)]
    for each in writers:
        each.start()
    rotations = 0
    while any(each.is_alive() for each in writers):
        if audit.exists() and audit.stat().st_size:
            rotations += 1
            audit.rename(audit.with_name(f"audit.log.{rotations:05}"))
    for each in writers:
        each.join()
    text = b"".join(each.read_bytes() for each in files_of(audit))
    lines = [json.loads(line) for line in text.splitlines()]

    assert [each.exitcode for each in writers] == [0] * WRITERS
    assert rotations > 10
    assert len(lines) == LINES * WRITERS
    for name in range(WRITERS):
        assert {line["n"] for line in lines if line["from"] == str(name)} == set(range(LINES))
