"""What the handler writes down of a request, by clocks that tests set."""

import json
from dataclasses import fields
from itertools import count

import pytest

from pyproxy.config.quantities import Rate
from pyproxy.gateway import own
from pyproxy.gateway.gateway import Gateway
from pyproxy.gateway.handler import Handler
from pyproxy.identity.credential import CredentialRules
from pyproxy.identity.networks import Networks
from pyproxy.limits.limit import Limit
from pyproxy.limits.memory import MemoryStore
from pyproxy.routing.table import Table
from pyproxy.telemetry.access import AccessLog
from pyproxy.transform.cors import Cors

HEALTH = Limit("health", Rate.parse("1r/s"), burst=5)
CORS = Cors.of(origins=[], methods=[], headers=[], max_age_s=0.0)
NOTHING = {field.name: None for field in fields(Gateway)}


@pytest.fixture
def table():
    """Routes of the only listener."""
    return Table.build([])


@pytest.fixture
def handler(desk, lines, table):
    """Of a gateway that has nothing but its health."""
    gateway = Gateway(
        **NOTHING | {
            "tables": {"here": table}, "own_paths": {b"/health": own.HEALTH},
            "trusted": Networks(), "local_store": MemoryStore(), "health_limit": HEALTH,
            "cors": CORS, "credentials": CredentialRules(), "block": b"", "tls_block": b"",
        }
    )  # fmt: skip
    desk.gateway, desk.access = gateway, AccessLog(lines.append)
    return Handler(desk, "here")


def written(lines):
    (line,) = [json.loads(line) for line in lines if '"request"' in line]
    return line


async def test_a_request_takes_milliseconds(handler, desk, asked, lines):
    ticks = count(100.0, 0.25)
    desk.now = lambda: next(ticks)  # read at the beginning and at the end, and nowhere between

    await handler.serve(asked("GET /nowhere HTTP/1.1"))

    assert (written(lines)["status"], written(lines)["ms"]) == (404, 250.0)
    assert written(lines)["upstream_ms"] is None


@pytest.mark.parametrize(
    ("is_draining", "status"),
    [
        pytest.param(False, 200, id="serving"),
        pytest.param(True, 503, id="draining"),
    ],
)
async def test_health_says_whether_more_may_come(
    handler, desk, asked, lines, channel, is_draining, status
):
    desk.is_draining = is_draining

    await handler.serve(asked("GET /health HTTP/1.1"))

    assert channel.written.startswith(b"HTTP/1.1 %d " % status)
    assert written(lines)["status"] == status
