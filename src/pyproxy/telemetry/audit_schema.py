"""What an audit line may say: the schema that docs/audit.schema.json is made from."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from pyproxy.telemetry.audit import (
    LOST,
    MAX_DETAILS,
    MAX_REQUEST_ID,
    MAX_TEXT,
    SUPPRESSED,
)

Json = dict[str, object]

_TEXT: Final[Json] = {"type": "string", "maxLength": MAX_TEXT}
_COUNT: Final[Json] = {"type": "integer", "minimum": 0}
_NUMBER: Final[Json] = {"type": "number", "minimum": 0}
_TIME: Final = r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$"


@dataclass(frozen=True, slots=True)
class EventSchema:
    """What the lines of an event say.

    Attributes:
        meaning: When there is one, a sentence.
        results: Words that ``result`` may be.
        details: What ``details`` may hold; none of it has to be there.
    """

    meaning: str
    results: tuple[str, ...]
    details: Mapping[str, Json] = field(default_factory=dict)


_OF_A_REFUSAL: Final[Mapping[str, Json]] = {
    "reason": _TEXT,
    "route": _TEXT,
    "path": _TEXT,
    "listener": _TEXT,
}
_OF_A_RELOAD: Final[Mapping[str, Json]] = {"reason": _TEXT}

EVENTS: Final[Mapping[str, EventSchema]] = {
    "auth.ok": EventSchema(
        "Somebody was let in: once a connection, and whenever a credential was verified anew.",
        ("ok",),
        {"kind": {"enum": ["key", "jwt", "token", "mtls"]}, "key": _TEXT},
    ),
    "auth.failed": EventSchema(
        "A credential was shown that is none, is over, or stands beside another.",
        ("invalid_token", "expired_token", "ambiguous_credentials"),
        _OF_A_REFUSAL,
    ),
    "auth.banned": EventSchema(
        "An address failed so often that it is shut out for a while.",
        ("banned",),
        {"client": _TEXT, "failures": _COUNT, "within_s": _NUMBER, "lasting_s": _NUMBER},
    ),
    "ban.lifted": EventSchema(
        "Somebody asked the admin listener to end a ban.",
        ("lifted", "not_found"),
        {"client": _TEXT},
    ),
    "token.minted": EventSchema(
        "A key was exchanged for a token.",
        ("ok",),
        {"kid": _TEXT, "expires_in": _COUNT},
    ),
    "token.revoked": EventSchema("A token is refused from now on.", ("ok",)),
    "key.reloaded": EventSchema(
        "The keys file changed.", ("ok", "failed"), {"keys": _COUNT, **_OF_A_RELOAD}
    ),
    "jwks.reloaded": EventSchema(
        "The keys that verify tokens changed, or could not be fetched.",
        ("ok", "failed"),
        {
            "keys": {"anyOf": [_COUNT, _TEXT]},
            "source": _TEXT,
            "result": _TEXT,
            "refused": {"anyOf": [_COUNT, _TEXT]},
            "faults": _TEXT,
            "alarm": _TEXT,
            **_OF_A_RELOAD,
        },
    ),
    "config.reloaded": EventSchema(
        "The configuration, a secret's file or a certificate changed.",
        ("ok", "failed"),
        {"what": _TEXT, **_OF_A_RELOAD},
    ),
    "limit.exceeded": EventSchema(
        "Somebody asked too often, or too much at a time.",
        ("rate_limited", "too_many_concurrent"),
        _OF_A_REFUSAL,
    ),
    "access.denied": EventSchema(
        "Somebody may not do what they asked for, or did not say who they are.",
        (
            "missing_token",
            "ip_not_allowed",
            "user_not_allowed",
            "path_denied",
            "model_not_allowed",
            "host_not_allowed",
            "cross_origin",
        ),
        _OF_A_REFUSAL,
    ),
    LOST: EventSchema(
        "No event of a client's: lines before this one could not be written.",
        ("lost",),
        {"lost": _COUNT},
    ),
}


def audit_schema() -> Json:
    """The JSON Schema of one audit line (draft 2020-12)."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "pyproxy audit line",
        "type": "object",
        "required": ["time", "event", "user", "ip", "result", "details", "request_id"],
        "additionalProperties": False,
        "properties": {
            "time": {
                "description": "When, in UTC (RFC 3339).",
                "type": "string",
                "pattern": _TIME,
            },
            "event": {"description": "What happened.", "enum": list(EVENTS)},
            "user": {"description": "Who, as far as it is known.", **_TEXT},
            "ip": {"description": "The client's address.", **_TEXT},
            "result": {"description": "How it ended, in a word.", **_TEXT},
            "details": {
                "description": "For the operator; by event.",
                "type": "object",
                "maxProperties": MAX_DETAILS,
            },
            "request_id": {
                "description": "Of the request, as in X-Request-Id and the access log.",
                "type": "string",
                "maxLength": MAX_REQUEST_ID,
            },
            "suppressed": {
                "description": "Events of this kind before it that were left out.",
                "type": "integer",
                "minimum": 1,
            },
        },
        "oneOf": [_of_event(name, event) for name, event in EVENTS.items()],
    }


def _of_event(name: str, event: EventSchema) -> Json:
    results = [*event.results] if name == LOST else [*event.results, SUPPRESSED]
    return {
        "description": event.meaning,
        "properties": {
            "event": {"const": name},
            "result": {"enum": results},
            "details": {"properties": dict(event.details), "additionalProperties": False},
        },
    }
