"""The audit log in the programs that take logs: rsyslog and systemd's journal, the real ones."""

import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.audit_lines import judge
from tests.process.audited import config
from tests.process.crowd import wait_until
from tests.process.served import BEARER, PATIENCE_S, refused, serving
from tests.programs import demand

RSYSLOG = shutil.which("rsyslogd") or "/usr/sbin/rsyslogd"
JOURNALD = Path("/lib/systemd/systemd-journald")

RSYSLOG_CONFIG = """
global(workDirectory="{folder}" maxMessageSize="8k")
module(load="imuxsock" SysSock.Use="off")
module(load="imudp")
module(load="imtcp")
input(type="imuxsock" Socket="{folder}/log" CreatePath="on")
input(type="imudp" address="127.0.0.1" port="{udp}")
input(type="imtcp" address="127.0.0.1" port="{tcp}")
template(name="parts" type="string"
         string="%syslogfacility-text%|%syslogseverity-text%|%app-name%|%msg:2:$%\\n")
template(name="whole" type="string"
         string="%syslogfacility-text%|%syslogseverity-text%|%app-name%|%msg%\\n")
if $inputname == "imuxsock" then action(type="omfile" file="{folder}/out" template="parts")
else action(type="omfile" file="{folder}/out" template="whole")
"""


@pytest.fixture
def short():
    """A folder whose name leaves room for a socket's (108 bytes)."""
    folder = Path(tempfile.mkdtemp(prefix="pp"))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


def free_port(kind):
    with socket.socket(socket.AF_INET, kind) as bound:
        bound.bind(("127.0.0.1", 0))
        return bound.getsockname()[1]


class Rsyslog:
    """A syslog with its own configuration, that may be stopped and started again."""

    def __init__(self, folder):
        self.folder = folder
        self.udp, self.tcp = free_port(socket.SOCK_DGRAM), free_port(socket.SOCK_STREAM)
        text = RSYSLOG_CONFIG.format(folder=folder, udp=self.udp, tcp=self.tcp)
        (folder / "rsyslog.conf").write_text(text)
        self._process = None

    def __enter__(self):
        self._process = subprocess.Popen(
            [RSYSLOG, "-n", "-f", self.folder / "rsyslog.conf", "-i", self.folder / "pid"],
            stderr=subprocess.DEVNULL,
        )
        wait_until(lambda: (self.folder / "log").exists() and self._listens())
        return self

    def __exit__(self, *_):
        self._process.terminate()
        self._process.wait(PATIENCE_S)

    def _listens(self):
        with socket.socket() as asking:
            return asking.connect_ex(("127.0.0.1", self.tcp)) == 0

    def lines(self):
        """Facility, severity, program and audit line of what it took."""
        out = self.folder / "out"
        text = out.read_text() if out.exists() else ""
        parts = [line.split("|", 3) for line in text.splitlines()]
        ours = [part for part in parts if part[2] == "pyproxy"]
        judge(part[3] for part in ours)
        return [(*part[:3], json.loads(part[3])) for part in ours]

    def of(self, event):
        return [part for part in self.lines() if part[3]["event"] == event]


@pytest.fixture
def rsyslog(short):
    demand("" if Path(RSYSLOG).exists() else "rsyslog is not installed")
    with Rsyslog(short) as running:
        yield running


@pytest.mark.parametrize("way", ["socket", "UDP", "TCP"])
def test_rsyslog_takes_every_line(folder, upstream, rsyslog, way):
    target = {
        "socket": f"syslog:{rsyslog.folder}/log",
        "UDP": f"syslog://127.0.0.1:{rsyslog.udp}",
        "TCP": f"syslog+tcp://127.0.0.1:{rsyslog.tcp}",
    }[way]
    with serving(folder, config(upstream, target)) as gateway:
        for _ in range(30):
            assert gateway.ask("/closed", headers=BEARER)[0] == 403
        assert gateway.ask("/", headers={"Authorization": "Bearer " + "\\\x7f\t%<" * 50})[0] > 399
        wait_until(lambda: len(rsyslog.of("access.denied")) == 30)
        assert gateway.stop() == 0
    taken = rsyslog.lines()

    assert {part[:3] for part in taken} == {
        ("authpriv", "warning", "pyproxy"), ("authpriv", "info", "pyproxy"),
    }  # fmt: skip
    assert {part[1] for part in taken if part[3]["event"] == "auth.ok"} == {"info"}
    ids = {part[3]["request_id"] for part in rsyslog.of("access.denied")}
    assert len(ids) == 30


