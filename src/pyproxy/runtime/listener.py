"""One address where a worker serves the gateway."""

import socket
from collections.abc import Sequence

from pyproxy.gateway.desk import Desk
from pyproxy.gateway.handler import Handler
from pyproxy.runtime.acceptor import Admission
from pyproxy.runtime.reception import Reception, Terms
from pyproxy.runtime.tasks import Tasks
from pyproxy.telemetry.log import Log
from pyproxy.telemetry.sparing import SparingLog

__all__ = ["Listener", "Terms"]


class Listener(Reception):
    """Accepts on the sockets of one address and serves the gateway to their connections.

    Args:
        bind: The address, as configured.
        sockets: Listening; closed by ``stop``.
        terms: Of the connections to come.
        desk: The worker's.
        admission: How many connections there may be, over all listeners.
        tasks: Where it accepts, and what has to wait runs: handshakes, some requests.
        log: Told what goes wrong.
    """

    def __init__(
        self,
        bind: str,
        sockets: Sequence[socket.socket],
        terms: Terms,
        desk: Desk,
        admission: Admission,
        tasks: Tasks,
        log: Log,
    ) -> None:
        trouble = desk.trouble or SparingLog(log)
        super().__init__(bind, sockets, terms, Handler(desk, bind), admission, tasks, log, trouble)

    async def retire(self, desk: Desk, seconds: float) -> None:
        """Serve what has come and is under way, then end.

        Args:
            desk: With the last gateway that knew this listener, from now on.
            seconds: How long at most.
        """
        self.answer_by(Handler(desk, self._bind))
        await self.depart(seconds)
