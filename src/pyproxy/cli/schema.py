"""``pyproxy schema``: the configuration's JSON Schema, for editors; the audit log's."""

import json

import click

from pyproxy.config.schema import json_schema
from pyproxy.telemetry.audit_schema import audit_schema


def schema(*, is_audit: bool) -> None:
    """Print the JSON Schema of the configuration."""
    click.echo(json.dumps(audit_schema() if is_audit else json_schema(), indent=2))
