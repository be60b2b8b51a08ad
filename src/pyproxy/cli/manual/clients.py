"""Commands for those who use the gateway."""

from typing import Final

import click

from pyproxy.cli.command import Command, Example, Option
from pyproxy.cli.manual.candidates import route_names
from pyproxy.cli.manual.options import config_option

FORMATS: Final = ("sh", "dotenv", "json", "k8s")

env = Command(
    "env",
    program="env.env",
    text="""Print what a client must export to use the gateway.

    Base URLs under the names that SDKs and command lines read, placeholders for keys, and
    the CA to trust. Where two routes want the same variable the first one has it. No key
    is printed.""",
    params=[
        Option(
            ["--route", "names"],
            multiple=True,
            metavar="NAME",
            shell_complete=route_names,
            help="For this route alone. May be given several times.",
        ),
        Option(
            ["--format", "form"],
            type=click.Choice(FORMATS),
            default="sh",
            show_default=True,
            help="sh: lines for eval; dotenv: for docker's --env-file; json: for a program; "
            "k8s: for a container's env.",
        ),
        Option(
            ["--host"],
            default="",
            metavar="NAME",
            help="The name by which clients find the listeners' machine.",
        ),
        Option(
            ["--url"],
            default="",
            metavar="URL",
            help="The URL at which clients find the one listener, where something stands before "
            "it.",
        ),
        config_option(),
    ],
    examples=[
        Example('eval "$(pyproxy env --route openai)"', "for this shell"),
        Example("pyproxy env --format k8s --host gateway.internal", "for a Deployment"),
    ],
)
