"""Anthropic's Messages API, as far as Claude Code can see.

Asked with tools at hand, the model wants a command run; told what came of it, it
repeats that. So an answer that quotes the command's output went all the way round.
"""

import json
import secrets

from tests.providers.agents.upstream import Connection
from tests.providers.agents.wire import Request, answer, event_stream, head

KEY = f"sk-ant-{secrets.token_urlsafe(24)}"
COMMAND = "printf '%s' harmless; printf '%s' -output"
OUTPUT = "harmless-output"
QUOTED = f"The command said {OUTPUT}."
LIMITS = {
    "request-id": "req_011played",
    "anthropic-organization-id": "org-played",
    "anthropic-ratelimit-requests-limit": "4000",
    "anthropic-ratelimit-requests-remaining": "3999",
    "anthropic-ratelimit-unified-status": "allowed",
}

MODELS = {
    "data": [{"id": "claude-played", "type": "model", "display_name": "Played"}],
    "has_more": False,
}


def complaint(status: int, kind: str, message: str, **fields: str) -> bytes:
    """An error in Anthropic's words."""
    error = {"type": "error", "error": {"type": kind, "message": message}}
    return answer(status, {**error, "request_id": LIMITS["request-id"]}, **LIMITS | fields)


class AnthropicPlay:
    """Plays the API.

    Attributes:
        refusal: Given to every message instead of an answer, if set.
        hello: The status that a warm-up is answered with.
    """

    def __init__(self) -> None:
        self.refusal = b""
        self.hello = 200

    def __call__(self, request: Request, connection: Connection) -> None:
        if request.method == "HEAD":
            connection.send(head(self.hello, **{"content-length": "19"}))
        elif request.field("x-api-key") != KEY or request.field("authorization"):
            connection.send(complaint(401, "authentication_error", "invalid x-api-key"))
        elif request.path == "/v1/models":
            connection.send(answer(200, MODELS, **LIMITS))
        elif (request.method, request.path) == ("POST", "/v1/messages"):
            connection.send(*([self.refusal] if self.refusal else _message(request)))
        else:
            connection.send(complaint(404, "not_found_error", request.path))


def _message(request: Request) -> list[bytes]:
    question = request.content
    if not question.get("tools"):
        block, reason = _text("A title"), "end_turn"
    elif results := _tool_results(question):
        block, reason = _text(f"The command said {results[-1]}."), "end_turn"
    else:
        block, reason = _tool_use({"command": COMMAND, "description": "Say it"}), "tool_use"
    return event_stream(_events(question["model"], block, reason), **LIMITS)


def _tool_results(question) -> list[str]:
    contents = [message["content"] for message in question["messages"]]
    blocks = [block for content in contents if isinstance(content, list) for block in content]
    results = [block["content"] for block in blocks if block["type"] == "tool_result"]
    return [result if isinstance(result, str) else result[0]["text"] for result in results]


def _text(text: str):
    start = {"type": "text", "text": ""}
    return start, [{"type": "text_delta", "text": part} for part in (text[:5], text[5:])]


def _tool_use(arguments: dict[str, str]):
    start = {"type": "tool_use", "id": "toolu_played", "name": "Bash", "input": {}}
    text = json.dumps(arguments)
    parts = (text[:9], text[9:])
    return start, [{"type": "input_json_delta", "partial_json": part} for part in parts]


def _events(model: str, block, reason: str) -> list[dict[str, object]]:
    start, deltas = block
    message = {
        "id": "msg_played",
        "type": "message",
        "role": "assistant",
        "model": model,
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": {"input_tokens": 7, "output_tokens": 1},
    }
    end = {"stop_reason": reason, "stop_sequence": None}
    return [
        {"type": "message_start", "message": message},
        {"type": "content_block_start", "index": 0, "content_block": start},
        {"type": "ping"},
        *({"type": "content_block_delta", "index": 0, "delta": delta} for delta in deltas),
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": end, "usage": {"output_tokens": 5}},
        {"type": "message_stop"},
    ]
