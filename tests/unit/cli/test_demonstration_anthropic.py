import json

from anthropic.types import Message

from pyproxy.cli.demonstration_anthropic import error, message, message_events, token_count
from pyproxy.cli.demonstration_question import GREETING, Question

QUESTION = Question(model="m", messages=[{"role": "user", "content": "Hello"}])


def test_message_is_anthropics():
    answer = Message.model_validate(message(QUESTION))

    assert answer.content[0].text == GREETING
    assert answer.stop_reason == "end_turn"


def test_events_come_in_anthropics_order():
    events = [event.decode().split("\n") for event in message_events(QUESTION)]

    kinds = [lines[0].removeprefix("event: ") for lines in events]
    datas = [json.loads(lines[1].removeprefix("data: ")) for lines in events]
    text = "".join(data["delta"]["text"] for data in datas if data["type"].endswith("block_delta"))
    assert list(dict.fromkeys(kinds)) == [
        "message_start",
        "content_block_start",
        "ping",
        "content_block_delta",
        "content_block_stop",
        "message_delta",
        "message_stop",
    ]
    assert kinds == [data["type"] for data in datas]
    assert text == GREETING


def test_tokens_are_counted():
    assert token_count(QUESTION)["input_tokens"] > 0


def test_error_is_anthropics():
    assert error("No.")["error"]["message"] == "No."
