"""GitHub Copilot's API, asked directly: by a GitHub token or a key of one's own."""

import re
from typing import Final

from pyproxy.providers.preset import (
    Preset,
    ProviderCredential,
    openai_or_anthropic,
    with_all_below,
)

_API_KEY: Final = "COPILOT_API_KEY"
_ENTERPRISE: Final = "api.enterprise.githubcopilot.com"
_SERVER: Final = re.compile(r"(?:https?://)?(?P<host>[^/:?#\s]+)", re.IGNORECASE)
_TENANT: Final = ".ghe.com"
# There a GitHub token is shown as GitHub's own API wants it; everywhere else as RFC 6750 does.
_WANTS_TOKEN: Final = re.compile(
    r"api\.(?:business|enterprise)\.githubcopilot\.com|copilot-api\.[^.]+\.ghe\.com"
)


def origin_of(server: str) -> str:
    """The API that belongs to a GitHub server.

    Args:
        server: ``GITHUB_SERVER_URL``: github.com, a tenant of GitHub Enterprise Cloud
            (``https://NAME.ghe.com``), or an Enterprise Server of one's own.

    Returns:
        ``""`` for github.com, and for what is no URL.
    """
    found = _SERVER.match(server.strip())
    host = found["host"].lower() if found else ""
    if host in {"", "github.com", "www.github.com"}:
        return ""
    if host.endswith(_TENANT):
        return f"https://copilot-api.{host.removesuffix(_TENANT)}{_TENANT}"
    return f"https://{_ENTERPRISE}"


def scheme_of(variable: str, host: str) -> str:
    """``token`` for GitHub tokens at hosts that want it, ``Bearer`` for all the rest."""
    is_token = variable != _API_KEY and _WANTS_TOKEN.fullmatch(host) is not None
    return "token" if is_token else "Bearer"


COPILOT: Final = Preset(
    name="copilot",
    origin="https://api.githubcopilot.com",
    dialect=openai_or_anthropic,
    credential=ProviderCredential("Authorization", ("COPILOT_GITHUB_TOKEN", _API_KEY), scheme_of),
    target_variable="COPILOT_API_TARGET",
    derived_from=("GITHUB_SERVER_URL", origin_of),
    is_public_api=True,
    # There GitHub itself is worked with, as whoever the token is of; and tokens are handed out.
    credential_paths=with_all_below("*/mcp", "*/copilot_internal"),
    # Whom a GitHub token is used by; the API refuses who does not say.
    request_defaults=((b"Copilot-Integration-Id", b"copilot-developer-cli"),),
)
