"""ElevenLabs: speech, as bytes that nobody may touch."""

from typing import Final

from pyproxy.models.place import ModelPlace, sockets_at
from pyproxy.providers.preset import (
    Preset,
    ProviderCredential,
    always,
    with_all_below,
)

ELEVENLABS: Final = Preset(
    name="elevenlabs",
    origin="https://api.elevenlabs.io",
    dialect=always("plain"),
    credential=ProviderCredential("xi-api-key", ("ELEVENLABS_API_KEY",), is_optional=True),
    is_public_api=True,
    model=ModelPlace(
        key="model_id",
        parameters=("model_id",),
        sockets=sockets_at(
            rb"/text-to-speech/[A-Za-z0-9]+/(?:multi-)?stream-input", b"/speech-to-text/realtime"
        ),
    ),
    credential_paths=(
        "*/user",  # of any version: its answer may hold the key itself
        *with_all_below(
            # Tokens and signed addresses, with which a client talks to ElevenLabs directly.
            "*/single-use-token",
            "*/convai/conversation/get-signed-url",
            "*/convai/conversation/get_signed_url",
            "*/convai/conversation/token",
            "*/convai/realtime/client_secrets",
            "*/convai/agents/*/link",
            # Administration: keys, members, secrets.
            "*/service-accounts",
            "*/workspace",
            "*/workspaces",
            "*/convai/secrets",
        ),
    ),
)
