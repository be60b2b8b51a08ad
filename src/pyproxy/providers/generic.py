"""Any HTTP upstream: nothing is assumed, nothing is injected, all passes."""

from typing import Final

from pyproxy.providers.preset import Preset, always

GENERIC: Final = Preset(name="generic", origin="", dialect=always("plain"))
