"""How many connections this process has room for."""

from dataclasses import dataclass
from typing import Final

from pyproxy.config.server import ServerSettings
from pyproxy.errors.fault import Fault
from pyproxy.runtime.preflight import connections_that_fit, too_few_files

# Fewer is what a shell for people allows, not a service.
_TOO_FEW: Final = 1000


@dataclass(frozen=True, slots=True)
class Room:
    """What the limit of open files leaves of ``max_connections``.

    Attributes:
        max_connections: To be open at once; at least 1.
        warnings: What the operator should change.
        sentence: What is merely good to know; empty for nothing.
    """

    max_connections: int
    warnings: tuple[Fault, ...] = ()
    sentence: str = ""


def room_for(server: ServerSettings, limit: int) -> Room:
    """Take as many connections as fit, unless somebody asked for more by name.

    Then it is as they say, with a warning: they may know how few of their
    connections have an upstream's beside them.

    Args:
        server: What is wanted.
        limit: Files that may be open.
    """
    wanted = server.max_connections
    remark = too_few_files(limit, wanted)
    if remark is None:
        return Room(wanted)
    if "max_connections" in server.model_fields_set:
        return Room(wanted, (remark,))
    fitting = max(1, connections_that_fit(limit, wanted))
    if fitting < _TOO_FEW:
        return Room(fitting, (remark,))
    sentence = f"max_connections is {fitting}: as many as {limit} open files allow"
    return Room(fitting, sentence=sentence)
