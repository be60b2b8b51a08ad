"""Keys in a client's environment: left blank, at odds with each other, and brought on purpose."""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Final

from pyproxy.cli.client_proof import GATEWAY_KEY, SHARED_SECRET
from pyproxy.cli.provider_keys import VARIABLES
from pyproxy.errors.fault import Fault
from pyproxy.providers.clients import ALL_CLIENTS, Clients

# As `pyproxy env` prints what is to be filled in.
_BLANK: Final = re.compile(r"YOUR_(?:[A-Z0-9]+_)*(?:KEY|SECRET)")
_MEANINGS: Final = {blank.text: blank.meaning for blank in (GATEWAY_KEY, SHARED_SECRET)}
_OWN_KEY: Final = "your own key of the provider's"


def key_faults(environ: Mapping[str, str]) -> Iterator[Fault]:
    """Variables that are still to be filled in, and pairs of which one would be wrong."""
    names = (
        *VARIABLES,
        *(key for each in ALL_CLIENTS for key in (*each.keys, *each.own_keys, *each.rivals)),
        *(each.fields for each in ALL_CLIENTS if each.fields),
    )
    for name in dict.fromkeys(names):
        if found := _BLANK.search(environ.get(name, "")):
            meaning = _MEANINGS.get(found[0], _OWN_KEY)
            yield Fault(name, f"still says {found[0]}, which stands for {meaning}")
    for each in ALL_CLIENTS:
        yield from _at_odds(each, environ)


def own_keys(environ: Mapping[str, str], leads_here: Callable[[str], bool]) -> frozenset[str]:
    """Variables in which a provider's own key is right: the gateway's travels beside it.

    Args:
        environ: The environment.
        leads_here: Whether the URL in a variable is the gateway's.
    """
    return frozenset(
        key
        for each in ALL_CLIENTS
        if each.fields and _has_field(environ.get(each.fields, ""))
        if any(leads_here(name) for name, _ in each.base_urls)
        for key in each.own_keys or each.keys
    )


def _at_odds(clients: Clients, environ: Mapping[str, str]) -> Iterator[Fault]:
    key = clients.keys[-1]  # the one that stands beside the rivals
    for rival in clients.rivals:
        ours, other = environ.get(key, "").strip(), environ.get(rival, "").strip()
        if ours and other and ours != other:
            problem = f"is set beside {key} and differs: it would be sent too, or instead; unset it"
            yield Fault(rival, problem)


def _has_field(text: str) -> bool:
    return any(value.strip() for _, _, value in (line.partition(":") for line in text.splitlines()))
