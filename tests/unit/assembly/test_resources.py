"""What is held on to while gateways are replaced."""

import asyncio
import json
from dataclasses import replace

import pytest

from pyproxy.assembly.build import build
from pyproxy.assembly.listeners import group_listeners
from pyproxy.assembly.resources import Resources
from pyproxy.assembly.sources import read_sources
from pyproxy.identity.hashing import BcryptGate
from pyproxy.telemetry.log import Log
from pyproxy.telemetry.tracer import TraceRules
from tests.waiting import turns

CONFIG = """
[[listeners]]
bind = "127.0.0.1:1"
[auth]
keys = ["a-plain-key-of-somebody"]
[[routes]]
name = "one"
path = "/one"
upstream = ["http://a", "http://b"]
health = { path = "/up", interval = "5s" }
[[routes]]
name = "two"
path = "/two"
upstream = ["http://b", "http://c"]
health = { path = "/up", interval = "5s" }
"""


@pytest.fixture
async def resources():
    made = Resources(asyncio.get_running_loop(), b"s" * 32, BcryptGate())
    yield made
    await made.close()


def in_force(settings, resources):
    """Put a configuration in force; its checks, by the host that they ask."""
    sources = read_sources(settings, resources.client_tls)
    build(settings, group_listeners(settings.listeners), resources, sources)
    return {check.endpoint.address.host: check for check in resources.checks._in_force}


async def test_each_endpoint_is_checked_once_for_all_routes(configured, resources):
    assert in_force(configured(CONFIG), resources).keys() == {"a", "b", "c"}
    assert len(resources.checks._in_force) == 3


async def test_checks_outlive_a_reload_that_does_not_change_them(configured, resources):
    before = in_force(configured(CONFIG), resources)
    changed = CONFIG.replace('"http://c"', '"http://d"')
    after = in_force(configured(changed), resources)

    assert after.keys() == {"a", "b", "d"}
    assert (after["a"], after["b"]) == (before["a"], before["b"])


async def test_changed_check_is_another(configured, resources):
    before = in_force(configured(CONFIG), resources)
    after = in_force(configured(CONFIG.replace("5s", "6s")), resources)

    assert not set(before.values()) & set(after.values())


async def test_without_a_path_nothing_is_checked(configured, resources):
    assert in_force(configured(CONFIG.replace('"/up"', '""')), resources) == {}


@pytest.mark.parametrize(
    ("event", "reason", "level"),
    [
        ("upstream.unhealthy", "answered 503", "warning"),
        ("upstream.ejected", "3 failures", "warning"),
        ("upstream.name_failed", "name not known", "warning"),
        ("upstream.healthy", "", "info"),
    ],
)
async def test_what_changes_upstream_is_written_down(resources, event, reason, level):
    lines = []
    resources._tell(event, "a:80", reason)
    watching = asyncio.ensure_future(resources.watch(Log(lines.append, lambda: 0.0)))
    await turns(1)
    resources._tell(event, "a:80", reason)
    watching.cancel()
    await asyncio.wait({watching})

    (line,) = map(json.loads, lines)
    del line["time"]
    expected = {"level": level, "event": event, "upstream": "a:80"}
    assert line == expected | ({"reason": reason} if reason else {})


async def test_a_tracer_stays_while_its_rules_do_and_what_goes_is_said(resources):
    lines = []
    log = Log(lambda line: lines.append(json.loads(line)), lambda: 0.0)
    rules = TraceRules("http://127.0.0.1:1/v1/traces")
    tracer = resources.tracer_for(rules)
    resources.trace_with(tracer)
    resources._log = log
    resources._tell_of_traces("refused")
    resources._tell_of_traces("")

    assert resources.tracer_for(rules) is tracer
    assert resources.tracer_for(replace(rules, sample=0.5)) is not tracer
    assert [(line["event"], line.get("reason")) for line in lines] == [
        ("traces.lost", "refused"),
        ("traces.sent", None),
    ]
    resources.trace_with(None)
    assert resources.tracer is None
    resources.trace_with(resources.tracer_for(rules))
    await resources.close()
