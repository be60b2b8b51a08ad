from pyproxy.transform.security_headers import SecurityHeaders

DEFAULTS = {
    "hsts": "max-age=63072000",
    "frame_options": "DENY",
    "content_type_options": "nosniff",
    "xss_protection": "1; mode=block",
    "referrer_policy": "no-referrer",
    "content_security_policy": "default-src 'none'",
}


def test_every_field_is_said_over_tls():
    headers = SecurityHeaders.of(**DEFAULTS)

    assert headers.block(is_tls=True) == (
        b"Strict-Transport-Security: max-age=63072000\r\n"
        b"X-Frame-Options: DENY\r\n"
        b"X-Content-Type-Options: nosniff\r\n"
        b"X-XSS-Protection: 1; mode=block\r\n"
        b"Referrer-Policy: no-referrer\r\n"
        b"Content-Security-Policy: default-src 'none'\r\n"
    )


def test_hsts_is_not_said_without_tls_and_an_upstreams_is_dropped():
    headers = SecurityHeaders.of(**DEFAULTS)

    assert b"Strict-Transport-Security" not in headers.block(is_tls=False)
    assert b"X-Frame-Options: DENY\r\n" in headers.block(is_tls=False)
    assert b"strict-transport-security" in headers.names


def test_an_empty_value_leaves_the_field_to_the_upstream():
    headers = SecurityHeaders.of(**{**DEFAULTS, "frame_options": "", "hsts": ""})

    assert b"X-Frame-Options" not in headers.over_tls
    assert b"x-frame-options" not in headers.names
    assert b"strict-transport-security" not in headers.names


def test_nothing_configured_is_nothing_said():
    headers = SecurityHeaders.of(**dict.fromkeys(DEFAULTS, ""))

    assert headers == SecurityHeaders(b"", b"", frozenset())
