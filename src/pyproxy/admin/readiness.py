"""Whether requests should be sent here."""

from collections.abc import Iterator

from pyproxy.admin.snapshot import Snapshot

_UP = "up"


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
        if of_route and all(each.state != _UP for each in of_route):
            states = ", ".join(f"{each.name} is {each.state}" for each in of_route)
            yield f"route {route.name}: {states}"
    if snapshot.settings.store.on_failure == "deny" and not report.store.is_up:
        yield "the store does not answer, and store.on_failure is deny"
