"""Load, and what it brings to light: figures of one contender in one run."""

import json
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass

from bench import wrk
from bench.contenders.contender import Contender
from bench.credentials import Credentials
from bench.origin import ANSWER
from bench.processes import cpu_seconds
from bench.stage import ROOT, Stage, pinned

Figures = dict[str, float]
"""By name, which ends in the unit. ``failed`` is in all of them, and has to be 0."""


class Failed(Exception):
    """What was measured did not work."""


# A small completion request, over and over.
_SCRIPT = """
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
wrk.body = '{"model":"gpt-4o","messages":[{"role":"user","content":"hi"}]}'
"""
_SETTLE_S, _QUIET_S, _QUIET_SHARE = 30.0, 0.3, 0.1
_MB = 10**6


@dataclass(frozen=True, slots=True)
class Load:
    """Asks contenders for something, from the CPU that is not theirs.

    What it does raises ``Failed`` where a program that loads ends with an error.
    """

    stage: Stage
    credentials: Credentials

    def requests(
        self, contender: Contender, token: str, connections: int, seconds: int, *fields: str
    ) -> Figures:
        """Small requests, each connection sending its next one after an answer; wrk.

        ``fields`` are sent too.
        """
        report, cpu_s = self._wrk(contender, token, connections, seconds, *fields)
        return {
            "requests_per_s": report.per_s,
            "cpu_us_per_request": 1e6 * cpu_s / max(1.0, report.count),
            "p50_us": report.p50_us,
            "p99_us": report.p99_us,
            "failed": report.failed,
        }

    def openings(self, contender: Contender, token: str, connections: int, seconds: int) -> Figures:
        """A connection for each small request: TCP, TLS, the request, and the end; wrk."""
        report, cpu_s = self._wrk(contender, token, connections, seconds, "Connection: close")
        return {
            "connections_per_s": report.per_s,
            "cpu_us_per_connection": 1e6 * cpu_s / max(1.0, report.count),
            "failed": report.failed,
        }

    def streams(
        self, contender: Contender, token: str, count: int, events: int, pause_ms: int
    ) -> Figures:
        """Event streams, all open at once."""
        said = self._run(
            [
                sys.executable, "-m", "bench.streams", "--port", str(contender.port),
                "--streams", str(count), "--key", token,
                "--events", str(events), "--pause-ms", str(pause_ms),
                "--authority", str(self.credentials.certificate),
                "--pids", ",".join(map(str, self.stage.pids(contender.processes))),
            ]
        )  # fmt: skip
        figures: Figures = json.loads(said)
        return figures

    def download(self, contender: Contender, token: str, megabytes: int) -> Figures:
        """One large body down; curl."""
        size = megabytes * _MB
        path, wanted = f"/bytes/{size}", f"200 {size}"
        return self._transfer(
            contender, token, megabytes, ["--output", "/dev/null"], path, "size_download", wanted
        )

    def upload(self, contender: Contender, token: str, megabytes: int) -> Figures:
        """One large body up, whose bytes the origin counts; curl."""
        body = self.stage.folder / "upload"
        size = megabytes * _MB
        with body.open("wb") as file:
            file.truncate(size)
        # Without Expect: who answers it early would save the others' round trip.
        options = ["--upload-file", str(body), "--header", "Expect:"]
        wanted = f"{size}200 {size}"  # the body of the answer comes first: what was counted
        return self._transfer(contender, token, megabytes, options, "/count", "size_upload", wanted)

    def settle(self, contenders: Sequence[Contender]) -> None:
        """Wait until none of them works any more, at most half a minute.

        A verifier goes on hashing keys for clients that have left, and would take the
        CPU from whoever is measured next.
        """
        names = [name for contender in contenders for name in contender.processes]
        pids = self.stage.pids(names)
        deadline = time.monotonic() + _SETTLE_S
        while time.monotonic() < deadline:
            before = cpu_seconds(pids)
            time.sleep(_QUIET_S)
            if cpu_seconds(pids) - before <= _QUIET_S * _QUIET_SHARE:
                return

    def _wrk(
        self, contender: Contender, token: str, connections: int, seconds: int, *lines: str
    ) -> tuple[wrk.Report, float]:
        """What it said, and the CPU time that the contender spent; ``lines`` are sent too."""
        script = self.stage.folder / "post.lua"
        script.write_text(_SCRIPT)
        headers = [f"Authorization: Bearer {token}", *lines]
        before = self._cpu_s(contender)
        said = self._run(
            [
                "wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--latency",
                "--timeout", "60s", "-s", str(script),
                *(word for line in headers for word in ("-H", line)),
                f"{contender.url}{contender.path}",
            ]
        )  # fmt: skip
        return wrk.Report.read(said, len(ANSWER)), self._cpu_s(contender) - before

    def _transfer(
        self,
        contender: Contender,
        token: str,
        megabytes: int,
        options: Sequence[str],
        path: str,
        counted: str,
        wanted: str,
    ) -> Figures:
        """One run of curl, which must say what is ``wanted``: status and size."""
        before = self._cpu_s(contender)
        said = self._run(
            [
                "curl", "--silent", "--cacert", str(self.credentials.certificate),
                "--write-out", f"%{{http_code}} %{{{counted}}} %{{time_total}}", *options,
                "--header", f"Authorization: Bearer {token}", f"{contender.url}{path}",
            ]
        )  # fmt: skip
        cpu_s = self._cpu_s(contender) - before
        found, _, took_s = said.rpartition(" ")
        return {
            "mb_per_s": megabytes / float(took_s),
            "cpu_ms_per_mb": 1e3 * cpu_s / megabytes,
            "failed": float(found != wanted),
        }

    def _cpu_s(self, contender: Contender) -> float:
        return cpu_seconds(self.stage.pids(contender.processes))

    def _run(self, command: list[str]) -> str:
        pinned_command = pinned(self.stage.load_cpu, command)
        done = subprocess.run(pinned_command, capture_output=True, text=True, check=False, cwd=ROOT)
        if done.returncode:
            raise Failed(f"{command[0]} ended with {done.returncode}: {done.stderr}")
        return done.stdout
