"""Every preset, by its name."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from pyproxy.providers.anthropic import ANTHROPIC
from pyproxy.providers.azure_openai import AZURE_OPENAI
from pyproxy.providers.copilot import COPILOT
from pyproxy.providers.copilot_api import COPILOT_API
from pyproxy.providers.elevenlabs import ELEVENLABS
from pyproxy.providers.gemini import GEMINI
from pyproxy.providers.generic import GENERIC
from pyproxy.providers.openai import OPENAI
from pyproxy.providers.preset import Preset

CATALOGUE: Final[Mapping[str, Preset]] = MappingProxyType(
    {
        preset.name: preset
        for preset in (
            GENERIC,
            COPILOT_API,
            OPENAI,
            ANTHROPIC,
            GEMINI,
            COPILOT,
            AZURE_OPENAI,
            ELEVENLABS,
        )
    },
)
