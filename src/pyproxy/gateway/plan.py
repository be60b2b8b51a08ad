"""A route, compiled: everything that a request needs of it, looked up and never computed."""

from dataclasses import dataclass

from pyproxy.gateway.model_rules import ModelRules
from pyproxy.identity.credential import CredentialRules
from pyproxy.identity.networks import Networks
from pyproxy.identity.shared_secret import SharedSecret
from pyproxy.limits.meter import Meter
from pyproxy.providers.preset import DialectChooser
from pyproxy.routing.pattern import DeniedPaths
from pyproxy.transform.request import UpwardRules
from pyproxy.transform.response import DownwardRules
from pyproxy.upstream.balance import Upstream


@dataclass(frozen=True, slots=True)
class Plan:
    """What happens to a route's requests.

    Attributes:
        name: The route's.
        strips_path: Whether the route's path is removed on the way up.
        dialect: Of errors, by the path that the upstream would get.
        allow_from: Clients' networks; empty: any.
        proofs: Ways to prove who asks; empty: open.
        is_recognising: A key or token is the only proof, and nothing that passes on
            may hold another, so that one which is remembered decides at once.
        credentials: Where a key or token is looked for.
        secret: The shared secret, where ``token`` is among the proofs.
        users: Who may use it; empty: everybody known.
        denied: Paths that are closed.
        models: Which models may be asked for; ``None``: any.
        meter: Takes from all of its limits.
        max_body: Bytes.
        max_concurrent: Requests of one user at a time; 0: any number.
        missing_credential: Variables of which one must hold what the upstream wants to be
            shown; empty: nothing is missing.
        up: Changes on the way up.
        down: Changes on the way down.
        upstream: Where it goes.
        connect_timeout: Seconds.
        read_timeout: Seconds of silence.
        heartbeat: Seconds of silence behind which a comment goes into a stream of events;
            ``None``: none ever does.
        retries: Further attempts.
    """

    name: str
    strips_path: bool
    dialect: DialectChooser
    allow_from: Networks
    proofs: frozenset[str]
    is_recognising: bool
    credentials: CredentialRules
    secret: SharedSecret | None
    users: frozenset[str]
    denied: DeniedPaths
    models: ModelRules | None
    meter: Meter
    max_body: int
    max_concurrent: int
    missing_credential: tuple[str, ...]
    up: UpwardRules
    down: DownwardRules
    upstream: Upstream
    connect_timeout: float
    read_timeout: float
    heartbeat: float | None
    retries: int
