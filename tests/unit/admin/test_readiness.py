import pytest

from pyproxy.admin.readiness import reasons_against
from pyproxy.config.settings import StoreSettings
from pyproxy.telemetry.report import StoreState
from tests.admin_scene import SETTINGS, endpoint, report, snapshot, worker

DENYING = SETTINGS.model_copy(update={"store": StoreSettings(on_failure="deny")})
DOWN = StoreState("redis", is_up=False, failures=3)


@pytest.mark.parametrize(
    "now",
    [
        pytest.param(snapshot(), id="all is well"),
        pytest.param(
            snapshot(report=report(endpoints=(endpoint("one", "a", "out"), endpoint("one", "b")))),
            id="one of two is up",
        ),
        pytest.param(
            snapshot(report=report(endpoints=(endpoint("one", "a", "out", is_due=True),))),
            id="only a request can tell",
        ),
        pytest.param(snapshot(report=report(endpoints=())), id="nothing is known yet"),
        pytest.param(snapshot(report=report(store=DOWN)), id="others need no store"),
        pytest.param(
            snapshot(workers=(worker(0, is_answering=False), worker(1))), id="one worker is enough"
        ),
    ],
)
def test_who_can_serve_is_ready(now):
    assert reasons_against(now) == ()


@pytest.mark.parametrize(
    ("now", "reason"),
    [
        pytest.param(snapshot(is_draining=True), "the gateway is draining", id="draining"),
        pytest.param(
            snapshot(
                report=report(
                    endpoints=(endpoint("one", "a", "out"), endpoint("one", "b", "unhealthy"))
                )
            ),
            "route one: a is out, b is unhealthy",
            id="no upstream",
        ),
        pytest.param(
            snapshot(report=report(endpoints=(endpoint("one", "a", "unhealthy", is_due=True),))),
            "route one: a is unhealthy",
            id="a check can tell",
        ),
        pytest.param(
            snapshot(settings=DENYING, report=report(store=DOWN)),
            "the store does not answer, and store.on_failure is deny",
            id="store",
        ),
        pytest.param(
            snapshot(workers=(worker(is_answering=False),)), "no worker answers", id="hung"
        ),
        pytest.param(snapshot(workers=()), "no worker answers", id="no worker"),
    ],
)
def test_who_cannot_says_why(now, reason):
    assert reasons_against(now) == (reason,)
