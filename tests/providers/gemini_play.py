"""Google's Gemini Developer API, as its SDK knows it."""

import re

from tests.providers import openai_play
from tests.providers.conversation import Conversation
from tests.providers.upstream import Play, of_events, of_json

WORDS = ("Grüße", " from", " Gemini", ".")
TEXT = "".join(WORDS)
USAGE = {"promptTokenCount": 9, "candidatesTokenCount": 4, "totalTokenCount": 13}
LIVE_USAGE = {"promptTokenCount": 9, "responseTokenCount": 4, "totalTokenCount": 13}
FIELDS = (("server-timing", "gfet4t7; dur=12"), ("x-gemini-service-tier", "standard"))
MODEL = re.compile(r"/(?P<version>v1\w*)/models/(?P<model>[^/:]+):(?P<method>\w+)")
LIVE = re.compile(
    r"/ws/google\.ai\.generativelanguage\.v1\w*\.GenerativeService\.BidiGenerateContent"
)


def error(status, kind, message, *fields):
    """An error in Google's shape."""
    body = {"error": {"code": status, "message": message, "status": kind}}
    return of_json(body, *FIELDS, *fields, status=status)


RATE_LIMITED = error(
    429, "RESOURCE_EXHAUSTED", "You exceeded your current quota.", ("retry-after", "7")
)


class GeminiPlay(Play):
    """With a field ``x-goog-api-key`` (the real one takes ``?key=`` too: this one must not)."""

    name = "gemini"
    credential_field = "x-goog-api-key"

    def is_let_in(self, asked):
        is_strange = {"key", "api_key", "apikey"} & {name.lower() for name, _ in asked.query}
        return super().is_let_in(asked) and not is_strange

    def refusal(self):
        return error(400, "INVALID_ARGUMENT", "API key not valid. Please pass a valid API key.")

    def answer(self, asked):
        if re.fullmatch(r"/v1\w*/models", asked.path):
            model = {"name": "models/gemini-3", "displayName": "Gemini 3"}
            return of_json({"models": [model]}, *FIELDS)
        if asked.path == "/v1beta/openai/chat/completions":
            return openai_play.chat(asked)
        found = MODEL.fullmatch(asked.path)
        known = {
            "generateContent": _whole,
            "streamGenerateContent": _streamed,
            "batchEmbedContents": _embedded,
            "embedContent": _embedded,
            "countTokens": _counted,
        }
        if not found or found["method"] not in known:
            return error(404, "NOT_FOUND", "Requested entity was not found.")
        return known[found["method"]](asked, found["model"])

    def talk(self, asked, wire):
        if LIVE.fullmatch(asked.path):
            _live(Conversation(asked, wire))


def _candidate(text, finish=None):
    candidate = {"content": {"role": "model", "parts": [{"text": text}]}, "index": 0}
    return {**candidate, "finishReason": finish} if finish else candidate


def _whole(asked, model):
    del asked
    answer = {
        "candidates": [_candidate(TEXT, "STOP")],
        "usageMetadata": USAGE,
        "modelVersion": model,
        "responseId": "an-id",
    }
    return of_json(answer, *FIELDS)


def _streamed(asked, model):
    if dict(asked.query).get("alt") != "sse":
        return error(400, "INVALID_ARGUMENT", "Only alt=sse is played here.")
    ends = [None] * (len(WORDS) - 1) + ["STOP"]
    events = [
        {
            "candidates": [_candidate(word, end)],
            "usageMetadata": USAGE,
            "modelVersion": model,
        }
        for word, end in zip(WORDS, ends, strict=True)
    ]
    return of_events([("", event) for event in events], *FIELDS)


def _embedded(asked, model):
    del model
    vector = {"values": [0.0, 0.5, 1.0]}
    if "requests" in asked.json:
        return of_json({"embeddings": [vector for _ in asked.json["requests"]]}, *FIELDS)
    return of_json({"embedding": vector}, *FIELDS)


def _counted(asked, model):
    del asked, model
    return of_json({"totalTokens": 9}, *FIELDS)


def _live(conversation):
    # Google's frames are binary, though they are JSON.
    conversation.hear()
    conversation.say({"setupComplete": {}}, is_binary=True)
    while conversation.hear():
        for word in WORDS:
            turn = {"modelTurn": {"role": "model", "parts": [{"text": word}]}}
            conversation.say({"serverContent": turn}, is_binary=True)
        end = {"serverContent": {"turnComplete": True}, "usageMetadata": LIVE_USAGE}
        conversation.say(end, is_binary=True)
