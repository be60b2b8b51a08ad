"""ElevenLabs' SDK: speech as bytes and over a WebSocket."""

import hashlib
from contextlib import contextmanager

import httpx
import pytest
from elevenlabs.client import AsyncElevenLabs, ElevenLabs
from elevenlabs.core.api_error import ApiError

from tests.providers.elevenlabs_play import BUSY, MP3, PIECE_BYTES, SPOKEN
from tests.providers.ways import credentials, unlike

VOICE = "a-voice"
ONCE = {"max_retries": 0}


# The SDK asks websockets for the code of a close in a way that websockets gave up.
OLD_WAY = pytest.mark.filterwarnings("ignore:ConnectionClosed.code is deprecated")


@contextmanager
def made(way):
    """A client with a key."""
    with httpx.Client(verify=way.tls, timeout=20) as http:
        yield ElevenLabs(
            base_url=way.url("elevenlabs"), api_key=way.key("elevenlabs"), httpx_client=http
        )


@pytest.fixture
def client(way):
    with made(way) as client:
        yield client


def spoken(client, method="convert", **named):
    """All bytes of a speech."""
    text = {"text": "Hello World", "output_format": "mp3_44100_128", **named}
    return b"".join(getattr(client.text_to_speech, method)(VOICE, **text, request_options=ONCE))


@pytest.mark.parametrize("method", ["convert", "stream"])
def test_speech_is_the_same_to_the_byte(client, method):
    speech = spoken(client, method)

    assert hashlib.sha256(speech).digest() == hashlib.sha256(MP3).digest()
    assert len(speech) > 300_000


async def test_speech_on_a_loop_is_the_same_to_the_byte(way):
    async with httpx.AsyncClient(verify=way.tls, timeout=20) as http:
        client = AsyncElevenLabs(
            base_url=way.url("elevenlabs"), api_key=way.key("elevenlabs"), httpx_client=http
        )
        pieces = [piece async for piece in client.text_to_speech.stream(VOICE, text="Hello World")]

    assert hashlib.sha256(b"".join(pieces)).digest() == hashlib.sha256(MP3).digest()


def test_speech_comes_piece_by_piece(client, plays):
    with plays["elevenlabs"].slow() as pace:
        pieces = client.text_to_speech.stream(VOICE, text="Hello World")
        pace.allow()
        first = next(pieces)
        for _ in range(len(MP3) // PIECE_BYTES):
            pace.allow()
        speech = first + b"".join(pieces)

    assert speech == MP3


def test_voices_and_what_a_speech_costs(client):
    voices = client.voices.get_all()
    with client.text_to_speech.with_raw_response.convert(VOICE, text="Hello World") as answer:
        cost = answer.headers["character-cost"], answer.headers["request-id"]
        assert b"".join(answer.data) == MP3

    assert [voice.name for voice in voices.voices] == ["Aria"]
    assert cost == ("11", "AkX0Ivz4EyR9BkwVVbVb")


def test_providers_error_is_the_sdks_own(client, plays):
    plays["elevenlabs"].says(BUSY)
    with pytest.raises(ApiError) as caught:
        spoken(client)

    assert caught.value.status_code == 429
    assert caught.value.body["detail"]["status"] == "too_many_concurrent_requests"
    assert caught.value.headers["retry-after"] == "1"


def speak(way, monkeypatch, *texts):
    """Speech over a WebSocket, to which no TLS can be given: it trusts what OpenSSL does."""
    monkeypatch.setenv("SSL_CERT_FILE", way.authorities)
    with made(way) as client:
        named = {"text": iter(texts), "model_id": "m"}
        return b"".join(client.text_to_speech.convert_realtime(VOICE, **named))


@OLD_WAY
def test_speech_over_a_websocket(way, plays, monkeypatch):
    speech = speak(way, monkeypatch, "Hello", "World.")

    assert speech == b"".join(SPOKEN)
    asked = plays["elevenlabs"].asked[-1]
    assert asked.target == (
        f"/v1/text-to-speech/{VOICE}/stream-input?model_id=m&output_format=mp3_44100_128"
    )
    assert [message["text"] for message in asked.said] == [" ", "HelloWorld. ", ""]


@pytest.mark.parametrize(
    "ask",
    [
        pytest.param(spoken, id="speech"),
        pytest.param(lambda c: c.voices.get_all(show_legacy=True), id="query"),
    ],
)
def test_request_arrives_as_it_was_sent(straight, through, plays, ask):
    arrived = []
    for way in (straight, through):
        with made(way) as client:
            ask(client)
        arrived.append(plays["elevenlabs"].asked[-1])

    assert not unlike(*arrived)
    assert credentials(arrived[1]) == [plays["elevenlabs"].credential]


@OLD_WAY
def test_handshake_and_messages_arrive_as_they_were_sent(straight, through, plays, monkeypatch):
    arrived = []
    for way in (straight, through):
        speak(way, monkeypatch, "Hello")
        arrived.append(plays["elevenlabs"].asked[-1])
        assert arrived[-1].is_over.wait(20)

    assert not unlike(*arrived)
    assert credentials(arrived[1]) == [plays["elevenlabs"].credential]
