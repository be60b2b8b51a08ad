"""Whether requests should be sent here."""

from collections.abc import Iterator

from pyproxy.admin.snapshot import Snapshot
from pyproxy.telemetry.report import EndpointState

_OUT, _UNHEALTHY = "out", "unhealthy"


def reasons_against(snapshot: Snapshot) -> tuple[str, ...]:
    """Why no request should be sent here, a sentence each; none: it is ready."""
    return tuple(_reasons(snapshot))


def _reasons(snapshot: Snapshot) -> Iterator[str]:
    if snapshot.is_draining:
        yield "the gateway is draining"
    if not any(worker.is_answering for worker in snapshot.workers):
        yield "no worker answers"
        return  # what they said last is no longer so
    report = snapshot.report
    for route in snapshot.settings.routes:
        of_route = [each for each in report.endpoints if each.route == route.name]
        # Who was out for its term is known to be down by no later request, and whoever sends
        # requests only where it is ready would never find out: it counts as one to be tried.
        if of_route and all(each.state == _UNHEALTHY or _is_out(each) for each in of_route):
            states = ", ".join(f"{each.name} is {each.state}" for each in of_route)
            yield f"route {route.name}: {states}"
    if snapshot.settings.store.on_failure == "deny" and not report.store.is_up:
        yield "the store does not answer, and store.on_failure is deny"


def _is_out(endpoint: EndpointState) -> bool:
    return endpoint.state == _OUT and not endpoint.is_due
