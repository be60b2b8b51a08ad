import asyncio
import platform

from prometheus_client.parser import text_string_to_metric_families

from pyproxy import __version__
from pyproxy.admin.exposition import Exhibition, exposition
from pyproxy.telemetry.catalogue import FAMILIES, REQUESTS
from pyproxy.telemetry.report import Report
from tests.admin_scene import WALL, report, snapshot
from tests.waiting import turns


def samples(now):
    return {
        (each.name, *sorted(each.labels.items())): each.value
        for family in text_string_to_metric_families(exposition(now).decode())
        for each in family.samples
    }


def test_all_that_is_counted_is_shown():
    found = samples(snapshot(reloads={"ok": 2, "failed": 1}))

    one = (("method", "GET"), ("route", "one"), ("status", "2xx"))
    assert found[REQUESTS, *one] == 7
    assert found["pyproxy_connections",] == 9
    assert found["pyproxy_upstream_up", ("route", "one"), ("upstream", "http://a")] == 1
    assert found["pyproxy_reloads_total", ("result", "ok")] == 2
    assert found["pyproxy_reloads_total", ("result", "failed")] == 1
    assert found["pyproxy_config_reload_timestamp_seconds",] == WALL - 12.0
    assert found["pyproxy_workers",] == 1
    build = (("python", platform.python_version()), ("version", __version__))
    assert found["pyproxy_build_info", *build] == 1
    assert found["pyproxy_jwks_keys", ("source", "https://issuer/jwks")] == 3
    assert found["pyproxy_certificate_expiry_timestamp_seconds",
                 ("bind", "[::]:5000"), ("file", "certs/a.crt")] > WALL  # fmt: skip


def test_buckets_are_cumulative():
    found = samples(snapshot())

    def bucket(end):
        return found["pyproxy_request_duration_seconds_bucket", ("le", end), ("route", "one")]

    assert [bucket(end) for end in ("0.005", "0.01", "0.02", "+Inf")] == [0, 9, 10, 10]
    assert found["pyproxy_request_duration_seconds_count", ("route", "one")] == 10
    assert found["pyproxy_request_duration_seconds_sum", ("route", "one")] == 1.5


def test_a_counter_without_labels_begins_at_nothing():
    found = samples(snapshot(report=Report()))

    for family in FAMILIES:
        assert family.labels or (family.name,) in found, family.name


def test_a_label_cannot_break_out_of_its_quotes():
    hostile = 'x"} 1\nevil_total{a="'
    now = snapshot(report=report(counters={(REQUESTS, (hostile, "GET", "2xx")): 1}))

    assert b"\nevil_total" not in exposition(now)
    assert samples(now)[REQUESTS, ("method", "GET"), ("route", hostile), ("status", "2xx")] == 1


class Elsewhere:
    """Does it here, and counts how often; waits if it is told to."""

    def __init__(self):
        self.count, self.goes_on = 0, asyncio.Event()
        self.goes_on.set()

    async def __call__(self, name, work):
        assert name == "metrics"
        self.count += 1
        await self.goes_on.wait()
        return work()


async def test_the_same_snapshot_is_rendered_once():
    shown, elsewhere = [snapshot()], Elsewhere()
    exhibition = Exhibition(lambda: shown[0], elsewhere)
    elsewhere.goes_on.clear()
    asking = [asyncio.ensure_future(exhibition.show()) for _ in range(3)]
    await turns()
    elsewhere.goes_on.set()
    first, *others = await asyncio.gather(*asking)

    assert all(each is first for each in others)
    assert elsewhere.count == 1
    shown[0] = snapshot(report=Report())
    assert await exhibition.show() is not first
    assert elsewhere.count == 2


async def test_who_leaves_does_not_leave_the_others_waiting():
    elsewhere = Elsewhere()
    exhibition = Exhibition(snapshot, elsewhere)
    elsewhere.goes_on.clear()
    one, other = (asyncio.ensure_future(exhibition.show()) for _ in range(2))
    await turns()
    one.cancel()
    elsewhere.goes_on.set()

    assert (await other).content_type == "text/plain; version=0.0.4; charset=utf-8"
