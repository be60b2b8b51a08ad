"""Which of a preset's paths are closed where the gateway injects its key."""

from pyproxy.routing.pattern import DeniedPaths


def is_closed(preset, path):
    """Whether an injecting route lets nobody reach a path."""
    return DeniedPaths.of(preset.credential_paths).denies(path)
