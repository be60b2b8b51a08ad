"""Why a handshake failed, of errors as the event loop raises them; real ones are functional."""

import ssl

import pytest

from pyproxy.runtime.handshake import failed_because
from pyproxy.runtime.proxy_header import NotIntroduced


def tls_error(reason):
    error = ssl.SSLError(1, f"[SSL: {reason}] (_ssl.c:1006)")
    error.reason = reason
    return error


def verdict(code, words):
    error = ssl.SSLCertVerificationError(1, "x")
    error.verify_code, error.verify_message = code, words
    return error


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        pytest.param(tls_error("HTTP_REQUEST"), "plain HTTP on a TLS port", id="http"),
        pytest.param(NotIntroduced("no PROXY header"), "no PROXY header", id="no introduction"),
        pytest.param(tls_error("NO_SHARED_CIPHER"), "no cipher in common", id="cipher"),
        pytest.param(
            tls_error("TLSV1_ALERT_UNKNOWN_CA"),
            "the client does not trust our certificate (unknown ca)",
            id="distrust",
        ),
        pytest.param(
            tls_error("SSLV3_ALERT_CERTIFICATE_EXPIRED"),
            "the client does not trust our certificate (certificate expired)",
            id="expired",
        ),
        pytest.param(
            tls_error("SSLV3_ALERT_HANDSHAKE_FAILURE"),
            "the client broke off (handshake failure)",
            id="another alert",
        ),
        pytest.param(tls_error("BAD_EXTENSION"), "TLS: bad extension", id="one of the many"),
        pytest.param(tls_error(None), "TLS: no reason given", id="none"),
        pytest.param(
            tls_error("UNEXPECTED_EOF_WHILE_READING"), "the client left", id="half a farewell"
        ),
        pytest.param(
            verdict(20, "unable to get local issuer certificate"),
            "a client certificate of another authority",
            id="another authority",
        ),
        pytest.param(
            verdict(10, "certificate has expired"),
            "client certificate refused: certificate has expired",
            id="too old",
        ),
        pytest.param(TimeoutError(), "took longer than header_timeout", id="slow"),
        pytest.param(
            ConnectionAbortedError("SSL handshake is taking longer than 10.0 seconds"),
            "took longer than header_timeout",
            id="too slow",
        ),
        pytest.param(ConnectionResetError(104, "x"), "the client left", id="reset"),
        pytest.param(OSError(24, "x"), "too many open files", id="the system"),
    ],
)
def test_reason(error, reason):
    assert failed_because(error) == reason
