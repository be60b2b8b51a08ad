"""What Prometheus answers to a dashboard's queries."""

import http.client
import json
import re
import time
from contextlib import closing
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode

# What Grafana would put in their place: four scrapes, and every value.
_RATE_INTERVAL: Final = "10s"
_EVERYTHING: Final = ".*"
_OK: Final = 200


@dataclass(frozen=True, slots=True)
class Curve:
    """A series.

    Attributes:
        legend: Its name, made of its labels.
        labels: All of them.
        points: Seconds before now, and values; those that are not numbers are left out.
    """

    legend: str
    labels: dict[str, str]
    points: tuple[tuple[float, float], ...]


class Prometheus:
    """A Prometheus on loopback, asked for a time that ends now.

    Args:
        port: Where it listens.
        seconds: How far back it is asked.
    """

    def __init__(self, port: int, seconds: float) -> None:
        self._port, self.seconds = port, seconds
        self._now = time.time()

    def curves(self, expression: str, legend: str) -> list[Curve]:
        """The series of an expression, as a dashboard has it.

        Raises:
            ValueError: Prometheus does not understand it.
        """
        query = {
            "query": _filled_in(expression),
            "start": self._now - self.seconds,
            "end": self._now,
            "step": 1,
        }
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=30)
        with closing(connection):
            connection.request("GET", f"/api/v1/query_range?{urlencode(query)}")
            answer = connection.getresponse()
            said = json.loads(answer.read())
        if answer.status != _OK:
            raise ValueError(f"{expression}: {said.get('error')}")
        return [self._curve(each, legend) for each in said["data"]["result"]]

    def _curve(self, series: dict[str, Any], legend: str) -> Curve:
        labels, values = series["metric"], series["values"]
        points = tuple(
            (self._now - at, float(value)) for at, value in values if value not in {"NaN", "+Inf"}
        )
        name = re.sub(r"\{\{(\w+)\}\}", lambda match: labels.get(match[1], ""), legend)
        return Curve(name or "none", labels, points)


def _filled_in(expression: str) -> str:
    return re.sub(
        r"\$(\w+)",
        lambda match: _RATE_INTERVAL if match[1] == "__rate_interval" else _EVERYTHING,
        expression,
    )
