import json
from typing import get_args

import pytest

from pyproxy.config.route import RouteSettings
from pyproxy.errors import refusal as refusals
from pyproxy.errors.refusal import Refusal
from pyproxy.providers.preset import Dialect
from pyproxy.transform.dialect import render

EVERY = [
    kind
    for kind in vars(refusals).values()
    if isinstance(kind, type) and issubclass(kind, Refusal) and "code" in vars(kind)
]


@pytest.mark.parametrize(
    ("kind", "openai", "anthropic"),
    [
        pytest.param(
            refusals.BadRequest, "invalid_request_error", "invalid_request_error", id="400"
        ),
        pytest.param(
            refusals.InvalidToken, "authentication_error", "authentication_error", id="401"
        ),
        pytest.param(refusals.PathDenied, "permission_error", "permission_error", id="403"),
        pytest.param(refusals.NotFound, "invalid_request_error", "not_found_error", id="404"),
        pytest.param(
            refusals.MethodNotAllowed, "invalid_request_error", "invalid_request_error", id="405"
        ),
        pytest.param(refusals.BodyTooLarge, "invalid_request_error", "request_too_large", id="413"),
        pytest.param(refusals.RateLimited, "rate_limit_error", "rate_limit_error", id="429"),
        pytest.param(refusals.UpstreamUnreachable, "api_error", "api_error", id="502"),
        pytest.param(refusals.UpstreamTimeout, "api_error", "timeout_error", id="504"),
    ],
)
def test_each_status_has_its_type_in_each_dialect(kind, openai, anthropic):
    _, _, openai_body = render(kind(), "openai", "id")
    _, _, anthropic_body = render(kind(), "anthropic", "id")

    assert json.loads(openai_body)["error"]["type"] == openai
    assert json.loads(anthropic_body)["error"]["type"] == anthropic


def test_a_route_may_choose_every_dialect():
    assert {*get_args(RouteSettings.model_fields["errors"].annotation)} == {"", *get_args(Dialect)}


def test_the_openai_dialect():
    status, _, body = render(refusals.NotFound(), "openai", "abc-1")

    assert status == 404
    assert json.loads(body) == {
        "error": {
            "message": "No route of this gateway takes this path.",
            "type": "invalid_request_error",
            "param": None,
            "code": "not_found",
        },
    }


def test_the_gemini_dialect():
    _, _, body = render(refusals.NotFound(), "gemini", "abc-1")

    assert json.loads(body) == {
        "error": {
            "code": 404,
            "message": "No route of this gateway takes this path.",
            "status": "NOT_FOUND",
            "details": [
                {
                    "@type": "type.googleapis.com/google.rpc.ErrorInfo",
                    "reason": "not_found",
                    "domain": "pyproxy",
                }
            ],
        },
    }


@pytest.mark.parametrize(
    ("kind", "status"),
    [(refusals.BadRequest, "INVALID_ARGUMENT"), (refusals.Refusal, "INTERNAL")],
)
def test_statuses_that_google_does_not_name_read_like_the_nearest(kind, status):
    _, _, body = render(kind(), "gemini", "id")

    assert json.loads(body)["error"]["status"] == status


def test_the_anthropic_dialect():
    _, _, body = render(refusals.UserNotAllowed(), "anthropic", "abc-1")

    assert json.loads(body) == {
        "type": "error",
        "error": {"type": "permission_error", "message": "This user may not use this route."},
        "request_id": "abc-1",
    }


def test_the_plain_dialect():
    assert render(refusals.UserNotAllowed(), "plain", "abc-1")[2] == b'{"error":"user_not_allowed"}'


@pytest.mark.parametrize("dialect", ["openai", "anthropic", "plain"])
@pytest.mark.parametrize("kind", EVERY, ids=lambda kind: kind.__name__)
def test_the_detail_is_never_told(kind, dialect):
    _, fields, body = render(kind("pyp_secret of alice"), dialect, "id")

    assert b"pyp_secret" not in body
    assert all(b"pyp_secret" not in value for _, value in fields)


def test_fields_say_type_and_request_id():
    _, fields, _ = render(refusals.UpstreamTimeout(), "openai", "abc-1")

    assert fields == [(b"Content-Type", b"application/json"), (b"X-Request-Id", b"abc-1")]


def test_what_no_retry_can_mend_says_so():
    _, fields, _ = render(refusals.NoSigningKey(), "openai", "id")

    assert (b"x-should-retry", b"false") in fields


def test_the_refusals_own_fields_are_kept():
    _, fields, _ = render(refusals.MissingToken(), "openai", "id")

    assert (b"WWW-Authenticate", b"Bearer") in fields
