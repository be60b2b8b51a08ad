"""Who keeps failing is shut out: counted in one place, and looked for in every request."""

import math
from typing import Final

from pyproxy.downstream.peer import Peer
from pyproxy.errors.refusal import Banned, Refusal
from pyproxy.gateway.desk import Desk
from pyproxy.gateway.gateway import Gateway
from pyproxy.gateway.visit import Visit, countable
from pyproxy.telemetry.record import Record

# A balancer in front must not take us for dead because of whom it forwards for, and public
# keys are nobody's secret; neither tells whether a credential is good.
OPEN_TO_ALL: Final = frozenset({"health", "jwks"})


def shut_out(gateway: Gateway, visit: Visit, left_s: float) -> None:
    """Refuse a client with a ban in force, whatever it asks for but health and public keys.

    Args:
        gateway: In force.
        visit: The request.
        left_s: Seconds that the ban lasts.

    Raises:
        Banned: Says for how long, in whole seconds.
    """
    if gateway.ban.after and gateway.own_paths.get(visit.target.path) not in OPEN_TO_ALL:
        raise Banned(fields=((b"Retry-After", b"%d" % math.ceil(left_s)),))


async def tried(desk: Desk, gateway: Gateway, visit: Visit) -> None:
    """Become a task, as what hashes, fetches or asks a store must be; refused if that is late.

    Of many requests that came together the first may have begun a ban meanwhile.

    Raises:
        Banned: One is in force by now.
    """
    await visit.exchange.to_task()
    if left_s := desk.bans.left_s(visit.client, desk.now()):
        shut_out(gateway, visit, left_s)


def count_attempt(
    desk: Desk, gateway: Gateway, peer: Peer, refusal: Refusal, record: Record
) -> None:
    """Count a refusal towards a ban, if it is one of a wrong credential, and say when one begins.

    Whoever is known has not failed, even if the credential is not of the kind that is
    asked for.

    Args:
        desk: The worker's.
        gateway: That refused.
        peer: Who holds the connection.
        refusal: Why.
        record: Of the request; its ``ip`` is the client's.
    """
    if not refusal.is_failed_attempt or record.user:
        return
    client = countable(record.ip, peer, gateway.trusted)
    rules = gateway.ban
    if not client or not desk.bans.failed(client, rules, desk.now()):
        return
    desk.counts.bans_begun += 1
    gateway.authenticator.forsake(client)
    desk.audit.put(
        "auth.banned",
        desk.wall(),
        ip=record.ip,
        result="banned",
        details={
            "client": client,
            "failures": rules.after,
            "within_s": rules.within_s,
            "lasting_s": rules.lasting_s,
        },
        request_id=record.request_id,
    )