def test_a_syslog_that_goes_and_comes_back_gets_what_waited(folder, upstream, short):
    demand("" if Path(RSYSLOG).exists() else "rsyslog is not installed")
    rsyslog, target = Rsyslog(short), f"syslog:{short}/log"
    with ExitStack() as stack:
        with rsyslog:
            gateway = stack.enter_context(serving(folder, config(upstream, target)))
        for _ in range(20):
            assert gateway.ask("/closed", headers=BEARER)[0] == 403
        said = gateway.wait_for("log.unwritable", target=target)
        assert gateway.status() == 200
        with rsyslog:
            gateway.wait_for("log.writable", target=target)
            wait_until(lambda: len(rsyslog.of("access.denied")) == 20)
            assert gateway.stop() == 0
    assert said["reason"] in {"Connection refused", "No such file or directory"}


def test_a_syslog_that_is_not_there_is_a_reason_not_to_serve(folder, upstream, short):
    code, lines = refused(folder, config(upstream, f"syslog:{short}/log"))

    assert code == 2
    assert lines[0].endswith("/log cannot be written: no such file or directory")


@pytest.fixture
def journal(short):
    """A journal in a namespace of its own, whose /run is a folder of the test."""
    demand("" if JOURNALD.exists() else "systemd is not installed")
    run = short / "run"
    for each in ("systemd/journal", "log/journal"):
        (run / each).mkdir(parents=True)
    machine = short / "machine-id"
    machine.write_text("0123456789abcdef0123456789abcdef\n")
    script = f"mount --bind {run} /run && mount --bind {machine} /etc/machine-id && exec {JOURNALD}"
    with subprocess.Popen(
        ["unshare", "--mount", "sh", "-c", script], stderr=subprocess.PIPE, text=True
    ) as process:
        until = time.monotonic() + PATIENCE_S
        while not (run / "systemd/journal/socket").exists() and process.poll() is None:
            assert time.monotonic() < until
        demand("" if process.poll() is None else f"no journal here: {process.stderr.read()}")
        yield run
        process.send_signal(signal.SIGTERM)
        process.wait(PATIENCE_S)


def entries_in(run):
    found = subprocess.run(
        ["journalctl", "-D", run / "log/journal", "-o", "json", "-t", "pyproxy", "--no-pager"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    entries = [json.loads(line) for line in found.stdout.splitlines()]
    judge(entry["MESSAGE"] for entry in entries)
    return entries


def test_the_journal_takes_every_line(folder, upstream, journal):
    target = f"journald:{journal}/systemd/journal/socket"
    with serving(folder, config(upstream, target)) as gateway:
        for _ in range(30):
            assert gateway.ask("/closed", headers=BEARER)[0] == 403
        wait_until(
            lambda: sum("access.denied" in each["MESSAGE"] for each in entries_in(journal)) == 30
        )
        pids = {line["pid"] for line in gateway.said("worker.started")}
        assert gateway.stop() == 0
    entries = entries_in(journal)

    assert {entry["SYSLOG_FACILITY"] for entry in entries} == {"10"}
    assert {int(entry["_PID"]) for entry in entries} <= {*pids, os.getpid(), gateway.process.pid}
    for entry in entries:
        is_let_in = json.loads(entry["MESSAGE"])["event"] == "auth.ok"
        assert entry["PRIORITY"] == ("6" if is_let_in else "4")


def test_the_rule_for_logrotate_is_one_that_it_understands(tmp_path):
    demand("" if shutil.which("logrotate", path="/usr/sbin:/usr/bin") else "no logrotate")
    rule = Path(__file__).parents[2] / "deploy" / "logrotate" / "pyproxy"
    copy = tmp_path / "pyproxy"
    copy.write_text(rule.read_text().replace("su pyproxy pyproxy", "su root root"))
    copy.chmod(0o644)
    ran = subprocess.run(
        ["/usr/sbin/logrotate", "--debug", copy], capture_output=True, text=True, check=False
    )

    assert ran.returncode == 0, ran.stderr
    assert "error" not in ran.stderr.lower()
