"""OpenAI's models at Azure, on a host of each customer's own."""

from typing import Final

from pyproxy.models.place import ModelPlace, path_model
from pyproxy.providers.openai import CREDENTIAL_PATHS
from pyproxy.providers.preset import Preset, ProviderCredential, always

_COLLECTIONS: Final = frozenset({b"deployments"})


def azure_model(path: bytes) -> str | None:
    """The deployment in a path of Azure's; see ``path_model``.

    ``/openai/deployments/{deployment}/chat/completions``; in ``/openai/v1/chat/completions``
    there is none, for the body names the model.
    """
    return path_model(path, _COLLECTIONS)


AZURE_OPENAI: Final = Preset(
    name="azure-openai",
    origin="",
    dialect=always("openai"),
    credential=ProviderCredential("api-key", ("AZURE_OPENAI_API_KEY",)),
    is_public_api=True,
    model=ModelPlace(in_path=azure_model, parameters=("model", "deployment")),
    credential_paths=CREDENTIAL_PATHS,
)
