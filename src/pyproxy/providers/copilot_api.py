"""copilot-api: the local bridge that speaks OpenAI and Anthropic to GitHub Copilot."""

from typing import Final

from pyproxy.providers.preset import Dialect, Preset

_ANTHROPIC_PATH: Final = b"/v1/messages"


def dialect_of(path: bytes) -> Dialect:
    """Anthropic's on ``/v1/messages`` and below, OpenAI's everywhere else."""
    if path.startswith(_ANTHROPIC_PATH) and path[len(_ANTHROPIC_PATH) :][:1] in {b"", b"/"}:
        return "anthropic"
    return "openai"


COPILOT_API: Final = Preset(
    name="copilot-api",
    origin="http://127.0.0.1:4141",
    dialect=dialect_of,
    # GET /token answers with the live Copilot token and GET /usage with the
    # account behind it, to anybody who can reach them.
    denied_paths=("/token", "/token/*", "/usage", "/usage/*"),
)
