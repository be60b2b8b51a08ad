"""ElevenLabs' API, as its SDK knows it."""

import base64
import hashlib
import re

from tests.providers.conversation import Conversation
from tests.providers.upstream import Answer, Play, of_json

FIELDS = (("request-id", "AkX0Ivz4EyR9BkwVVbVb"), ("character-cost", "11"), ("x-region", "us"))
SPEAK = re.compile(r"/v1/text-to-speech/(?P<voice>[^/]+)(?P<more>/stream)?")
STREAM_INPUT = re.compile(r"/v1/text-to-speech/(?P<voice>[^/]+)/stream-input")
# MPEG-1 layer III, 128 kbit/s, 44.1 kHz, mono: 417 bytes a frame, head included.
FRAME_HEAD = bytes.fromhex("fffb90c4")
FRAME_BYTES = 417
FRAMES = 900
PIECE_BYTES = 8000


def _frame(number):
    noise = hashlib.shake_256(number.to_bytes(4)).digest(FRAME_BYTES - len(FRAME_HEAD))
    return FRAME_HEAD + noise


MP3 = b"".join(_frame(number) for number in range(FRAMES))
SPOKEN = tuple(_frame(number) * 3 for number in range(4))


def error(status, kind, message, *fields):
    """An error in ElevenLabs' shape."""
    detail = {"status": kind, "message": message}
    return of_json({"detail": detail}, *FIELDS, *fields, status=status)


QUOTA_EXCEEDED = error(401, "quota_exceeded", "This request exceeds your quota of 10000.")
BUSY = error(
    429, "too_many_concurrent_requests", "Too many concurrent requests.", ("retry-after", "1")
)


class ElevenLabsPlay(Play):
    """With a field ``xi-api-key``."""

    name = "elevenlabs"
    credential_field = "xi-api-key"

    def refusal(self):
        return error(401, "invalid_api_key", "Invalid API key")

    def answer(self, asked):
        if SPEAK.fullmatch(asked.path) and asked.json["text"]:
            pieces = [MP3[at : at + PIECE_BYTES] for at in range(0, len(MP3), PIECE_BYTES)]
            return Answer(200, (("Content-Type", "audio/mpeg"), *FIELDS), pieces)
        if asked.path == "/v1/voices":
            voice = {"voice_id": "a-voice", "name": "Aria", "category": "premade", "labels": {}}
            return of_json({"voices": [voice]}, *FIELDS)
        return error(404, "not_found", "Not Found")

    def talk(self, asked, wire):
        if STREAM_INPUT.fullmatch(asked.path):
            _speak(Conversation(asked, wire))


def _speak(conversation):
    while conversation.hear()["text"]:
        pass
    for part in SPOKEN:
        conversation.say({"audio": base64.b64encode(part).decode(), "isFinal": None})
    conversation.say({"audio": None, "isFinal": True})
    conversation.end()
