"""Who may know which secret: every secret of these tests, and all that was seen of them."""

import base64
import secrets
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum

GATEWAY = "pyproxy"
RANDOM_BYTES = 24
# A log that shows so much of a secret, from its start or its end, tells it.
TELLING_LENGTH = 12


class Role(Enum):
    """Whose a secret is, and with that who may see it."""

    CLIENT = "client's key"
    PROVIDER = "provider's key"
    PLACEHOLDER = "placeholder"
    SHARED = "shared secret"
    PROXY = "proxy password"
    OPERATOR = "operators' token"


class Kind(Enum):
    """Where bytes were seen."""

    UPSTREAM = "what an upstream received"
    PROXY = "what an egress proxy received"
    PROXY_LOG = "an egress proxy's log"
    LOG = "the gateway's log"
    AUDIT = "the gateway's audit log"
    SENT = "what a client sent"
    ANSWER = "what a client received"
    ADMIN = "what the admin listener answered"
    SEALED = "what passed between them encrypted"
    OUTPUT = "what a program printed"


# A provider's key is at home with its own provider alone.
PLACES = {
    Role.CLIENT: {Kind.SENT},
    Role.PROVIDER: {Kind.UPSTREAM},
    Role.PLACEHOLDER: {Kind.SENT, Kind.OUTPUT},
    Role.SHARED: {Kind.SENT},
    Role.PROXY: {Kind.PROXY},
    Role.OPERATOR: set(),
}


@dataclass(frozen=True, slots=True)
class Secret:
    """One secret.

    Attributes:
        text: As it is sent.
        role: Whose it is.
        owner: Name of the provider or proxy that must get it; of ours, ``GATEWAY``.
    """

    text: str
    role: Role
    owner: str = GATEWAY

    def traces(self):
        """Bytes that give the secret away: its two ends, and what base64 makes of it."""
        plain = self.text.encode()
        if self.role is Role.PLACEHOLDER:
            # It is made of words that anybody may use.
            yield plain
        else:
            yield plain[-TELLING_LENGTH:]
            yield plain.removeprefix(_prefix(plain))[:TELLING_LENGTH]
        for offset in range(3):
            # Of the first and last group of four letters, neighbours have their part.
            yield base64.b64encode(b"\0" * offset + plain)[4:-4]

    def may_be_in(self, capture):
        """Whether it belongs where these bytes were seen."""
        is_home = self.role is not Role.PROVIDER or capture.owner == self.owner
        return capture.kind in PLACES[self.role] and is_home


@dataclass(frozen=True, slots=True)
class Capture:
    """Bytes that were seen.

    Attributes:
        kind: Where.
        owner: By whom: a provider's name, the gateway's, or where its tests are.
        data: Without the encryption of the connection.
    """

    kind: Kind
    owner: str
    data: bytes


class Ledger:
    """All secrets, and all captures."""

    def __init__(self):
        self._secrets = set()
        self._recorded = []
        self._watched = {}

    def make(self, role, owner=GATEWAY, prefix=""):
        """A new secret; ``prefix`` is what everybody may see of it."""
        return self.adopt(prefix + secrets.token_urlsafe(RANDOM_BYTES), role, owner)

    def adopt(self, text, role, owner=GATEWAY):
        """Enter a secret that somebody else made, as often as one likes."""
        self._secrets.add(Secret(text, role, owner))
        return text

    def record(self, kind, owner, data):
        """Enter bytes that were seen."""
        self._recorded.append(Capture(kind, owner, bytes(data)))

    @contextmanager
    def watching(self, kind, owner, read):
        """Enter what ``read`` gives when leaks are looked for, and at the end of the block."""
        mark = object()
        self._watched[mark] = (kind, owner, read)
        try:
            yield
        finally:
            del self._watched[mark]
            self.record(kind, owner, read())

    def captures(self):
        """All there is so far."""
        return [*self._recorded, *(Capture(k, o, bytes(r())) for k, o, r in self._watched.values())]

    def seen(self):
        """Kinds and owners of what is not empty."""
        return {(each.kind, each.owner) for each in self.captures() if each.data}

    def leaks(self):
        """A sentence for every secret that was seen where it must not be."""
        return sorted(
            {
                f"{secret.owner}: {secret.role.value} {secret.text[:4]}... is in "
                f"{capture.kind.value} ({capture.owner}): {_around(capture.data, trace)!r}"
                for capture in self.captures()
                for secret in self._secrets
                if not secret.may_be_in(capture)
                for trace in secret.traces()
                if trace in capture.data
            }
        )


def _prefix(plain):
    """What is public of a secret: all up to its last mark of a kind, as in ``sk-ant-``."""
    known = (b"pyp_", b"sk-ant-", b"sk-proj-", b"sk-", b"sk_", b"AIza", b"ghu_")
    return next((each for each in known if plain.startswith(each)), b"")


def _around(data, trace):
    at = data.index(trace)
    return data[max(0, at - 60) : at + len(trace) + 20]
