import asyncio
import json
from types import SimpleNamespace

import pytest

from pyproxy.assembly.resources import Resources
from pyproxy.config.store import StoreSettings
from pyproxy.identity.hashing import BcryptGate
from pyproxy.limits.bans import BanRules
from pyproxy.runtime.sharing import Sharing
from pyproxy.runtime.tasks import Tasks
from pyproxy.telemetry.audit import AuditLog
from pyproxy.telemetry.log import Log

# Nobody listens there.
URL = "redis://:hunter2@127.0.0.1:1"


@pytest.fixture
def lines():
    return []


@pytest.fixture
async def sharing(lines):
    resources = Resources(asyncio.get_running_loop(), b"k" * 32, BcryptGate())
    faults = []
    journal = SimpleNamespace(
        log=Log(lines.append, lambda: 0.0),
        audit=AuditLog(lines.append),
        report=lambda *fault: faults.append(fault),
    )
    async with Tasks(lambda *_: None) as tasks:
        made = Sharing(resources, tasks, journal)
        made.tasks, made.resources, made.faults = tasks, resources, faults
        yield made
    await resources.close()


async def told(lines, count=1):
    async with asyncio.timeout(5):
        while len(lines) < count:  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0.001)
    return [json.loads(line) for line in lines]


async def test_memory_has_nothing_that_runs(sharing):
    sharing.replace(sharing.made_for(StoreSettings()))

    assert sharing.shared is None
    assert len(sharing.tasks) == 0
    assert sharing.bans is sharing.resources.bans


async def test_a_store_runs_and_says_when_it_is_down(sharing, lines):
    sharing.replace(sharing.made_for(StoreSettings(url=URL)))
    (line,) = await told(lines)

    assert (line["level"], line["event"]) == ("warning", "store.down")
    assert line["reason"].startswith("no connection: ")
    assert "hunter2" not in lines[0]
    assert sharing.bans is sharing.shared.bans


async def test_the_same_settings_have_the_same_store(sharing):
    first = sharing.made_for(StoreSettings(url=URL))
    sharing.replace(first)
    sharing.replace(sharing.made_for(StoreSettings(url=URL)))

    assert sharing.shared is first
    assert len(sharing.tasks) == 1


async def test_a_replaced_store_goes_on_for_a_while(sharing, monkeypatch):
    monkeypatch.setattr("pyproxy.runtime.sharing._LINGER_S", 0.01)
    sharing.replace(sharing.made_for(StoreSettings(url=URL)))
    running = sharing._running
    sharing.replace(sharing.made_for(StoreSettings()))

    assert not running.done()
    assert sharing.shared is None
    await asyncio.wait({running}, timeout=5)
    assert running.cancelled()


async def test_a_store_that_ended_by_a_fault_of_ours_is_run_again(sharing, monkeypatch):
    monkeypatch.setattr("pyproxy.runtime.sharing._AGAIN_S", 0.0)
    fault, runs, is_again = ValueError("ours"), [], asyncio.Event()

    async def run():
        runs.append(1)
        if len(runs) == 1:
            raise fault
        is_again.set()
        await asyncio.Event().wait()

    sharing.replace(SimpleNamespace(run=run))
    async with asyncio.timeout(5):
        await is_again.wait()

    assert sharing.faults == [("store", fault)]


async def test_bans_of_all_machines_together_are_audited(sharing, lines):
    sharing._begun("192.0.2.1", BanRules(20, 600.0, 900.0))
    (line,) = await told(lines)

    assert sharing.bans_begun == 1
    assert (line["event"], line["ip"], line["details"]["failures"]) == (
        "auth.banned",
        "192.0.2.1",
        20,
    )


async def test_good_news_are_no_warning(sharing, lines):
    sharing._tell("store.up", "")
    (line,) = await told(lines)

    assert (line["level"], line["event"], "reason" in line) == ("info", "store.up", False)
