"""Errors of sockets and of TLS, in an operator's words."""

import errno
import socket
import ssl

import pytest

from pyproxy.upstream.reason import in_words


def tls_error(reason, made=ssl.SSLError):
    error = made(1, f"[SSL: {reason}] (_ssl.c:1006)")
    error.reason = reason
    return error


def verdict(words):
    error = tls_error("CERTIFICATE_VERIFY_FAILED", ssl.SSLCertVerificationError)
    error.verify_message = words
    return error


def caused(outer, *inner):
    """An error that follows from others, the last one first."""
    error = outer
    for each in inner:
        error.__cause__ = each
        error = each
    return outer


@pytest.mark.parametrize(
    ("error", "words"),
    [
        pytest.param(ConnectionRefusedError(111, "x"), "connection refused", id="refused"),
        pytest.param(
            OSError("Multiple exceptions: [Errno 111] Connect call failed ('::1', 1), [Errno 101]"),
            "connection refused",
            id="several addresses",
        ),
        pytest.param(OSError(errno.EHOSTUNREACH, "x"), "no route to host", id="no route"),
        pytest.param(ConnectionResetError(), "closed by the other side", id="asyncio's reset"),
        pytest.param(
            ConnectionAbortedError("SSL handshake is taking longer than 0.5 seconds"),
            "the TLS handshake took too long",
            id="asyncio's abort",
        ),
        pytest.param(TimeoutError(), "took too long", id="time out"),
        pytest.param(TimeoutError(110, "x"), "connection timed out", id="the system's patience"),
        pytest.param(OSError("Odd"), "odd", id="text alone"),
        pytest.param(OSError(), "for a reason unknown", id="no text"),
        pytest.param(socket.gaierror(socket.EAI_NONAME, "x"), "name not known", id="no such name"),
        pytest.param(
            socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution"),
            "name not resolved: temporary failure in name resolution",
            id="name servers are down",
        ),
        pytest.param(
            socket.gaierror(socket.EAI_FAIL), "name not resolved: no answer", id="no text of a name"
        ),
        pytest.param(
            verdict("unable to get local issuer certificate"),
            "certificate verify failed: unable to get local issuer certificate",
            id="unknown authority",
        ),
        pytest.param(
            verdict("Hostname mismatch, certificate is not valid for 'a'."),
            "certificate verify failed: hostname mismatch, certificate is not valid for 'a'",
            id="other name",
        ),
        pytest.param(
            ssl.SSLCertVerificationError("x"),
            "certificate verify failed: no reason given",
            id="verdict of a fake",
        ),
        pytest.param(
            tls_error("WRONG_VERSION_NUMBER"),
            "it does not speak TLS on this port",
            id="plain HTTP",
        ),
        pytest.param(tls_error("BAD_RECORD_TYPE"), "TLS: bad record type", id="one of the many"),
        pytest.param(ssl.SSLError("x"), "TLS: no reason given", id="TLS of a fake"),
        pytest.param(
            UnicodeError("label empty"),
            "name not known: it is no host name",
            id="no host name",
        ),
        pytest.param(RuntimeError("secret"), "for a reason unknown", id="something else"),
    ],
)
def test_reason(error, words):
    assert in_words(error) == words


@pytest.mark.parametrize(
    ("error", "words"),
    [
        pytest.param(
            caused(RuntimeError(), ConnectionRefusedError(111, "x")),
            "connection refused",
            id="of a library",
        ),
        pytest.param(
            caused(OSError(1, "x"), verdict("certificate has expired")),
            "certificate verify failed: certificate has expired",
            id="of a library that dresses it up",
        ),
        pytest.param(
            caused(ConnectionRefusedError(111, "x"), KeyError("why")),
            "connection refused",
            id="what it follows from is none of the system's",
        ),
    ],
)
def test_the_cause_says_more_than_what_it_led_to(error, words):
    assert in_words(error) == words
