import json

import pytest

from pyproxy.admin.answer import Answer, in_json, refused
from pyproxy.errors.refusal import MethodNotAllowed, MissingToken

WALL = 1_790_000_000.0


STRICT = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"


def test_every_answer_is_stored_nowhere_and_read_by_nobody_else():
    head = Answer(b"x").head(WALL).decode()

    assert head.startswith("HTTP/1.1 200 OK\r\n")
    for line in (
        "Cache-Control: no-store",
        "X-Content-Type-Options: nosniff",
        "Referrer-Policy: no-referrer",
        "X-Frame-Options: DENY",
        "Cross-Origin-Resource-Policy: same-origin",
        f"Content-Security-Policy: {STRICT}",
        "Date: Mon, 21 Sep 2026 14:13:20 GMT",
    ):
        assert f"\r\n{line}\r\n" in head


def test_a_refusal_says_its_code_and_a_sentence():
    answer = refused(MissingToken("why is for the operator"))

    assert answer.status == 401
    assert (b"WWW-Authenticate", b"Bearer") in answer.fields
    assert json.loads(answer.body)["error"] == "missing_token"
    assert b"operator" not in answer.body


def test_the_fields_of_a_refusal_stand_in_its_head():
    head = refused(MethodNotAllowed(fields=((b"Allow", b"GET"),))).head(WALL)

    assert head.startswith(b"HTTP/1.1 405 Method Not Allowed\r\n")
    assert b"\r\nAllow: GET\r\n" in head


def test_what_json_does_not_know_is_a_fault():
    with pytest.raises(ValueError, match="JSON"):
        in_json({"x": float("nan")})
