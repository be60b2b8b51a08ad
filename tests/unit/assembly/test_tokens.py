"""What verifies and mints tokens."""

import json

import pytest

from pyproxy.assembly.tokens import issuer_of, read_local_keys, token_rules
from pyproxy.config.auth import JwtSettings
from pyproxy.errors.fault import ConfigurationError
from pyproxy.identity.jwk_members import without_private
from pyproxy.identity.signing_keys import generate_signing_key

FIRST, SECOND = generate_signing_key("ES256"), generate_signing_key("EdDSA")
WEAK = {"kty": "RSA", "kid": "weak", "n": "AQAB", "e": "AQAB"}


def settings(**values):
    fields = {name: str(value) for name, value in values.items()}
    return JwtSettings().model_copy(update=fields)


def write(path, *keys):
    path.write_text(json.dumps({"keys": keys}))
    return path


def test_without_files_there_is_nothing():
    local = read_local_keys(settings())

    assert (local.verifying.keys, local.minter, local.remarks) == ((), None, ())


def test_a_private_key_in_the_verifying_set_mints(tmp_path):
    local = read_local_keys(settings(jwks_file=write(tmp_path / "a", FIRST)))

    assert local.minter.signing_key.kid == FIRST["kid"]


def test_a_public_set_does_not(tmp_path):
    local = read_local_keys(settings(jwks_file=write(tmp_path / "a", without_private(FIRST))))

    assert (len(local.verifying.keys), local.minter) == (1, None)


def test_signing_keys_mint_instead_of_the_verifying_set(tmp_path):
    files = {
        "jwks_file": write(tmp_path / "a", FIRST),
        "signing_keys_file": write(tmp_path / "b", SECOND),
    }

    local = read_local_keys(settings(**files))

    assert local.minter.signing_key.kid == SECOND["kid"]
    assert [key.kid for key in local.verifying.keys] == [FIRST["kid"]]


def test_a_key_that_is_left_out_is_a_remark_and_told_once(tmp_path):
    path = write(tmp_path / "a", FIRST, WEAK)

    [remark] = read_local_keys(settings(jwks_file=path)).remarks

    assert remark.path == str(path)
    assert remark.problem.startswith("key weak: ")


def test_both_files_faults_are_told(tmp_path):
    jwt = settings(
        jwks_file=tmp_path / "missing",
        signing_keys_file=write(tmp_path / "b", without_private(FIRST)),
    )

    with pytest.raises(ConfigurationError) as raised:
        read_local_keys(jwt)

    assert [fault.problem for fault in raised.value.faults] == [
        "cannot be read: no such file or directory",
        "no private key that can sign",
    ]


@pytest.mark.parametrize(
    ("values", "issuer"),
    [
        pytest.param({}, "", id="none"),
        pytest.param({"issuer": "https://us"}, "https://us", id="named"),
        pytest.param({"issuer_url": "https://idp/"}, "https://idp/", id="that of the discovery"),
        pytest.param(
            {"issuer": "https://us", "issuer_url": "https://idp/"}, "https://us", id="named wins"
        ),
    ],
)
def test_the_issuer_is_asked_for_and_written(tmp_path, values, issuer):
    jwt = settings(signing_keys_file=write(tmp_path / "a", FIRST), **values)

    assert issuer_of(jwt) == issuer
    assert token_rules(jwt).issuer == issuer
    assert read_local_keys(jwt).minter.issuer == issuer
