import ssl
import sys

import pytest
import trustme

from pyproxy.runtime import groups
from pyproxy.runtime.groups import CURVES, default_groups, is_restrictable, restrict

AUTHORITY = trustme.CA()
# The groups that a client names are those of ECDSA certificates too, until TLS 1.3.
ISSUED = AUTHORITY.issue_cert("localhost", key_type=trustme.KeyType.RSA)


def ours():
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ISSUED.configure_cert(context)
    assert restrict(context, default_groups())
    return context


def theirs(wanted, version=ssl.TLSVersion.TLSv1_3):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    AUTHORITY.configure_trust(context)
    context.minimum_version = context.maximum_version = version
    assert restrict(context, wanted)
    return context


def shake_hands(server_context, client_context):
    """A handshake in memory, as far as it goes.

    Raises:
        ssl.SSLError: One of the two gave up.
    """
    up, down = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = client_context.wrap_bio(down, up, server_hostname="localhost")
    server = server_context.wrap_bio(up, down, server_side=True)
    for _ in range(4):
        for side in (client, server):
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                continue
    client.do_handshake()
    return client.version()


@pytest.mark.parametrize("wanted", ["X25519", "P-256", "P-384", "X448:P-256", "ffdhe8192:X25519"])
@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_curves_are_offered(wanted, version):
    if version == ssl.TLSVersion.TLSv1_2:
        wanted = wanted.replace("ffdhe8192:", "")  # TLS 1.2 knows them by cipher, and we have none

    assert shake_hands(ours(), theirs(wanted, version))


@pytest.mark.parametrize("wanted", ["ffdhe2048", "ffdhe8192", "X448", "P-521"])
def test_what_costs_more_than_it_is_worth_is_not_offered(wanted):
    # D(HE)at, CVE-2002-20001
    with pytest.raises(ssl.SSLError, match=r"HANDSHAKE_FAILURE|NO_SUITABLE|UNSUITABLE"):
        shake_hands(ours(), theirs(wanted))


def test_openssl_offers_them_unless_it_is_told_not_to():
    untold = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ISSUED.configure_cert(untold)

    assert shake_hands(untold, theirs("ffdhe2048")) == "TLSv1.3"


def test_groups_that_openssl_does_not_know_change_nothing_and_disturb_no_handshake():
    context = ours()

    assert not restrict(context, "X25519:nonsense")
    assert shake_hands(context, theirs("P-256")) == "TLSv1.3"


@pytest.mark.parametrize(
    ("openssl", "first"), [((3, 0, 19), "X25519"), ((3, 5, 0), "X25519MLKEM768")]
)
def test_hybrid_is_preferred_where_openssl_knows_it(monkeypatch, openssl, first):
    monkeypatch.setattr(ssl, "OPENSSL_VERSION_INFO", (*openssl, 0, 0))

    assert default_groups().split(":")[0] == first
    assert default_groups().endswith(CURVES)


def test_a_python_that_can_do_it_is_asked_to():
    class Newer:
        def set_groups(self, wanted):
            self.wanted = wanted

    context = Newer()

    assert restrict(context, "X25519")
    assert context.wanted == "X25519"


def test_nothing_is_touched_where_the_layout_is_not_known(monkeypatch):
    monkeypatch.setattr(sys, "version_info", (3, 99))
    if hasattr(ssl.SSLContext, "set_groups"):
        pytest.skip("this Python needs no layout")

    assert not is_restrictable()


def test_an_openssl_without_names_is_left_alone(monkeypatch):
    class Hidden:
        __file__ = "/nowhere/_ssl.so"

    monkeypatch.setattr(groups, "_ssl", Hidden)
    if hasattr(ssl.SSLContext, "set_groups"):
        pytest.skip("this Python needs no library")

    assert not is_restrictable()
