"""OpenAI's API."""

from typing import Final

from pyproxy.providers.preset import Preset, always, bearer, with_all_below

# Wherever they are: below /v1, or below what another host of the same API puts before it.
CREDENTIAL_PATHS: Final = with_all_below(
    # Secrets for a browser, with which it talks to OpenAI directly.
    "*/realtime/client_secrets",
    "*/realtime/translations/client_secrets",
    "*/realtime/sessions",
    "*/realtimeapi/sessions",
    "*/realtime/transcription_sessions",
    "*/chatkit/sessions",
    # Calls over WebRTC and SIP: sound and what it costs pass by the gateway.
    "*/realtime/calls",
    "*/live/sessions",
    # Answers hold a webhook's signing secret, and events go wherever the caller says.
    "*/webhook_endpoints",
    # Administration: keys, members, certificates.
    "*/organization",
    "*/projects",
    "*/vaults",
)

OPENAI: Final = Preset(
    name="openai",
    origin="https://api.openai.com",
    dialect=always("openai"),
    credential=bearer("OPENAI_API_KEY"),
    target_variable="OPENAI_API_TARGET",
    version="/v1",
    is_public_api=True,
    credential_paths=CREDENTIAL_PATHS,
)
