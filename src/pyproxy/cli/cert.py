"""``pyproxy cert``: a certificate for development that clients can be made to trust."""

from datetime import UTC, datetime
from pathlib import Path

import click

from pyproxy.cli.certificate_files import LOCAL_HOSTS, CertificateFiles, ensure_certificate
from pyproxy.cli.trust import trust_lines
from pyproxy.errors.fault import ConfigurationError, Fault


def cert(hosts: tuple[str, ...], folder: Path) -> None:
    """Make a local CA and a certificate for development.

    A CA that is there and valid is kept, so that clients need to be told of it
    once. The certificate is renewed when it is near its end or lacks a host.
    """
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
