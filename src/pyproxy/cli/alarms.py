"""What an operator has to know of a gateway's status, the worst first."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from pyproxy.cli.figures import span
from pyproxy.cli.status import RouteStatus, Status

# As the alert rules and the status page have it: days before a certificate ends.
SOON_DAYS: Final = 21
URGENT_DAYS: Final = 7
_DAY_S: Final = 86400


@dataclass(frozen=True, slots=True)
class Alarm:
    """A sentence, not yet fit for a terminal.

    Attributes:
        text: What is wrong.
        is_grave: Requests fail because of it, or soon will.
    """

    text: str
    is_grave: bool = True


def alarms(status: Status) -> tuple[Alarm, ...]:
    """Everything that is wrong, the grave first."""
    found = [*_process(status), *_around(status)]
    for route in status.routes:
        found.extend(_upstreams(route))
    return tuple(sorted(found, key=lambda alarm: not alarm.is_grave))


def _process(status: Status) -> Iterator[Alarm]:
    if status.draining:
        yield Alarm("Draining: what is open is finished, nothing new is accepted.", is_grave=False)
    elif not status.ready:
        yield Alarm(f"Not ready: {'; '.join(status.reasons) or 'a required upstream is down'}.")
    for worker in status.workers:
        if not worker.is_answering:
            yield Alarm(f"Worker {worker.slot} (process {worker.pid}) does not answer.")
    if status.reload.result == "failed":
        faults = "; ".join(status.reload.faults)
        yield Alarm(f"The last reload failed, the old configuration is in force: {faults}")
    for kind in status.files_refused:
        files = kind.replace("_", " ")
        text = f"What the files of {files} hold now is faulty, the old stays in force."
        yield Alarm(text, is_grave=False)
    if status.logs.lost:
        yield Alarm(f"{status.logs.lost} log lines were lost.", is_grave=False)


def _around(status: Status) -> Iterator[Alarm]:
    store = status.store
    if not store.is_up:
        yield Alarm(f"The store ({store.kind}) does not answer; meanwhile: {store.on_failure}.")
    for each in status.certificates:
        if each.days_left < SOON_DAYS:
            name = ", ".join(each.names) or each.file
            end = f"ends in {span(each.days_left * _DAY_S)}" if each.days_left > 0 else "has ended"
            yield Alarm(f"The certificate of {name} {end}.", each.days_left < URGENT_DAYS)
    for keys in status.key_sets:
        if keys.state != "fresh":
            text = f"Key set {keys.source} is {keys.state}: {span(keys.age_s)} old."
            yield Alarm(text, keys.state == "lost")


def _upstreams(route: RouteStatus) -> Iterator[Alarm]:
    down = [each for each in route.upstreams if each.state != "up"]
    if down and len(down) == len(route.upstreams):
        yield Alarm(f"Route {route.name}: no upstream is up.")
        return
    for each in down:
        yield Alarm(f"Route {route.name}: {each.name} is {each.state}.", is_grave=False)
