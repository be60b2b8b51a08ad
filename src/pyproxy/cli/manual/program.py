"""The program itself: its commands, and what holds for all of them."""

from typing import Final

import click

from pyproxy.cli.command import Example, Group, Option, Program
from pyproxy.cli.manual import clients, keys, operations, serving

EXITS: Final = (
    ("0", "done"),
    ("1", "ran and found something wrong"),
    ("2", "unusable arguments or configuration"),
    ("130", "stopped by Ctrl-C"),
)
ENVIRONMENT: Final = (
    ("PYPROXY_CONFIG", "the configuration, where --config names none"),
    ("ADMIN_TOKEN", "the admin listener's token"),
    ("NO_COLOR", "set: no colours; FORCE_COLOR or CLICOLOR_FORCE: colours without a terminal too"),
)


def _print_version(ctx: click.Context, _: click.Parameter, is_asked: bool) -> None:
    if is_asked and not ctx.resilient_parsing:
        Program("version.version")(is_json=False)
        ctx.exit()


commands = Group(
    "pyproxy",
    text="""An HTTPS gateway for LLM APIs.

    It knows who is asking, lets in only who should, keeps the providers' credentials to
    itself, and passes requests and streams on untouched.""",
    sections={
        "Serve and look": [serving.serve, serving.check, serving.explain, serving.top],
        "Keys and certificates": [keys.keys, keys.jwks, keys.cert],
        "Clients": [clients.env],
        "Operations": [
            operations.health,
            operations.bans,
            operations.schema,
            operations.completion,
            operations.version,
        ],
    },
    params=[
        Option(
            ["--version", "-V"],
            is_flag=True,
            is_eager=True,
            expose_value=False,
            callback=_print_version,
            help="Print the versions and exit.",
        )
    ],
    notes={"Exit codes": EXITS, "Environment": ENVIRONMENT},
    examples=[
        Example("pyproxy serve --dev", "try it: makes what it needs, prints a curl line"),
        Example("pyproxy check", "what would pyproxy.toml serve?"),
        Example("pyproxy keys new -h", "help for a command"),
    ],
)
