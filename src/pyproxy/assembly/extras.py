"""How what is installed only where it is wanted gets installed: one sentence for every extra."""

from typing import Literal

Extra = Literal["journald", "otel", "redis"]


def remedy(extra: Extra) -> str:
    """Name the extra and the command that installs it, from the gateway's own folder.

    Never by the gateway's name: on the public index that belongs to somebody else's package.
    """
    return f"the extra \"{extra}\": .venv/bin/pip install -e '.[{extra}]' in the folder of pyproxy"
