"""Listeners' certificates are renewed together, and what is wrong is said once."""

import pytest

from pyproxy.runtime.renewal import Certificates
from pyproxy.runtime.tls import ServerTls, TlsRules


@pytest.fixture
def load(write):
    """A listener's TLS with a fresh certificate of each name."""

    def load_(*names):
        return ServerTls.load([write(name, f"{name}.example") for name in names], TlsRules())

    return load_


def names(tls):
    return [name for certificate in tls.certificates for name in certificate.names]


def test_without_a_change_nothing_is_read(load):
    renewal = Certificates([load("a")]).renew()

    assert (renewal.is_renewed, renewal.faults) == (False, ())


def test_listeners_that_share_a_pair_are_renewed_together(write):
    files = write("a", "old.example")
    shared = [ServerTls.load([files], TlsRules()) for _ in range(2)]
    certificates = Certificates(shared)
    write("a", "new.example")

    renewal = certificates.renew()

    assert (renewal.is_renewed, renewal.faults) == (True, ())
    assert [names(each) for each in shared] == [["new.example"]] * 2
    assert not certificates.renew().is_renewed


def test_a_pair_that_is_shared_is_faulty_once(write):
    files = write("a", "old.example")
    shared = [ServerTls.load([files], TlsRules()) for _ in range(2)]
    certificates = Certificates(shared)
    files.certificate.write_text("rubbish")

    renewal = certificates.renew()

    assert not renewal.is_renewed
    assert [fault.path for fault in renewal.faults] == [str(files.certificate)]
    assert [names(each) for each in shared] == [["old.example"]] * 2


def test_a_faulty_pair_keeps_no_other_listener_from_its_own(load, write, open_folder):
    first, second = load("a"), load("b")
    certificates = Certificates([first, second])
    (open_folder / "a.crt").unlink()
    write("b", "new.example")

    renewal = certificates.renew()

    assert renewal.is_renewed
    assert [fault.path for fault in renewal.faults] == [str(open_folder / "a.crt")]
    assert (names(first), names(second)) == (["a.example"], ["new.example"])
    write("b", "newer.example")
    assert certificates.renew().faults == ()  # it was said
    assert certificates.stale == {first}  # and is so still
    write("a", "newest.example")
    assert certificates.renew().is_renewed
    assert certificates.stale == set()


def test_a_change_between_two_listeners_reading_is_seen(write):
    files = write("a", "old.example")
    first = ServerTls.load([files], TlsRules())
    write("a", "new.example")
    second = ServerTls.load([files], TlsRules())

    assert Certificates([first, second]).renew().is_renewed
    assert (names(first), names(second)) == (["new.example"], ["new.example"])
