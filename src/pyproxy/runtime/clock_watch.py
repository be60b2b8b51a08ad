"""Says when the machine's clock was set: tokens go by it, and nothing else here does."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Final

Clock = Callable[[], float]
Tell = Callable[[str, Mapping[str, float]], None]
"""Told a sentence, and the seconds that it is about. Must not raise."""

INTERVAL_S: Final = 1.0
# Clocks are slewed by half a thousandth; a second is one that was set, or a machine that slept.
STEP_S: Final = 1.0


async def watch_clock(
    wall: Clock, monotonic: Clock, tell: Tell, interval_s: float = INTERVAL_S
) -> None:
    """Compare the two clocks once a second, until cancelled.

    Limits, bans, deadlines and the age of key sets go by the monotonic clock, which nobody sets.

    Args:
        wall: Epoch seconds.
        monotonic: Seconds that only ever go on.
        tell: Told of every step of a second or more.
        interval_s: Between two looks.
    """
    offset = wall() - monotonic()
    while True:
        await asyncio.sleep(interval_s)
        before, offset = offset, wall() - monotonic()
        step = round(offset - before, 1)
        if abs(step) >= STEP_S:
            tell(_sentence(step), {"seconds": step})


def _sentence(step: float) -> str:
    if step > 0:
        return f"the clock went {step:g} s forward: tokens and keys end that much sooner"
    return (
        f"the clock went {-step:g} s back: tokens made meanwhile are refused as not valid yet, "
        "and revoked ones may outlive their revocation"
    )
