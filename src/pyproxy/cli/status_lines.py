"""A gateway's status as lines for a terminal: what ``pyproxy top`` shows."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from pyproxy.cli.alarms import SOON_DAYS, URGENT_DAYS, alarms
from pyproxy.cli.figures import count, milliseconds, rate, share, size, span
from pyproxy.cli.status import RouteStatus, Status
from pyproxy.telemetry.style import DIM, GREEN, RED, YELLOW, painted, shown

# Longer names are cut, so that figures stay in their columns.
_WIDEST_NAME: Final = 20
_WIDEST_TEXT: Final = 300
_BLOCKS: Final = " ▁▂▃▄▅▆▇█"
_ASCII_BLOCKS: Final = " .:-=+*#@"
_STATES: Final = {"up": GREEN, "out": YELLOW, "unhealthy": RED}
_LABEL: Final = 14


@dataclass(frozen=True, slots=True)
class Span:
    """A piece of a line.

    Attributes:
        text: Fit for a terminal.
        colour: How it looks; empty: as the terminal's own.
    """

    text: str
    colour: str = ""


Line = tuple[Span, ...]


def status_lines(status: Status, *, is_unicode: bool = True) -> Iterator[Line]:
    """Everything that is to be known of the gateway, in the order of how much it matters.

    Args:
        status: What it says. Strangers chose some of its names: none reaches the terminal raw.
        is_unicode: Whether the terminal has blocks of eight heights.
    """
    yield _title(status)
    for alarm in alarms(status):
        yield (Span(f"! {_safe(alarm.text)}", RED if alarm.is_grave else YELLOW),)
    yield ()
    yield from _traffic(status, _BLOCKS if is_unicode else _ASCII_BLOCKS)
    yield ()
    yield from _routes(status.routes)
    yield ()
    yield from _labelled(status)


def fitted(
    lines: Iterable[Line], columns: int, rows: int | None, *, is_coloured: bool
) -> Iterator[str]:
    """Lines that are no wider and no more than the terminal takes.

    Args:
        lines: From ``status_lines``.
        columns: Where longer lines are cut.
        rows: How many; the last one then says how many were left out. ``None``: all.
        is_coloured: Whether colours are wanted.
    """
    every = list(lines)
    if rows is not None and len(every) > rows:
        left = len(every) - rows + 1
        every = [*every[: rows - 1], (Span(f"and {left} more lines: a higher window", DIM),)]
    for line in every:
        yield "".join(_cut(line, columns, is_coloured=is_coloured))


def _cut(line: Line, columns: int, *, is_coloured: bool) -> Iterator[str]:
    left = columns
    for piece in line:
        text = piece.text[:left]
        left -= len(text)
        yield painted(text, piece.colour, is_coloured=is_coloured and bool(piece.colour))


def _title(status: Status) -> Line:
    if status.draining:
        state = Span("draining", YELLOW)
    else:
        state = Span("serving", GREEN) if status.ready else Span("not ready", RED)
    answering = sum(worker.is_answering for worker in status.workers)
    workers = f"  up {span(status.uptime_s)}, workers {answering} of {len(status.workers)}"
    return Span(f"pyproxy {_safe(status.version)}  "), state, Span(workers, DIM)


def _traffic(status: Status, blocks: str) -> Iterator[Line]:
    requests, history = status.requests, status.history
    yield (
        Span(
            f"{rate(requests.per_second)} requests/s, "
            f"{rate(requests.errors_per_second)} errors/s, "
            f"{count(requests.in_flight)} in flight, {count(requests.streams)} streams, "
            f"{count(requests.connections)} connections"
        ),
    )
    whole, first = requests.latency_ms, requests.first_byte_ms
    yield (
        Span(
            f"latency p50 {milliseconds(whole.p50)}, p90 {milliseconds(whole.p90)}, "
            f"p99 {milliseconds(whole.p99)}; "
            f"first byte p50 {milliseconds(first.p50)}, p99 {milliseconds(first.p99)}"
        ),
    )
    peak = max(history.per_second, default=0.0)
    ago = span(len(history.per_second) * history.step_s)
    yield Span(_sparkline(history.per_second, blocks)), Span(f" {ago}, peak {rate(peak)}/s", DIM)
    answered = sum(requests.by_status.values())
    classes = ", ".join(
        f"{_name(name)} {count(number)} ({share(number, answered)})"
        for name, number in sorted(requests.by_status.items())
        if number
    )
    traffic = f"{size(requests.bytes_in)} in, {size(requests.bytes_out)} out"
    yield Span(classes or "nothing was answered yet"), Span(f"; {traffic}", DIM)


def _sparkline(values: Sequence[float], blocks: str) -> str:
    peak = max(values, default=0.0)
    if not peak:
        return blocks[1] * len(values)
    top = len(blocks) - 1
    return "".join(blocks[min(top, max(1, round(value / peak * top)))] for value in values)


def _routes(routes: Sequence[RouteStatus]) -> Iterator[Line]:
    width = min(_WIDEST_NAME, max((len(_safe(each.name)) for each in routes), default=0))
    width = max(width, len("route"))
    figures = f"{'req/s':>7} {'all':>7} {'errors':>7} {'p50':>8} {'p99':>8}"
    yield (Span(f"{'route':{width}} {figures}  upstreams", DIM),)
    for each in routes:
        yield (
            Span(
                f"{_name(each.name):{width}} {rate(each.per_second):>7} {count(each.requests):>7} "
            ),
            Span(f"{count(each.errors):>7}", RED if each.errors else ""),
            Span(f" {milliseconds(each.latency_ms.p50):>8} {milliseconds(each.latency_ms.p99):>8}"),
            *_upstreams(each),
        )


def _upstreams(route: RouteStatus) -> Iterator[Span]:
    for each in route.upstreams:
        yield Span("  ")
        state = "" if each.state == "up" else f"{_safe(each.state)} "
        yield Span(f"{state}{_safe(each.name)}", _STATES.get(each.state, YELLOW))


def _labelled(status: Status) -> Iterator[Line]:
    refused = sorted(status.refusals.items(), key=lambda pair: (-pair[1], pair[0]))
    texts = [f"{_name(code)} {count(number)}" for code, number in refused if number]
    yield _under("refused", texts or ["nobody"])
    yield _under(
        "limits",
        [
            f"{_name(each.name)} {_name(each.rate)}, {count(each.refused)} refused"
            for each in status.limits
        ]
        or ["none"],
    )
    bans = status.bans
    yield _under("bans", [f"{count(bans.in_force)} in force, {count(bans.begun)} begun"])
    for each in status.certificates:
        yield _certificate(each.names or (each.file,), each.days_left)
    for keys in status.key_sets:
        text = (
            f"{_safe(keys.source)}: {keys.keys} keys, {_name(keys.state)}, {span(keys.age_s)} old"
        )
        yield _under("key set", [text])
    store = status.store
    yield _under("store", [f"{_name(store.kind)}, {count(store.failures)} failures"])
    yield _under("last reload", [_name(status.reload.result)])


def _certificate(names: Sequence[str], days_left: float) -> Line:
    colour = RED if days_left < URGENT_DAYS else YELLOW if days_left < SOON_DAYS else ""
    days = f"{max(0, int(days_left))} days left"
    return *_under("certificate", [f"{_safe(', '.join(names))}: "]), Span(days, colour)


def _under(label: str, texts: Sequence[str]) -> Line:
    return Span(f"{label:{_LABEL}}", DIM), Span("; ".join(texts))


def _name(text: str) -> str:
    return _safe(text)[:_WIDEST_NAME]


def _safe(text: str) -> str:
    """What nobody can talk to the terminal with; quotes are let be, for they say nothing to it."""
    return shown(text, _WIDEST_TEXT).replace('\\"', '"')
