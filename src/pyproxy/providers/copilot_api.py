"""copilot-api: the local bridge that speaks OpenAI and Anthropic to GitHub Copilot."""

from typing import Final

from pyproxy.providers.preset import Preset, openai_or_anthropic

COPILOT_API: Final = Preset(
    name="copilot-api",
    origin="http://127.0.0.1:4141",
    dialect=openai_or_anthropic,
    # GET /token answers with the live Copilot token and GET /usage with the
    # account behind it, to anybody who can reach them.
    denied_paths=("/token", "/token/*", "/usage", "/usage/*"),
)
