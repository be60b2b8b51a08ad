"""What clients of an API read from their environment: SDKs and command lines."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final


@dataclass(frozen=True, slots=True)
class Clients:
    """Those of one API.

    Attributes:
        base_urls: Variables that say where the API is, each with what it wants behind
            the URL below which every path of the API is.
        keys: Variables of a key that the gateway knows, or replaces.
        own_keys: Of a key that the provider knows, where that is another variable.
        rivals: What would be sent beside those, or in their place.
        fields: Variable of further header fields, one ``Name: value`` a line.
        fields_remark: Who of them does not read it, as a sentence.
        constants: Variables with the one value that makes clients use the others.
        remarks: What no variable can do, as sentences.
        finds_itself: Whether the clients read ``base_urls`` by themselves.
        is_for_codex: Whether the API is one that Codex speaks.
    """

    base_urls: tuple[tuple[str, str], ...]
    keys: tuple[str, ...]
    own_keys: tuple[str, ...] = ()
    rivals: tuple[str, ...] = ()
    fields: str = ""
    fields_remark: str = ""
    constants: tuple[tuple[str, str], ...] = ()
    remarks: tuple[str, ...] = ()
    finds_itself: bool = True
    is_for_codex: bool = False


_OPENAI: Final = Clients(
    base_urls=(("OPENAI_BASE_URL", "/v1"),),
    keys=("OPENAI_API_KEY",),
    fields="OPENAI_CUSTOM_HEADERS",
    is_for_codex=True,
)
_ANTHROPIC: Final = Clients(
    base_urls=(("ANTHROPIC_BASE_URL", ""),),
    # Claude Code asks a person about the other one before it uses it.
    keys=("ANTHROPIC_AUTH_TOKEN",),
    own_keys=("ANTHROPIC_API_KEY",),
    rivals=("ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN"),
    fields="ANTHROPIC_CUSTOM_HEADERS",
)
_GEMINI: Final = Clients(
    base_urls=(("GOOGLE_GEMINI_BASE_URL", ""), ("GEMINI_API_BASE_URL", "")),
    keys=("GEMINI_API_KEY",),
    rivals=("GOOGLE_API_KEY",),
    fields="GEMINI_CLI_CUSTOM_HEADERS",
    fields_remark="Gemini CLI alone reads GEMINI_CLI_CUSTOM_HEADERS; SDKs take http_options",
)
_COPILOT: Final = Clients(
    base_urls=(("COPILOT_API_URL", ""), ("COPILOT_PROVIDER_BASE_URL", "")),
    keys=("COPILOT_GITHUB_TOKEN", "COPILOT_TOKEN", "COPILOT_API_KEY", "COPILOT_PROVIDER_API_KEY"),
    rivals=("COPILOT_PROVIDER_BEARER_TOKEN",),
    constants=(("COPILOT_OFFLINE", "true"),),
    remarks=("Copilot CLI wants COPILOT_MODEL, or --model, with COPILOT_PROVIDER_BASE_URL",),
)
_AZURE: Final = Clients(
    base_urls=(("AZURE_OPENAI_ENDPOINT", ""),),
    keys=("AZURE_OPENAI_API_KEY",),
    rivals=("AZURE_OPENAI_AD_TOKEN",),
    fields="OPENAI_CUSTOM_HEADERS",
    remarks=("the SDK wants OPENAI_API_VERSION too, or api_version=...",),
)
_ELEVENLABS: Final = Clients(
    base_urls=(("ELEVENLABS_BASE_URL", ""),),
    keys=("ELEVENLABS_API_KEY",),
    remarks=('the SDK reads no URL: ElevenLabs(base_url=os.environ["ELEVENLABS_BASE_URL"])',),
    finds_itself=False,
)

CLIENTS: Final[Mapping[str, tuple[Clients, ...]]] = MappingProxyType(
    {
        "generic": (),
        "copilot-api": (_OPENAI, _ANTHROPIC),
        "openai": (_OPENAI,),
        "anthropic": (_ANTHROPIC,),
        "gemini": (_GEMINI,),
        "copilot": (_COPILOT,),
        "azure-openai": (_AZURE,),
        "elevenlabs": (_ELEVENLABS,),
    }
)
"""By the name of the provider; nobody knows what clients of any other API read."""

ALL_CLIENTS: Final = tuple(
    dict.fromkeys(clients for several in CLIENTS.values() for clients in several)
)
"""Those of every provider, each once."""
