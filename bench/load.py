"""Load, and what it brings to light: figures of one contender in one run."""

import json
import re
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass

from bench.contenders.contender import Contender
from bench.credentials import Credentials
from bench.processes import cpu_seconds
from bench.stage import ROOT, Stage, pinned

Figures = dict[str, float]
"""By name, which ends in the unit. ``failed`` is in all of them, and has to be 0."""

# A small completion request, over and over.
_SCRIPT = """
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
wrk.body = '{"model":"gpt-4o","messages":[{"role":"user","content":"hi"}]}'
"""
_SETTLE_S, _QUIET_S, _QUIET_SHARE = 30.0, 0.3, 0.1
_US = {"us": 1.0, "ms": 1e3, "s": 1e6}


@dataclass(frozen=True, slots=True)
class Load:
    """Asks contenders for something, from the CPU that is not theirs."""

    stage: Stage
    credentials: Credentials

    def requests(
        self, contender: Contender, token: str, connections: int, seconds: float
    ) -> Figures:
        """Small requests, each connection sending its next one after an answer; wrk."""
        script = self.stage.folder / "post.lua"
        script.write_text(_SCRIPT)
        before = self._cpu_s(contender)
        said = self._run(
            [
                "wrk", "-t1", f"-c{connections}", f"-d{seconds:g}s", "--latency",
                "--timeout", "60s", "-s", str(script), "-H", f"Authorization: Bearer {token}",
                f"{contender.url}/v1/chat/completions",
            ]
        )  # fmt: skip
        cpu_s = self._cpu_s(contender) - before
        count = _number(r"(\d+) requests in", said)
        latency = {
            percent: float(value) * _US[unit]
            for percent, value, unit in re.findall(r"(50|99)%\s+([\d.]+)(us|ms|s)\b", said)
        }
        return {
            "requests_per_s": _number(r"Requests/sec:\s+([\d.]+)", said),
            "cpu_us_per_request": 1e6 * cpu_s / max(1.0, count),
            "p50_us": latency["50"],
            "p99_us": latency["99"],
            "failed": _number(r"Non-2xx or 3xx responses: (\d+)", said) + _socket_errors(said),
        }

    def streams(
        self, contender: Contender, token: str, count: int, events: int, pause_ms: int
    ) -> Figures:
        """Event streams, all open at once."""
        said = self._run(
            [
                sys.executable, "-m", "bench.streams", "--port", str(contender.port),
                "--streams", str(count), "--path", f"/sse/{events}/{pause_ms}", "--key", token,
                "--authority", str(self.credentials.certificate),
                "--pids", ",".join(map(str, self.stage.pids(contender.processes))),
            ]
        )  # fmt: skip
        figures: Figures = json.loads(said)
        return figures

    def download(self, contender: Contender, token: str, megabytes: int) -> Figures:
        """One large body; curl."""
        before = self._cpu_s(contender)
        said = self._run(
            [
                "curl", "--silent", "--cacert", str(self.credentials.certificate),
                "--output", "/dev/null", "--write-out", "%{speed_download} %{size_download}",
                "--header", f"Authorization: Bearer {token}",
                f"{contender.url}/bytes/{megabytes * 10**6}",
            ]
        )  # fmt: skip
        cpu_s = self._cpu_s(contender) - before
        speed, size = map(float, said.split())
        return {
            "mb_per_s": speed / 1e6,
            "cpu_ms_per_mb": 1e3 * cpu_s / megabytes,
            "failed": float(size != megabytes * 10**6),
        }

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

    def _cpu_s(self, contender: Contender) -> float:
        return cpu_seconds(self.stage.pids(contender.processes))

    def _run(self, command: list[str]) -> str:
        return subprocess.run(
            pinned(self.stage.load_cpu, command),
            capture_output=True,
            text=True,
            check=True,
            cwd=ROOT,
        ).stdout


def _number(pattern: str, text: str) -> float:
    found = re.search(pattern, text)
    return float(found[1]) if found else 0.0


def _socket_errors(text: str) -> float:
    line = re.search(r"Socket errors: (.*)", text)
    return sum(map(float, re.findall(r"\d+", line[1]))) if line else 0.0
