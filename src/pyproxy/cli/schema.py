"""``pyproxy schema``: the configuration's JSON Schema, for editors."""

import json

import click

from pyproxy.config.schema import json_schema


@click.command()
def schema() -> None:
    """Print the JSON Schema of the configuration."""
    click.echo(json.dumps(json_schema(), indent=2))
