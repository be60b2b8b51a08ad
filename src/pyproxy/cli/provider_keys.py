"""Keys of providers in an environment: behind the gateway nobody needs them any more."""

import re
from collections.abc import Iterator, Mapping
from typing import Final

from pyproxy.config.settings import Settings
from pyproxy.errors.fault import Fault

# Wherever clients of the presets look for a key; most take one of any provider.
VARIABLES: Final = (
    "OPENAI_API_KEY",
    "OPENAI_ADMIN_KEY",
    "CODEX_API_KEY",
    "ANTHROPIC_API_KEY",
    "ANTHROPIC_AUTH_TOKEN",
    "CLAUDE_CODE_OAUTH_TOKEN",
    "GEMINI_API_KEY",
    "GOOGLE_API_KEY",
    "COPILOT_GITHUB_TOKEN",
    "COPILOT_TOKEN",
    "COPILOT_API_KEY",
    "COPILOT_PROVIDER_API_KEY",
    "COPILOT_PROVIDER_BEARER_TOKEN",
    "GH_TOKEN",
    "GITHUB_TOKEN",
    "AZURE_OPENAI_API_KEY",
    "ELEVENLABS_API_KEY",
    "XI_API_KEY",
)
# How they begin: OpenAI's and Anthropic's, ElevenLabs', Google's, GitHub's.
_START: Final = re.compile(r"sk-|sk_|AIza|AQ\.|gh[opsu]_|github_pat_")
# Nothing else is so: digits that a person would count up to may be in it.
_EXACT: Final = re.compile(r"sk_[0-9a-f]{48}")
_FEWEST_DIGITS: Final = 8  # different ones; chance makes fewer of 48 once in 10^13 times
# Azure's keys, and old ones of ElevenLabs', begin in no way of their own.
_BARE: Final[Mapping[str, re.Pattern[str]]] = {
    "AZURE_OPENAI_API_KEY": re.compile(r"[0-9a-f]{32}|[0-9A-Za-z]{84}"),
    "ELEVENLABS_API_KEY": re.compile(r"[0-9a-f]{32}"),
    "XI_API_KEY": re.compile(r"[0-9a-f]{32}"),
}
# The shortest of them, of 32 digits, are Azure's; Google's and GitHub's have 39 and 40.
_SHORTEST: Final = 30
# SDKs insist on a key, so people write one: words and runs that chance does not make.
_PLACEHOLDER: Final = re.compile(
    r"your|here|example|placeholder|dummy|fake|change|replace|unused|not-?needed|xxx|000000|123456",
    re.IGNORECASE,
)


_TOO_MUCH: Final = "looks like a provider's own key; a client needs the gateway's alone"
_UNUSED: Final = "is set, and no route of this configuration uses it"


def provider_keys(environ: Mapping[str, str], settings: Settings | None = None) -> Iterator[Fault]:
    """A remark on each variable that holds what looks like a provider's key; never its value.

    Args:
        environ: The environment.
        settings: Of a gateway that runs in it; what it sends upstream is its own to hold.
    """
    held = tuple(_sent_upstream(settings)) if settings is not None else ()
    for name in VARIABLES:
        value = environ.get(name, "").strip()
        if looks_real(name, value) and not any(value in text for text in held):
            yield Fault(name, _TOO_MUCH if settings is None else _UNUSED)


def looks_real(name: str, value: str) -> bool:
    """Whether a value is what a provider gives out, and nothing that people make up.

    Args:
        name: Of the variable that holds it.
        value: Without white space around it.
    """
    if _EXACT.fullmatch(value) and len(set(value[3:])) >= _FEWEST_DIGITS:
        return True
    bare = _BARE.get(name)
    return (
        len(value) >= _SHORTEST
        and (_START.match(value) is not None or (bare is not None and bool(bare.fullmatch(value))))
        and any(map(str.isdigit, value))
        and _PLACEHOLDER.search(value) is None
    )


def _sent_upstream(settings: Settings) -> Iterator[str]:
    for route in settings.routes:
        if route.credential.value is not None:
            yield route.credential.value.reveal()
        yield from route.request_headers.values()
