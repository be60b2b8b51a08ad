"""OpenAI's models at Azure, on a host of each customer's own."""

from typing import Final

from pyproxy.providers.model_place import azure_model
from pyproxy.providers.openai import CREDENTIAL_PATHS
from pyproxy.providers.preset import ModelPlace, Preset, ProviderCredential, always

AZURE_OPENAI: Final = Preset(
    name="azure-openai",
    origin="",
    dialect=always("openai"),
    credential=ProviderCredential("api-key", ("AZURE_OPENAI_API_KEY",)),
    is_public_api=True,
    model=ModelPlace(in_path=azure_model, parameters=("model", "deployment")),
    credential_paths=CREDENTIAL_PATHS,
)
