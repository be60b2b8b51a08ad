"""A refusal as the client's SDK expects errors of its API to look."""

import json
from collections.abc import Callable, Mapping
from typing import Any, Final

from pyproxy.errors.refusal import Field, Refusal
from pyproxy.providers.preset import Dialect

_SERVER_FAULT: Final = 500

# The names of OpenAI's API reference, "Error codes"; statuses it does not know
# read like the nearest that it does.
_OPENAI_TYPES: Final[Mapping[int, str]] = {
    401: "authentication_error",
    403: "permission_error",
    429: "rate_limit_error",
}
# The names of Anthropic's API reference, "Errors".
_ANTHROPIC_TYPES: Final[Mapping[int, str]] = {
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    504: "timeout_error",
}
# Of google.rpc.Code, by which Google's clients tell errors apart.
_GOOGLE_STATUSES: Final[Mapping[int, str]] = {
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    429: "RESOURCE_EXHAUSTED",
    501: "UNIMPLEMENTED",
    502: "UNAVAILABLE",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}


def render(
    refusal: Refusal,
    dialect: Dialect,
    request_id: str,
) -> tuple[int, list[Field], bytes]:
    """The answer to a refused request.

    Holds nothing of the request but its id, and nothing of ``refusal.detail``.
    Framing (Content-Length, Connection) is the caller's.

    Args:
        refusal: Why.
        dialect: Whose error shape.
        request_id: Already in the form ``[A-Za-z0-9._-]``.

    Returns:
        Status, fields and body.
    """
    fields: list[Field] = [
        (b"Content-Type", b"application/json"),
        (b"X-Request-Id", request_id.encode("ascii")),
    ]
    if refusal.is_final:
        # Both OpenAI's and Anthropic's SDK obey it before they look at the status.
        fields.append((b"x-should-retry", b"false"))
    fields.extend(refusal.fields)
    body = json.dumps(_SHAPES[dialect](refusal, request_id), separators=(",", ":"))
    return refusal.status, fields, body.encode("ascii")


def _openai(refusal: Refusal, request_id: str) -> dict[str, Any]:
    del request_id
    kind = _OPENAI_TYPES.get(refusal.status, _fallback(refusal.status))
    return {
        "error": {
            "message": refusal.message,
            "type": kind,
            "param": None,
            "code": refusal.code,
        },
    }


def _anthropic(refusal: Refusal, request_id: str) -> dict[str, Any]:
    kind = _ANTHROPIC_TYPES.get(refusal.status, _fallback(refusal.status))
    return {
        "type": "error",
        "error": {"type": kind, "message": refusal.message},
        "request_id": request_id,
    }


def _gemini(refusal: Refusal, request_id: str) -> dict[str, Any]:
    """Google's error model (AIP-193): the code of ours is the reason."""
    del request_id
    fallback = "INTERNAL" if refusal.status >= _SERVER_FAULT else "INVALID_ARGUMENT"
    reason = {
        "@type": "type.googleapis.com/google.rpc.ErrorInfo",
        "reason": refusal.code,
        "domain": "pyproxy",
    }
    return {
        "error": {
            "code": refusal.status,
            "message": refusal.message,
            "status": _GOOGLE_STATUSES.get(refusal.status, fallback),
            "details": [reason],
        },
    }


def _plain(refusal: Refusal, request_id: str) -> dict[str, Any]:
    del request_id
    return {"error": refusal.code}


def _fallback(status: int) -> str:
    return "api_error" if status >= _SERVER_FAULT else "invalid_request_error"


_SHAPES: Final[Mapping[Dialect, Callable[[Refusal, str], dict[str, Any]]]] = {
    "openai": _openai,
    "anthropic": _anthropic,
    "gemini": _gemini,
    "plain": _plain,
}
