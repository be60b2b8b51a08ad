"""Through a route's door: who asks, whether they may, and how often."""

from pyproxy.gateway.ban import tried
from pyproxy.gateway.desk import Desk
from pyproxy.gateway.gateway import Gateway
from pyproxy.gateway.identify import Caller, identify
from pyproxy.gateway.permit import permit
from pyproxy.gateway.plan import Plan
from pyproxy.gateway.report import verified
from pyproxy.gateway.visit import Visit
from pyproxy.identity.principal import Principal
from pyproxy.limits.budget import FailureBudget
from pyproxy.limits.limit import own_limit
from pyproxy.telemetry.record import Record


async def let_in(
    desk: Desk,
    gateway: Gateway,
    plan: Plan,
    visit: Visit,
    record: Record,
    path: bytes,
    caller: Caller | None = None,
) -> Caller:
    """Who asks, if the route takes a request of theirs for ``path``.

    Args:
        desk: The worker's.
        gateway: In force.
        plan: The route's.
        visit: The request.
        record: Learns the caller's name, whether they may or not.
        path: As the upstream would get it.
        caller: If that is known already.

    Raises:
        Refusal: Nobody known, or nobody who may.
    """
    if caller is None:
        await tried(desk, gateway, visit)
        budget = FailureBudget(gateway.store, gateway.auth_limit, visit.address, desk.now())
        caller = await identify(gateway, plan, visit, budget, desk.wall())
    record.user = caller.principal.name
    verified(desk, caller, visit)
    permit(plan, caller.principal, path)
    return caller


async def charge(desk: Desk, plan: Plan, principal: Principal, visit: Visit) -> None:
    """Take a token of every limit of the route and of the caller's own, or of none.

    Raises:
        RateLimited: One of them refuses.
        StoreUnavailable: The store is down and set to deny.
    """
    now = desk.now()
    own = None if principal.limit is None else own_limit(principal.limit)
    if not plan.meter.charge_nowait(visit.address, principal.name, plan.name, now, own):
        await visit.exchange.to_task()
        await plan.meter.charge(visit.address, principal.name, plan.name, now, own)
