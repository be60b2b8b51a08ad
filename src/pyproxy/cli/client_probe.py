"""What the gateway says to a request as a client of each API would send it."""

import http.client
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import SplitResult

from pyproxy.cli.inquiry import Answer, ask
from pyproxy.errors.fault import Fault
from pyproxy.errors.refusal import (
    AddressNotAllowed,
    AmbiguousCredentials,
    ExpiredToken,
    InvalidSharedSecret,
    InvalidToken,
    MissingToken,
    NotFound,
    Refusal,
    UserNotAllowed,
)

# What the gateway says to whom it would serve nothing, in the order of its checks.
_TURNED_AWAY: Final[tuple[type[Refusal], ...]] = (
    NotFound,
    AddressNotAllowed,
    MissingToken,
    InvalidToken,
    ExpiredToken,
    InvalidSharedSecret,
    AmbiguousCredentials,
    UserNotAllowed,
)
# Where clients have no variable for fields, the one that is missed may be in their code.
_IN_THEIR_CODE: Final = (MissingToken, InvalidSharedSecret)
_AS_IT_IS: Final = "{}"
_BEARER: Final = "Bearer {}"


@dataclass(frozen=True, slots=True)
class Probe:
    """A request of a client's that costs nothing.

    Attributes:
        base_url: The variable that says where the API is.
        path: Below that. Closed where the gateway holds the provider's key, so that the
            request ends at the gateway; a GET of it does nothing elsewhere.
        keys: Fields of keys: each with its form, and the variable that it is from.
        fields: The variable of further fields; empty: there is none.
    """

    base_url: str
    path: str
    keys: tuple[tuple[str, str, str], ...]
    fields: str = ""

    @property
    def variables(self) -> tuple[str, ...]:
        """Those that the request is made of."""
        names = tuple(name for _, _, name in self.keys)
        return (*names, self.fields) if self.fields else names

    def head(self, environ: Mapping[str, str]) -> dict[str, str]:
        """Its fields; of two with one name the later one is sent, as clients do it."""
        found: dict[str, str] = {}
        for field, form, name in self.keys:
            if value := environ.get(name):
                found[field] = form.format(value)
        for line in environ.get(self.fields, "").splitlines():
            name, colon, value = line.partition(":")
            if colon:
                found[name.strip().lower()] = value.strip()
        return found


_GEMINI_KEYS: Final = (
    ("x-goog-api-key", _AS_IT_IS, "GEMINI_API_KEY"),
    ("x-goog-api-key", _AS_IT_IS, "GOOGLE_API_KEY"),
)
PROBES: Final = (
    Probe(
        "OPENAI_BASE_URL",
        "/realtime/client_secrets",
        (("authorization", _BEARER, "OPENAI_API_KEY"),),
        "OPENAI_CUSTOM_HEADERS",
    ),
    Probe(
        "ANTHROPIC_BASE_URL",
        "/v1/oauth",
        (
            ("x-api-key", _AS_IT_IS, "ANTHROPIC_API_KEY"),
            ("authorization", _BEARER, "ANTHROPIC_AUTH_TOKEN"),
        ),
        "ANTHROPIC_CUSTOM_HEADERS",
    ),
    Probe(
        "GOOGLE_GEMINI_BASE_URL", "/v1beta/auth_tokens", _GEMINI_KEYS, "GEMINI_CLI_CUSTOM_HEADERS"
    ),
    Probe("GEMINI_API_BASE_URL", "/v1beta/auth_tokens", _GEMINI_KEYS, "GEMINI_CLI_CUSTOM_HEADERS"),
    Probe(
        "COPILOT_API_URL",
        "/copilot_internal",
        (
            ("authorization", _BEARER, "COPILOT_API_KEY"),
            ("authorization", _BEARER, "COPILOT_TOKEN"),
            ("authorization", _BEARER, "COPILOT_GITHUB_TOKEN"),
        ),
    ),
    Probe(
        "COPILOT_PROVIDER_BASE_URL",
        "/copilot_internal",
        (
            ("authorization", _BEARER, "COPILOT_PROVIDER_API_KEY"),
            ("authorization", _BEARER, "COPILOT_PROVIDER_BEARER_TOKEN"),
        ),
    ),
    Probe(
        "AZURE_OPENAI_ENDPOINT",
        "/openai/v1/realtime/client_secrets",
        (
            ("api-key", _AS_IT_IS, "AZURE_OPENAI_API_KEY"),
            ("authorization", _BEARER, "AZURE_OPENAI_AD_TOKEN"),
        ),
        "OPENAI_CUSTOM_HEADERS",
    ),
    Probe(
        "ELEVENLABS_BASE_URL",
        "/v1/single-use-token",
        (("xi-api-key", _AS_IT_IS, "ELEVENLABS_API_KEY"),),
    ),
)
"""By the variables of ``providers.clients``."""


def probe(
    each: Probe, base: SplitResult, environ: Mapping[str, str], timeout_s: float
) -> Iterator[Fault]:
    """Why the gateway would serve such a client nothing, if that is so.

    Args:
        each: What its requests are like.
        base: The URL in its variable; leads to a gateway that answers.
        environ: Has its keys.
        timeout_s: For each step.
    """
    try:
        answer = ask(base, base.path.rstrip("/") + each.path, timeout_s, each.head(environ))
    except ValueError:
        names = " or ".join(_set(each, environ))
        yield Fault(each.base_url, f"{names} holds a character that no header field may have")
        return
    except (OSError, http.client.HTTPException):  # of an upstream that says nothing in time
        return
    refusal = _refusal(answer)
    if refusal is NotFound:
        problem = "leads to a path that no route takes; 'pyproxy env' prints one that is right"
        yield Fault(each.base_url, problem)
    elif refusal is not None and (each.fields or refusal not in _IN_THEIR_CODE):
        shown = " and ".join(_set(each, environ))
        who = f"whoever shows {shown}" if shown else f"whoever shows no {each.variables[0]}"
        yield Fault(each.base_url, f"the gateway answers {answer.status} {refusal.code} to {who}")


def _set(each: Probe, environ: Mapping[str, str]) -> list[str]:
    return [name for name in each.variables if environ.get(name)]


def _refusal(answer: Answer) -> type[Refusal] | None:
    """What the gateway itself says, in whichever dialect; None: it lets such clients in."""
    error = answer.content.get("error") if isinstance(answer.content, dict) else None
    said = error.get("message") if isinstance(error, dict) else error
    for kind in _TURNED_AWAY:
        is_said = answer.status == kind.status and said in (kind.code, kind.message)
        if is_said and answer.should_retry == "false":
            return kind
    return None
