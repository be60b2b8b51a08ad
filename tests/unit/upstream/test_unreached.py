"""What is said of a connection that could not be made."""

import pytest

from pyproxy.config.proxy import Proxy
from pyproxy.upstream.unreached import Unreached

PROXY = Proxy("p.example", 3128)


@pytest.mark.parametrize(
    ("step", "proxy", "late", "broken"),
    [
        ("name", None, "resolving the name took too long", "connecting failed: x"),
        ("connection", None, "connecting took too long", "connecting failed: x"),
        ("tls", None, "the TLS handshake took too long", "connecting failed: x"),
        ("tls", PROXY, "the TLS handshake took too long", "connecting failed: x"),
        (
            "name",
            PROXY,
            "resolving the name of the proxy p.example:3128 took too long",
            "connecting to the proxy p.example:3128 failed: x",
        ),
        (
            "connection",
            PROXY,
            "connecting to the proxy p.example:3128 took too long",
            "connecting to the proxy p.example:3128 failed: x",
        ),
        (
            "tunnel",
            PROXY,
            "the answer of the proxy p.example:3128 took too long",
            "connecting to the proxy p.example:3128 failed: x",
        ),
    ],
)
def test_step_is_said(step, proxy, late, broken):
    in_time, whole = Unreached.late(step, proxy), Unreached.broken(step, proxy, "x")

    assert (in_time.detail, in_time.step, in_time.why) == (late, step, "took too long")
    assert (whole.detail, whole.step, whole.why) == (broken, step, "x")
    assert "proxy" not in whole.message
