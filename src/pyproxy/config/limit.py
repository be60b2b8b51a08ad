"""Settings of rate limits: ``[rate_limits.NAME]``."""

from typing import Annotated, Final, Literal, cast, get_args

from pydantic import Field, PlainSerializer, PlainValidator, WithJsonSchema

from pyproxy.config.fields import Count
from pyproxy.config.quantities import RateSetting
from pyproxy.config.section import Section

Subject = Literal["ip", "user", "route"]
_SUBJECTS: Final = get_args(Subject)


def _parse_subjects(value: object) -> tuple[Subject, ...]:
    subjects = (value,) if isinstance(value, str) else value
    if (
        not isinstance(subjects, tuple | list)
        or not subjects
        or any(subject not in _SUBJECTS for subject in subjects)
    ):
        raise ValueError('must be "ip", "user", "route", or a list of them')
    return tuple(dict.fromkeys(cast("list[Subject]", subjects)))


Subjects = Annotated[
    tuple[Subject, ...],
    PlainValidator(_parse_subjects),
    PlainSerializer(list, when_used="json"),
    WithJsonSchema(
        {
            "anyOf": [
                {"enum": list(_SUBJECTS)},
                {"type": "array", "items": {"enum": list(_SUBJECTS)}, "minItems": 1},
            ]
        }
    ),
]


class LimitSettings(Section):
    """How much one address, user or route may ask for."""

    rate: RateSetting = Field(description='"10r/s", "5r/m" or "100r/h".')
    burst: Count = Field(
        default=0, description="How many more may come at once, as in nginx with nodelay."
    )
    per: Subjects = Field(
        default=("ip",),
        description="What is counted by: ip (of IPv6 its /64), user, route, or a list of them.",
    )


DEFAULT_LIMITS: Final[dict[str, dict[str, object]]] = {
    "api": {"rate": "10r/s", "burst": 20},
    "auth": {"rate": "5r/m", "burst": 10},
    "health": {"rate": "10r/s", "burst": 5},
}
"""The limits that exist always."""


def with_default_limits(value: object) -> object:
    """Add the limits that exist always, and the keys that were left out of them."""
    if not isinstance(value, dict):
        return value
    merged: dict[str, object] = {name: dict(limit) for name, limit in DEFAULT_LIMITS.items()}
    for name, limit in value.items():
        default = DEFAULT_LIMITS.get(name)
        merged[name] = default | limit if default and isinstance(limit, dict) else limit
    return merged
