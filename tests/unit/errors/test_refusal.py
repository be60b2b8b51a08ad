import re
from http import HTTPStatus

import pytest

from pyproxy.errors import refusal
from pyproxy.errors.refusal import (
    AttemptsSpent,
    BadRequest,
    CredentialMissing,
    ExpiredToken,
    InvalidSharedSecret,
    InvalidToken,
    MissingToken,
    ModelNotAllowed,
    NoSharedSecret,
    RateLimited,
    Refusal,
    Unauthenticated,
)

ALL = [
    kind
    for kind in vars(refusal).values()
    if isinstance(kind, type) and issubclass(kind, Refusal) and kind is not Unauthenticated
]
EVERY = pytest.mark.parametrize("kind", ALL, ids=lambda kind: kind.__name__)


@EVERY
def test_a_refusal_is_an_error_status_with_a_stable_name(kind):
    assert HTTPStatus(kind.status).value >= 400
    assert re.fullmatch(r"[a-z]+(_[a-z]+)*", kind.code)


@EVERY
def test_a_client_is_told_one_sentence(kind):
    assert re.fullmatch(r"[A-Z][^.]*\.( [A-Z][^.]*\.)?", kind.message)


@EVERY
def test_the_detail_is_for_the_operator_alone(kind):
    made = kind("user alice, key 3")

    assert made.detail == str(made) == "user alice, key 3"
    assert "alice" not in made.message
    assert all(b"alice" not in value for _, value in made.fields)


@EVERY
def test_without_a_detail_the_code_speaks(kind):
    assert kind().detail == ""
    assert str(kind()) == kind.code


@EVERY
def test_no_retry_mends_a_fault_of_the_request(kind):
    # 408 and 429 pass with time; whatever else is below 500 does not.
    if kind.status < 500:
        assert kind.is_final is (kind.status not in {408, 429})


def test_codes_differ_but_for_the_shared_secret():
    finer = {InvalidSharedSecret, NoSharedSecret, AttemptsSpent}
    codes = [kind.code for kind in ALL if kind not in finer]

    assert len(codes) == len(set(codes))
    assert InvalidSharedSecret.code == NoSharedSecret.code == InvalidToken.code
    assert AttemptsSpent.code == RateLimited.code


def test_spent_attempts_are_refused_alike_where_nothing_was_tried():
    spent = AttemptsSpent("why", fields=((b"Retry-After", b"1"),), limit="auth")
    other = spent.uncounted()

    assert not other.is_failed_attempt
    assert (other.detail, other.fields, other.limit) == (spent.detail, spent.fields, spent.limit)


def test_what_counts_towards_a_ban_is_a_credential_that_was_tried():
    assert {kind for kind in ALL if kind.is_failed_attempt} == {
        InvalidToken,
        InvalidSharedSecret,
        AttemptsSpent,
    }


@pytest.mark.parametrize("kind", [MissingToken, InvalidToken, ExpiredToken])
def test_who_is_not_known_is_asked_for_a_credential(kind):
    # RFC 9110 section 15.5.2
    assert kind.status == 401
    assert kind().fields == ((b"WWW-Authenticate", b"Bearer"),)


def test_a_refusal_carries_fields():
    fields = ((b"Retry-After", b"3"),)

    assert RateLimited("bucket empty", fields=fields).fields == fields
    assert BadRequest().fields == ()


def test_a_missing_credential_names_the_variables_that_could_hold_it():
    made = CredentialMissing.naming(("A_KEY", "B_KEY"))

    assert made.message.endswith("its operator must set A_KEY or B_KEY.")
    assert made.detail == "A_KEY or B_KEY is not set"
    assert "A_KEY" not in CredentialMissing.message


def test_a_model_that_is_not_allowed_is_answered_with_the_reason_alone():
    made = ModelNotAllowed.because("the body names no model", "at length")

    assert made.message == "This route allows only some models, and the body names no model."
    assert made.detail == "at length"
    assert ModelNotAllowed.because("two are named").detail == "two are named"


def test_a_rate_limit_has_a_name_if_it_is_one():
    assert RateLimited("why", limit="api").limit == "api"
    assert RateLimited("the queue is full").limit == ""
