"""Keys of providers in an environment: behind the gateway nobody needs them any more."""

import re
from collections.abc import Iterator, Mapping
from typing import Final

from pyproxy.config.settings import Settings
from pyproxy.errors.fault import Fault

# How the keys begin that providers give out.
PROVIDER_KEYS: Final[Mapping[str, str | tuple[str, ...]]] = {
    "OPENAI_API_KEY": "sk-",
    "OPENAI_ADMIN_KEY": "sk-admin-",
    "ANTHROPIC_API_KEY": "sk-ant-",
    "ANTHROPIC_AUTH_TOKEN": "sk-ant-",
    "GEMINI_API_KEY": "AIza",
    "GOOGLE_API_KEY": "AIza",
    "ELEVENLABS_API_KEY": "sk_",
    "GITHUB_TOKEN": ("ghp_", "gho_", "ghu_", "ghs_", "github_pat_"),
    "COPILOT_GITHUB_TOKEN": ("gho_", "ghu_", "ghp_", "github_pat_"),
}
# The shortest of them, Google's and GitHub's, have 39 and 40 characters.
_SHORTEST: Final = 30
# SDKs insist on a key, so people write one: words and runs that chance does not make.
_PLACEHOLDER: Final = re.compile(
    r"your|here|example|placeholder|dummy|fake|change|replace|unused|not-?needed|xxx|000000|123456",
    re.IGNORECASE,
)


def provider_keys(environ: Mapping[str, str], settings: Settings | None = None) -> Iterator[Fault]:
    """A remark on each variable that holds what looks like a provider's key; never its value.

    Args:
        environ: The environment.
        settings: Of a gateway that runs in it; what it sends upstream is its own to hold.
    """
    held = tuple(_sent_upstream(settings)) if settings is not None else ()
    for name, start in PROVIDER_KEYS.items():
        value = environ.get(name, "")
        if _looks_real(value, start) and not any(value in text for text in held):
            yield Fault(name, "looks like a provider's own key; a client needs the gateway's alone")


def _looks_real(value: str, start: str | tuple[str, ...]) -> bool:
    return (
        len(value) >= _SHORTEST
        and value.startswith(start)
        and any(map(str.isdigit, value))
        and _PLACEHOLDER.search(value) is None
    )


def _sent_upstream(settings: Settings) -> Iterator[str]:
    for route in settings.routes:
        if route.credential.value is not None:
            yield route.credential.value.reveal()
        yield from route.request_headers.values()
