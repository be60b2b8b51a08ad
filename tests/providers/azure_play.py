"""Azure OpenAI: OpenAI's answers, at paths of its own."""

import re

from tests.providers.openai_play import OpenAIPlay, error

DATED = re.compile(r"/openai(?!/v1/)(?:/deployments/[^/]+)?(?P<path>/.+)")


class AzurePlay(OpenAIPlay):
    """With a field ``api-key``, at ``/openai/v1``, or at ``/openai`` with a date in the query.

    There, what a deployment can do is below ``/openai/deployments/NAME``.
    """

    name = "azure-openai"
    credential_field, scheme = "api-key", ""
    base = "/openai/v1"

    def refusal(self):
        return error(401, "Access denied due to invalid subscription key.", None, "401")

    def answer(self, asked):
        dated = DATED.fullmatch(asked.path)
        if dated is None:
            return super().answer(asked)
        if "api-version" not in dict(asked.query):
            return error(404, "Resource not found", None, "404")
        return super().answer(_at(asked, f"{self.base}{dated['path']}"))


def _at(asked, path):
    """The same request of another path."""
    line, _, fields = asked.head.partition(b"\r\n")
    method, _, version = line.split(b" ")
    head = b"%b %b %b\r\n%b" % (method, path.encode(), version, fields)
    return type(asked)(head, asked.body)
