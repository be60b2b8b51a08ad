"""The service ``setup`` of compose.yaml: makes what a first start lacks, and then ends.

A certificate for development in ``/certs``, unless one is there; an empty keys file and a key
that signs tokens in the gateway's volume; a token for the admin listener. What is there
already is left as it is, and what the gateway would not be able to read is said in a
sentence. Exit 1: the gateway need not be started.
"""

import os
import secrets
import subprocess
import sys
from pathlib import Path

PYPROXY = Path(sys.executable).with_name("pyproxy")
CERTIFICATES = Path("/certs")
STATE = Path("/var/lib/pyproxy")
ADMIN = Path("/admin")
SECRETS = Path("/run/secrets")
VOLUME = "the volume belongs to somebody else: `docker compose down --volumes` takes it away"


class Unusable(Exception):
    """What a person has to mend; its text says how."""


def main() -> int:
    """Make what is missing; 1 and a sentence if that cannot be."""
    try:
        certificate(CERTIFICATES, os.environ.get("CERTIFICATE_HOSTS", ""))
        state(STATE)
        admin_token(ADMIN)
        for file in sorted(SECRETS.glob("*")):
            readable(file)
    except Unusable as problem:
        sys.stderr.write(f"setup: {problem}\n")
        return 1
    return 0


def certificate(folder: Path, hosts: str) -> None:
    """Certificate and key for the gateway; those that were made here are renewed."""
    ours, shown = folder / "ca.key", (folder / "copilot.crt", folder / "copilot.key")
    there = [file for file in shown if file.exists()]
    if len(there) == 1:
        raise Unusable(f"{there[0]} is there, but not its other half: put both into the folder")
    if there and not ours.exists():
        for file in shown:
            readable(file)
        return
    writable(folder, "put copilot.crt and copilot.key there, or leave HOST_CERTS_DIR out of .env")
    names = [option for host in hosts.split() for option in ("--host", host)]
    run("cert", "--dir", str(folder), "--host", "gateway", *names)


def state(folder: Path) -> None:
    """A keys file to add to, and a key that signs tokens."""
    writable(folder, VOLUME)
    keys, signing = folder / "api_keys.txt", folder / "signing_keys.json"
    if not keys.exists():
        keys.touch(mode=0o600)
    if not signing.exists():
        run("jwks", "new", "--file", str(signing))


def admin_token(folder: Path) -> None:
    """What Prometheus shows the admin listener: another user, but of the same group."""
    file = folder / "token"
    if not file.exists():
        writable(folder, VOLUME)
        file.write_text(secrets.token_urlsafe(32), encoding="ascii")
        file.chmod(0o440)


def readable(file: Path) -> None:
    """Refuse a file that the gateway's user cannot open."""
    if not os.access(file, os.R_OK):
        raise Unusable(
            f"{file} cannot be read by user {os.getuid()}, which the gateway runs as: on the host "
            f"`chown {os.getuid()}` it, or write PYPROXY_UID=<its owner's number> into .env"
        )


def writable(folder: Path, otherwise: str) -> None:
    """Refuse a folder in which nothing can be made."""
    if not os.access(folder, os.W_OK | os.X_OK):
        raise Unusable(f"{folder} cannot be written to by user {os.getuid()}: {otherwise}")


def run(*arguments: str) -> None:
    """Run one command of pyproxy's; its output is the log's."""
    if subprocess.run([PYPROXY, *arguments], check=False).returncode:  # noqa: S603
        raise Unusable(f"`pyproxy {' '.join(arguments)}` failed")


if __name__ == "__main__":
    sys.exit(main())
