"""Who is left out, and for how long."""

import pytest

from pyproxy.upstream.standing import FAILURES, FIRST_TERM_S, LONGEST_TERM_S, Standing


@pytest.fixture
def standing():
    return Standing()


def is_out(standing, now):
    return now < standing.out_until


def put_out(standing, now):
    """Fail until it is out; the term."""
    return max(standing.failed(now) for _ in range(FAILURES))


def on_trial(standing, now):
    """Fail the one request that finds out; the next term."""
    standing.chosen(now)
    return standing.failed(now)


def test_a_few_failures_are_nothing(standing):
    terms = [standing.failed(100.0) for _ in range(FAILURES - 1)]

    assert not any(terms)
    assert not is_out(standing, 100.0)


def test_failures_in_a_row_put_it_out_for_a_term(standing):
    assert put_out(standing, 100.0) == FIRST_TERM_S
    assert is_out(standing, 100.0)
    assert is_out(standing, 109.0)
    assert not is_out(standing, 110.0)


def test_success_between_them_counts(standing):
    for _ in range(3 * FAILURES):
        standing.failed(100.0)
        was_out = standing.worked()
        assert not was_out

    assert not is_out(standing, 100.0)


def test_requests_that_fail_while_it_is_out_say_nothing_new(standing):
    put_out(standing, 100.0)
    terms = [standing.failed(101.0) for _ in range(100)]

    assert not any(terms)
    assert not is_out(standing, 110.0)


def test_one_request_a_term_finds_out(standing):
    put_out(standing, 100.0)
    standing.chosen(110.0)

    assert is_out(standing, 110.0)
    assert is_out(standing, 129.0)
    assert not is_out(standing, 130.0)


def test_terms_double_up_to_the_longest(standing):
    now, terms = 100.0, [put_out(standing, 100.0)]
    for _ in range(7):
        now += terms[-1]
        terms.append(on_trial(standing, now))

    assert terms == [10.0, 20.0, 40.0, 80.0, 160.0, 300.0, 300.0, LONGEST_TERM_S]


def test_trial_that_failed_late_counts(standing):
    put_out(standing, 100.0)
    standing.chosen(110.0)

    assert standing.failed(115.0) == 2 * FIRST_TERM_S
    assert is_out(standing, 134.0)


def test_stragglers_of_a_trial_that_failed_say_nothing_new(standing):
    put_out(standing, 100.0)
    standing.chosen(110.0)
    standing.failed(115.0)

    assert standing.failed(116.0) == 0.0
    assert not is_out(standing, 135.0)


def test_success_ends_it_all(standing):
    put_out(standing, 100.0)
    on_trial(standing, 110.0)
    standing.chosen(130.0)

    assert standing.worked()
    assert not standing.worked()
    assert not is_out(standing, 130.0)
    assert put_out(standing, 131.0) == FIRST_TERM_S


def test_being_chosen_is_nothing_while_it_is_in(standing):
    standing.chosen(100.0)

    assert not is_out(standing, 100.0)


def test_being_chosen_while_out_is_no_trial(standing):
    """Where all are out, all are in."""
    put_out(standing, 100.0)
    standing.chosen(105.0)

    assert standing.failed(105.0) == 0.0
    assert not is_out(standing, 110.0)


def test_it_is_out_until_something_works_not_only_for_the_term(standing):
    put_out(standing, 100.0)
    assert standing.is_out
    standing.worked()

    assert not standing.is_out


def test_it_is_due_when_its_term_is_over_and_before_anybody_tried(standing):
    assert not standing.is_due(100.0)
    put_out(standing, 100.0)

    assert not standing.is_due(100.0 + FIRST_TERM_S - 1.0)
    assert standing.is_due(100.0 + FIRST_TERM_S)
    standing.chosen(100.0 + FIRST_TERM_S)
    assert not standing.is_due(100.0 + FIRST_TERM_S)
