"""OpenAI's API, as its SDK knows it."""

from tests.providers.conversation import Conversation
from tests.providers.upstream import Answer, Play, of_events, of_json

WORDS = ("Grüße", " from", " OpenAI", ".")
TEXT = "".join(WORDS)
USAGE = {"prompt_tokens": 9, "completion_tokens": 4, "total_tokens": 13}
RESPONSE_USAGE = {
    "input_tokens": 9,
    "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
    "output_tokens": 4,
    "output_tokens_details": {"reasoning_tokens": 0},
    "total_tokens": 13,
}
REALTIME_USAGE = {
    "total_tokens": 30,
    "input_tokens": 20,
    "output_tokens": 10,
    "input_token_details": {"text_tokens": 20, "audio_tokens": 0, "cached_tokens": 0},
    "output_token_details": {"text_tokens": 10, "audio_tokens": 0},
}
SPEECH = bytes(range(256)) * 512
FIELDS = (
    ("x-request-id", "req_0123456789abcdef"),
    ("openai-organization", "an-organization"),
    ("openai-processing-ms", "12"),
    ("openai-version", "2020-10-01"),
    ("x-ratelimit-limit-requests", "500"),
    ("x-ratelimit-remaining-requests", "499"),
    ("x-ratelimit-remaining-tokens", "29990"),
    ("x-ratelimit-reset-requests", "120ms"),
)


def error(status, message, kind, code, *fields):
    """An error in OpenAI's shape."""
    body = {"error": {"message": message, "type": kind, "param": None, "code": code}}
    return of_json(body, *FIELDS, *fields, status=status)


RATE_LIMITED = error(
    429, "Rate limit reached.", "requests", "rate_limit_exceeded", ("retry-after", "7")
)


class OpenAIPlay(Play):
    """At ``/v1``, with a bearer token.

    Attributes:
        base: Below which the API is.
    """

    name = "openai"
    scheme = "Bearer "
    base = "/v1"

    def refusal(self):
        # The real one repeats the key that was sent, with stars in it.
        return error(401, "Incorrect API key provided.", "invalid_request_error", "invalid_api_key")

    def answer(self, asked):
        path = asked.path.removeprefix(self.base)
        known = {
            "/chat/completions": chat,
            "/responses": _response,
            "/embeddings": _embeddings,
            "/audio/speech": _speech,
            "/audio/transcriptions": _transcription,
            "/models": _models,
        }
        if not asked.path.startswith(self.base) or path not in known:
            return error(404, f"Invalid URL ({asked.path})", "invalid_request_error", None)
        return known[path](asked)

    def talk(self, asked, wire):
        if asked.path == f"{self.base}/responses":
            _talk_of_responses(Conversation(asked, wire))
        else:
            _talk_in_realtime(Conversation(asked, wire, ["realtime"]), dict(asked.query))


def chat(asked):
    """An answer of the chat API."""
    head = {"id": "chatcmpl-1", "created": 1700000000, "model": asked.json["model"]}
    if asked.json.get("stream"):
        return of_events(_chunks({**head, "object": "chat.completion.chunk"}), *FIELDS)
    message = {"role": "assistant", "content": TEXT, "refusal": None}
    choice = {"index": 0, "message": message, "finish_reason": "stop", "logprobs": None}
    answer = {**head, "object": "chat.completion", "choices": [choice], "usage": USAGE}
    return of_json(answer, *FIELDS)


def _response(asked):
    if asked.json.get("stream"):
        events = response_events(asked.json["model"])
        return of_events([(event["type"], event) for event in events], *FIELDS)
    return of_json(response(asked.json["model"]), *FIELDS)


def _chunks(head):
    def chunk(delta, finish=None):
        return {"index": 0, "delta": delta, "finish_reason": finish, "logprobs": None}

    yield "", {**head, "choices": [chunk({"role": "assistant", "content": ""})]}
    for word in WORDS:
        yield "", {**head, "choices": [chunk({"content": word})]}
    yield "", {**head, "choices": [chunk({}, "stop")]}
    yield "", {**head, "choices": [], "usage": USAGE}
    yield "", b"[DONE]"


def response(model, status="completed"):
    """An object of the Responses API."""
    is_done = status == "completed"
    content = [{"type": "output_text", "text": TEXT, "annotations": [], "logprobs": []}]
    message = {"id": "msg_1", "type": "message", "role": "assistant", "status": "completed"}
    return {
        "id": "resp_1",
        "object": "response",
        "created_at": 1700000000,
        "status": status,
        "model": model,
        "output": [{**message, "content": content}] if is_done else [],
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        "tools": [],
        "usage": RESPONSE_USAGE if is_done else None,
    }


def response_events(model):
    """What a streamed response consists of."""
    yield _numbered(0, "response.created", response=response(model, "in_progress"))
    place = {"item_id": "msg_1", "output_index": 0, "content_index": 0, "logprobs": []}
    for i, word in enumerate(WORDS, 1):
        yield _numbered(i, "response.output_text.delta", delta=word, **place)
    yield _numbered(len(WORDS) + 1, "response.completed", response=response(model))


def _numbered(number, kind, **content):
    return {"type": kind, "sequence_number": number, **content}


def _embeddings(asked):
    vector = {"object": "embedding", "index": 0, "embedding": [0.0, 0.5, 1.0]}
    usage = {"prompt_tokens": 2, "total_tokens": 2}
    answer = {"object": "list", "data": [vector], "model": asked.json["model"], "usage": usage}
    return of_json(answer, *FIELDS)


def _speech(asked):
    del asked
    pieces = [SPEECH[at : at + 5000] for at in range(0, len(SPEECH), 5000)]
    return Answer(200, (("Content-Type", "audio/mpeg"), *FIELDS), pieces)


def _transcription(asked):
    del asked
    return of_json({"text": TEXT, "usage": {"type": "duration", "seconds": 1}}, *FIELDS)


def _models(asked):
    del asked
    model = {"id": "gpt-5", "object": "model", "created": 1700000000, "owned_by": "openai"}
    return of_json({"object": "list", "data": [model]}, *FIELDS)


def _talk_of_responses(conversation):
    while event := conversation.hear():
        conversation.say(*response_events(event.get("model", "gpt-5")))


def _talk_in_realtime(conversation, query):
    model = query.get("model") or query.get("deployment") or ""
    session = {"type": "realtime", "object": "realtime.session", "id": "sess_1", "model": model}
    conversation.say({"type": "session.created", "event_id": "event_1", "session": session})
    while event := conversation.hear():
        if event["type"] == "response.create":
            conversation.say(*_realtime_events())


def _realtime_events():
    place = {"response_id": "resp_1", "item_id": "item_1", "output_index": 0, "content_index": 0}
    for i, word in enumerate(WORDS, 2):
        kind = "response.output_text.delta"
        yield {"type": kind, "event_id": f"event_{i}", "delta": word, **place}
    done = {
        "id": "resp_1",
        "object": "realtime.response",
        "status": "completed",
        "output": [],
        "usage": REALTIME_USAGE,
    }
    yield {"type": "response.done", "event_id": "event_99", "response": done}
