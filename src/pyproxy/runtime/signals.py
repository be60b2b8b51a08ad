"""What the supervisor is told by signals."""

import asyncio
import signal
from collections.abc import Callable


def hold_reloads() -> None:
    """Keep a SIGHUP until `Signals` can hear it: at the start it would end the process."""
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGHUP})


class Signals:
    """SIGTERM and SIGINT ask for the end, SIGHUP for a reload, SIGUSR1 for logs opened anew.

    Args:
        loop: The loop that runs.
        hurry: Called at the second that asks for the end; the process dies of it then.
        reload: Called for each SIGHUP until the end is asked for.
        reopen: Called for each SIGUSR1, within the signal.

    Attributes:
        stop: Set by the first that asks for the end.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        hurry: Callable[[], None],
        reload: Callable[[], None],
        reopen: Callable[[], None],
    ) -> None:
        self.stop = asyncio.Event()
        self._hurry = hurry
        self._reload = reload
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._asked, number)
        loop.add_signal_handler(signal.SIGHUP, self._hung_up)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGHUP})
        # Not the loop's: when that ends, the signal would end the process again.
        signal.signal(signal.SIGUSR1, lambda *_: reopen())

    def _asked(self, number: signal.Signals) -> None:
        if self.stop.is_set():
            self._hurry()
            # Not a clean exit, requests are cut: who waits for us is to see that.
            signal.signal(number, signal.SIG_DFL)
            signal.raise_signal(number)
        self.stop.set()

    def _hung_up(self) -> None:
        if not self.stop.is_set():
            self._reload()
