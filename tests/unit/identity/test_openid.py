import json

import pytest

from pyproxy.identity.jwks import BadKeySet
from pyproxy.identity.openid import discovery_url, read_jwks_uri

ISSUER = "https://idp.example/realms/a"
GOOD = {"issuer": ISSUER, "jwks_uri": "https://keys.example/a", "userinfo_endpoint": "x"}


@pytest.mark.parametrize("issuer", [ISSUER, f"{ISSUER}/"])
def test_the_document_is_below_the_issuer(issuer):
    assert discovery_url(issuer) == f"{ISSUER}/.well-known/openid-configuration"


def test_the_address_of_the_keys_is_read():
    assert read_jwks_uri(json.dumps(GOOD).encode(), ISSUER) == "https://keys.example/a"


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        pytest.param(b"", "not an OpenID", id="nothing"),
        pytest.param(b"[]", "not an OpenID", id="list"),
        pytest.param({}, "another issuer", id="empty"),
        pytest.param({**GOOD, "issuer": f"{ISSUER}/"}, "another issuer", id="issuer with a slash"),
        pytest.param(
            {**GOOD, "issuer": "https://evil.example"}, "another issuer", id="evil issuer"
        ),
        pytest.param({**GOOD, "issuer": [ISSUER]}, "another issuer", id="issuer list"),
        pytest.param({**GOOD, "jwks_uri": None}, "no jwks_uri", id="jwks_uri null"),
        pytest.param({"issuer": ISSUER}, "no jwks_uri", id="no jwks_uri"),
    ],
)
def test_another_document_is_refused(document, reason):
    octets = document if isinstance(document, bytes) else json.dumps(document).encode()

    with pytest.raises(BadKeySet, match=reason):
        read_jwks_uri(octets, ISSUER)
