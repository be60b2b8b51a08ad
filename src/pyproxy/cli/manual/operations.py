"""Commands for those who run the gateway."""

import click

from pyproxy.cli.command import Command, Example, Group, Option
from pyproxy.cli.manual.options import config_option, token_option, url_option
from pyproxy.cli.manual.values import seconds

_ANSWERS = (
    ("0", "told"),
    ("1", "the gateway does not answer"),
    ("2", "unusable arguments or configuration"),
)

health = Command(
    "health",
    program="health.health",
    text="""Ask the running gateway whether it serves.

    Asks the first listener that wants no client certificate for its health endpoint, over
    TLS if it speaks that. For a container's health check.""",
    params=[
        Option(
            ["--timeout"],
            metavar="SECONDS",
            default="3",
            show_default=True,
            callback=seconds,
            help="Give up after so long.",
        ),
        config_option(),
    ],
    exits=(
        ("0", "it serves"),
        ("1", "it drains, or does not answer"),
        ("2", "unusable arguments or configuration"),
    ),
    examples=[Example("pyproxy health --timeout 2", "in a script")],
)

bans = Group(
    "bans",
    text="""List the addresses that are shut out, or let one in again.

    Asks the running gateway through its admin listener.""",
    sections={
        "Commands": [
            Command(
                "list",
                program="bans.list_",
                text="""List the bans in force, and how long each still lasts.""",
                params=[
                    Option(["--json", "is_json"], is_flag=True, help="Print JSON, for a program."),
                    url_option(),
                    token_option(),
                    config_option(),
                ],
                exits=_ANSWERS,
                examples=[Example("pyproxy bans list --json", "for a program")],
            ),
            Command(
                "lift",
                program="bans.lift",
                text="""Let ADDRESS in again, as `bans list` shows it.""",
                params=[
                    click.Argument(["address"]),
                    url_option(),
                    token_option(),
                    config_option(),
                ],
                exits=(
                    ("0", "lifted"),
                    ("1", "it was not banned, or the gateway does not answer"),
                    ("2", "unusable arguments or configuration"),
                ),
                examples=[
                    Example("pyproxy bans lift 192.0.2.7", "an address"),
                    Example("pyproxy bans lift 2001:db8::/64", "IPv6 is banned by networks"),
                ],
            ),
        ]
    },
)

schema = Command(
    "schema",
    program="schema.schema",
    text="""Print the JSON Schema of the configuration.

    Editors complete and check pyproxy.toml by it.""",
    params=[
        Option(
            ["--audit", "is_audit"],
            is_flag=True,
            help="Print that of a line of the audit log instead.",
        )
    ],
    examples=[Example("pyproxy schema > pyproxy.schema.json", "for an editor")],
)

completion = Command(
    "completion",
    program="completion.completion",
    text="""Print what makes a shell complete pyproxy's command lines.

    SHELL is bash, zsh or fish. Completed are commands, options, files; names of keys for
    `keys revoke`, of routes for `env --route`, methods for `explain`. The lines below
    install it for one user.""",
    params=[click.Argument(["shell"], type=click.Choice(("bash", "zsh", "fish")), metavar="SHELL")],
    examples=[
        Example('eval "$(pyproxy completion bash)"', "bash: put this line into ~/.bashrc"),
        Example(
            'eval "$(pyproxy completion zsh)"',
            "zsh: put this line into ~/.zshrc, below compinit",
        ),
        Example("pyproxy completion fish > ~/.config/fish/completions/pyproxy.fish", "fish: once"),
    ],
)

version = Command(
    "version",
    program="version.version",
    text="""Print the versions of pyproxy and of what it stands on.

    Python, OpenSSL, event loop, libraries, and which extras are installed: what a bug
    report needs to say.""",
    params=[Option(["--json", "is_json"], is_flag=True, help="Print JSON, for a program.")],
    examples=[Example("pyproxy version --json", "for a program")],
)
