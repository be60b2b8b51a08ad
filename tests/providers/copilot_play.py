"""GitHub Copilot's API, as its editors and its command line ask it."""

from tests.providers import anthropic_play
from tests.providers.openai_play import OpenAIPlay, error
from tests.providers.upstream import of_json

QUOTA = (
    "X-Quota-Snapshot-chat",
    "ent=300&ov=0.0&ovPerm=false&rem=99.5&rst=2027-01-01T00%3A00%3A00Z",
)


class CopilotPlay(OpenAIPlay):
    """At the root, without ``/v1``, with GitHub's token as bearer."""

    name = "copilot"
    base = ""

    def refusal(self):
        return error(401, "unauthorized: token is invalid", "authentication_error", "unauthorized")

    def answer(self, asked):
        if asked.path == "/v1/messages":
            return anthropic_play.message(asked)
        if asked.path == "/models":
            model = {"id": "gpt-5", "object": "model", "name": "GPT-5", "vendor": "OpenAI"}
            return of_json({"object": "list", "data": [model]}, QUOTA)
        answer = super().answer(asked)
        answer.fields = (*answer.fields, QUOTA)
        return answer
