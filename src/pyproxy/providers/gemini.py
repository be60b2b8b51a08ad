"""Google's Gemini API, and the OpenAI-compatible one below it."""

from typing import Final

from pyproxy.models.name import bare_model
from pyproxy.models.place import ModelPlace, path_model, sockets_at
from pyproxy.providers.preset import (
    Dialect,
    Preset,
    ProviderCredential,
    with_all_below,
)

_OPENAI: Final = b"/openai/"
_COLLECTIONS: Final = frozenset({b"models", b"tunedmodels"})
# Other things that generate, by a model of their own.
_ACTING: Final = frozenset({b"dynamic", b"endpoints"})


def dialect_of(path: bytes) -> Dialect:
    """OpenAI's on ``/v1beta/openai/``, Google's everywhere else."""
    version_and_rest = path[1:].partition(b"/")
    return "openai" if (b"/" + version_and_rest[2]).startswith(_OPENAI) else "gemini"


def gemini_model(path: bytes) -> str | None:
    """The model in a path of Gemini's or Vertex'; see ``path_model``.

    ``/v1beta/models/{model}:generateContent``, ``/v1beta/tunedModels/{model}:...``,
    ``/v1/projects/p/locations/l/publishers/google/models/{model}:...``.
    """
    return path_model(path, _COLLECTIONS, _ACTING)


GEMINI: Final = Preset(
    name="gemini",
    origin="https://generativelanguage.googleapis.com",
    dialect=dialect_of,
    credential=ProviderCredential("x-goog-api-key", ("GEMINI_API_KEY",)),
    target_variable="GEMINI_API_TARGET",
    is_public_api=True,
    # Who talks live names the model in the first message.
    model=ModelPlace(in_path=gemini_model, sockets=sockets_at(), bare=bare_model),
    credential_paths=with_all_below(
        "*/auth_tokens",  # tokens with which a client talks to Google directly
        "*/credentials",
        "*/webhooks",  # answers hold the signing secret
        "*/auth_tokens:*",
        "*/credentials:*",
        "*/webhooks:*",
        # Google's other ways to call the same methods, by their names or many in one body.
        "*/$rpc",
        "*/batch",
    ),
)
