"""Whether somebody known may do what is asked."""

from collections.abc import Iterator
from contextlib import contextmanager

from pyproxy.errors.refusal import (
    AddressNotAllowed,
    Field,
    PathDenied,
    TooManyConcurrent,
    UserNotAllowed,
)
from pyproxy.gateway.plan import Plan
from pyproxy.identity.principal import Principal
from pyproxy.limits.occupancy import Occupancy


def allow(plan: Plan, address: str) -> None:
    """Let in only the networks that the route names.

    Raises:
        AddressNotAllowed: Another address.
    """
    if plan.allow_from and not plan.allow_from.contains(address):
        raise AddressNotAllowed


def permit(plan: Plan, principal: Principal, path: bytes) -> None:
    """Let a principal use a route and a path.

    Args:
        plan: The route's.
        principal: Verified.
        path: As the upstream would get it.

    Raises:
        UserNotAllowed: Not on the route's list, or the route not on the key's.
        PathDenied: Closed to everybody.
    """
    if plan.users and principal.name not in plan.users:
        raise UserNotAllowed("not on the route's list")
    if principal.routes is not None and plan.name not in principal.routes:
        raise UserNotAllowed("the key is not for this route")
    if plan.denied.denies(path):
        raise PathDenied


@contextmanager
def occupied(plan: Plan, user: str, under_way: Occupancy) -> Iterator[None]:
    """Count a request among those of its user that are under way.

    Only for routes with ``max_concurrent``.

    Raises:
        TooManyConcurrent: There are as many as the route allows.
    """
    if not under_way.enter(plan.name, user, plan.max_concurrent):
        raise TooManyConcurrent(fields=_fields(plan.max_concurrent))
    try:
        yield
    finally:
        under_way.leave(plan.name, user)


def _fields(most: int) -> tuple[Field, ...]:
    """What a refused client is told; when one of its requests ends, nobody knows."""
    return (
        (b"Retry-After", b"1"),
        (b"RateLimit-Limit", b"%d" % most),
        (b"RateLimit-Remaining", b"0"),
        (b"RateLimit-Reset", b"1"),
    )
