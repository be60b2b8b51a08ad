"""Where clients put credentials: none of them travels on beside an injected one."""

import re
from collections.abc import Mapping
from functools import lru_cache
from itertools import repeat
from typing import Final

from pyproxy.wire.percent import percent_decoded

CREDENTIAL_FIELDS: Final = frozenset(
    b"authorization x-api-key api-key x-goog-api-key xi-api-key x-auth-token x-access-token "
    b"x-api-token apikey x-apikey ocp-apim-subscription-key x-amz-security-token "
    b"cf-aig-authorization x-litellm-api-key".split()
)
# With hyphens for underscores, which APIs mix.
CREDENTIAL_QUERY: Final = frozenset(
    b"key api-key apikey x-api-key x-goog-api-key xi-api-key subscription-key authorization "
    b"token access-token oauth-token auth-token bearer-token single-use-token client-secret".split()
)
# What SDKs, gateways and people make of these. Session tokens are not among them: an
# upstream hands them out for its own use beside the credential.
_FIELD: Final = re.compile(
    rb"(?:.*-)?(?:api-?key|auth(?:orization|entication)?|auth-key|subscription-key"
    rb"|(?:api|auth|access|authorization|private|bearer|github)-token)|(?:x-)?(?:token|key|secret)"
)
_SPACE_AND_CONTROLS: Final = bytes([*range(0x21), 0x7F])
_MOST_NAMES: Final = 1024


def credential_fields(index: Mapping[bytes, object]) -> frozenset[bytes]:
    """The names, of those in a head, that no list of names would hold.

    Args:
        index: Names in lower case.
    """
    return frozenset(filter(_is_for_credentials, index))


@lru_cache(maxsize=_MOST_NAMES)
def _is_for_credentials(name: bytes) -> bool:
    return _FIELD.fullmatch(name) is not None


def without_credentials(query: bytes, names: frozenset[bytes]) -> bytes | None:
    """A query as it was sent, but for the parameters of these names; ``None`` if none is left.

    Args:
        query: Not empty.
        names: As ``CREDENTIAL_QUERY`` has them.
    """
    kept = [part for part in map(_kept, query.split(b"&"), repeat(names)) if part is not None]
    return b"&".join(kept) or None


def _kept(parameter: bytes, names: frozenset[bytes]) -> bytes | None:
    """What stays of what stands between two ``&``, which some servers part at ``;`` too."""
    if b";" not in parameter:
        return None if plain_name(parameter) in names else parameter
    kept = [part for part in parameter.split(b";") if plain_name(part) not in names]
    return b";".join(kept) if kept else None


def plain_name(parameter: bytes) -> bytes:
    """A parameter's name as one of ``CREDENTIAL_QUERY``, however it is spelled.

    Some servers take a plus for a space, strip spaces, or end a name at a NUL.
    """
    name = percent_decoded(parameter.partition(b"=")[0]).replace(b"+", b" ")
    return name.strip(_SPACE_AND_CONTROLS).lower().replace(b"_", b"-")
