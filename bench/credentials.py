"""A certificate, two API keys and a token: the same for every contender."""

import json
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

import bcrypt
import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

PLAIN_KEY = "sk-bench-plain-0123456789abcdef"
HASHED_KEY = "sk-bench-hashed-0123456789abcdef"
AUDIENCE, ISSUER = "bench-api", "bench"
_BCRYPT_COST = 12
_LIFETIME_S = 12 * 3600


@dataclass(frozen=True, slots=True)
class Credentials:
    """What is in the stage's folder, and what clients send.

    Attributes:
        certificate: PEM file for 127.0.0.1, its own authority.
        private_key: PEM file.
        key_set: JWK set of the token's public key.
        keys: A plain key, and a name with a bcrypt hash, a line each.
        token: RS256, from the key set's key.
    """

    certificate: Path
    private_key: Path
    key_set: Path
    keys: Path
    token: str

    @classmethod
    def make(cls, folder: Path) -> "Credentials":
        """Write the files, for their owner's eyes only."""
        certificate, private_key = folder / "cert.pem", folder / "key.pem"
        _make_certificate(certificate, private_key)
        key_set, keys = folder / "jwks.json", folder / "keys.txt"
        token = _make_token(key_set)
        digest = bcrypt.hashpw(HASHED_KEY.encode(), bcrypt.gensalt(_BCRYPT_COST)).decode()
        keys.write_text(f"{PLAIN_KEY}\nalice:{digest}\n")
        for file in (private_key, keys):
            file.chmod(0o600)
        return cls(certificate, private_key, key_set, keys, token)

    @property
    def by_kind(self) -> dict[str, str]:
        """What a client sends, by what it is."""
        return {"key": PLAIN_KEY, "jwt": self.token, "bcrypt": HASHED_KEY}


def _make_certificate(certificate: Path, private_key: Path) -> None:
    subprocess.run(
        [
            "openssl", "req", "-x509", "-nodes", "-days", "2", "-subj", "/CN=localhost",
            "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
            "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1",
            "-addext", "keyUsage=critical,digitalSignature,keyCertSign",
            "-keyout", private_key, "-out", certificate,
        ],
        check=True,
        capture_output=True,
    )  # fmt: skip


def _make_token(key_set: Path) -> str:
    key = rsa.generate_private_key(65537, 2048)
    public = jwt.algorithms.RSAAlgorithm.to_jwk(key.public_key(), as_dict=True)
    public = {name: public[name] for name in ("kty", "n", "e")}
    public |= {"kid": "bench", "alg": "RS256", "use": "sig"}
    key_set.write_text(json.dumps({"keys": [public]}))
    now = int(time.time())
    claims = {"sub": "alice", "aud": AUDIENCE, "iss": ISSUER, "iat": now, "exp": now + _LIFETIME_S}
    return jwt.encode(claims, key, algorithm="RS256", headers={"kid": "bench"})
