"""What a report says of what a worker works with."""

import json
from types import SimpleNamespace

import pytest

from pyproxy.assembly.listeners import Group
from pyproxy.identity.jwks import KeySet
from pyproxy.identity.jws_algorithms import ALGORITHMS
from pyproxy.identity.key_sets import KeySets
from pyproxy.identity.signing_keys import generate_key_set
from pyproxy.limits.memory import MemoryStore
from pyproxy.runtime.states import certificates_of, endpoints_of, key_sets_of, store_of
from pyproxy.runtime.tls import ServerTls, TlsRules
from pyproxy.telemetry.report import CertificateState, EndpointState, KeySetState, StoreState
from pyproxy.upstream.balance import Upstream
from pyproxy.upstream.endpoint import Address, Endpoint
from pyproxy.upstream.standing import FAILURES, FIRST_TERM_S

NOW = 100.0


def key_set(source):
    document = json.dumps(generate_key_set("ES256")).encode()
    return KeySet.parse(document, algorithms=ALGORITHMS, source=source, public_only=False)


class Remote:
    """A key set that is elsewhere."""

    def __init__(self, keys, *, is_failing):
        self.source, self.is_failing, self._keys = "https://a/jwks", is_failing, keys

    def current(self, _now):
        return self._keys

    def age_s(self, now):
        return now - 90.0


def test_endpoints_are_told_route_by_route():
    shared, other = (Endpoint(Address(name, 80), None) for name in ("a", "b"))
    shared.busy = 2
    for _ in range(FAILURES):
        other.failed(NOW)
    plans = (
        SimpleNamespace(name="one", upstream=Upstream([shared, other])),
        SimpleNamespace(name="two", upstream=Upstream([shared])),
    )

    assert endpoints_of(SimpleNamespace(plans=plans), NOW) == (
        EndpointState("one", "a:80", "up", 2, 0),
        EndpointState("one", "b:80", "out", 0, 0),
        EndpointState("two", "a:80", "up", 2, 0),
    )
    later = endpoints_of(SimpleNamespace(plans=plans), NOW + FIRST_TERM_S)
    assert [(each.state, each.is_due) for each in later] == [
        ("up", False),
        ("out", True),
        ("up", False),
    ]


def test_certificates_are_told_for_each_listener_that_shows_them(write):
    files = [write("first", "a.example"), write("second", "b.example", "c.example")]
    tls = ServerTls.load(files, TlsRules())
    groups = [Group(bind, (), ()) for bind in ("[::]:1", "[::]:2", "[::]:3")]
    prepared = SimpleNamespace(
        groups=groups, tls=(tls, None, ServerTls.load(files[:1], TlsRules()))
    )
    ends = [each.not_after for each in tls.certificates]

    assert certificates_of(prepared) == (
        CertificateState("[::]:1", str(files[0].certificate), ("a.example",), ends[0]),
        CertificateState("[::]:1", str(files[1].certificate), ("b.example", "c.example"), ends[1]),
        CertificateState("[::]:3", str(files[0].certificate), ("a.example",), ends[0]),
    )


def test_a_certificate_that_was_renewed_is_told_as_it_is_now(write):
    tls = ServerTls.load([write("first", "a.example")], TlsRules())
    prepared = SimpleNamespace(groups=[Group("[::]:1", (), ())], tls=(tls,))
    write("first", "b.example")
    tls.reload()

    (state,) = certificates_of(prepared)
    assert state.names == ("b.example",)


def test_without_key_sets_none_are_told():
    assert key_sets_of(KeySets(), None, NOW) == ()


def test_a_file_that_verifies_and_mints_is_told_once():
    both = key_set("keys.json")

    assert key_sets_of(KeySets(local=both, minted=both), None, NOW) == (
        KeySetState("keys.json", 1, 0.0, "fresh"),
    )


def test_a_file_that_cannot_be_used_is_stale_since_then():
    key_sets = KeySets(local=key_set("keys.json"))
    key_sets.stale_since = 70.0

    assert key_sets_of(key_sets, None, NOW) == (KeySetState("keys.json", 1, 30.0, "stale"),)


@pytest.mark.parametrize(
    ("has_keys", "is_failing", "state", "others"),
    [
        pytest.param(True, False, "fresh", [], id="fetched"),
        pytest.param(True, True, "stale", [], id="not fetched anew"),
        pytest.param(False, True, "lost", ["keys.json"], id="too old, or never fetched"),
        pytest.param(False, False, "lost", ["keys.json"], id="not yet asked for"),
    ],
)
def test_a_remote_set_comes_first_and_the_file_where_it_is_in_use(
    has_keys, is_failing, state, others
):
    keys = key_set("https://a/jwks") if has_keys else None
    key_sets = KeySets(local=key_set("keys.json"))
    key_sets.replace_remote(keys)
    remote, *files = key_sets_of(key_sets, Remote(keys, is_failing=is_failing), NOW)

    assert remote == KeySetState("https://a/jwks", int(has_keys), 10.0, state)
    assert [each.source for each in files] == others


def test_in_memory_nothing_fails():
    assert store_of(MemoryStore()) == StoreState("memory", is_up=True, failures=0)
