"""What a client exports to use a route."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from pyproxy.cli.approach import Approach
from pyproxy.cli.client_proof import PLACEHOLDER, Proof, Variable, proof_of
from pyproxy.cli.trust import TRUST_VARIABLES
from pyproxy.config.route import RouteSettings
from pyproxy.providers.clients import CLIENTS, Clients

_NO_NAME: Final = re.compile(r"[^A-Z0-9]+")


@dataclass(frozen=True, slots=True)
class Group:
    """Variables that are of use together alone.

    Attributes:
        route: Whom they are for.
        variables: To be set.
        unset: Names of those that must not be.
        remarks: Sentences, and lines of other files.
    """

    route: str
    variables: tuple[Variable, ...]
    unset: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()


def groups_of(route: RouteSettings, approach: Approach) -> Iterator[Group]:
    """What each kind of client of a route needs, the authority to trust last."""
    base, proof = approach.url + _path(route), proof_of(route)
    common = (*approach.remarks, *_shown(proof, approach))
    for clients in CLIENTS[route.provider]:
        rivals = tuple(name for name in clients.rivals if name not in _key_names(clients, proof))
        remarks = (*common, *_remarks(clients, rivals, proof), *_codex(clients, base, proof))
        yield Group(route.name, (*_variables(clients, base, proof),), rivals, remarks)
    if not CLIENTS[route.provider]:
        remarks = (*common, *_by_hand(proof))
        yield Group(route.name, (Variable(_name(route), base),), (), remarks)
    if approach.ca is not None:
        trust = tuple(Variable(name, str(approach.ca)) for name in TRUST_VARIABLES)
        remark = "SSL_CERT_FILE replaces all other authorities: set it for these clients alone"
        yield Group(route.name, trust, (), (remark,))


def _path(route: RouteSettings) -> str:
    """What stands before the paths of the API, as its clients write them."""
    is_of_the_api = not route.strip_path and route.path.startswith("/v1")
    return "" if is_of_the_api else route.path.rstrip("/")


def _name(route: RouteSettings) -> str:
    """A variable for a route of which nothing is known but how it is called."""
    name = _NO_NAME.sub("_", route.name.upper()).strip("_") or "ROUTE"
    return f"_{name}_BASE_URL" if name[0].isdigit() else f"{name}_BASE_URL"


def _key_names(clients: Clients, proof: Proof) -> tuple[str, ...]:
    return (clients.own_keys if proof.is_own else ()) or clients.keys


def _variables(clients: Clients, base: str, proof: Proof) -> Iterator[Variable]:
    for name, end in clients.base_urls:
        yield Variable(name, base + end)
    for name in _key_names(clients, proof):
        yield Variable(name, proof.key.text if proof.key else PLACEHOLDER, proof.key)
    if proof.field is not None and clients.fields:
        line = f"{proof.field.name}: {proof.field.value}"
        yield Variable(clients.fields, line, proof.field.blank)
    for name, value in clients.constants:
        yield Variable(name, value)


def _shown(proof: Proof, approach: Approach) -> Iterator[str]:
    for blank in proof.blanks:
        yield f"{blank.text} stands for {blank.meaning}"
    if approach.listener.client_ca:
        yield f"clients must show a certificate from {approach.listener.client_ca}"


def _remarks(clients: Clients, rivals: tuple[str, ...], proof: Proof) -> Iterator[str]:
    if rivals:
        yield f"{' and '.join(rivals)} must not be set: it would be sent too, or instead"
    if proof.field is not None:
        yield from [clients.fields_remark] if clients.fields_remark else []
        yield from () if clients.fields else _by_hand(proof)
    yield from clients.remarks


def _by_hand(proof: Proof) -> Iterator[str]:
    """The field that no variable puts into requests."""
    if proof.field is not None:
        yield f"every request must have the field {proof.field.name}: {proof.field.value}"
    elif proof.key is not None:
        yield f"every request must have the field Authorization: Bearer {proof.key.text}"


def _codex(clients: Clients, base: str, proof: Proof) -> Iterator[str]:
    """Codex reads none of these but the key's, and the rest from a file of its own."""
    if not clients.is_for_codex:
        return
    yield "Codex reads the rest from ~/.codex/config.toml:"
    yield '  model_provider = "pyproxy"'
    yield "  [model_providers.pyproxy]"
    yield '  name = "pyproxy"'
    yield f"  base_url = {json.dumps(base + clients.base_urls[0][1])}"
    yield f"  env_key = {json.dumps(clients.keys[0])}"
    yield '  wire_api = "responses"'
    if proof.field is not None:
        name, value = json.dumps(proof.field.name), json.dumps(proof.field.value)
        yield f"  http_headers = {{ {name} = {value} }}"
