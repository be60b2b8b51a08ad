"""One request through the real gateway, with a stand-in for every upstream.

Nothing of the way of a request is repeated here: the handler that serves is the
handler that is asked, so that what it is seen to do is what it does.
"""

import asyncio
import json
import secrets
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Final

from pyproxy.assembly.build import assemble
from pyproxy.assembly.listeners import Group, group_listeners
from pyproxy.assembly.resources import Resources
from pyproxy.assembly.tracing import open_exporter
from pyproxy.config.settings import Settings
from pyproxy.downstream.body import RequestBody
from pyproxy.downstream.exchange import Exchange, Screen
from pyproxy.downstream.peer import Peer
from pyproxy.downstream.successor import Successor
from pyproxy.errors.refusal import BadRequest, ModelNotAllowed, Refusal
from pyproxy.gateway.desk import Desk
from pyproxy.gateway.gateway import Gateway
from pyproxy.gateway.handler import Handler
from pyproxy.gateway.plan import Plan
from pyproxy.identity.hashing import BcryptGate
from pyproxy.routing.choice import Match
from pyproxy.telemetry.access import AccessLog
from pyproxy.telemetry.audit import AuditLog
from pyproxy.telemetry.record import Record
from pyproxy.telemetry.tracer import Tracer, TraceRules
from pyproxy.upstream.endpoint import Address, Endpoint
from pyproxy.wire.framing import request_length
from pyproxy.wire.head import read_request_head
from pyproxy.wire.syntax import Malformed

_HOST: Final = "127.0.0.1"
_ANSWER: Final = b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n"


@dataclass(slots=True)
class Outcome:
    """What became of a request.

    Attributes:
        record: The access line's fields: route, user, status, code, upstream ...
        reasons: Why it was refused, in the operator's words.
        sent: The head that the upstream would have got; empty if none.
        answer: What the gateway itself answered, if nothing was sent.
    """

    record: dict[str, str] = field(default_factory=dict)
    reasons: list[str] = field(default_factory=list)
    sent: bytes = b""
    answer: bytes = b""

    @property
    def is_refused(self) -> bool:
        """Whether the gateway said no."""
        return bool(self.record.get("code"))


async def rehearse(settings: Settings, listener: str, head: bytes, peer: Peer) -> Outcome:
    """Serve one request; its body is left out, and remote key sets are not fetched.

    Args:
        settings: Sound.
        listener: The address of the one it comes through, as configured.
        head: Request line, fields and empty line.
        peer: Who sends it.

    Raises:
        ConfigurationError: A file that the configuration names cannot be used.
    """
    outcome = Outcome()
    try:
        parsed = read_request_head(head)
        body = RequestBody(request_length(parsed))
    except Malformed as error:
        return _rejected(BadRequest(str(error)))
    except Refusal as refusal:
        return _rejected(refusal)
    channel = _Channel(outcome)
    groups = group_listeners(settings.listeners)
    async with await asyncio.start_server(_catch(outcome), _HOST, 0) as server:
        port = server.sockets[0].getsockname()[1]
        loop = asyncio.get_running_loop()
        resources = _Resources(loop, secrets.token_bytes(32), BcryptGate(), stand_in_port=port)
        try:
            desk = _desk(settings, groups, resources, outcome)
            await _Candid(desk, listener, outcome.reasons).serve(
                _Bodiless(channel, parsed, body, peer)
            )
        finally:
            await resources.close()
    return outcome


def _rejected(refusal: Refusal) -> Outcome:
    record = {"status": str(refusal.status), "code": refusal.code}
    return Outcome(record, [refusal.detail])


def _desk(
    settings: Settings, groups: tuple[Group, ...], resources: Resources, outcome: Outcome
) -> Desk:
    def forget(_: str) -> None:
        """The audit log is not told of rehearsals."""

    def keep(line: str) -> None:
        outcome.record = {name: str(value) for name, value in json.loads(line).items()}

    return Desk(
        gateway=assemble(settings, groups, resources),
        loop=resources.loop,
        now=time.monotonic,
        wall=time.time,
        new_id=lambda: secrets.token_hex(12),
        audit=AuditLog(forget),
        access=AccessLog(keep),
        report=lambda error, _: outcome.reasons.append(repr(error)),
    )


def _catch(
    outcome: Outcome,
) -> Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]:
    """The stand-in: takes a head, answers with nothing."""

    async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        outcome.sent = await reader.readuntil(b"\r\n\r\n")
        writer.write(_ANSWER)
        writer.close()

    return take


class _Candid(Handler):
    """The handler, telling why it refuses: the client never learns, and not all of it is logged."""

    def __init__(self, desk: Desk, listener: str, reasons: list[str]) -> None:
        super().__init__(desk, listener)
        self._reasons = reasons

    def _refuse(
        self,
        gateway: Gateway,
        exchange: Exchange,
        refusal: Refusal,
        match: Match[Plan] | None,
        record: Record,
    ) -> None:
        self._reasons.append(refusal.detail or refusal.message)
        super()._refuse(gateway, exchange, refusal, match, record)


class _Bodiless(Exchange):
    """A request whose body, if its head announces one, never comes."""

    def screen_body(self, screen: Screen) -> None:
        """Say so: whom only a body can let in would wait for it here."""
        del screen
        raise ModelNotAllowed("the model would be in the body, which is not looked at here")


class _Channel:
    """The client's side: keeps what is answered."""

    def __init__(self, outcome: Outcome) -> None:
        self._outcome = outcome

    def write(self, data: bytes) -> None:
        self._outcome.answer += data

    def abort(self) -> None:
        """Nobody is connected."""

    def hold_body(self) -> None:
        """There is no body."""

    def resume_body(self) -> None:
        """There is no body."""

    def hand_over(self, successor: Successor) -> bytes:
        """Nothing follows; the stand-in never changes protocol."""
        del successor
        return b""


@dataclass(slots=True)
class _Resources(Resources):
    """Every endpoint is the stand-in, by its own name."""

    stand_in_port: int = 0

    def endpoint(self, address: Address) -> Endpoint:
        real = Endpoint(address, self.loop)
        stand_in = Endpoint(Address(_HOST, self.stand_in_port), self.loop)
        stand_in.name, stand_in.host_line = real.name, real.host_line
        self.endpoints[address] = stand_in
        return stand_in

    def tracer_for(self, rules: TraceRules) -> Tracer:
        """What is sent up is as it would be; no collector hears of it."""
        return _Untold(rules, open_exporter, lambda _: None)


class _Untold(Tracer):
    """Keeps what it is given to itself."""

    def put(self, record: Record, started: float, ended: float, wall: float) -> None:
        """Forget it."""
