"""``pyproxy cert``: a certificate for development that clients can be made to trust."""

from datetime import UTC, datetime
from pathlib import Path

import click

from pyproxy.cli.certificate_files import LOCAL_HOSTS, CertificateFiles, ensure_certificate
from pyproxy.errors.fault import ConfigurationError, Fault

# What OpenSSL and Python, Node.js, and Python's requests read, in this order.
TRUST_VARIABLES = ("SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS", "REQUESTS_CA_BUNDLE")


@click.command()
@click.option("--host", "hosts", multiple=True, metavar="NAME", help="A further name or address.")
@click.option(
    "--dir",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("certs"),
    show_default=True,
    help="Where the files go.",
)
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


def trust_lines(ca_certificate: Path) -> list[str]:
    """Lines for a shell that make the usual clients trust the CA."""
    return [f"export {variable}={ca_certificate.resolve()}" for variable in TRUST_VARIABLES]
