"""What systemd is told of the gateway (sd_notify(3)): a datagram each time, and no answer."""

import asyncio
import re
import socket
import time
from collections.abc import Callable, MutableMapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Final, Self

from pyproxy.runtime.blocking import Blocking

_VARIABLES: Final = ("NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID")
_US: Final = 1_000_000
_PERIOD: Final = re.compile("[0-9]{1,20}")  # of 64 bits
# Nobody is told more often: who asks for less than four times this has not meant us.
_SHORTEST_PAUSE_S: Final = 0.01
# Beside the drain, for processes to end and logs to be written.
_GRACE_S: Final = 10.0
# A line of `systemctl status`.
_LONGEST_STATUS: Final = 300


@dataclass(frozen=True, slots=True)
class ServiceManager:
    """Told when the gateway serves, reloads and stops; nobody where nobody asked.

    Nothing here raises: that nobody listens is no reason not to serve.

    Attributes:
        address: Of its socket; empty: there is none.
        watchdog_s: It ends a process from which it hears nothing for so long; 0: it does not.
        send_s: How long one that does not read is waited for; it has a queue, rarely full.
    """

    address: str = ""
    watchdog_s: float = 0.0
    send_s: float = 1.0

    @classmethod
    def take(cls, environ: MutableMapping[str, str], pid: int) -> Self:
        """The one that started this process; the variables are removed, for its children's sake."""
        address, period, watched = [environ.pop(name, "") for name in _VARIABLES]
        is_watched = bool(_PERIOD.fullmatch(period)) and watched in {"", str(pid)}
        path = "\0" + address[1:] if address.startswith("@") else address
        return cls(path, int(period) / _US if is_watched else 0.0)

    async def serving(self, status: str) -> None:
        """A configuration is in force: the first one, or after a reload whichever is."""
        await self._tell(f"READY=1\nSTATUS={_one_line(status)}")

    async def reloading(self) -> None:
        """A reload has begun; ``serving`` is said when it is over."""
        now = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
        status = "Reading the configuration again"
        await self._tell(f"RELOADING=1\nMONOTONIC_USEC={now}\nSTATUS={status}")

    async def stopping(self, drain_s: float) -> None:
        """No connection is accepted any more; it may take so long, and a little for the end."""
        longest = int((drain_s + _GRACE_S) * _US)
        status = f"Draining: what is open has {drain_s:g} s to end"
        await self._tell(f"STOPPING=1\nEXTEND_TIMEOUT_USEC={longest}\nSTATUS={status}")

    async def watch(self, is_well: Callable[[], bool]) -> None:
        """Say until cancelled that all is well, as long as it is.

        Four times as often as is asked for: one look at a bad moment ends nobody.
        """
        while self.watchdog_s:
            if is_well():
                await self._tell("WATCHDOG=1")
            await asyncio.sleep(max(_SHORTEST_PAUSE_S, self.watchdog_s / 4))

    async def _tell(self, state: str) -> None:
        if self.address:
            with suppress(OSError):
                await Blocking(2 * self.send_s).call("service manager", lambda: self._send(state))

    def _send(self, state: str) -> None:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as fresh:
            fresh.settimeout(self.send_s)
            # Each time anew: a manager that starts itself anew has another socket there.
            fresh.connect(self.address)
            fresh.sendall(state.encode(errors="replace"))


NOBODY: Final = ServiceManager()


def _one_line(text: str) -> str:
    return " ".join(text.split())[:_LONGEST_STATUS]
