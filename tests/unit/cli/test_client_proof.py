import pytest

from pyproxy.cli.client_proof import GATEWAY_KEY, SHARED_SECRET, Blank, proof_of
from pyproxy.cli.provider_keys import provider_keys
from pyproxy.config.route import RouteSettings

CREDENTIAL = {"header": "X-Key", "value": "the-upstreams-own"}


def proof(provider="openai", auth=("key", "jwt"), **route):
    return proof_of(
        RouteSettings.model_validate({"name": "r", "provider": provider, "auth": auth, **route})
    )


def field(found):
    return found.field and (found.field.name, found.field.value, found.field.blank)


MEANING = "your own key of the provider's, which passes through"
OWN = Blank("YOUR_OPENAI_KEY", "openai-key", MEANING)
OWN_VOICE = Blank("YOUR_ELEVENLABS_KEY", "elevenlabs-key", MEANING)
OURS = ("X-Gateway-Key", "YOUR_GATEWAY_KEY", GATEWAY_KEY)
SECRET = ("X-Proxy-Token", "YOUR_PROXY_SECRET", SHARED_SECRET)


@pytest.mark.parametrize(
    ("route", "key", "beside"),
    [
        pytest.param({"auth": []}, None, None, id="open"),
        pytest.param({}, GATEWAY_KEY, None, id="key"),
        pytest.param({"auth": ["jwt"]}, GATEWAY_KEY, None, id="jwt"),
        pytest.param({"auth": ["mtls"]}, None, None, id="mtls"),
        pytest.param({"auth": ["token"]}, None, SECRET, id="secret"),
        pytest.param({"auth": ["token", "key"]}, GATEWAY_KEY, None, id="secret or key"),
        pytest.param(
            {"auth": ["token"], "token": {"header": "X-Other"}},
            None,
            ("X-Other", *SECRET[1:]),
            id="secret elsewhere",
        ),
        pytest.param({"credential_from": ["X-Gateway-Key"]}, OWN, OURS, id="their own key"),
        pytest.param(
            {"credential_from": ["X-Gateway-Key"], "credential": CREDENTIAL},
            None,
            OURS,
            id="their own key, replaced",
        ),
        pytest.param(
            {"credential_from": ["X-Proxy-Token"], "auth": ["token"]},
            OWN,
            SECRET,
            id="their own key behind a secret",
        ),
        pytest.param({"credential_from": ["X-Proxy-Token"], "auth": []}, OWN, None, id="both open"),
        pytest.param({"provider": "elevenlabs", "auth": []}, OWN_VOICE, None, id="optional"),
        pytest.param(
            {"provider": "elevenlabs"},
            OWN_VOICE,
            ("Authorization", "Bearer YOUR_GATEWAY_KEY", GATEWAY_KEY),
            id="optional, and ours",
        ),
        pytest.param(
            {"provider": "elevenlabs", "credential": CREDENTIAL},
            GATEWAY_KEY,
            None,
            id="optional, configured",
        ),
    ],
)
def test_proof(route, key, beside):
    found = proof(**route)

    assert found.key == key
    assert found.is_own == (key in {OWN, OWN_VOICE})
    assert field(found) == beside
    assert found.blanks == tuple(filter(None, (key, beside and beside[2])))


@pytest.mark.parametrize("blank", [GATEWAY_KEY, SHARED_SECRET, OWN, OWN_VOICE])
def test_blank_is_no_key_to_anybody(blank):
    assert list(provider_keys({"OPENAI_API_KEY": f"sk-{blank.text * 4}1"})) == []
    assert blank.text.replace("_", "").isalpha()
