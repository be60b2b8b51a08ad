import pytest
from pydantic import ValidationError

from pyproxy.config.auth import ALGORITHMS, AuthSettings, JwtSettings


@pytest.mark.parametrize("name", ["HS256", "hs512", "none", "None", "HS1"])
def test_symmetric_and_unsigned_algorithms_are_never_accepted(name):
    with pytest.raises(ValidationError, match="is never accepted"):
        JwtSettings.model_validate({"algorithms": [name]})


@pytest.mark.parametrize("value", [["RS128"], [1], [], "RS256"], ids=repr)
def test_other_algorithms_are_refused(value):
    with pytest.raises(ValidationError):
        JwtSettings.model_validate({"algorithms": value})


def test_every_algorithm_with_a_key_pair_is_accepted():
    assert JwtSettings().algorithms == ALGORITHMS
    assert JwtSettings.model_validate({"algorithms": ["EdDSA"]}).algorithms == ("EdDSA",)


@pytest.mark.parametrize(
    "given",
    [
        {"jwks_file": "x"},
        {"jwks_url": "https://x"},
        {"issuer_url": "https://x"},
        {"signing_keys_file": "x"},
    ],
    ids=lambda given: next(iter(given)),
)
def test_tokens_can_be_verified_once_there_is_a_key_set(given):
    assert not JwtSettings().is_configured
    assert JwtSettings.model_validate(given).is_configured


def test_there_are_keys_once_one_is_named():
    assert not AuthSettings().has_keys
    assert AuthSettings.model_validate({"keys": ["k" * 16]}).has_keys
    assert AuthSettings.model_validate({"keys_file": "x"}).has_keys


@pytest.mark.parametrize("name", ["jwks_url", "issuer_url"])
def test_remote_key_set_is_told_by_its_source_and_its_terms(name):
    jwt = JwtSettings.model_validate({name: "https://issuer.example"})

    assert jwt.remote
    assert (
        jwt.remote
        == JwtSettings.model_validate({name: "https://issuer.example", "ttl": "2h"}).remote
    )
    for change in ({name: "https://other.example"}, {"jwks_ttl": "1m"}, {"algorithms": ["ES256"]}):
        assert (
            jwt.remote
            != JwtSettings.model_validate({name: "https://issuer.example"} | change).remote
        )


def test_no_remote_key_set_has_no_source():
    assert not JwtSettings.model_validate({"jwks_ttl": "1m"}).remote
