"""What a route's upstreams are asked to find out whether they are well."""

from pyproxy.config.route import HealthSettings
from pyproxy.transform.request import UpwardRules
from pyproxy.upstream.health import CheckRules

_AGENT = b"User-Agent: pyproxy-health-check\r\n"


def check_rules(health: HealthSettings, up: UpwardRules) -> CheckRules | None:
    """The rules of a route's health checks; ``None`` where there are none.

    They go as the route's requests go: with its credential, if it injects one, and its
    configured fields. Nothing of a client's is in them.

    Args:
        health: The section.
        up: How the route's requests are changed on the way up.
    """
    if not health.path:
        return None
    query = b"?" + up.added_query if up.added_query else b""
    defaults = (line for name, line in up.defaults.items() if name not in up.dropped)
    agent = b"" if b"user-agent" in up.dropped else _AGENT
    return CheckRules(
        request=(
            b"GET %b%b HTTP/1.1\r\n" % (health.path.encode(), query),
            b"".join((up.added, *defaults, agent, b"Connection: close\r\n\r\n")),
        ),
        interval_s=health.interval,
        timeout_s=health.timeout,
        unhealthy_after=health.unhealthy_after,
        healthy_after=health.healthy_after,
    )
