"""The authentication service of the nginx set-up that pyproxy replaces.

nginx asks ``GET /verify`` for every request (auth_request). A token with two dots is a JWT,
checked against a JWK set; anything else is compared with the plain keys, then with each hash.

    VERIFIER_FOLDER=FOLDER uvicorn verifier:app --port 5002

FOLDER holds jwks.json and keys.txt, as `credentials.py` writes them.
"""

import hmac
import json
import os
from pathlib import Path

import bcrypt
import jwt
from fastapi import FastAPI, HTTPException, Request

FOLDER = Path(os.environ["VERIFIER_FOLDER"])
AUDIENCE, ISSUER = os.environ["VERIFIER_AUDIENCE"], os.environ["VERIFIER_ISSUER"]
KEYS = {
    key["kid"]: jwt.PyJWK(key) for key in json.loads((FOLDER / "jwks.json").read_text())["keys"]
}
LINES = (FOLDER / "keys.txt").read_text().split()
HASHES = [line.split(":", 1) for line in LINES if ":$2b$" in line]
PLAIN = [line.encode() for line in LINES if ":$2b$" not in line]
ALGORITHMS = ["RS256", "RS384", "RS512", "ES256", "ES384", "ES512", "PS256", "PS384", "PS512"]
DOTS = 2  # of a JWT (RFC 7515 section 7.1)

app = FastAPI()


@app.get("/verify")
def verify(request: Request) -> dict[str, str]:
    """Who asks, or 401."""
    token = request.headers.get("authorization", "").removeprefix("Bearer ")
    name = _holder(token) if token.count(".") == DOTS else _key_holder(token.encode())
    if name is None:
        raise HTTPException(401)
    return {"user": name}


def _holder(token: str) -> str | None:
    try:
        key = KEYS[jwt.get_unverified_header(token)["kid"]]
        claims = jwt.decode(token, key.key, algorithms=ALGORITHMS, audience=AUDIENCE, issuer=ISSUER)
    except (jwt.PyJWTError, KeyError):
        return None
    return str(claims["sub"])


def _key_holder(key: bytes) -> str | None:
    if any(hmac.compare_digest(key, plain) for plain in PLAIN):
        return "key"
    for name, digest in HASHES:
        if bcrypt.checkpw(key, digest.encode()):
            return name
    return None
