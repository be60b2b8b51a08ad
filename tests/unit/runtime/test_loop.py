"""The event loop of a worker."""

import asyncio

from pyproxy.runtime.loop import name_of_loop, new_event_loop


def test_the_loop_is_the_one_that_is_named():
    loop = new_event_loop()
    try:
        assert isinstance(loop, asyncio.AbstractEventLoop)
        assert name_of_loop() == type(loop).__module__.partition(".")[0]
    finally:
        loop.close()
