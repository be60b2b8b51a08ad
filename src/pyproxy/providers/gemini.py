"""Google's Gemini API, and the OpenAI-compatible one below it."""

from typing import Final

from pyproxy.providers.model_name import bare_model
from pyproxy.providers.model_place import gemini_model
from pyproxy.providers.preset import (
    Dialect,
    ModelPlace,
    Preset,
    ProviderCredential,
    sockets_at,
    with_all_below,
)

_OPENAI: Final = b"/openai/"


def dialect_of(path: bytes) -> Dialect:
    """OpenAI's on ``/v1beta/openai/``, Google's everywhere else."""
    version_and_rest = path[1:].partition(b"/")
    return "openai" if (b"/" + version_and_rest[2]).startswith(_OPENAI) else "gemini"


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
