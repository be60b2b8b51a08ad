"""Anthropic's messages API as the demonstration upstream speaks it."""

import json
from collections.abc import Iterator

from pyproxy.cli.demonstration_question import Question

_ID = "msg_demonstration"

Json = dict[str, object]


def message(question: Question) -> Json:
    """A message in one piece."""
    words = list(question.words)
    return {
        **_head(question),
        "content": [{"type": "text", "text": "".join(words)}],
        "stop_reason": "end_turn",
        "usage": _usage(question, len(words)),
    }


def message_events(question: Question) -> Iterator[bytes]:
    """A message as server-sent events, ``message_start`` to ``message_stop``."""
    head = {**_head(question), "usage": _usage(question, 1)}
    yield _event("message_start", message=head)
    yield _event("content_block_start", index=0, content_block={"type": "text", "text": ""})
    yield _event("ping")
    count = 0
    for word in question.words:
        count += 1
        yield _event("content_block_delta", index=0, delta={"type": "text_delta", "text": word})
    yield _event("content_block_stop", index=0)
    end = {"stop_reason": "end_turn", "stop_sequence": None}
    yield _event("message_delta", delta=end, usage={"output_tokens": count})
    yield _event("message_stop")


def token_count(question: Question) -> Json:
    """What ``count_tokens`` answers."""
    return {"input_tokens": question.prompt_tokens}


def error(message_text: str) -> Json:
    """An error in Anthropic's shape."""
    return {
        "type": "error",
        "error": {"type": "invalid_request_error", "message": message_text},
        "request_id": None,
    }


def _head(question: Question) -> Json:
    return {
        "id": _ID,
        "type": "message",
        "role": "assistant",
        "model": question.model,
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
    }


def _usage(question: Question, words: int) -> Json:
    return {"input_tokens": question.prompt_tokens, "output_tokens": words}


def _event(kind: str, **members: object) -> bytes:
    return f"event: {kind}\ndata: {json.dumps({'type': kind, **members})}\n\n".encode()
