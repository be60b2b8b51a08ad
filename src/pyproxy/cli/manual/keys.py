"""Commands that make keys and certificates, and take them back."""

from pathlib import Path
from typing import Final

import click

from pyproxy.cli.command import Command, Example, Group, Option
from pyproxy.cli.manual.candidates import key_names
from pyproxy.cli.manual.options import config_option

ALGORITHMS: Final = (
    "ES256",
    "ES384",
    "ES512",
    "EdDSA",
    "PS256",
    "PS384",
    "PS512",
    "RS256",
    "RS384",
    "RS512",
)
_UNUSABLE: Final = ("2", "unusable arguments, configuration or file; nothing was changed")


def _keys_file() -> Option:
    return Option(
        ["--file", "-f", "keys_file"],
        type=click.Path(path_type=Path),
        metavar="FILE",
        help="Use this keys file. Left out: the configuration's auth.keys_file, else api_keys.txt.",
    )


def _key_set_file() -> Option:
    return Option(
        ["--file", "-f", "keys_file"],
        type=click.Path(path_type=Path),
        metavar="FILE",
        help="Use this private key set. Left out: the configuration's "
        "auth.jwt.signing_keys_file, else signing_keys.json.",
    )


def _algorithm(default: str | None, said: str) -> Option:
    return Option(
        ["--alg"],
        type=click.Choice(ALGORITHMS),
        metavar="ALG",
        default=default,
        help=f"Sign with ALG: {', '.join(ALGORITHMS)}. Left out: {said}.",
    )


keys = Group(
    "keys",
    text="""Make, hash, list and revoke API keys.

    A running gateway that watches the keys file takes a change within a second.""",
    sections={
        "Commands": [
            Command(
                "new",
                program="keys.new",
                text="""Make a key called NAME, show it once, and keep its hash.

                The key is the only thing on standard output: 256 random bits. The keys
                file gets its SHA-256.""",
                params=[click.Argument(["name"]), _keys_file(), config_option()],
                exits=(("0", "made"), _UNUSABLE),
                examples=[
                    Example("pyproxy keys new alice", "a key for alice"),
                    Example("KEY=$(pyproxy keys new ci --file keys.txt)", "for a script"),
                ],
            ),
            Command(
                "hash",
                program="keys.hash_",
                text="""Hash a key of yours with bcrypt.

                The key is asked for, twice, or is the first line of standard input.""",
                params=[
                    Option(
                        ["--name"],
                        metavar="NAME",
                        help="Print a whole line for the keys file, with this name.",
                    )
                ],
                examples=[
                    Example("pyproxy keys hash --name alice >> api_keys.txt", "asks for the key"),
                    Example('printf %s "$KEY" | pyproxy keys hash', "from another program"),
                ],
            ),
            Command(
                "list",
                program="keys.list_",
                text="""List the keys' names, kinds and options; never the keys.""",
                params=[_keys_file(), config_option()],
                examples=[Example("pyproxy keys list", "who has a key?")],
            ),
            Command(
                "revoke",
                program="keys.revoke",
                text="""Take back the key called NAME, as `keys list` shows it.""",
                params=[
                    click.Argument(["name"], shell_complete=key_names),
                    _keys_file(),
                    config_option(),
                ],
                exits=(("0", "revoked"), ("1", "no key has that name"), _UNUSABLE),
                examples=[Example("pyproxy keys revoke alice", "she is refused at once")],
            ),
        ]
    },
)

jwks = Group(
    "jwks",
    text="""Make, show and rotate the keys that sign tokens.""",
    sections={
        "Commands": [
            Command(
                "new",
                program="jwks.new",
                text="""Make a private key set with one key.

                A set that is there is left alone: `jwks rotate` adds to it.""",
                params=[_algorithm("ES256", "ES256"), _key_set_file(), config_option()],
                exits=(("0", "made"), _UNUSABLE),
                examples=[
                    Example("pyproxy jwks new", "a key for ES256"),
                    Example(
                        "pyproxy jwks new --alg EdDSA --file signing.json", "another algorithm"
                    ),
                ],
            ),
            Command(
                "public",
                program="jwks.public",
                text="""Print the public half of the key set.

                It is what /.well-known/jwks.json answers, for those who verify offline.""",
                params=[_key_set_file(), config_option()],
                examples=[Example("pyproxy jwks public > jwks.json", "for another verifier")],
            ),
            Command(
                "rotate",
                program="jwks.rotate",
                text="""Add a key that signs from now on; the old ones still verify.""",
                params=[
                    _algorithm(None, "as the newest key"),
                    _key_set_file(),
                    config_option(),
                ],
                exits=(("0", "added"), _UNUSABLE),
                examples=[Example("pyproxy jwks rotate", "once a quarter")],
            ),
        ]
    },
)

cert = Command(
    "cert",
    program="cert.cert",
    text="""Make a CA and a certificate for development.

    Prints what makes clients trust it. A CA that is there and valid is kept, so that
    clients are told of it once; the certificate is made anew when it is near its end or
    lacks a host.""",
    params=[
        Option(
            ["--host", "hosts"],
            multiple=True,
            metavar="NAME",
            help="Make it for this name or address too, beside localhost. May be given several "
            "times.",
        ),
        Option(
            ["--dir", "folder"],
            type=click.Path(path_type=Path),
            default=Path("certs"),
            show_default=True,
            metavar="FOLDER",
            help="Put the files into this folder.",
        ),
    ],
    examples=[
        Example("pyproxy cert", "for localhost, 127.0.0.1 and ::1"),
        Example("pyproxy cert --host gateway.internal --host 10.0.0.5", "for others as well"),
    ],
)
