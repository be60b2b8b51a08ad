"""Anthropic's API, as its SDK and Claude Code know it."""

from tests.providers.upstream import Answer, Play, of_events, of_json

WORDS = ("Grüße", " from", " Anthropic", ".")
TEXT = "".join(WORDS)
# The first is everybody's default, the second the SDK's since it says so itself.
VERSIONS = ("2023-06-01", "2026-10-21")
REQUEST_ID = "req_011CSHoEeqs5C35K2UUqR7Fy"
FIELDS = (
    ("request-id", REQUEST_ID),
    ("anthropic-organization-id", "an-organization"),
    ("anthropic-ratelimit-requests-limit", "50"),
    ("anthropic-ratelimit-requests-remaining", "49"),
    ("anthropic-ratelimit-requests-reset", "2026-01-01T00:00:00Z"),
    ("anthropic-ratelimit-unified-status", "allowed"),
)
USAGE = {
    "input_tokens": 9,
    "cache_creation_input_tokens": 3,
    "cache_read_input_tokens": 5,
    "output_tokens": 4,
    "service_tier": "standard",
}


def error(status, kind, message, *fields):
    """An error in Anthropic's shape."""
    content = {"type": kind, "message": message}
    body = {"type": "error", "error": content, "request_id": REQUEST_ID}
    return of_json(body, *FIELDS, *fields, status=status)


RATE_LIMITED = error(
    429, "rate_limit_error", "Number of requests has exceeded your limit.", ("retry-after", "7")
)
OVERLOADED = error(529, "overloaded_error", "Overloaded", ("x-should-retry", "false"))


class AnthropicPlay(Play):
    """With a field ``x-api-key`` or a bearer token, and a version in every request."""

    name = "anthropic"
    credential_field = "x-api-key"

    def is_let_in(self, asked):
        shown = asked.values("x-api-key"), asked.values("authorization")
        return shown in (([self.key], []), ([], [f"Bearer {self.key}"]))

    def refusal(self):
        return error(401, "authentication_error", "invalid x-api-key")

    def answer(self, asked):
        if asked.method == "HEAD" and asked.path in {"/", "/api/hello"}:
            return Answer(200, FIELDS)
        versions = asked.values("anthropic-version")
        if len(versions) != 1 or versions[0] not in VERSIONS:
            return error(400, "invalid_request_error", "anthropic-version: header is required")
        known = {
            "/v1/messages": message,
            "/v1/messages/count_tokens": _count,
            "/v1/models": _models,
        }
        if asked.path not in known:
            return error(404, "not_found_error", "Not found")
        return known[asked.path](asked)


def message(asked):
    """An answer of the Messages API."""
    head = {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": asked.json["model"],
        "stop_sequence": None,
    }
    if asked.json.get("stream"):
        events = [(event["type"], event) for event in _events(head)]
        return of_events(events, *FIELDS)
    content = [{"type": "text", "text": TEXT}]
    answer = {**head, "content": content, "stop_reason": "end_turn", "usage": USAGE}
    return of_json(answer, *FIELDS)


def _events(head):
    usage = {**USAGE, "output_tokens": 1}
    start = {**head, "content": [], "stop_reason": None, "usage": usage}
    yield {"type": "message_start", "message": start}
    block = {"type": "text", "text": ""}
    yield {"type": "content_block_start", "index": 0, "content_block": block}
    for word in WORDS:
        delta = {"type": "text_delta", "text": word}
        yield {"type": "content_block_delta", "index": 0, "delta": delta}
    yield {"type": "content_block_stop", "index": 0}
    delta = {"stop_reason": "end_turn", "stop_sequence": None}
    yield {"type": "message_delta", "delta": delta, "usage": {"output_tokens": 4}}
    yield {"type": "message_stop"}


def _count(asked):
    del asked
    return of_json({"input_tokens": 9}, *FIELDS)


def _models(asked):
    del asked
    model = {
        "type": "model",
        "id": "claude-sonnet-5",
        "display_name": "Claude Sonnet 5",
        "created_at": "2026-01-01T00:00:00Z",
    }
    page = {"data": [model], "has_more": False, "first_id": model["id"], "last_id": model["id"]}
    return of_json(page, *FIELDS)
