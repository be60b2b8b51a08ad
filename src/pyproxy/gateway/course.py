"""What a request's head settles, once for all requests of a client that repeats it."""

from dataclasses import dataclass

from pyproxy.downstream.exchange import Exchange
from pyproxy.gateway.gateway import Gateway
from pyproxy.gateway.identify import Caller, recognisable
from pyproxy.gateway.plan import Plan
from pyproxy.gateway.visit import Visit
from pyproxy.identity.credential import Credential
from pyproxy.identity.principal import Principal
from pyproxy.routing.choice import Match
from pyproxy.transform.request import UpwardHead, versioned


@dataclass(slots=True)
class Course:
    """Where a request goes, as far as its head, its peer and the gateway in force decide.

    Kept with the client's connection, and good for as long as the gateway is the same
    and the head is (see ``Repetition``). Who asks is not part of it: that is decided
    each time, since keys and tokens end.

    Attributes:
        gateway: That it holds for.
        visit: The first request.
        is_preflight: A browser asks what it may do.
        own: Which of the gateway's own endpoints, if one.
        match: The route, if no endpoint of our own.
        path: What the upstream is asked for.
        credential: Decides alone who asks; ``None`` where it does not.
        principal: For whom ``up`` was made; who may go this way.
        up: The head for the upstream.
    """

    gateway: Gateway
    visit: Visit
    is_preflight: bool = False
    own: str | None = None
    match: Match[Plan] | None = None
    path: bytes = b""
    credential: Credential | None = None
    principal: Principal | None = None
    up: UpwardHead | None = None

    def up_for(self, principal: Principal) -> UpwardHead | None:
        """The head for the upstream, if this very principal was let in with it before."""
        return self.up if principal is self.principal else None

    def keep(self, caller: Caller, up: UpwardHead) -> None:
        """Remember what a caller got, if nothing but the credential decides who it is."""
        if self.credential is not None and caller.credential is self.credential:
            self.principal, self.up = caller.principal, up


def known_course(exchange: Exchange, gateway: Gateway) -> Course | None:
    """The course of the request before this one, if this is its repetition."""
    course = exchange.peer.course
    if (
        isinstance(course, Course)
        and course.gateway is gateway
        and course.visit.exchange.head is exchange.head
    ):
        return course
    return None


def find_course(visit: Visit, gateway: Gateway, listener: str) -> Course:
    """Find out where a request goes.

    Raises:
        Refusal: No route takes it; 404, 405.
    """
    head = visit.exchange.head
    course = Course(gateway, visit)
    if gateway.cors.is_preflight(head.method, head.index):
        course.is_preflight = True
    elif (own := gateway.own_paths.get(visit.target.path)) is not None:
        course.own = own
    else:
        match = gateway.tables[listener].match(visit.host, visit.target.path, head.method)
        course.match = match
        course.path = path_upwards(match, visit)
        course.credential = recognisable(match.value, visit)
    visit.exchange.peer.course = course
    return course


def path_upwards(match: Match[Plan], visit: Visit) -> bytes:
    """What the upstream is asked for."""
    plan, path = match.value, visit.target.path
    return versioned(match.rest(path) if plan.strips_path else path, plan.up.version)
