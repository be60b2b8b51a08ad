"""What wrk said, read and checked."""

import re
from dataclasses import dataclass
from typing import Self

_US = {"us": 1.0, "ms": 1e3, "s": 1e6}
_BYTES = {"": 1, "K": 2**10, "M": 2**20, "G": 2**30}
# wrk rounds what it read to two digits after the point of its unit, and stops in mid-answer.
_WHOLE_SHARE = 0.95


@dataclass(frozen=True, slots=True)
class Report:
    """One run of wrk.

    Attributes:
        count: Answers.
        per_s: Answers a second.
        p50_us: Half of the answers came as fast as this.
        p99_us: All but a hundredth did.
        failed: Answers that were refusals, errors of sockets, and 1 if the answers together
            were smaller than they must be, or there was none.
    """

    count: float
    per_s: float
    p50_us: float
    p99_us: float
    failed: float

    @classmethod
    def read(cls, said: str, least_bytes: int) -> Self:
        """Take wrk's words; each answer must have had ``least_bytes`` at least."""
        latency = {
            percent: float(value) * _US[unit]
            for percent, value, unit in re.findall(r"(50|99)%\s+([\d.]+)(us|ms|s)\b", said)
        }
        count = _number(r"(\d+) requests in", said)
        is_short = _bytes_read(said) < _WHOLE_SHARE * max(1.0, count) * least_bytes
        refused = _number(r"Non-2xx or 3xx responses: (\d+)", said)
        return cls(
            count=count,
            per_s=_number(r"Requests/sec:\s+([\d.]+)", said),
            p50_us=latency.get("50", 0.0),
            p99_us=latency.get("99", 0.0),
            failed=refused + _socket_errors(said) + is_short,
        )


def _number(pattern: str, text: str) -> float:
    found = re.search(pattern, text)
    return float(found[1]) if found else 0.0


def _bytes_read(text: str) -> float:
    found = re.search(r"requests in [^,]+, ([\d.]+)([KMG]?)B read", text)
    return float(found[1]) * _BYTES[found[2]] if found else 0.0


def _socket_errors(text: str) -> float:
    line = re.search(r"Socket errors: (.*)", text)
    return sum(map(float, re.findall(r"\d+", line[1]))) if line else 0.0
