import pytest
from pydantic import ValidationError

from pyproxy.config.auth import (
    ALGORITHMS,
    MOST_FAILURES,
    AuthSettings,
    BanSettings,
    JwtSettings,
)
from pyproxy.limits.failures import MOST


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


@pytest.mark.parametrize("after", [0, 1, 65_535])
def test_bans_after_so_many_failures_or_none(after):
    assert BanSettings.model_validate({"after": after}).after == after


@pytest.mark.parametrize(
    "ban",
    [{"after": -1}, {"after": 65_536}, {"within": "0s"}, {"lasting": "0s"}, {"for": "1m"}],
    ids=str,
)
def test_bans_that_cannot_be_meant_are_refused(ban):
    with pytest.raises(ValidationError):
        BanSettings.model_validate(ban)


def test_a_counter_holds_as_many_failures_as_may_be_asked_for():
    assert MOST_FAILURES <= MOST
