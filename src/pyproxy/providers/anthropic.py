"""Anthropic's API."""

from typing import Final

from pyproxy.providers.preset import (
    Preset,
    ProviderCredential,
    always,
    with_all_below,
)

ANTHROPIC: Final = Preset(
    name="anthropic",
    origin="https://api.anthropic.com",
    dialect=always("anthropic"),
    credential=ProviderCredential("x-api-key", ("ANTHROPIC_API_KEY",)),
    target_variable="ANTHROPIC_API_TARGET",
    is_public_api=True,
    credential_paths=with_all_below(
        # Tokens of another kind for the same account.
        "*/oauth",
        "*/tunnels",
        "*/environments/*/work",
        # Administration: keys, members, signed addresses.
        "*/organizations",
        "*/compliance",
        "*/user_profiles/*/enrollment_url",
        "*/user_profiles/*/action_urls",
        "*/vaults",
    ),
    request_defaults=((b"anthropic-version", b"2023-06-01"),),  # the API refuses who sends none
)
