"""Where routes may lead, and which way."""

import pytest

from pyproxy.assembly.egress import address_of, forbidden, way_to
from pyproxy.assembly.sources import read_sources
from pyproxy.config.egress import EgressSettings
from pyproxy.config.origin import Origin
from pyproxy.errors.fault import ConfigurationError
from pyproxy.providers.catalogue import CATALOGUE
from pyproxy.upstream.tls import ClientTls
from pyproxy.upstream.way import DIRECT, Way

KEYS = '[auth]\nkeys = ["a-plain-key-of-somebody"]\n'
PROXY = "http://proxy.example:3128"


def way(url, provider="generic", **egress):
    return way_to(Origin.parse(url), CATALOGUE[provider], EgressSettings.model_validate(egress))


# --- The way


def test_without_settings_it_is_direct():
    assert way("https://api.example") == DIRECT


def test_allow_list_goes_with_it():
    settings = EgressSettings.model_validate({"allow": ["api.example"]})

    assert way("https://api.example", allow=["api.example"]) == Way(allowed=settings.allow)


@pytest.mark.parametrize(
    ("url", "is_through"),
    [
        pytest.param("https://api.example", True, id="TLS"),
        pytest.param("http://api.example", False, id="no TLS"),
        pytest.param("https://spared.example", False, id="spared"),
        pytest.param("https://127.0.0.1", True, id="loopback is not spared by itself"),
    ],
)
def test_tls_goes_through_the_proxy(url, is_through):
    found = way(url, proxy=PROXY, no_proxy=["spared.example"]).proxy

    assert (found is not None) == is_through


@pytest.mark.parametrize(
    ("provider", "url", "allow_private", "is_public_only"),
    [
        pytest.param("openai", "https://api.openai.com", False, True, id="public provider"),
        pytest.param("azure-openai", "https://x.openai.azure.com", False, True, id="azure"),
        pytest.param("openai", "http://api.example", False, True, id="another name"),
        pytest.param("openai", "https://api.openai.com", True, False, id="private ones allowed"),
        pytest.param("generic", "https://api.example", False, False, id="generic"),
        pytest.param("copilot-api", "http://copilot.example", False, False, id="bridge"),
        pytest.param("openai", "http://10.0.0.5:8080", False, False, id="address"),
        pytest.param("openai", "http://[::1]:8080", False, False, id="IPv6"),
        pytest.param("openai", "http://localhost:8080", False, False, id="localhost"),
        pytest.param("openai", "http://llm:8080", False, False, id="container"),
    ],
)
def test_public_providers_names_stay_public(provider, url, allow_private, is_public_only):
    assert way(url, provider, allow_private=allow_private).is_public_only is is_public_only


def test_way_is_part_of_an_address():
    tls = ClientTls.load(server_name="other.example")
    through = way("https://api.example:8443", proxy=PROXY)
    address = address_of(Origin.parse("https://api.example:8443"), tls, through)
    plain = address_of(Origin.parse("http://api.example"), tls, DIRECT)

    assert (address.host, address.port, address.way) == ("api.example", 8443, through)
    assert (address.tls, address.server_name) == (tls.context, "other.example")
    assert (plain.port, plain.tls, plain.way) == (80, None, DIRECT)


# --- The allow-list


def test_upstreams_beyond_it_are_faults(configured):
    settings = configured(
        KEYS
        + '[egress]\nallow = ["*.example.com", "10.0.0.5", "[::1]"]\n'
        + '[[routes]]\nname = "one"\npath = "/one"\n'
        + 'upstream = ["https://api.example.com", "https://api.example.org", "http://[::2]:80"]\n'
        + '[[routes]]\nname = "two"\npath = "/two"\nprovider = "openai"\n'
        + '[[routes]]\nname = "three"\npath = "/three"\nupstream = ["http://10.0.0.5:8080"]\n'
    )

    faults = [str(fault) for fault in forbidden(settings)]
    allowed = 'egress.allow names "*.example.com", "10.0.0.5", "[::1]" alone'
    assert faults[0] == (
        f"routes[0].upstream: leads to https://api.example.org, and {allowed}; "
        'add "api.example.org" there, or change the upstream (route one)'
    )
    assert faults[1].startswith("routes[0].upstream: leads to http://[::2], and ")
    assert 'add "[::2]" there' in faults[1]
    assert faults[2].startswith("routes[1].provider: leads to https://api.openai.com, and ")
    assert len(faults) == 3


def test_all_are_allowed_where_none_is_named(configured):
    settings = configured(KEYS + '[[routes]]\nname = "one"\nprovider = "openai"\n')

    assert list(forbidden(settings)) == []


def test_every_fault_is_said_at_once(configured):
    settings = configured(
        KEYS
        + '[egress]\nallow = ["a.example"]\n[[routes]]\nname = "one"\nprovider = "openai"\n'
        + 'tls = { ca = "missing.crt" }\n[[routes]]\nname = "two"\npath = "/two"\n'
        + 'upstream = ["http://b.example/v1", "http://b.example/v2"]\n'
    )

    with pytest.raises(ConfigurationError) as caught:
        read_sources(settings)

    problems = [str(fault) for fault in caught.value.faults]
    assert any("missing.crt" in each for each in problems)
    assert any(each.startswith("routes[0].provider: leads to") for each in problems)
    assert [each for each in problems if each.startswith("routes[1]")] == [
        "routes[1].upstream: has URLs with different paths"
    ]
