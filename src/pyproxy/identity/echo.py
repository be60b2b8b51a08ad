"""Where else in a head a credential stands: what is the gateway's must not travel on anywhere."""

import binascii
import re
from operator import itemgetter
from typing import Final

from pyproxy.errors.refusal import BadRequest
from pyproxy.identity.credential import SUB_PROTOCOL_PREFIX, SUB_PROTOCOLS, Credential
from pyproxy.identity.shared_secret import SharedSecret
from pyproxy.wire.head import RequestHead
from pyproxy.wire.percent import percent_decoded
from pyproxy.wire.target import Target

# A shorter one may well be a part of something else, and counts as a whole word only.
UNMISTAKABLE_BYTES: Final = 16

_LINE: Final = itemgetter(1)
_REQUEST_ID: Final = "x-request-id"
_BASIC: Final = re.compile(rb"basic[ \t]+([A-Za-z0-9+/_\-]+)", re.IGNORECASE)
_BETWEEN_WORDS: Final = re.compile(rb"[^!-~]+|[,;=\"'&]")


class MisplacedCredential(BadRequest):
    """A credential in the path, a parameter's name or the id; none may be written down."""


def everywhere(
    credential: Credential, head: RequestHead, target: Target, secrets: tuple[SharedSecret, ...]
) -> Credential:
    """A credential with every place that holds it, or a shared secret.

    Args:
        credential: Found where it was looked for.
        head: Of the request that presents it.
        target: Of that request.
        secrets: Those of all routes.

    Raises:
        MisplacedCredential: It stands where it cannot be taken off.
    """
    # Nearly always it is there once, spelled plainly: 1 us instead of 10, once for each head
    # that a client repeats.
    is_gated = secrets and any(secret.header in head.index for secret in secrets)
    if not is_gated and len(credential.places) == 1 and _is_alone(credential.token, head):
        return credential
    places = credential.places | echoes(credential.token.encode(), head, target)
    places |= secret_places(head, target, secrets)
    return Credential(credential.token, places, credential.is_jwt)


def secret_places(
    head: RequestHead, target: Target, secrets: tuple[SharedSecret, ...]
) -> frozenset[str]:
    """Places that hold a shared secret, if it is in its own header too.

    Raises:
        MisplacedCredential: It stands where it cannot be taken off.
    """
    found = frozenset[str]()
    for secret in secrets:
        for value in secret.presented(head):
            found |= echoes(value, head, target) | {secret.header.decode("ascii")}
    return found


def echoes(token: bytes, head: RequestHead, target: Target) -> frozenset[str]:
    """Every place that holds a token: whole or in part, escaped, or for Basic authentication.

    Returns:
        As ``Credential.places``.

    Raises:
        MisplacedCredential: It is in the path, in a parameter's name, or the request's id.
    """
    if len(token) >= UNMISTAKABLE_BYTES and holds(target.path, token):
        raise MisplacedCredential("a credential in the path")
    found = {
        name.decode("ascii")
        for name, line in head.lines
        if holds(line.partition(b":")[2].strip(), token)
    }
    if _REQUEST_ID in found:  # which is written down, and travels on as the gateway's own
        raise MisplacedCredential("a credential in X-Request-Id")
    for parameter in target.query.split(b"&") if target.query else ():
        name, _, value = parameter.partition(b"=")
        if holds(name, token):
            raise MisplacedCredential("a credential in a parameter's name")
        if holds(value, token):
            found.add(query_place(name))
    return frozenset(found)


def is_sub_protocol(
    credential: Credential, head: RequestHead, secrets: tuple[SharedSecret, ...]
) -> bool:
    """Whether a credential is one of the WebSocket sub-protocols, as credentials are.

    If not, ``Sec-WebSocket-Protocol`` holds it, or a shared secret, in another way too; or
    it is not known what it holds.
    """
    if not credential.token:
        return False
    others = b", ".join(
        element.strip()
        for name, line in head.lines
        if name == SUB_PROTOCOLS
        for element in line.partition(b":")[2].split(b",")
        if not element.strip().startswith(SUB_PROTOCOL_PREFIX)
    )
    ours = [credential.token.encode()]
    ours += [value for secret in secrets for value in secret.presented(head)]
    return not any(holds(others, value) for value in ours)


def query_place(name: bytes) -> str:
    """The place of a query parameter.

    Raises:
        MisplacedCredential: Its name could not be found again.
    """
    name = percent_decoded(name).lower()
    if not name.isascii():
        raise MisplacedCredential("a credential in a parameter with a name that is not ASCII")
    return "?" + name.decode("ascii")


def basic_credentials(value: bytes) -> bytes:
    """What follows ``Basic``, user and password with a colon in between; empty if nothing does.

    RFC 7617 section 2. What is not Base64 is nothing.
    """
    found = _BASIC.search(value)
    if found is None:
        return b""
    text = found[1].translate(bytes.maketrans(b"-_", b"+/"))
    try:
        return binascii.a2b_base64(text + b"=" * (-len(text) % 4))
    except binascii.Error:
        return b""


def _is_alone(token: str, head: RequestHead) -> bool:
    """Whether a token is in a head once, and nothing there needs decoding."""
    text = b"".join([head.target, *map(_LINE, head.lines)])
    if text.count(token.encode()) != 1 or text.find(b"%") >= 0:
        return False
    return text.lower().find(b"basic") < 0


def holds(value: bytes, token: bytes) -> bool:
    """Whether a value holds a token: whole or in part, escaped, or for Basic authentication."""
    is_long = len(token) >= UNMISTAKABLE_BYTES
    for text in (value, percent_decoded(value), basic_credentials(value)):
        if text.find(token) >= 0 if is_long else token in _words(text):
            return True
    return False


def _words(text: bytes) -> list[bytes]:
    """What may stand for itself: the whole, each word, and what follows an equals sign."""
    return [text, *_BETWEEN_WORDS.split(text), *text.split(b":")]
