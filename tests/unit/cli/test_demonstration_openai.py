import json

import pytest
from openai.types import CreateEmbeddingResponse, Model
from openai.types.chat import ChatCompletion, ChatCompletionChunk

from pyproxy.cli.demonstration_openai import (
    completion,
    completion_events,
    embeddings,
    error,
    models,
)
from pyproxy.cli.demonstration_question import GREETING, Question, StreamOptions

QUESTION = Question(model="m", messages=[{"role": "user", "content": "Hello"}])


def payloads(events):
    return [event.removeprefix(b"data: ").rstrip(b"\n") for event in events]


def test_completion_is_openais():
    answer = ChatCompletion.model_validate(completion(QUESTION, 7))

    assert answer.choices[0].message.content == GREETING
    assert answer.model == "m"
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens


def test_events_are_openais_and_add_up():
    *chunks, end = payloads(completion_events(QUESTION, 7))

    parsed = [ChatCompletionChunk.model_validate_json(chunk) for chunk in chunks]
    assert end == b"[DONE]"
    assert "".join(chunk.choices[0].delta.content or "" for chunk in parsed) == GREETING
    assert parsed[-1].choices[0].finish_reason == "stop"


@pytest.mark.parametrize("is_asked", [True, False])
def test_usage_comes_only_if_asked_for(is_asked):
    options = StreamOptions(include_usage=is_asked)
    question = QUESTION.model_copy(update={"stream_options": options})

    chunks = [json.loads(chunk) for chunk in payloads(completion_events(question, 7))[:-1]]

    assert ("usage" in chunks[-1]) is is_asked


@pytest.mark.parametrize(
    ("value", "count"),
    [pytest.param("one", 1, id="text"), pytest.param(["one", ""], 2, id="list")],
)
def test_embeddings_are_one_an_input(value, count):
    answer = CreateEmbeddingResponse.model_validate(embeddings(Question(input=value)))

    assert [vector.index for vector in answer.data] == list(range(count))
    assert len({len(vector.embedding) for vector in answer.data}) == 1


def test_models_are_openais():
    assert [Model.model_validate(model) for model in models(7)["data"]]


def test_error_is_openais():
    assert error("No.")["error"]["message"] == "No."
