"""OpenAI's Responses API, as far as Codex can see: over HTTP, and over a WebSocket.

The model wants a command run; told what came of it, it repeats the last line. So
an answer that quotes the command's output went all the way round.
"""

import itertools
import json
import secrets

from tests.providers.agents import websocket
from tests.providers.agents.upstream import Connection
from tests.providers.agents.wire import Request, answer, event_stream

KEY = f"sk-proj-{secrets.token_urlsafe(24)}"
COMMAND = "printf '%s' harmless; printf '%s' -output"
OUTPUT = "harmless-output"
QUOTED = f"The command said {OUTPUT}."
LIMITS = {
    "x-request-id": "req_011played",
    "openai-organization": "org-played",
    "openai-processing-ms": "7",
    "x-ratelimit-limit-requests": "4000",
    "x-ratelimit-remaining-requests": "3999",
}


def complaint(status: int, kind: str, message: str, **fields: str) -> bytes:
    """An error in OpenAI's words."""
    error = {"message": message, "type": kind, "param": None, "code": kind}
    return answer(status, {"error": error}, **LIMITS | fields)


class ResponsesPlay:
    """Plays the API.

    Attributes:
        refusal: Given to every question instead of an answer, if set.
        told: What came over WebSockets, a message each.
        upgrade: Given to whoever wants a WebSocket instead of one, if set.
    """

    def __init__(self) -> None:
        self.refusal = self.upgrade = b""
        self.told: list[dict[str, object]] = []

    def __call__(self, request: Request, connection: Connection) -> None:
        if request.field("authorization") != f"Bearer {KEY}":
            connection.send(complaint(401, "invalid_api_key", "Incorrect API key provided"))
        elif request.path != "/v1/responses":
            connection.send(complaint(404, "not_found", request.path))
        elif request.field("upgrade"):
            self._converse(request, connection)
        elif self.refusal:
            connection.send(self.refusal)
        else:
            events = _events(_item(request.content["input"]), "resp_played")
            connection.send(*event_stream(events, **LIMITS))

    def _converse(self, request: Request, connection: Connection) -> None:
        if self.upgrade:
            connection.send(self.upgrade)
            return
        connection.send(websocket.accepted(request, **LIMITS))
        numbers = itertools.count()
        for message in websocket.messages(connection.stream):
            self.told.append(message)
            generates = message.get("generate", True)
            item = _item(message["input"]) if generates else None
            connection.send(*map(websocket.told, _events(item, f"resp_{next(numbers)}")))
        connection.send(websocket.farewell())


def _item(context) -> dict[str, object]:
    outputs = [item["output"] for item in context if item["type"] == "function_call_output"]
    if outputs:
        text = f"The command said {str(outputs[-1]).split()[-1]}."
        content = [{"type": "output_text", "text": text, "annotations": []}]
        return {"type": "message", "id": "msg_played", "role": "assistant", "content": content}
    arguments = json.dumps({"cmd": COMMAND})
    call = {"call_id": "call_played", "name": "exec_command", "arguments": arguments}
    return {"type": "function_call", "id": "fc_played", **call}


def _events(item, response_id: str) -> list[dict[str, object]]:
    usage = {"input_tokens": 7, "output_tokens": 5, "total_tokens": 12}
    whole = {"id": response_id, "status": "completed", "output": [item], "usage": usage}
    said = {"type": "response.output_item.done", "output_index": 0, "item": item}
    return [
        {"type": "response.created", "response": {"id": response_id, "status": "in_progress"}},
        *([said] if item else []),
        {"type": "response.completed", "response": whole | {"output": [item] if item else []}},
    ]
