"""OpenAI's chat API as the demonstration upstream speaks it."""

import json
from collections.abc import Iterator

from pyproxy.cli.demonstration_question import MODELS, Question

DIMENSIONS = 8
_ID = "chatcmpl-demonstration"

Json = dict[str, object]


def completion(question: Question, created: int) -> Json:
    """A chat completion in one piece; ``created`` in epoch seconds."""
    words = list(question.words)
    choice = {
        "index": 0,
        "finish_reason": "stop",
        "logprobs": None,
        "message": {"role": "assistant", "content": "".join(words), "refusal": None},
    }
    return {
        "id": _ID,
        "object": "chat.completion",
        "created": created,
        "model": question.model,
        "choices": [choice],
        "usage": _usage(question, len(words)),
    }


def completion_events(question: Question, created: int) -> Iterator[bytes]:
    """A chat completion as server-sent events, usage before the end if asked for."""
    head: Json = {
        "id": _ID,
        "object": "chat.completion.chunk",
        "created": created,
        "model": question.model,
    }
    yield _event({**head, "choices": [_choice({"role": "assistant", "content": ""})]})
    count = 0
    for word in question.words:
        count += 1
        yield _event({**head, "choices": [_choice({"content": word})]})
    yield _event({**head, "choices": [_choice({}, "stop")]})
    if question.stream_options is not None and question.stream_options.include_usage:
        yield _event({**head, "choices": [], "usage": _usage(question, count)})
    yield b"data: [DONE]\n\n"


def embeddings(question: Question) -> Json:
    """A vector for each input, the same for the same text."""
    inputs = [question.input] if isinstance(question.input, str) else question.input
    data = [
        {"object": "embedding", "index": index, "embedding": _vector(str(text))}
        for index, text in enumerate(inputs)
    ]
    usage = {"prompt_tokens": question.prompt_tokens, "total_tokens": question.prompt_tokens}
    return {"object": "list", "data": data, "model": question.model, "usage": usage}


def models(created: int) -> Json:
    """What may be named as ``model``; any other name is answered too."""
    data = [
        {"id": model, "object": "model", "created": created, "owned_by": "pyproxy"}
        for model in MODELS
    ]
    return {"object": "list", "data": data}


def error(message: str) -> Json:
    """An error in OpenAI's shape."""
    body = {"message": message, "type": "invalid_request_error", "param": None, "code": None}
    return {"error": body}


def _choice(delta: Json, finish_reason: str | None = None) -> Json:
    return {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish_reason}


def _event(payload: Json) -> bytes:
    return f"data: {json.dumps(payload)}\n\n".encode()


def _usage(question: Question, words: int) -> Json:
    total = question.prompt_tokens + words
    return {
        "prompt_tokens": question.prompt_tokens,
        "completion_tokens": words,
        "total_tokens": total,
    }


def _vector(text: str) -> list[float]:
    letters = text.encode() or b"\0"
    return [letters[index % len(letters)] / 256 for index in range(DIMENSIONS)]
