import asyncio

import pytest

from pyproxy.runtime.clock_watch import watch_clock


class Clocks:
    """A wall clock and a monotonic one, in turns of a second; one of them is set in between."""

    def __init__(self, steps):
        self._steps, self._ahead, self._at = iter(steps), 0.0, 0.0
        self.told, self.over = [], asyncio.Event()

    def wall(self):
        step = next(self._steps, None)
        if step is None:
            self.over.set()
        self._ahead += step or 0.0
        self._at += 1.0
        return 1e9 + self._at + self._ahead

    def monotonic(self):
        return self._at

    def tell(self, sentence, values):
        self.told.append((sentence, values))


@pytest.mark.parametrize(
    ("steps", "told"),
    [
        pytest.param([0, 0, 0, 0], [], id="nobody sets it"),
        pytest.param([0, 0.5, 0.5, -0.5], [], id="slewed"),
        pytest.param([0, 0, 3600, 0], [("the clock went 3600 s forward", 3600.0)], id="forward"),
        pytest.param([0, -3600, 0, 0], [("the clock went 3600 s back", -3600.0)], id="back"),
        pytest.param(
            [0, 60, -60, 0],
            [("the clock went 60 s forward", 60.0), ("the clock went 60 s back", -60.0)],
            id="there and back",
        ),
    ],
)
async def test_a_step_is_told_once(steps, told):
    clocks = Clocks(steps)
    watching = asyncio.ensure_future(
        watch_clock(clocks.wall, clocks.monotonic, clocks.tell, interval_s=0.0)
    )
    await clocks.over.wait()
    watching.cancel()

    assert [(text.partition(":")[0], values["seconds"]) for text, values in clocks.told] == told
