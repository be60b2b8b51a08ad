"""JWK sets as an enemy might write them: read, or refused in words; nothing else."""

import json

from hypothesis import given, settings, strategies as st

from pyproxy.identity.jwk_members import without_private
from pyproxy.identity.jwks import BadKeySet, KeySet
from pyproxy.identity.jws_algorithms import ALGORITHMS
from pyproxy.identity.signing_keys import generate_signing_key

PRIVATE = [generate_signing_key(alg) for alg in ("ES256", "ES512", "EdDSA", "RS256")]
PUBLIC = [without_private(key) for key in PRIVATE]
MEMBERS = [
    "kty", "kid", "alg", "use", "key_ops", "crv", "x", "y", "n", "e", "d", "p", "q", "k", "oth",
    "x5c", "x5u", "jku",
]  # fmt: skip

scalars = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=40),
    st.sampled_from(["RSA", "EC", "OKP", "oct", "P-256", "Ed25519", "sig", "enc", "none", "AQAB"]),
    st.binary(max_size=80).map(bytes.hex),
    st.sampled_from(["https://127.0.0.1/x", "\ud800", "\x00", "../../etc/passwd", "A" * 100_000]),
)  # fmt: skip
anything = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=5), st.dictionaries(st.text(max_size=10), inner, max_size=5)
    ),
    max_leaves=20,
)
made_up = st.dictionaries(st.sampled_from(MEMBERS), anything, max_size=8)


@st.composite
def altered(draw):
    """A sound key with some of its members changed, dropped or added."""
    key = dict(draw(st.sampled_from([*PUBLIC, *PRIVATE])))
    for name in draw(st.lists(st.sampled_from(MEMBERS), max_size=3)):
        if draw(st.booleans()):
            key.pop(name, None)
        else:
            key[name] = draw(st.one_of(anything, st.sampled_from(list(map(str, key.values())))))
    return key


documents = st.one_of(
    st.binary(max_size=200),
    anything.map(lambda value: json.dumps(value).encode("utf-8", "surrogatepass")),
    st.lists(st.one_of(altered(), made_up, anything), max_size=6).map(
        lambda keys: json.dumps({"keys": keys}).encode("utf-8", "surrogatepass")
    ),
)


def parsed(document, *, public_only):
    """The set, or ``None`` where it is refused; any other exception is a failure."""
    try:
        return KeySet.parse(document, algorithms=ALGORITHMS, source="src", public_only=public_only)
    except BadKeySet:
        return None


@given(documents, st.booleans())
@settings(max_examples=400, deadline=None)
def test_a_document_is_read_or_refused_in_words(document, public_only):
    found = parsed(document, public_only=public_only) or KeySet()

    for key in found.keys:
        assert key.alg in ALGORITHMS
        assert not (public_only and key.is_private)
    assert b'"d"' not in found.to_public()
    assert all("\n" not in str(fault) for fault in found.faults)


@given(st.lists(altered(), max_size=4))
@settings(max_examples=200, deadline=None)
def test_a_sound_key_is_found_whatever_stands_beside_it(others):
    sound = {**PUBLIC[0], "kid": "the sound one"}
    keys = [key for key in others if key.get("kid") != sound["kid"]]
    document = json.dumps({"keys": [*keys, sound]}).encode()
    found = parsed(document, public_only=True)

    # Refused as a whole is what is no JSON by the strict rules: NaN, too deep, too long.
    assert found is None or found.find("the sound one", "ES256").thumbprint
