"""Every preset, by its name."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from pyproxy.providers.copilot_api import COPILOT_API
from pyproxy.providers.generic import GENERIC
from pyproxy.providers.preset import Preset

CATALOGUE: Final[Mapping[str, Preset]] = MappingProxyType(
    {preset.name: preset for preset in (GENERIC, COPILOT_API)},
)
