"""Commands that serve, and that look at what would be and is served."""

from typing import Final

import click

from pyproxy.cli.command import Command, Example, Option
from pyproxy.cli.manual.candidates import methods
from pyproxy.cli.manual.options import config_option, token_option, url_option
from pyproxy.cli.manual.values import fields, seconds

SIGNALS: Final = (
    (
        "SIGTERM, Ctrl-C",
        "drain: accept no more, finish what is open, exit 0; a second one: at once",
    ),
    ("SIGHUP", "take a changed configuration without a lost request; a faulty one changes nothing"),
    ("SIGUSR1", "open log files anew, after rotation"),
)

serve = Command(
    "serve",
    program="serve.serve",
    text="""Run the gateway until SIGTERM or Ctrl-C.

    Without a configuration the environment alone says what is served: API_KEY,
    OPENAI_API_KEY and the others of the reference. --dev makes whatever is missing: a
    certificate under certs/, a signing key, an API key and a demonstration upstream; it
    prints a curl line that works.""",
    params=[
        Option(
            ["--dev"],
            is_flag=True,
            help="Make whatever is missing, a demonstration upstream included.",
        ),
        config_option(),
    ],
    notes={"Signals": SIGNALS},
    exits=(
        ("0", "drained and ended"),
        ("1", "ended by a fault while it served, or without drain"),
        ("2", "not started: unusable arguments, configuration or port"),
    ),
    examples=[
        Example("pyproxy serve --dev", "try it, on a machine that has nothing yet"),
        Example("pyproxy serve -c /etc/pyproxy/pyproxy.toml", "run it"),
    ],
)

check = Command(
    "check",
    program="check.check",
    text="""Print what would be served, and what is wrong with it.

    Listeners, routes, who may call, which credential goes upstream, limits; secrets are
    left out. Faults and warnings go to standard error.""",
    params=[
        Option(
            ["--connect"],
            is_flag=True,
            help="Reach each upstream, and the store, too: name, connection, TLS, HTTP status. Say "
            "whether the environment holds a provider's key that the gateway does not need.",
        ),
        Option(["--strict"], is_flag=True, help="Exit 1 if there is a warning."),
        Option(
            ["--timeout"],
            metavar="SECONDS",
            default="5",
            show_default=True,
            callback=seconds,
            help="How long each step of --connect or --client may take.",
        ),
        Option(
            ["--client", "url"],
            metavar="URL",
            help="Look from a client's side instead: no provider's key in this environment, the "
            "gateway at URL reached and trusted, base URLs that lead there.",
        ),
        config_option(),
    ],
    exits=(
        ("0", "sound"),
        ("1", "an upstream is not reached, a client's side is faulty; --strict: a warning"),
        ("2", "unusable arguments or configuration"),
    ),
    examples=[
        Example("pyproxy check", "look at the configuration"),
        Example("pyproxy check --strict --connect", "before a deployment"),
        Example(
            "pyproxy check --client https://gateway.example:5000", "on the machine of a client"
        ),
    ],
)

explain = Command(
    "explain",
    program="explain.explain",
    text="""Say what would become of a request, without sending it.

    The route that takes METHOD and URL, who the caller is, by which rule it would be
    refused, and what the upstream would get. The request takes its way through the
    gateway itself; left out are the upstream, the body, and key sets behind a URL.""",
    params=[
        click.Argument(["method"], shell_complete=methods),
        click.Argument(["url"]),
        Option(
            ["-H", "--header", "headers"],
            multiple=True,
            metavar="'NAME: VALUE'",
            callback=fields,
            help="Send this field. May be given several times.",
        ),
        Option(
            ["--from", "address"],
            metavar="IP",
            default="127.0.0.1",
            show_default=True,
            help="Ask as if connected from this address.",
        ),
        config_option(),
    ],
    exits=(
        ("0", "it would be let in"),
        ("1", "it would be refused"),
        ("2", "unusable arguments or configuration"),
    ),
    examples=[
        Example("pyproxy explain GET https://localhost:5000/v1/models", "would a stranger get in?"),
        Example(
            "pyproxy explain POST https://localhost:5000/v1/messages \\\n"
            '    -H "x-api-key: $KEY" --from 192.0.2.7',
            "this key, from that address",
        ),
    ],
)

top = Command(
    "top",
    program="top.top",
    text="""Watch the running gateway in this terminal.

    Traffic, routes, limits, what is wrong. q ends it. Without a terminal it prints once
    and ends. It asks the gateway's admin listener.""",
    params=[
        Option(
            ["--interval"],
            default="1s",
            show_default=True,
            metavar="TIME",
            help="How often it asks: 500ms, 2s, 1m.",
        ),
        Option(["--once"], is_flag=True, help="Print once and end."),
        url_option(),
        token_option(),
        config_option(),
    ],
    exits=(
        ("0", "told"),
        ("1", "the gateway does not answer"),
        ("2", "unusable arguments or configuration"),
    ),
    examples=[
        Example("pyproxy top", "the gateway of this folder's configuration"),
        Example("pyproxy top --url http://127.0.0.1:9100 --once", "one look, for a script"),
    ],
)
