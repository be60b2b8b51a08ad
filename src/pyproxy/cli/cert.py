"""``pyproxy cert``: a certificate for development that clients can be made to trust."""

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import click

from pyproxy.cli.certificate_files import LOCAL_HOSTS, CertificateFiles, ensure_certificate
from pyproxy.cli.trust import trust_lines
from pyproxy.egress.literal import literal
from pyproxy.errors.fault import ConfigurationError, Fault

_HOST: Final = re.compile(r"(?:\*\.)?[\w-]{1,63}(?:\.[\w-]{1,63})*")


def cert(hosts: tuple[str, ...], folder: Path) -> None:
    """Make a local CA and a certificate for development.

    A CA that is there and valid is kept, so that clients need to be told of it
    once. The certificate is renewed when it is near its end or lacks a host.
    """
    for host in hosts:
        if _HOST.fullmatch(host) is None and literal(host) is None:
            problem = f"{host!r} is no name or address, such as gateway.internal or 10.0.0.5"
            raise ConfigurationError(Fault("--host", problem))
    files = CertificateFiles.under(folder)
    names = tuple(dict.fromkeys((*LOCAL_HOSTS, *hosts)))
    try:
        is_new = ensure_certificate(files, names, datetime.now(UTC))
    except ValueError as error:
        raise ConfigurationError(Fault("--host", f"not a host: {error}")) from error
    made = "made" if is_new else "still good, kept"
    click.echo(f"# {files.certificate}: for {', '.join(names)}; {made}")
    click.echo("# what makes clients trust it:")
    for line in trust_lines(files.ca_certificate):
        click.echo(line)
