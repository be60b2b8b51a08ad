import pytest

from pyproxy.providers.catalogue import CATALOGUE
from pyproxy.providers.clients import CLIENTS

EVERY = [clients for several in CLIENTS.values() for clients in several]


def test_every_provider_is_known():
    assert CLIENTS.keys() == CATALOGUE.keys()


@pytest.mark.parametrize("name", [name for name, preset in CATALOGUE.items() if preset.credential])
def test_clients_have_a_key_wherever_the_provider_wants_one(name):
    assert all(clients.keys and clients.base_urls for clients in CLIENTS[name])
    assert CLIENTS[name]


@pytest.mark.parametrize("clients", EVERY)
def test_no_variable_has_two_values(clients):
    names = [name for name, _ in (*clients.base_urls, *clients.constants)]
    names += [*clients.keys, clients.fields]

    assert len(names) == len(set(names))


@pytest.mark.parametrize("clients", EVERY)
def test_what_holds_the_key_is_no_rival_of_itself(clients):
    for names in (clients.keys, clients.own_keys):
        assert not names or not clients.rivals or set(clients.rivals) - set(names)


def test_openais_sdk_wants_the_version_and_anthropics_does_not():
    (openai,), (anthropic,) = CLIENTS["openai"], CLIENTS["anthropic"]

    assert openai.base_urls == (("OPENAI_BASE_URL", "/v1"),)
    assert anthropic.base_urls == (("ANTHROPIC_BASE_URL", ""),)


def test_copilot_api_speaks_to_clients_of_both():
    assert CLIENTS["copilot-api"] == (*CLIENTS["openai"], *CLIENTS["anthropic"])
