"""What clients carry about with them, and no provider may see."""

import base64

import pytest

from tests.providers.ledger import Role
from tests.providers.ways import CREDENTIALS, VARIABLES, credentials

PROVIDERS = list(VARIABLES)
OF_THE_WAY = {
    "Via": "1.1 corporate",
    "Forwarded": "for=203.0.113.9",
    "X-Forwarded-For": "203.0.113.9",
    "X-Forwarded-Host": "intranet.example",
    "X-Forwarded-Proto": "http",
    "X-Real-IP": "203.0.113.9",
}


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("place", sorted(CREDENTIALS))
def test_clients_key_is_replaced_wherever_it_stands(through, plays, provider, place):
    if place == "xi-api-key" and provider != "elevenlabs":
        fields = {"Authorization": through.key(provider), place: through.key(provider)}
    else:
        fields = {place: through.key(provider)}
    status, _, _ = through.ask(provider, "GET", "/v1/models", fields)

    assert status in {200, 400, 404}
    assert credentials(plays[provider].asked[-1]) == [plays[provider].credential]


@pytest.mark.parametrize("provider", PROVIDERS)
def test_key_in_every_place_at_once_is_replaced_once(through, plays, provider):
    key = through.key(provider)
    through.ask(provider, "GET", f"/v1/models?key={key}&x=1", dict.fromkeys(CREDENTIALS, key))

    asked = plays[provider].asked[-1]
    assert credentials(asked) == [plays[provider].credential]
    assert asked.query == [("x", "1")]


@pytest.mark.parametrize("provider", PROVIDERS)
def test_cookies_and_proxies_passwords_stay_here(through, plays, ledger, provider):
    cookie = ledger.make(Role.CLIENT)
    password = f"user:{ledger.make(Role.PROXY, 'a proxy')}"
    fields = {
        "Authorization": f"Bearer {through.key(provider)}",
        "Cookie": f"session={cookie}",
        "Proxy-Authorization": f"Basic {base64.b64encode(password.encode()).decode()}",
        "Proxy-Connection": "keep-alive",
    }
    through.ask(provider, "GET", "/v1/models", fields)

    names = {name for name, _ in plays[provider].asked[-1].fields}
    assert not names & {"cookie", "proxy-authorization", "proxy-connection"}


@pytest.mark.parametrize("provider", PROVIDERS)
def test_provider_does_not_learn_whom_it_serves(through, plays, provider):
    fields = {"Authorization": f"Bearer {through.key(provider)}", **OF_THE_WAY}
    through.ask(provider, "GET", "/v1/models", fields)

    names = {name for name, _ in plays[provider].asked[-1].fields}
    assert not names & {name.lower() for name in OF_THE_WAY}


@pytest.mark.parametrize("provider", PROVIDERS)
def test_clients_key_in_other_words_stays_here(through, plays, provider):
    key = through.key(provider)
    fields = {
        "Authorization": f"Bearer {key}",
        "X-Note": f"my key is {key}",
        "Referer": f"https://app.example/?token={key}",
    }
    through.ask(provider, "GET", f"/v1/models?note={key}", fields)

    assert key.encode() not in plays[provider].asked[-1].head


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("route", ["shared", "open"])
def test_placeholder_and_shared_secret_stay_here(through, plays, ledger, provider, route):
    fields = dict.fromkeys(CREDENTIALS, ledger.make(Role.PLACEHOLDER))
    if route == "shared":
        fields["X-Proxy-Token"] = through.secret
    through.ask(f"{route}/{provider}", "GET", "/v1/models", fields)

    asked = plays[provider].asked[-1]
    assert credentials(asked) == [plays[provider].credential]
    assert not asked.values("x-proxy-token")


@pytest.mark.parametrize("provider", PROVIDERS)
def test_wrong_shared_secret_gets_nowhere(through, plays, ledger, provider):
    before = len(plays[provider].asked)
    fields = {"X-Proxy-Token": ledger.make(Role.SHARED)}
    status, _, _ = through.ask(f"shared/{provider}", "GET", "/v1/models", fields)

    assert status == 403
    assert len(plays[provider].asked) == before


@pytest.mark.parametrize("provider", PROVIDERS)
def test_stranger_gets_nowhere(through, plays, ledger, provider):
    before = len(plays[provider].asked)
    wrong = ledger.make(Role.CLIENT, prefix="pyp_")
    status, fields, _ = through.ask(provider, "GET", "/v1/models", {"Authorization": wrong})

    assert (status, fields["www-authenticate"]) == (401, "Bearer")
    assert len(plays[provider].asked) == before
