import pytest

from pyproxy.cli.demonstration_question import GREETING, MAX_WORDS, Question, parse_question


def asking(text):
    return Question(messages=[{"role": "user", "content": text}])


def test_answer_is_one_sentence():
    assert "".join(asking("Hello").words) == GREETING


@pytest.mark.parametrize(
    ("text", "count"),
    [
        pytest.param("count to 3", 3, id="few"),
        pytest.param("please count to 20 now", 20, id="inside"),
        pytest.param("count to 0", 0, id="none"),
        pytest.param("count to 999999999", MAX_WORDS, id="bounded"),
    ],
)
def test_answer_counts(text, count):
    assert len(list(asking(text).words)) == count


def test_longer_prompts_cost_more():
    assert asking("a" * 400).prompt_tokens > asking("a").prompt_tokens > 0


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"{", id="cut"),
        pytest.param(b"[]", id="no object"),
        pytest.param(b'{"messages": 1}', id="wrong type"),
        pytest.param(b"\xff", id="no text"),
    ],
)
def test_body_that_is_no_question(body):
    assert parse_question(body) is None


def test_unknown_members_are_left_alone():
    question = parse_question(b'{"model": "m", "temperature": 1, "stream": true}')

    assert question is not None
    assert question.stream
    assert question.model == "m"
