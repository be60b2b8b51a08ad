"""What the fuzzers call, over the corpus and over inputs made worse by a seeded hand."""

from itertools import product

import pytest

from tests.fuzz import answer_check, request_check
from tests.fuzz.answer_check import ENDINGS, Course
from tests.fuzz.mutation import corpus, mutated, seeds

REQUESTS = corpus("requests")
ANSWERS = corpus("answers")
MUTATIONS = 1500


@pytest.mark.parametrize("name", REQUESTS)
def test_known_request_is_refused_or_passes_unchanged(house, name):
    request_check.check(REQUESTS[name], house)


@pytest.mark.parametrize("name", ANSWERS)
def test_known_answer_is_refused_or_passes_unchanged_or_is_cut(house, name):
    for how in product(("GET", "HEAD", "POST"), ("1.1", "1.0"), ENDINGS, (False, True)):
        answer_check.check(ANSWERS[name], house, Course(*how))


@pytest.mark.parametrize(
    ("check", "kind"),
    [
        pytest.param(request_check.check, "requests", id="requests"),
        pytest.param(answer_check.check, "answers", id="answers"),
    ],
)
def test_what_a_seeded_hand_makes_of_them_is_no_way_through(house, check, kind):
    known = seeds(kind)
    for seed in range(MUTATIONS):
        data = mutated(known, seed)
        try:
            check(data, house)
        except AssertionError as exc:
            exc.add_note(f"seed {seed}: {data!r}")
            raise
